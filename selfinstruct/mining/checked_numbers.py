"""Numbers with check digits in a set of rows, found where all numbers of a place have right ones.

Does not handle: schemes that ``values.check_digits`` does not know; see there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfinstruct.mining.entities import Entity
from selfinstruct.mining.leaf_texts import any_position
from selfinstruct.rows.leaves import Path
from selfinstruct.values.check_digits import scheme_of

# What may be such a number inside a text.
_NUMBER = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,4})?|\d(?:[ -]?\d){6,18}[ -]?[\dX])(?![\w-])"
)
_MOST_ROWS = 500


class CheckedNumbers:
    """The numbers with check digits in the leaves of rows."""

    def __init__(self, rows: Sequence[Mapping[Path, str]]) -> None:
        """Look at the leaves of ``rows``: a leaf's numbers have a scheme if all rows agree."""
        found: dict[Path, list[str]] = {}
        without: set[Path] = set()
        for texts in rows[:: -(-len(rows) // _MOST_ROWS) or 1]:
            for path, text in texts.items():
                place = any_position(path)
                if place in without:
                    continue
                numbers = _NUMBER.findall(text)
                if not numbers and any(map(str.isdigit, text)) and len(text.split()) == 1:
                    without.add(place)  # another kind of value
                found.setdefault(place, []).extend(numbers)
        schemes = {place: scheme_of(numbers) for place, numbers in found.items() if numbers and place not in without}
        self._schemes = {place: scheme for place, scheme in schemes.items() if scheme}

    def find(self, path: Path, text: str) -> list[Entity]:
        """Return the numbers of a leaf that have check digits; ``format`` is the scheme."""
        scheme = self._schemes.get(any_position(path))
        if scheme is None:
            return []
        return [
            Entity(match.start(), match.end(), "checked", match.group(), f"{any_position(path)}", scheme)
            for match in _NUMBER.finditer(text)
        ]
