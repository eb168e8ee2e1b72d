"""Help pages and usage errors in the language of the user: typer formats them, in English alone.

The declarations of commands stay in English. Their help is translated paragraph by paragraph as a page is written, and
wrapped by terminal cells: Chinese has no spaces to wrap at, and each of its characters takes two cells. What typer
itself says about a command line is recognised by its form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, cast

import typer

from selfinstruct.messages import Phrase, joined, translated

_Page = cast("type[Any]", typer.Context.formatter_class)  # typer does not export it
#: What typer adds to the help of a parameter: "help  [default: 5; required]".
_NOTES = re.compile(r"(.*?)(?:  \[([^\[\]]+)\])?", re.DOTALL)
#: A word, or one wide character, with the punctuation that must not be parted from it.
_UNIT = re.compile(
    r"\s+|[（「『《“]*(?:[\u2e80-\u2fff\u3003-\u9fff\uf900-\ufaff]|[^\s\u2e80-\u9fff\uf900-\uffef]+)[，。；：？！、）」』》”…]*|."
)
_LEAST_WIDTH = 10

#: What typer says in help pages and about command lines. A value may be a message, too.
_SAYINGS = (
    Phrase("Usage"),
    Phrase("Arguments"),
    Phrase("Options"),
    Phrase("Commands"),
    Phrase("Show this message and exit."),
    Phrase("required"),
    Phrase("default: {value}", value="X"),
    Phrase("No such option: {option} (Possible options: {options})", option="X", options="X"),
    Phrase("No such option: {option}", option="X"),
    Phrase("No such command {command}. Did you mean {near}?", command="X", near="X"),
    Phrase("No such command {command}.", command="X"),
    Phrase("Missing command."),
    Phrase("Missing argument {name}.", name="X"),
    Phrase("Missing option {name}.", name="X"),
    Phrase("Missing {kind} {name}. {problem}", kind="X", name="X", problem="X"),
    Phrase("Option {option} requires an argument.", option="X"),
    Phrase("Option {option} does not take a value.", option="X"),
    Phrase("Got unexpected extra argument ({arguments})", arguments="X"),
    Phrase("Got unexpected extra arguments ({arguments})", arguments="X"),
    Phrase("Got unexpected extra argument(s) ({arguments})", arguments="X"),
    Phrase("Invalid value for {option}: {problem}", option="X", problem="X"),
    Phrase("Invalid value: {problem}", problem="X"),
    Phrase("{value} is not one of {choices}.", value="X", choices="X"),
    Phrase("{value} is not in the range {bounds}.", value="X", bounds="X"),
    Phrase("{value} is not a valid integer.", value="X"),
    Phrase("{value} is not a valid float.", value="X"),
    Phrase("Input should be a valid integer, unable to parse string as an integer"),
    Phrase("Input should be a valid number, unable to parse string as a number"),
    Phrase("Input should be greater than or equal to {bound}", bound="X"),
    Phrase("Input should be less than or equal to {bound}", bound="X"),
    Phrase("Value error, {problem}", problem="X"),
)


def as_message(saying: str) -> str:
    """Return what typer says as a message that can be translated; another text is returned as it is."""
    for known in _SAYINGS:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(known.template))
        if found := re.fullmatch(pattern, saying, re.DOTALL):
            values = {name: as_message(value) for name, value in found.groupdict().items()}
            return Phrase(known.template, **values)
    return saying


def speak(command: Any) -> None:
    """Have the help of a command and of those below it translated."""
    for each in commands_of(command):
        each.context_class = _Context


def commands_of(command: Any) -> Iterator[Any]:
    """A command and, in their order, those below it."""
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from commands_of(each)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text, each on one line."""
    return [" ".join(block.split()) for block in re.split(r"\n\s*\n", text.strip())]


def wrap(text: str, width: int) -> list[str]:
    """The lines of a paragraph, at most ``width`` cells each unless a word is longer.

    Lines end at spaces or beside a wide character, never before its closing or after its opening punctuation.

    >>> wrap("每行（seed）一条，共 5 行。", 12)
    ['每行（seed）', '一条，共 5', '行。']
    """
    lines, line = [], ""
    for unit in _UNIT.findall(text):
        if line and _cells(line + unit.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += unit if line else unit.lstrip()
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


class _TranslatedPage(_Page):  # type: ignore[misc, valid-type] # typer does not export its base class
    """A page of help: translates what is written to it."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, f"{translated('Usage')}{translated(': ')}")

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{translated(heading)}{translated(': ').rstrip()}\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        blocks = [wrap(translated(each), self.width - self.current_indent) for each in paragraphs(text)]
        self.write("\n\n".join("\n".join(indent + line for line in block) for block in blocks) + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        column = min(max(_cells(first) for first, _ in rows), col_max) + col_spacing
        for first, second in rows:
            lines = wrap(_with_notes(second), max(self.width - column - self.current_indent, _LEAST_WIDTH))
            fits = _cells(first) + col_spacing <= column
            start = f"{'':{self.current_indent}}{first}"
            self.write(f"{start}{' ' * (column - _cells(first))}{lines.pop(0)}\n" if fits and lines else f"{start}\n")
            for line in lines:
                self.write(f"{'':{column + self.current_indent}}{line}\n")


class _Context(typer.Context):
    formatter_class = _TranslatedPage


def _with_notes(text: str) -> str:
    found = _NOTES.fullmatch(text)
    if found is None or found[2] is None:
        return translated(text)
    notes = joined([as_message(note) for note in found[2].split("; ")], "; ")
    return f"{translated(found[1])} [{translated(notes)}]"


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
