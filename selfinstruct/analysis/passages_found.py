"""The passages that a run is about, as a dry run lists them: number, first, last, shortest, longest.

Does not handle: why a passage was left out (``documents``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.documents import PackedPassages
from selfinstruct.records import Row
from selfinstruct.text import value_text


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage, and the document that it comes from; a passage that is a row is its JSON."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """The number of passages, and some of them: ``first``, ``last``, ``shortest`` and ``longest`` (in characters)."""

    count: int
    shown: Mapping[str, FoundPassage]


def find_passages(passages: Sequence[Row]) -> PassagesFound | None:
    """Return what a dry run lists; None without passages. Of passages of equal length the first one counts."""
    if not passages:
        return None
    if isinstance(passages, PackedPassages):
        lengths = [len(text) for text in passages.texts]
    else:
        lengths = [len(value_text(each["passage"])) for each in passages]
    places = {
        "first": 0,
        "last": len(lengths) - 1,
        "shortest": lengths.index(min(lengths)),
        "longest": lengths.index(max(lengths)),
    }
    shown = {
        label: FoundPassage(str(passages[at]["document"]), value_text(passages[at]["passage"]))
        for label, at in places.items()
    }
    return PassagesFound(len(lengths), shown)
