"""The texts of a row's leaves other than one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator


class OtherTexts(Collection[str]):
    """The texts of a row's leaves other than one of them, by the number of leaves with each text."""

    def __init__(self, counts: Counter[str], own: str) -> None:
        self._counts = counts
        self._own = own

    def __iter__(self) -> Iterator[str]:
        """The different texts."""
        return (text for text in self._counts if text in self)

    def __len__(self) -> int:
        """The number of different texts."""
        return sum(1 for _ in self)

    def __contains__(self, text: object) -> bool:
        """Whether another leaf has this text."""
        return self._counts.get(text, 0) > (text == self._own)  # type: ignore[call-overload, no-any-return]
