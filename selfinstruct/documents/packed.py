"""Many passages in little memory: their texts in one buffer, with the file and the line of each.

A million log lines of 100 characters take about 130 MB, where a dictionary for each would take 600 MB.

>>> passages = PackedPassages()
>>> passages.add("disk full", "app.log", 7)
>>> passages[0]["passage"], passages.texts[0]
('disk full', 'disk full')
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from selfinstruct.records import JSON, Row

#: The template of passages that are running text.
PROSE = "prose"


class PackedPassages(Sequence[Row]):
    """Passages as values for prompts, in the order in which they were added.

    ``template`` is the name of the template of a line, "" until it is known.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ends = array("Q")
        self._starts = array("Q")
        self._stops = array("Q")
        self._pages = array("L")
        self._documents = _Names()
        self._templates = _Names()

    @classmethod
    def of(cls, rows: Iterable[Row]) -> PackedPassages:
        """Pack passages such as those in a journal."""
        packed = cls()
        for row in rows:
            place = (row.get("start") or 0, row.get("end") or 0, row.get("page") or 0)
            packed._add(row["passage"], row.get("document") or "", *place, row.get("template") or "")
        return packed

    def add(
        self,
        text: str,
        document: str,
        start: int,
        end: int | None = None,
        *,
        page: int | None = None,
        template: str = "",
    ) -> None:
        """Add a passage; ``start`` and ``end`` are its first and its last line, 0 where they are unknown."""
        self._add(text, document, start, start if end is None else end, page or 0, template)

    def set_templates(self, names: Iterable[str]) -> None:
        """Set the name of the template of each passage."""
        self._templates = _Names()
        for name in names:
            self._templates.append(name)

    @property
    def templates(self) -> tuple[Sequence[str], Sequence[int]]:
        """The names of all templates, and for each passage the index of its template."""
        return self._templates.names, self._templates.of

    @property
    def texts(self) -> Sequence[str]:
        """The texts of the passages, decoded at each access."""
        return _Texts(self)

    def text(self, at: int) -> str:
        """The text of one passage."""
        start = self._ends[at - 1] if at else 0
        return self._buffer[start : self._ends[at]].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        row: dict[str, JSON] = {
            "passage": self.text(at),
            "document": self._documents[at],
            "page": self._pages[at] or None,
            "start": self._starts[at],
            "end": self._stops[at],
        }
        return {**row, "template": template} if (template := self._templates[at]) else row

    def __iter__(self) -> Iterator[Row]:
        return (self[at] for at in range(len(self)))

    def _add(self, text: str, document: str, start: int, end: int, page: int, template: str) -> None:
        self._buffer += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._buffer))
        self._starts.append(start)
        self._stops.append(end)
        self._pages.append(page)
        self._documents.append(document)
        self._templates.append(template)


class _Texts(Sequence[str]):
    """The texts of packed passages."""

    def __init__(self, passages: PackedPassages) -> None:
        self._passages = passages

    def __len__(self) -> int:
        return len(self._passages)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        return self._passages.text(range(len(self))[at])

    def __iter__(self) -> Iterator[str]:
        return (self._passages.text(at) for at in range(len(self)))


class _Names:
    """A name for each passage; each name is stored once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.of = array("L")
        self._numbers: dict[str, int] = {}

    def append(self, name: str) -> None:
        """Add the name of the next passage."""
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        self.of.append(number)

    def __getitem__(self, at: int) -> str:
        return self.names[self.of[at]]
