"""A row cut into constant texts and slots: which of its values vary, where each of them stands, and what follows it.

Does not handle: new values for the slots, see ``variable_generators``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from selfinstruct.mining.dated_codes import dates_in_codes
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.leaf_texts import leaf_texts
from selfinstruct.mining.networks import is_in_network, networks_in
from selfinstruct.mining.number_bases import in_base
from selfinstruct.mining.number_ties import Spot, Summary, Ties
from selfinstruct.mining.row_times import RowTimes
from selfinstruct.mining.tied_values import TiedValues, tied_values
from selfinstruct.mining.times import STILL
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.mining.variables import Place, Slot, Variables, find_targets, word_around
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path


class CutRow:
    """The variables of a row and their slots in its leaves.

    ``found`` are the entities of each leaf, ``constants`` the values that do not vary. ``slots`` has the number of the
    variable in each spot, ``worded`` the variables whose number of words stays. ``offsets`` are the numbers that are
    places in one of the texts, ``summaries`` those that follow the numbers of a list, ``times`` the times of the row.
    """

    def __init__(self, row: Row, statistics: ValueStatistics) -> None:
        self.row = row
        self.found = statistics.entities(row)
        self.variables = Variables(statistics)
        self.constants: set[str] = set()
        self.slots: dict[Spot, int] = {}
        self.worded: set[int] = set()
        self.offsets = tuple(statistics.offsets.of(row))
        self._statistics = statistics
        self._texts = statistics.texts(row)
        self._ties = self._find_ties()
        self.summaries = tuple(each for each in self._ties.summaries if not _is_mentioned(each, self.found))
        self._based = {path: of for path, of in statistics.based.items() if path in self.found}
        self._targets, self._ambiguous = find_targets(self.found, self._texts, statistics)
        self._dated = list(dates_in_codes(self.found, leaf_texts(row)))
        self._networks = networks_in(self._texts.values())
        parted = self._parted()
        self._frozen = {each.text for each in parted} | statistics.list_lengths(row)
        # The other times keep their distance from one that stays.
        is_still = bool(self._dated) or any(each.kind == "time" for each in parted)
        self.times = RowTimes(self.found, self._texts, statistics.time_style, statistics.clock_step, is_still=is_still)
        self._cuts: dict[Path, list[tuple[Entity, Slot]]] = {}
        self._cut_leaves()
        self._cut_derived()
        self._keep_untied()
        self._cut_based()

    @property
    def fields(self) -> dict[Path, tuple[str | Slot, ...]]:
        """The constant texts and slots of each leaf that has slots."""
        return {path: _parts(self._texts[path], cuts) for path, cuts in self._cuts.items() if cuts}

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The value of each variable in the row itself."""
        return tuple(each.places[0].entity.text if each.places else STILL for each in self.variables.all)

    @cached_property
    def tied(self) -> TiedValues:
        """The variables that depend on each other."""
        return tied_values(self._ties, self.slots)

    @property
    def ids(self) -> frozenset[int]:
        """The variables that are ids and occur in no text."""
        return frozenset(
            number
            for number, variable in enumerate(self.variables.all)
            if variable.places and all(place.entity.kind == "id" and place.entity.is_whole for place in variable.places)
        )

    def _find_ties(self) -> Ties:
        """How the numbers of the row depend on each other, those that decide a label among them."""
        ties = self._statistics.ties.of(self.found, self._texts, lambda path: self._statistics.masked(self.row, path))
        bands = (((one, 0), (other, 0)) for one, other in self._statistics.bands.orders(self.row))
        return replace(ties, orders=(*ties.orders, *bands))

    def _parted(self) -> list[Entity]:
        """The values inside which a span begins or ends: a new value has no such part."""
        bounds = {(pointer.context, at) for pointer in self.offsets for at in (pointer.at, pointer.since)}
        return [each for path, entities in self.found.items() for each in entities if _is_cut(path, each, bounds)]

    def _varying(self) -> dict[Path, list[Entity]]:
        """The entities of the leaves that are not computed from other leaves."""
        summed = {each.path for each in self._ties.summaries}
        computed = {each.path for each in self.offsets} | summed | self._based.keys()
        return {path: entities for path, entities in self.found.items() if path not in computed}

    def _place(self, path: Path, position: int, entity: Entity) -> Place:
        masked = self._statistics.masked(self.row, path)
        return Place(path, masked, position, entity, word_around(self._texts[path], entity))

    def _cut_leaves(self) -> None:
        """Cut every leaf at its values, except for those that are derived from others."""
        for path, entities in self._varying().items():
            self._cuts[path] = []
            for position, entity in enumerate(entities):
                if entity.kind == "derived":
                    continue
                slot = self._slot(self._place(path, position, entity))
                if slot is not None:
                    self._cuts[path].append((entity, slot))

    def _slot(self, place: Place) -> Slot | None:
        """The slot in a place, or None where its text stays as it is."""
        path, entity, statistics = place.path, place.entity, self._statistics
        writer = self.times.writer(path, entity)
        if writer is not None:
            return Slot(self.variables.of_time(), writer)
        if entity.kind in ("time", "weekday"):
            return None
        if self._is_frozen(path, entity):
            self.constants.add(entity.text)
            return None
        spot = path, place.position
        slot = self.variables.link(place, self._targets.get(spot), is_ambiguous=entity.text in self._ambiguous)
        if slot is None:
            if entity.text in self.constants or statistics.is_constant(entity):
                self.constants.add(entity.text)
                return None
            slot = Slot(self.variables.add(place))
        self.variables.put(slot.of, place)
        self.slots[spot] = slot.of
        if path[0] in statistics.tagged.fields:
            self.worded.add(slot.of)
            self.variables.all[slot.of].is_kept |= statistics.continues(self.row, path, entity)
        return slot

    def _is_frozen(self, path: Path, entity: Entity) -> bool:
        """Whether something that stays in the row needs a value as it is."""
        in_code = any(at == path and start < entity.end and entity.start < end for at, start, end in self._dated)
        return (
            (in_code and not self._statistics.keeps_dates(entity))
            or entity.text in self._frozen
            or self.times.keeps(path, entity)
            or is_in_network(entity, self._networks)
        )

    def _cut_derived(self) -> None:
        """Cut the leaves at the values that are derived from a variable."""
        for path, entities in self._varying().items():
            for position, entity in enumerate(entities):
                if entity.kind != "derived":
                    continue
                slot = self.variables.link(self._place(path, position, entity), None, is_ambiguous=False)
                if slot is not None:
                    self._cuts[path] = sorted([*self._cuts[path], (entity, slot)], key=lambda each: each[0].start)

    def _cut_based(self) -> None:
        """Cut the leaves that are a variable's number in another base."""
        for path, (source, base, like) in self._based.items():
            if (source, 0) in self.slots:
                whole = Entity(0, len(self._texts[path]), "number", self._texts[path], "", is_whole=True)
                self._cuts[path] = [(whole, Slot(self.slots[source, 0], _base_writer(base, like)))]

    def _keep_untied(self) -> None:
        """Keep the numbers that others depend on where a new row could not be computed."""
        ties = self._ties
        kept = {(path, 0) for each in ties.summaries if each not in self.summaries for path in each.items}
        for each in ties.results:
            if not {each.target, *each.operands} <= self.slots.keys():  # one of them does not vary in any row
                kept |= {each.target, *each.operands}
        for spot in {*ties.kept, *kept} & self.slots.keys():
            self.variables.all[self.slots[spot]].is_kept = True


def _base_writer(base: int, like: str) -> Callable[[str], str]:
    return lambda value: in_base(int(value), base, like)


def _is_mentioned(summary: Summary, found: Mapping[Path, Sequence[Entity]]) -> bool:
    """Whether another leaf than those of the list contains the summary: it would have to follow too."""
    own = found[summary.path][0].text
    others = [path for path in found if path != summary.path and path not in summary.items]
    return any(each.text == own for path in others for each in found[path])


def _is_cut(path: Path, entity: Entity, bounds: Collection[tuple[Path, int]]) -> bool:
    """Whether a span begins or ends inside a value: a new value has no such part."""
    return any((path, at) in bounds for at in range(entity.start + 1, entity.end))


def _parts(text: str, parts: Sequence[tuple[Entity, Slot]]) -> tuple[str | Slot, ...]:
    cut: list[str | Slot] = []
    at = 0
    for entity, part in parts:
        if entity.start > at:
            cut.append(text[at : entity.start])
        cut.append(part)
        at = entity.end
    if at < len(text):
        cut.append(text[at:])
    return tuple(cut)
