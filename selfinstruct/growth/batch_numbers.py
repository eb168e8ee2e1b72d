"""The numbers of a run's batches: 1, 2, 3 ..., or every n-th number where n parts grow one run together.

The values that must differ in every row, such as identifiers, follow from the numbers of batches. So parts that share
no number draw none of them twice, and a batch has the same number in its part and in the whole run.

Does not handle: the order in which the batches of several parts are judged.
"""

from __future__ import annotations

from typing import NamedTuple


class BatchNumbers(NamedTuple):
    """The numbers from ``first`` on, ``step`` apart.

    >>> second_of_four = BatchNumbers.of_part(1, 4)
    >>> second_of_four.after(0), second_of_four.after(2), second_of_four.after(6)
    (2, 6, 10)
    """

    first: int = 1
    step: int = 1

    @classmethod
    def of_part(cls, part: int, parts: int) -> BatchNumbers:
        """The numbers of one of ``parts`` parts, which count from 0."""
        return cls(part + 1, parts)

    @property
    def note(self) -> dict[str, int]:
        """What the metadata of a part say of its numbers; nothing for those of a run of one worker."""
        return {} if self.step == 1 else {"first": self.first, "step": self.step}

    def after(self, last: int) -> int:
        """The number after ``last``, or the first one after 0."""
        return last + self.step if last else self.first
