"""``placeholder``: a value that stands for one that was never written.

``TODO``, ``lorem ipsum``, ``<noinput>`` are told wherever they are. ``N/A``, ``none``, ``[insert name]``,
``...`` are values of some fields, so these are told only where few rows have them, and not where the row's context
contains them.

Does not handle: a value that a recipe's rule finds empty; a class of that name, which several rows have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from selfinstruct.analysis.gate.found import Found
from selfinstruct.checks.placeholder_words import DOUBTFUL, OPEN, SURE
from selfinstruct.messages import Phrase

_LOREM = re.compile(r"\blorem ipsum dolor\b", re.IGNORECASE)
_LONGEST = 80
#: The largest share of rows with a doubtful value of a field: more often, it is a value like the others.
_RARE = 0.1


class Placeholders:
    """The placeholders of a data set: which values are meant is known only once all rows are read."""

    def __init__(self, *, tells_blank: bool = False) -> None:
        """With ``tells_blank``, blank values are told where they are rare: no rule says that they are allowed."""
        self._tells_blank = tells_blank
        self._doubtful: list[tuple[int, str, Found]] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def find(self, at: int, name: str, text: str, context: str | None) -> Iterator[Found]:
        """Placeholders of a value for certain; ``context`` is the text that the value is a span of, if it is."""
        if len(text) > _LONGEST:
            if (match := _LOREM.search(text)) is not None:
                yield _found(name, match[0])
            return
        plain = text.strip()
        if not plain:
            if self._tells_blank:
                self._counts[name, ""] += 1
                self._doubtful.append(
                    (at, "", Found("empty", name, Phrase("{field} is blank", field=name), severity="warning"))
                )
            return
        folded = plain.casefold()
        kind = folded if folded in DOUBTFUL else "open" if OPEN.fullmatch(plain) else ""
        if kind:
            self._counts[name, kind] += 1
            if context is None or plain not in context:
                self._doubtful.append((at, kind, _found(name, plain)))
        elif context is not None and plain in context:
            return
        elif SURE.fullmatch(plain) is not None or _LOREM.search(plain) is not None:
            yield _found(name, plain)

    def absorb(self, later: Placeholders) -> None:
        """Take those of the next rows into account too."""
        self._doubtful += later._doubtful
        self._counts.update(later._counts)

    def doubtful(self, rows: int) -> Iterator[tuple[int, Found]]:
        """The rows, by their index, whose value few of all ``rows`` have."""
        for at, kind, found in self._doubtful:
            if self._counts[found.field, kind] <= max(1, _RARE * rows) and rows > 1:
                yield at, found


def _found(name: str, value: str) -> Found:
    return Found(
        "placeholder",
        name,
        Phrase("{field} is a placeholder: {value}", field=name, value=value[:_LONGEST]),
        {"value": value[:_LONGEST]},
        detail=value,
    )
