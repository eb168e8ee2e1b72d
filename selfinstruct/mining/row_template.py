"""Row templates: the constant texts of a row and the slots whose values are replaced consistently over its leaves.

A value that occurs in several leaves (or twice in one) is one *variable*: a new value is written to all its places,
also inside larger words (``rdd_42_18``, a path that contains the block's id). A number that is the same in every seed
(``ssh2``, port 50010) is a constant.

Values that differ in the seed differ in a new row.

Does not handle: values derived from others (a sum, a duration between two times); see ``selfinstruct.backends``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from selfinstruct.mining.cut_row import CutRow
from selfinstruct.mining.leaf_texts import with_texts
from selfinstruct.mining.number_generators import Generator
from selfinstruct.mining.number_ties import Summary, summary_text
from selfinstruct.mining.offsets import Pointer
from selfinstruct.mining.serial_numbers import SerialGenerator
from selfinstruct.mining.tied_values import NOT_TIED, TiedValues
from selfinstruct.mining.times import ShiftGenerator
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.mining.variable_generators import variable_generators
from selfinstruct.mining.variables import Slot
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

# How often a value is drawn again if it equals another one of the row.
_MOST_DRAWS = 20
_STRIDE = 7919


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A row whose texts and numbers are cut into constant texts and slots, by path; other leaves are kept.

    ``own`` are the values of the variables in the row itself, ``constants`` the values in it that do not vary.
    ``sequences`` are the numbers of the variables' sequences: equal generators share one, and have other values of it.
    ``offsets`` are the numbers that are places in one of the texts, and follow it. ``tied`` are the variables that
    depend on each other, ``summaries`` the numbers that follow those of a list, ``ids`` the variables that are ids and
    occur in no text, ``worded`` those whose number of words stays.
    """

    row: Row
    fields: Mapping[Path, tuple[str | Slot, ...]]
    generators: tuple[Generator, ...]
    own: tuple[str, ...]
    constants: frozenset[str]
    sequences: tuple[int, ...]
    offsets: tuple[Pointer, ...] = ()
    tied: TiedValues = NOT_TIED
    summaries: tuple[Summary, ...] = ()
    ids: frozenset[int] = frozenset()
    worded: frozenset[int] = frozenset()

    def render(self, place: int, rng: Random, serial: int | None = None) -> Row | None:
        """Return a new row with the value at ``place`` of each variable in all its slots.

        An identifier that is unique over the rows takes that at ``serial``. None if values that differ in the row
        would be equal.
        """
        values = self.draw(place, rng, serial)
        return None if values is None else self.fill(values)

    def draw(self, place: int, rng: Random, serial: int | None = None) -> list[str] | None:
        """Return new values of the variables, or None if two that differ in the row would be equal."""
        taken: dict[str, str] = {}
        drawn = [0] * len(self.generators)
        values = []
        for variable, (generator, own, sequence) in enumerate(
            zip(self.generators, self.own, self.sequences, strict=True)
        ):
            at = serial if serial is not None and isinstance(generator, SerialGenerator) else place
            if isinstance(generator, ShiftGenerator):
                values.append(generator.draw(at + drawn[sequence] * _STRIDE, rng))
                drawn[sequence] += 1
                continue
            for turn in range(drawn[sequence], drawn[sequence] + _MOST_DRAWS):
                value = generator.draw(at + turn * _STRIDE, rng)
                drawn[sequence] = turn + 1
                fits = variable not in self.worded or len(value.split()) == len(own.split())
                if fits and not self._is_taken(value, own, taken):
                    break
            else:
                value = own
                if self._is_taken(value, own, taken):
                    return None
            taken[value] = own
            values.append(value)
        return values if self.tied.settle(values, self.own, self.generators) and self.keeps_apart(values) else None

    def fill(self, values: Sequence[str]) -> Row:
        """Return the row with these values of the variables."""
        texts = {path: render_parts(parts, values) for path, parts in self.fields.items()}
        for path, context, at, since, less in self.offsets:
            parts = self.fields.get(context, ())
            start = _moved(since, parts, values, self.own) if since else 0
            texts[path] = str(_moved(at, parts, values, self.own) - start - less)
        row = with_texts(self.row, texts)
        if self.summaries:
            row = with_texts(row, {each.path: summary_text(row, each) for each in self.summaries})
        return row

    def is_copy(self, values: Sequence[str]) -> bool:
        """Whether the row of these values differs from the template's own row in ids alone."""
        pairs = enumerate(zip(values, self.own, strict=True))
        return all(value == own or number in self.ids for number, (value, own) in pairs)

    def keeps_apart(self, values: Sequence[str]) -> bool:
        """Whether values that differ in the row differ among ``values``, and tied ones are as in the seeds."""
        if not self.tied.hold(values, self.own):
            return False
        owns: dict[str, str] = {}
        for value, own, generator in zip(values, self.own, self.generators, strict=True):
            if isinstance(generator, ShiftGenerator):
                continue
            if self._is_taken(value, own, owns):
                return False
            owns[value] = own
        return True

    def _is_taken(self, value: str, own: str, taken: Mapping[str, str]) -> bool:
        return taken.get(value, own) != own or (value != own and value in self.constants)


def render_parts(parts: Sequence[str | Slot], values: Sequence[str]) -> str:
    """Return the text of ``parts`` with the variables' ``values``."""
    return "".join(
        part if isinstance(part, str) else values[part.of] if part.write is None else part.write(values[part.of])
        for part in parts
    )


def _moved(at: int, parts: Sequence[str | Slot], values: Sequence[str], own: Sequence[str]) -> int:
    """The place in the new text of what is at ``at`` in the old one, which is not inside a slot."""
    before = after = 0
    for part in parts:
        if before >= at:
            break
        old, new = render_parts((part,), own), render_parts((part,), values)
        before += len(old)
        after += len(new)
    return after - (before - at)


def row_template(row: Row, statistics: ValueStatistics, salt: int) -> RowTemplate:
    """Build the template of ``row``; ``salt`` scatters its sequences of values."""
    cut = CutRow(row, statistics)
    generators = variable_generators(cut, statistics, salt)
    return RowTemplate(
        row,
        cut.fields,
        generators,
        cut.own,
        frozenset(cut.constants),
        _sequences(generators),
        offsets=cut.offsets,
        tied=cut.tied,
        summaries=cut.summaries,
        ids=cut.ids,
        worded=frozenset(cut.worded),
    )


def _sequences(generators: Sequence[Generator]) -> tuple[int, ...]:
    """A number for each generator, the same for equal ones."""
    numbers: dict[Generator, int] = {}
    return tuple(numbers.setdefault(generator, len(numbers)) for generator in generators)
