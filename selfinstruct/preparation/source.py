"""The source of a run: a seed file, a recipe file, the name of a built-in recipe, or rows in memory.

Does not handle: checking the seeds (``prepare``).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from selfinstruct.documents import raw_kind
from selfinstruct.errors import InputError, RecipeError, RowError
from selfinstruct.messages import Phrase
from selfinstruct.preparation.language_choice import language_of
from selfinstruct.prompts.language import is_chinese
from selfinstruct.recipe import Importer, Language, Recipe, builtin, has_variants, is_recipe, parse_recipe
from selfinstruct.remote import is_remote, shown
from selfinstruct.rows import (
    UTF_8,
    RowFile,
    file_name,
    find_shards,
    open_row_file,
    parse_rows,
    read_rows,
    rows_from_objects,
)
from selfinstruct.rows.likely_encoding import encoding_of_text

if TYPE_CHECKING:
    import pandas

#: A path ("-" for stdin), a recipe, rows, or a pandas DataFrame.
Source: TypeAlias = "str | Path | Recipe | Iterable[Mapping[str, Any]] | pandas.DataFrame"


def read_source(
    source: Source,
    *,
    importer: Importer | None = None,
    language: Language | None = None,
    passages: Sequence[str] = (),
    encoding: str | None = None,
) -> tuple[RowFile, Recipe | None]:
    """Read the seeds of ``source``, and the recipe if it is one.

    The content of a file decides: TOML is a recipe, everything else rows. A recipe that is written in several languages
    is read in ``language``, by default that of the files ``passages``, or else of the texts that it uses; a built-in
    one uses its own texts in its own language. ``encoding`` is that of row files and of ``passages``.
    """
    own = encoding or UTF_8
    if not isinstance(source, str | Path):
        _refuse_idle(encoding, passages)
    if isinstance(source, Recipe):
        recipe = source if language is None else source.model_copy(update={"language": language})
        return _seeds_of(recipe, recipe.name), recipe
    if not isinstance(source, str | Path):
        return rows_from_objects(source, "rows"), None
    if is_remote(source):
        raise InputError(
            "{url}: `dedup` and `check` read URLs; recipes and seed rows are read from files",
            hint="Download it first.",
            url=shown(str(source)),
        )
    name = str(source)
    is_builtin = name in builtin.names() and not Path(name).exists()
    if is_builtin:
        name = str(builtin.path(name))
    if find_shards(name) is not None:
        return read_rows(name, encoding=own), None
    data = _read_bytes(name)
    if not is_recipe(data):
        _refuse_raw_text(data, name, own)
        return parse_rows(data, name, encoding=own), None
    _refuse_idle(encoding, passages)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowError(name, "recipe is not UTF-8 text", hint="Save it as UTF-8.") from error
    recipe = parse_recipe(text, name, Path(name).parent, importer=importer, language=language)
    if language is not None and not has_variants(text, name):
        _require_language(recipe, language, name)
    follows = language is None and has_variants(text, name) and (bool(passages) or not is_builtin)
    found = language_of(recipe, passages, own) if follows else None
    if found is not None and found != recipe.language:
        recipe = parse_recipe(text, name, Path(name).parent, importer=importer, language=found)
    return _seeds_of(recipe, name), recipe


def _refuse_raw_text(data: bytes, name: str, encoding: str) -> None:
    """Raise RowError, with the command that reads it, for a log or a document."""
    kind = raw_kind(data, file_name(name), encoding)
    if kind is None:
        return
    file = "FILE" if name == "-" else shlex.quote(name)
    named = encoding if encoding != UTF_8 else encoding_of_text(data)
    option = "" if named in (None, UTF_8) else f' `encoding="{named}"`'
    if kind == "log":
        hint = Phrase("Ask about its lines: selfinstruct run --passages {file}{option}", file=file, option=option)
        raise RowError(file_name(name), "a log, not rows", hint=hint)
    command = f"selfinstruct run document-qa --passages {file} --base-url http://127.0.0.1:8000/v1 --model NAME{option}"
    raise RowError(
        file_name(name), "a document, not rows", hint="Ask about it, with a model: {command}", command=command
    )


def _refuse_idle(encoding: str | None, passages: Sequence[str]) -> None:
    """Raise InputError for an ``encoding`` that no file is read in: those of a recipe have a key of their own."""
    if encoding is not None and not passages:
        raise InputError(
            "`encoding` has no effect without a row file or passages",
            hint='Write encoding = "{encoding}" in the table of the recipe that names the file, such as [seeds].',
            encoding=encoding,
        )


def _require_language(recipe: Recipe, language: Language, name: str) -> None:
    """Raise RecipeError if the prompts of a recipe without variants are in another language."""
    for step in recipe.steps:
        if is_chinese(f"{step.system}\n{step.prompt}") != (language == "zh"):
            message = Phrase(
                "{name}: the prompt of the step {step} is in another language than {language!r}",
                name=name,
                step=step.name,
                language=language,
            )
            raise RecipeError(
                message,
                hint=Phrase("Add [languages.{language}] to the recipe, or leave out `language`.", language=language),
            )


def _seeds_of(recipe: Recipe, name: str) -> RowFile:
    """Read the seeds of a recipe that messages call ``name``; a recipe without a seed file has none."""
    if not recipe.seeds.file:
        return RowFile(name, "jsonl", [], [], tuple(recipe.fields))
    hint = Phrase("Check seeds.file in {name}; it is relative to the recipe's directory.", name=name)
    optional = [name for name, field in recipe.fields.items() if field.optional]
    return read_rows(recipe.seeds.file, hint=hint, optional=optional, encoding=recipe.seeds.encoding)


def model_command(source: Source, encoding: str | None = None) -> str:
    """What to do for rows by a model: the command for a file in an encoding, else the arguments."""
    if isinstance(source, str | Path):
        file = shlex.quote(str(source))
        if encoding:
            return f"selfinstruct run {file} --encoding {encoding} --base-url http://127.0.0.1:8000/v1 --model NAME"
        return f"selfinstruct run {file} --base-url http://127.0.0.1:8000/v1 --model NAME"
    return 'set `base_url="http://127.0.0.1:8000/v1"` and `model="NAME"`.'


def _read_bytes(name: str) -> bytes:
    with open_row_file(name) as file:
        return file.read()
