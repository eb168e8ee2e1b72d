"""TOML text: reading with places, and writing with comments; knows nothing of recipes.

Does not handle: editing a file in place (comments of the text that was read are not kept), dates on writing, and
lone surrogates, which TOML cannot hold.

>>> print(write([((), {"name": "logqa"}), (("fields", "Raw Log"), {"type": "string"})], {"name": "a folder's name"}))
# a folder's name
name = "logqa"
<BLANKLINE>
[fields."Raw Log"]
type = "string"
<BLANKLINE>
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from selfinstruct.errors import RecipeError

#: The keys from the root of a file to a value: ``("fields", "Answer", "appears_in")``. The tables of an array are
#: numbered from 0: ``("models", 1, "name")`` is in the second ``[[models]]``.
KeyPath: TypeAlias = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# A statement of several lines ends where an array, a table or a text is closed.
_CLOSES = re.compile(r"""[]}]|\"{3}|'{3}""")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# What TOML forbids raw in a string, and what would disturb a terminal: C1 controls, line separators, bidi overrides.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"\\]')
_SHORT_ESCAPES = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r", '"': r"\"", "\\": r"\\"}
# tomllib's words for the slips people make most, in ours.
_REWORDED = {
    "Invalid value": ("the value is not TOML", 'text goes in quotes: name = "logqa"; numbers, true and false do not'),
    "Cannot overwrite a value": ("this key or table is written twice", "keep one of the two"),
    "Expected '=' after a key in a key/value pair": ("a key needs = and a value", 'for example: name = "logqa"'),
}


def read(text: str, name: str) -> dict[str, Any]:
    """Parse TOML text; ``name`` is what messages call the file.

    Raises RecipeError with ``name:line`` when the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as exc:
        raise RecipeError(f"{name}: brackets are nested too deeply to read") from exc
    except ValueError as exc:
        said = str(exc)
        place = _PLACE.search(said)
        line = place[1] if place and place[1] else str(len(text.splitlines()) or 1)
        column = f" at column {place[2]}" if place and place[2] else ""
        reason, hint = _reworded(said[: place.start()] if place else said)
        raise RecipeError(f"{name}:{line}: not valid TOML{column}: {reason}", hint=hint) from exc


def _reworded(reason: str) -> tuple[str, str]:
    twice = re.fullmatch(r"Cannot declare \((.*?),?\) twice", reason)
    if twice:
        return f"the table [{'.'.join(part.strip()[1:-1] for part in twice[1].split(','))}] is written twice", ""
    return _REWORDED.get(reason, (reason[:1].lower() + reason[1:], ""))


def lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) on which the statement begins that first names each table and key of valid TOML ``text``.

    tomllib tells no places, so each statement is read again by itself: it is the fewest lines that are TOML.
    Does not see into arrays of tables that stand in other tables.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    arrays: dict[str, int] = {}
    rows = text.replace("\r\n", "\n").split("\n")
    start = 0
    for end, row in enumerate(rows):
        if end > start and not _CLOSES.search(row):
            continue
        statement = "\n".join(rows[start : end + 1])
        try:
            read = tomllib.loads(statement)
        except ValueError:
            continue  # It goes on in the next line.
        paths = list(_paths(read, ()))
        if statement.lstrip().startswith("["):
            name, *below = paths[-1]
            if statement.lstrip().startswith("[["):
                arrays[str(name)] = arrays.get(str(name), -1) + 1
                paths.append((name, arrays[str(name)]))
            elif str(name) in arrays:
                paths = [(name, arrays[str(name)], *below)]
            table = paths[-1]
        else:
            paths = [table + path for path in paths]
        for path in paths:
            found.setdefault(path, start + 1)
        start = end + 1
    return found


def _paths(data: Mapping[str, Any], above: KeyPath) -> Iterator[KeyPath]:
    for key, value in data.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))


def key_path(path: KeyPath) -> str:
    """A path as TOML writes it: ``fields."Raw Log".type``; the second of an array of tables is ``models[1]``."""
    said = ""
    for part in path:
        if isinstance(part, int):
            said += f"[{part}]"
        else:
            said += f"{'.' if said else ''}{part if _BARE_KEY.fullmatch(part) else literal(part)}"
    return said


def literal(value: Any) -> str:
    """A value on one line: text, numbers, booleans, lists, and mappings as inline tables.

    Characters that a terminal would act upon are escaped, so that the result may be shown to people.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_UNSAFE.sub(_escape, value)}"'
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = (f"{key_path((key,))} = {literal(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return f"[{', '.join(literal(item) for item in value)}]"


def write(tables: Iterable[tuple[KeyPath, Mapping[str, Any] | None]], comments: Mapping[str, str]) -> str:
    """A TOML file of ``tables`` in their order, each with its keys in their order.

    The table ``()`` holds the keys above the first header; ``("models", 0)`` is the first ``[[models]]``. A key whose
    value is None is not written, nor the
    header of a table that is None. ``comments`` maps the path of a table or a key, its parts joined by dots
    without quotes, to text that is written above it, also where the table or key itself is not written; ""
    stands for the top of the file.

    Raises ValueError for a comment that has no place, and RecipeError for text with a lone surrogate.
    """
    left = dict(comments)
    blocks = [_comment(left.pop("", ""))]
    for path, table in tables:
        dotted = ".".join(map(str, path))
        block = _comment(left.pop(dotted, ""))
        if path and table is not None:
            block.append(f"[[{key_path(path[:-1])}]]" if isinstance(path[-1], int) else f"[{key_path(path)}]")
        for key, value in (table or {}).items():
            block += _comment(left.pop(f"{dotted}.{key}" if dotted else key, ""))
            if value is not None:
                block.append(f"{key_path((key,))} = {_paragraph(value)}")
        blocks.append(block)
    if left:
        raise ValueError(f"comments for keys that are not in the file: {', '.join(left)}")
    text = "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
    if re.search("[\ud800-\udfff]", text):
        raise RecipeError(
            "a name in the recipe holds half of a character (a lone surrogate), which TOML cannot",
            hint="rename the field or category in the seed file",
        )
    return text


def _comment(text: str) -> list[str]:
    # Quotes and backslashes are harmless here; the rest that is unsafe is shown as its escape.
    safe = [re.sub(r'[^"\\]+', lambda run: _UNSAFE.sub(_escape, run[0]), line) for line in text.splitlines()]
    return [f"# {line}".rstrip().encode("utf-8", "backslashreplace").decode() for line in safe]


def _paragraph(value: Any) -> str:
    """A value as people like to edit it: text of several lines is written on several lines."""
    if not isinstance(value, str) or "\n" not in value:
        return literal(value)
    body = _UNSAFE.sub(lambda unsafe: unsafe[0] if unsafe[0] in '\n"' else _escape(unsafe), value)
    body = body.replace('"""', '""\\"')  # One or two quotes are lawful anywhere, also at the end.
    return f'"""\n{body}"""'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    return f"\\u{ord(character):04x}"
