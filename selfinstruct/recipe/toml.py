"""TOML text: reading with line numbers, and writing with comments; independent of recipes.

Does not handle: editing a file in place (comments are not kept), writing dates, and lone surrogates, which TOML cannot
represent.

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
from selfinstruct.messages import Phrase

#: The keys from the root of a file to a value: ``("fields", "Answer", "appears_in")``. The tables of an array are
#: numbered from 0: ``("models", 1, "name")`` is in the second ``[[models]]``.
KeyPath: TypeAlias = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# A statement of several lines ends where an array, a table or a string is closed.
_CLOSES = re.compile(r"""[]}]|\"{3}|'{3}""")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# Characters that TOML forbids in a string, or that a terminal acts upon: C1 controls, line separators, bidi overrides.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"\\]')
_SHORT_ESCAPES = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r", '"': r"\"", "\\": r"\\"}
# Clearer messages for the most common errors of tomllib.
_REWORDED = {
    "Invalid value": (
        Phrase("invalid value"),
        Phrase('put text in quotes: name = "logqa"; numbers, true and false have none'),
    ),
    "Cannot overwrite a value": (Phrase("this key or table is defined twice"), Phrase("keep one of the two")),
    "Expected '=' after a key in a key/value pair": (
        Phrase("expected = and a value after the key"),
        Phrase('for example: name = "logqa"'),
    ),
}


def read(text: str, name: str) -> dict[str, Any]:
    """Parse TOML text; ``name`` is what messages call the file.

    Raises RecipeError with ``name:line`` when the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as exc:
        raise RecipeError("{name}: brackets are nested too deeply", name=name) from exc
    except ValueError as exc:
        message = str(exc)
        place = _PLACE.search(message)
        line = place[1] if place and place[1] else str(len(text.splitlines()) or 1)
        column = place[2] if place and place[2] else ""
        reason, hint = _reworded(message[: place.start()] if place else message)
        raise RecipeError(
            Phrase(
                "{name}:{line}: not valid TOML at column {column}: {reason}"
                if column
                else "{name}:{line}: not valid TOML: {reason}",
                name=name,
                line=line,
                column=column,
                reason=reason,
            ),
            hint=hint,
        ) from exc


def _reworded(reason: str) -> tuple[str, str]:
    twice = re.fullmatch(r"Cannot declare \((.*?),?\) twice", reason)
    if twice:
        name = ".".join(part.strip()[1:-1] for part in twice[1].split(","))
        return Phrase("the table [{name}] is defined twice", name=name), ""
    return _REWORDED.get(reason, (reason[:1].lower() + reason[1:], ""))


def lines(text: str) -> dict[KeyPath, int]:
    """Return, for each table and key of valid TOML ``text``, the line (from 1) of the statement that first names it.

    tomllib reports no positions, so each statement is parsed again by itself: it is the fewest lines that are valid.
    Arrays of tables inside arrays of tables are not supported.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    arrays: dict[KeyPath, int] = {}
    rows = text.replace("\r\n", "\n").split("\n")
    start = 0
    for end, row in enumerate(rows):
        if end > start and not _CLOSES.search(row):
            continue
        statement = "\n".join(rows[start : end + 1])
        try:
            read = tomllib.loads(statement)
        except ValueError:
            continue  # The statement continues on the next line.
        paths = list(_paths(read, ()))
        if statement.lstrip().startswith("["):
            header = paths[-1]
            array = next((header[:depth] for depth in range(len(header), 0, -1) if header[:depth] in arrays), None)
            if statement.lstrip().startswith("[["):
                arrays[header] = arrays.get(header, -1) + 1
                paths.append((*header, arrays[header]))
            elif array is not None:
                paths = [(*array, arrays[array], *header[len(array) :])]
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
    """Return a path in TOML notation: ``fields."Raw Log".type``; the second of an array of tables is ``models[1]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{part if _BARE_KEY.fullmatch(part) else literal(part)}"
    return text


def literal(value: Any) -> str:
    """Return a value on one line: text, numbers, booleans, lists, and mappings as inline tables.

    Characters that a terminal acts upon are escaped, so that the result is safe to print.
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
    """Return the text of a TOML file with ``tables``, and the keys of each, in their order.

    The table ``()`` contains the keys above the first header; ``("models", 0)`` is the first ``[[models]]``. A key
    whose value is None is left out, and so is the header of a table that is None. ``comments`` maps the path of a table
    or a key, joined by dots without quotes, to the text above it, which is written even if the table or key is left
    out; "" is the top of the file.

    Raises ValueError for a comment on an unknown path, and RecipeError for text with a lone surrogate.
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
            "a name in the recipe contains a lone surrogate, which TOML cannot represent",
            hint="rename the field or category in the seed file",
        )
    return text


def _comment(text: str) -> list[str]:
    # Quotes and backslashes are harmless in a comment; other unsafe characters are escaped.
    safe = [re.sub(r'[^"\\]+', lambda run: _UNSAFE.sub(_escape, run[0]), line) for line in text.splitlines()]
    return [f"# {line}".rstrip().encode("utf-8", "backslashreplace").decode() for line in safe]


def _paragraph(value: Any) -> str:
    """Return a value as TOML, text of several lines on several lines."""
    if not isinstance(value, str) or "\n" not in value:
        return literal(value)
    body = _UNSAFE.sub(lambda unsafe: unsafe[0] if unsafe[0] in '\n"' else _escape(unsafe), value)
    body = body.replace('"""', '""\\"')  # One or two quotes are valid anywhere, also at the end.
    return f'"""\n{body}"""'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    return f"\\u{ord(character):04x}"
