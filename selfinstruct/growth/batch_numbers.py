"""The numbers of a run's batches: 1, 2, 3 ..., or every n-th number where n parts grow one run together.

The values that must differ in every row, such as identifiers, follow from the numbers of batches, and so do a batch's
random choices. Other values follow from the place of a row among those that were requested. Parts that share no number
and no place draw different values with one random seed, and a batch has the same number in its part and in the whole.

Does not handle: the order in which the batches of several parts are judged.
"""

from __future__ import annotations

from typing import NamedTuple

#: Rows: many batches, since the values of one batch are repeated where it reaches into the next block.
_BLOCK = 1024


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

    def place(self, requested: int) -> int:
        """The place in the sequences of values of a batch before which its part ``requested`` that many rows.

        The parts take turns in blocks; a batch may reach from one block into the next, whose values it then repeats.

        >>> first, second = BatchNumbers.of_part(0, 2), BatchNumbers.of_part(1, 2)
        >>> [first.place(0), first.place(1023), second.place(0), second.place(1023), first.place(1024)]
        [0, 1023, 1024, 2047, 2048]
        """
        turn, within = divmod(requested, _BLOCK)
        return (turn * self.step + self.first - 1) * _BLOCK + within

    def after(self, last: int) -> int:
        """The number after ``last``, or the first one after 0."""
        return last + self.step if last else self.first
