"""A line as the wordings of questions see it: its header, slots and clauses.

Does not handle: Chinese (see ``chinese``).
"""

from __future__ import annotations

from dataclasses import dataclass

from selfinstruct.asking.clauses import Clause, find_clauses
from selfinstruct.asking.headers import Header, parse_header
from selfinstruct.asking.parser import parse
from selfinstruct.asking.phrases import Segment
from selfinstruct.asking.slots import Slot, find_slots
from selfinstruct.asking.templates import Mined


@dataclass(frozen=True, slots=True)
class Line:
    """A line and what was found in it."""

    text: str
    header: Header
    segments: tuple[Segment, ...]
    slots: tuple[Slot, ...]
    clauses: tuple[Clause, ...]

    def slot_at(self, start: int) -> Slot | None:
        """The slot that starts at a place."""
        return next((slot for slot in self.slots if slot.start == start), None)

    def is_only(self, slot: Slot, name: str) -> bool:
        """Whether no other slot of the line might be meant by ``name``."""
        head = name.lower()
        return not any(other is not slot and head in other.aliases and other.text != slot.text for other in self.slots)


def read_line(text: str, mined: Mined) -> Line:
    """Return a line with what was found in it; ``mined`` tells which words are known to be values."""
    header = parse_header(text)
    segments = parse(text, header.end, mined.is_value)
    slots = find_slots(text, header, segments, mined.nouns)
    return Line(text, header, tuple(segments), tuple(slots), tuple(find_clauses(text, segments)))
