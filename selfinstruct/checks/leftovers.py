r"""``empty`` and ``blocked``: what a model leaves instead of a value, and what is damaged on its way.

A placeholder (``<noinput>``, ``N/A``, ``...``, ``Output:``) is ``empty``. Control characters, U+FFFD, control tokens
such as ``<|im_end|>``, and doubled escapes (a backslash and an n for a line break, ``\u4e2d``, ``&quot;``) are
``blocked``. None of this is refused where the seed rows, or the passages of the run, have it too.

Does not handle: placeholders within a longer text; fields that are copied from a list or a context; texts that
templates write, which no model has damaged.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from selfinstruct.checks.placeholder_words import is_placeholder
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Field, Recipe
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.replies import control_token, marker_names
from selfinstruct.replies.list_marks import has_list_mark

_LONGEST_PLACEHOLDER = 80
#: Characters that no text has, and the beginnings of escapes and tokens.
_SUSPICIOUS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd-\uffff\\\\&]|<(?:[|｜]|/s|end_of|start_of)|\\[/?INST"
)
_DAMAGE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd-\uffff]")
_UNICODE_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
# Not the beginning of a command of LaTeX.
_ESCAPE = re.compile(r"\\n(?!abla|eq\b|u\b|ot\b)|\\[rt](?![a-z])|\\\"")
_DRIVE = re.compile(r"\b[A-Za-z]:\\|\\\\\w")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[0-9a-fA-F]{2,5});")
_CODE = re.compile(r"(`{3,}).*?(?:\1|\Z)|`[^`\n]*`", re.DOTALL)

#: What of a value is left over: its kind, which seeds may have too, and the text to show.
Leftover = tuple[str, str]


class SeedMarks:
    """What the seed rows have of the things that are usually a reply's dress or damage: there, it is data.

    A collection of the names of their markers (``replies.marker_names``). Each part is looked for on first use.
    """

    def __init__(self, seeds: Sequence[Row] = (), passages: Iterable[Row] = ()) -> None:
        """``passages`` are the texts that rows are written about."""
        self._seeds = seeds
        self._passages = passages

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of control tokens and tags of reasoning in the seeds."""
        return marker_names(text for row in self._seeds for _, text in _texts(row))

    @cached_property
    def list_marked(self) -> frozenset[str]:
        """The fields of which a seed begins with a list mark, such as a number."""
        return frozenset(
            name
            for row in self._seeds
            for name, value in row.items()
            if isinstance(value, str) and has_list_mark(value)
        )

    @cached_property
    def leftovers(self) -> frozenset[tuple[str, str]]:
        """The kinds of leftovers in the seeds and passages, each with its field for a placeholder, or ""."""
        found = set()
        for row in chain(self._seeds, self._passages):
            for name, text in _texts(row):
                if is_placeholder(text, name):
                    found.add((name, text.strip().casefold()))
                if _SUSPICIOUS.search(text):
                    found.update(("", kind) for kind, _ in _damages(text))
                    found.update({("", "\\")} if "\\" in text else ())
        return frozenset(found)

    def __contains__(self, name: object) -> bool:
        """Whether a marker of this name is data."""
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        """The names of the markers."""
        return iter(self.names)

    def __len__(self) -> int:
        """The number of markers that are data."""
        return len(self.names)


def leftover_fields(recipe: Recipe) -> Mapping[str, Field]:
    """The fields that a model writes freely: neither copied from the inputs nor chosen from a list."""
    return {
        name: field
        for name, field in recipe.fields.items()
        if not (field.source or field.one_of or field.appears_in or field.choice_of)
    }


def templated_fields(recipe: Recipe) -> frozenset[str]:
    """The fields that ``[[expand]]`` fills from a template."""
    return frozenset(each.writes for each in recipe.expand)


def check(row: Row, fields: Mapping[str, Field], templated: Container[str], marks: SeedMarks) -> Rejection | None:
    """Reject a row for a placeholder in ``fields`` or damage that ``marks`` lacks, except in ``templated`` fields."""
    for name, value in row.items():
        if name in templated:
            continue
        for text in (value,) if type(value) is str else [text for _, text in _texts({name: value})]:
            if (
                len(text) <= _LONGEST_PLACEHOLDER
                and name in fields
                and is_placeholder(text, name)
                and (name, text.strip().casefold()) not in marks.leftovers
            ):
                return Rejection("empty", Phrase("{name} is a placeholder: {text!r}", name=name, text=text[:80]))
            if _SUSPICIOUS.search(text) and (name not in fields or not _runs(fields[name])):
                for kind, shown in _damages(text):
                    if ("", kind) not in marks.leftovers and not (kind == "\\n" and ("", "\\") in marks.leftovers):
                        message = Phrase("{name} contains {text}, which no seed row has", name=name, text=repr(shown))
                        return Rejection("blocked", message)
    return None


def _damages(text: str) -> Iterator[Leftover]:
    """Yield what looks like damage in a text; escapes only outside code."""
    if found := _DAMAGE.search(text):
        yield found[0], found[0]
    if token := control_token(text):
        yield "token", token
    if "\\" in text or "&" in text:
        plain = _CODE.sub("", text) if "`" in text else text
        for kind, pattern in (("\\u", _UNICODE_ESCAPE), ("\\n", _ESCAPE), ("&", _ENTITY)):
            if kind == "\\n" and _DRIVE.search(plain):
                continue
            if found := pattern.search(plain):
                yield kind, found[0]


def _runs(field: Field) -> bool:
    """Whether a field contains code, in which an escape is no damage."""
    return field.passes is not None or field.snippets is not None


def _texts(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the texts of a row, those in lists and objects too, each with the name of its field."""
    for name, value in row.items():
        level: list[JSON] = [value]
        while level:
            item = level.pop()
            if type(item) is str:
                yield name, item
            elif type(item) is list:
                level.extend(reversed(item))
            elif type(item) is dict:
                level.extend(reversed(item.values()))
