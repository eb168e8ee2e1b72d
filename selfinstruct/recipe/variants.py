"""The variants of a recipe in other languages: ``[languages.zh]`` has what the recipe has in other words in Chinese.

    [languages.zh.fields.question]          replaces keys of [fields.question]
    [languages.zh.steps.answers]            replaces keys of the [[steps]] table named "answers"
    [languages.zh] replace = ["fields"]     replaces all [fields] by [languages.zh.fields]

A file of the recipe that has a version in the language beside it (``rows.zh.jsonl`` beside ``rows.jsonl``) is replaced
by that version.

Does not handle: choosing the language (``preparation``), validation of a variant that is not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from selfinstruct.messages import Phrase
from selfinstruct.recipe import toml
from selfinstruct.recipe.errors import Problem
from selfinstruct.recipe.types import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
_TABLE, _REPLACE = "languages", "replace"


def own_language(data: Mapping[str, Any]) -> Language | None:
    """The language of a recipe apart from its variants: its ``language``, or that without a variant; None if unknown.

    >>> own_language({"languages": {"zh": {}}}), own_language({"languages": {"en": {}}}), own_language({})
    ('en', 'zh', None)
    """
    variants = data.get(_TABLE)
    if not isinstance(variants, dict) or not variants:
        return None
    return "zh" if "en" in variants and "zh" not in variants else "en"


def variant_problems(data: Mapping[str, Any]) -> list[Problem]:
    """The problems of ``[languages]`` as a whole: a table for each language, for tables that the recipe has."""
    variants = data.get(_TABLE, {})
    if not isinstance(variants, dict):
        return [Problem((_TABLE,), "expected a table for each language", "write [languages.zh]")]
    problems = []
    for name, variant in variants.items():
        if name not in LANGUAGES:
            problems.append(
                Problem((_TABLE, name), Phrase("expected one of {languages}", languages=", ".join(LANGUAGES)))
            )
        elif not isinstance(variant, dict):
            problems.append(Problem((_TABLE, name), "expected a table", Phrase("write [languages.{name}]", name=name)))
        else:
            problems += [_no_such_table(name, key, each) for key, each in _unknown_tables(data, variant)]
    return problems


def _unknown_tables(data: Mapping[str, Any], variant: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of a variant whose arrays have no table of their name, such as ``("steps", "answer")``."""
    for key, tables in variant.items():
        if isinstance(data.get(key), list) and isinstance(tables, dict):
            names = {each.get("name") for each in data[key] if isinstance(each, dict)}
            yield from ((key, name) for name in tables if name not in names)


def _no_such_table(language: str, key: str, name: str) -> Problem:
    return Problem(
        (_TABLE, language, key, name),
        Phrase("no [[{key}]] has this name", key=key),
        Phrase("use the name of one of [[{key}]]", key=key),
    )


def in_language(data: Mapping[str, Any], language: str | None) -> dict[str, Any]:
    """Return the data of a recipe in a language, without ``[languages]``; in its own for None.

    The ``language`` of the result is set if it is known.
    """
    chosen = language or data.get("language") or own_language(data)
    plain = {key: value for key, value in data.items() if key != _TABLE}
    variant = data.get(_TABLE, {}).get(chosen)
    if variant is not None:
        wholes = variant.get(_REPLACE, [])
        own = {key: value for key, value in variant.items() if key != _REPLACE}
        plain = _merged({key: value for key, value in plain.items() if key not in wholes}, own)
    return plain if chosen is None else plain | {"language": chosen}


def path_in_variant(path: toml.KeyPath, data: Mapping[str, Any], language: str | None) -> toml.KeyPath:
    """Return the path of a key in the variant for a language if this sets it, else ``path``."""
    here: Any = data.get(_TABLE, {}).get(language, {})
    base: Any = data
    found: list[str | int] = [_TABLE, language or ""]
    for part in path:
        base = _item(base, part)
        name = base.get("name") if isinstance(part, int) and isinstance(here, dict) and isinstance(base, dict) else part
        here = _item(here, part if name is None else name)
        if here is None:
            return path
        found.append(part if name is None else name)
    return tuple(found)


def version_of(file: str, language: str | None) -> str:
    """The version of a file or directory in a language, if there is one beside it, else the file itself."""
    path = Path(file)
    if language is None or not path.name or "*" in file:
        return file
    version = path.with_name(f"{path.stem}.{language}{path.suffix}")
    return version.as_posix() if version.exists() else file


def _merged(base: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    """The base with the keys of a variant; tables are merged, and those of arrays by their names."""
    result = dict(base)
    for key, value in variant.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = _merged(old, value)
        elif isinstance(old, list) and isinstance(value, dict):
            result[key] = [_merged(each, value.get(each.get("name"), {})) for each in old]
        else:
            result[key] = value
    return result


def _item(table: Any, part: str | int) -> Any:
    if isinstance(table, dict):
        return table.get(part)
    if isinstance(table, list) and isinstance(part, int) and part < len(table):
        return table[part]
    return None
