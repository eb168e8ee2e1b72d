"""The process that renders: ``python -m selfinstruct.jinja_templates.render_worker MEMORY CPU_SECONDS CHARACTERS``.

Reads a line of JSON with the templates, ``[[text, answer_choices], ...]``, then a row per line. Writes a line for each
template, ``{}`` or ``{"error": reason, "line": n}``, and then a line for each row and template, in this order:
``{"input": text, "target": text}``, ``{"unfit": reason}`` or an error.

Values are rendered as promptsource does it: a ``|||`` in a row divides nothing, and parts are stripped. Unlike there, a
name without a value, and null, make a template unfit for the row; and what ``choice`` and ``random`` draw depends on
the template and the row alone.

Imports only ``platform_support`` of this package, to have as little code and as few capabilities as possible.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from selfinstruct.platform_support import limit_process

_SEPARATOR = "|||"
# Stands for a separator in a row; a private character, which no text should have.
_PROTECTED = "\ue000\ue001\ue000"
# The same in a list, of which a template writes Python's or JSON's notation.
_QUOTED = _PROTECTED.encode("ascii", "backslashreplace").decode()
_FILE = "<template>"


class _TooLong(Exception):
    """A text that exceeds the limit."""


class _Null(UndefinedError):
    """A null that would be written as None."""


class Renderer:
    """Compiles templates, and renders them with a random generator of each row's own."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.rng = Random(0)
        self.environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=_written)
        names = {name: self.environment.globals[name] for name in ("range", "namespace")}
        self.environment.globals.clear()
        self.environment.globals.update(names, zip=zip, enumerate=enumerate)
        self.environment.filters.update(
            choice=self._choice, random=self._choice, most_frequent=_most_frequent, highlight=_highlight, to_list=list
        )

    def compile(self, text: str, choices: str) -> tuple[str, Template, Template | None]:
        """A template and its answer choices, compiled; its text tells its draws from those of others."""
        compiled = self.environment.from_string(choices) if choices.strip() else None
        return text, self.environment.from_string(text), compiled

    def render(self, compiled: tuple[str, Template, Template | None], row: Mapping[str, Any]) -> dict[str, str]:
        """The input and target of a row, or why the template does not fit it."""
        text, template, choices = compiled
        self.rng.seed(json.dumps([text, row], sort_keys=True))
        values = {name: _protected(value) for name, value in row.items()}
        try:
            if choices is not None:
                values["answer_choices"] = self._parts(choices, values, restored=False)
            parts = self._parts(template, values)
        except UndefinedError as error:
            return {"unfit": str(error)[:300]}
        if len(parts) > 2:
            raise ValueError(f"{len(parts)} parts with {_SEPARATOR} between them, expected an input and a target")
        if len(parts) < 2 or not all(parts):
            return {"unfit": "the input or the target is empty"}
        return {"input": parts[0], "target": parts[1]}

    def _parts(self, template: Template, values: Mapping[str, Any], *, restored: bool = True) -> list[str]:
        written: list[str] = []
        length = 0
        for piece in template.generate(values):
            written.append(piece)
            length += len(piece)
            if length > self.characters:
                raise _TooLong(f"writes more than {self.characters:,} characters")
        parts = [part.strip() for part in "".join(written).split(_SEPARATOR)]
        if not restored:
            return parts
        return [part.replace(_PROTECTED, _SEPARATOR).replace(_QUOTED, _SEPARATOR) for part in parts]

    # Given the context, Jinja does not draw once for all when it compiles a list of constants.
    @pass_context
    def _choice(self, context: Context, items: Sequence[Any]) -> Any:
        return self.rng.choice(list(items))


def _written(value: Any) -> Any:
    """A value that a template writes; others than data would be written as their address, another in every run."""
    if value is None:
        raise _Null("a value is null")
    if not isinstance(value, (str, int, float, list, tuple, dict, Undefined)):
        raise ValueError(f"writes a {type(value).__name__}, which is no text")
    return value


def _protected(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(_SEPARATOR, _PROTECTED)
    if isinstance(value, list):
        return [_protected(each) for each in value]
    return {name: _protected(each) for name, each in value.items()} if isinstance(value, dict) else value


def _most_frequent(items: Sequence[Any]) -> list[Any]:
    """The items that occur most often, as promptsource's filter of that name."""
    counts = Counter(items).most_common()
    return [item for item, count in counts if count == counts[0][1]]


def _highlight(text: str) -> str:
    """The text: promptsource marks it in its web page only."""
    return text


def describe(error: BaseException, memory: int) -> dict[str, Any]:
    """An error of a template, with the line of its text that it is about; 0 if unknown."""
    line = 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        line = number if frame.f_code.co_filename == _FILE else line
    match error:
        case TemplateSyntaxError():
            said, line = f"not a Jinja template: {error.message}", error.lineno
        case SecurityError():
            said = f"not allowed: {error}"
        case MemoryError():
            said = f"needs more than {memory >> 20} MiB of memory"
        case RecursionError():
            said = "calls itself, or is nested, too deeply"
        case _TooLong() | ValueError():
            said = str(error)
        case _:
            said = f"{type(error).__name__}: {error}"
    return {"error": said[:300], "line": line}


def main(arguments: list[str]) -> None:
    """Render the rows on standard input."""
    memory, seconds, characters = map(int, arguments)
    limit_process(memory=memory, cpu_seconds=seconds)
    renderer = Renderer(characters)
    compiled = []
    for text, choices in json.loads(sys.stdin.buffer.readline()):
        try:
            compiled.append(renderer.compile(text, choices))
        except Exception as error:  # noqa: BLE001  a template may raise anything
            return _send(describe(error, memory))
        _send({})
    for line in sys.stdin.buffer:
        row = json.loads(line)
        for each in compiled:
            try:
                message: dict[str, Any] = renderer.render(each, row)
            except Exception as error:  # noqa: BLE001  a template may raise anything
                return _send(describe(error, memory))
            _send(message)


def _send(message: dict[str, Any]) -> None:
    # Flushed, so that of a process that hangs it is known where.
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
