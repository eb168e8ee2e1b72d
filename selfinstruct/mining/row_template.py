"""Row templates: the constant texts of a row and the slots whose values are replaced consistently over its leaves.

A value that occurs in several leaves (or twice in one) is one *variable*: a new value is written to all its places,
also inside larger words (``rdd_42_18``, a path that contains the block's id). A number that is the same in every seed
(``ssh2``, port 50010) is a constant.

Values that differ in the seed differ in a new row.

Does not handle: values derived from others (a sum, a duration between two times); see ``selfinstruct.backends``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from selfinstruct.mining.dated_codes import dates_in_codes
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.entity_places import place_of
from selfinstruct.mining.generators import (
    AddressGenerator,
    ConstantGenerator,
)
from selfinstruct.mining.leaf_texts import leaf_texts, with_texts
from selfinstruct.mining.networks import is_in_network, networks_in
from selfinstruct.mining.number_bases import in_base
from selfinstruct.mining.number_generators import (
    Generator,
    IdentifierGenerator,
    NumberGenerator,
    are_years,
    range_generator,
)
from selfinstruct.mining.number_roles import BOUNDS, CODE, FIXED, OPEN, POSTAL
from selfinstruct.mining.number_ties import Spot, Summary, summary_text
from selfinstruct.mining.offsets import Pointer
from selfinstruct.mining.row_times import RowTimes
from selfinstruct.mining.serial_numbers import SerialGenerator
from selfinstruct.mining.tied_values import NOT_TIED, TiedValues, tied_values
from selfinstruct.mining.times import STILL, ShiftGenerator
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.mining.variables import NUMBERS, Place, Slot, Variable, Variables, find_targets, word_around
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

# How often a value is drawn again if it equals another one of the row.
_MOST_DRAWS = 20
_STRIDE = 7919
# Kinds of words that name a place with a postal code.
_PLACES = frozenset(("city", "country", "zh-place"))
# A number of at least this many digits in a question is a name, not a quantity.
_LEAST_NAME = 5


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
    variables = Variables(statistics)
    found, texts = statistics.entities(row), statistics.texts(row)
    cut: dict[Path, list[tuple[Entity, Slot]]] = {}
    constants: set[str] = set()
    targets, ambiguous = find_targets(found, texts, statistics)
    offsets = tuple(statistics.offsets.of(row))
    ties = statistics.ties.of(found, texts, lambda path: statistics.masked(row, path))
    ties = replace(
        ties, orders=(*ties.orders, *(((one, 0), (other, 0)) for one, other in statistics.bands.orders(row)))
    )
    summaries = tuple(each for each in ties.summaries if not _is_mentioned(each, found))
    based = {path: of for path, of in statistics.based.items() if path in found}
    computed = {pointer.path for pointer in offsets} | {each.path for each in ties.summaries} | based.keys()
    slots: dict[Spot, int] = {}
    worded: set[int] = set()
    bounds = {(pointer.context, at) for pointer in offsets for at in (pointer.at, pointer.since)}
    parted = [each for path, entities in found.items() for each in entities if _is_cut(path, each, bounds)]
    frozen = {each.text for each in parted} | statistics.list_lengths(row)
    derived: list[Place] = []
    dated = list(dates_in_codes(found, leaf_texts(row)))
    # The other times keep their distance from one that stays.
    is_still = bool(dated) or any(each.kind == "time" for each in parted)
    networks = networks_in(texts.values())
    times = RowTimes(found, texts, statistics.time_style, statistics.clock_step, is_still=is_still)
    for path, entities in found.items():
        if path in computed:
            continue
        masked = statistics.masked(row, path)
        parts: list[tuple[Entity, Slot]] = []
        for position, entity in enumerate(entities):
            place = Place(path, masked, position, entity, word_around(texts[path], entity))
            if entity.kind == "derived":
                derived.append(place)
                continue
            writer = times.writer(path, entity)
            if writer is not None:
                parts.append((entity, Slot(variables.of_time(), writer)))
                continue
            if entity.kind in ("time", "weekday"):
                continue
            in_code = any(at == path and start < entity.end and entity.start < end for at, start, end in dated)
            if in_code and not statistics.keeps_dates(entity):
                constants.add(entity.text)
                continue
            if entity.text in frozen or times.keeps(path, entity) or is_in_network(entity, networks):
                constants.add(entity.text)
                continue
            part = variables.link(place, targets.get((path, position)), is_ambiguous=entity.text in ambiguous)
            if part is None and (entity.text in constants or statistics.is_constant(entity)):
                constants.add(entity.text)
                continue
            if part is None:
                part = Slot(variables.add(place))
            variables.put(part.of, place)
            parts.append((entity, part))
            slots[path, position] = part.of
            if path[0] in statistics.tagged.fields:
                worded.add(part.of)
                variables.all[part.of].is_kept |= statistics.continues(row, path, entity)
        cut[path] = parts
    for place in derived:
        part = variables.link(place, None, is_ambiguous=False)
        if part is not None:
            cut[place.path] = sorted([*cut[place.path], (place.entity, part)], key=lambda each: each[0].start)
    frozen_items = {(path, 0) for each in ties.summaries if each not in summaries for path in each.items}
    for each in ties.results:
        if not {each.target, *each.operands} <= slots.keys():  # one of them does not vary in any row
            frozen_items |= {each.target, *each.operands}
    for spot in {*ties.kept, *frozen_items} & slots.keys():
        variables.all[slots[spot]].is_kept = True
    alone = statistics.asks_alone(row)
    asks = alone or statistics.asks_unexplained(row)
    generators = [
        times.moves
        if times.moves is not None and number == variables.shift
        else _generator(each, row, found, asks, statistics, salt)
        for number, each in enumerate(variables.all)
    ]
    if alone and variables.shift is not None:
        generators[variables.shift] = ConstantGenerator(STILL)
    for path, (source, base, like) in based.items():
        if (source, 0) in slots:
            whole = Entity(0, len(texts[path]), "number", texts[path], "", is_whole=True)
            cut[path] = [(whole, Slot(slots[source, 0], _base_writer(base, like)))]
    own = tuple(each.places[0].entity.text if each.places else STILL for each in variables.all)
    fields = {path: _parts(texts[path], parts) for path, parts in cut.items() if parts}
    generators = _numbered(_keep_small(generators), variables, statistics.nested_ids.most)
    tied = tied_values(ties, slots)
    _keep_with_operands(generators, tied, own)
    ids = frozenset(
        number
        for number, variable in enumerate(variables.all)
        if variable.places and all(place.entity.kind == "id" and place.entity.is_whole for place in variable.places)
    )
    drawn = tuple(generators)
    return RowTemplate(
        *(row, fields, drawn, own, frozenset(constants), _sequences(generators), offsets, tied, summaries, ids),
        frozenset(worded),
    )


def _base_writer(base: int, like: str) -> Callable[[str], str]:
    return lambda value: in_base(int(value), base, like)


def _keep_with_operands(generators: list[Generator], tied: TiedValues, own: Sequence[str]) -> None:
    """Keep the result and all operands of a formula where one of them does not vary."""
    waiting = list(tied.computed)
    while waiting:
        kept = [
            each
            for each in waiting
            if any(isinstance(generators[at], ConstantGenerator) for at in (each.target, *each.operands))
        ]
        if not kept:
            return
        for at in {at for each in kept for at in (each.target, *each.operands)}:
            generators[at] = ConstantGenerator(own[at])
        waiting = [each for each in waiting if each not in kept]


def _is_mentioned(summary: Summary, found: Mapping[Path, Sequence[Entity]]) -> bool:
    """Whether another leaf than those of the list contains the summary: it would have to follow too."""
    own = found[summary.path][0].text
    others = [path for path in found if path != summary.path and path not in summary.items]
    return any(each.text == own for path in others for each in found[path])


def _is_cut(path: Path, entity: Entity, bounds: Collection[tuple[Path, int]]) -> bool:
    """Whether a span begins or ends inside a value: a new value has no such part."""
    return any((path, at) in bounds for at in range(entity.start + 1, entity.end))


def _generator(
    variable: Variable,
    row: Row,
    found: Mapping[Path, Sequence[Entity]],
    asks: bool,
    statistics: ValueStatistics,
    salt: int,
) -> Generator:
    entities = [place.entity for place in variable.places]
    if variable.is_kept or (asks and not _is_name_of_question(variable)):
        return ConstantGenerator(entities[0].text)
    if statistics.tells_facts(row) & {place.path[0] for place in variable.places}:
        return ConstantGenerator(entities[0].text)
    placed = [key for place in variable.places for key in (place.path, place_of(place.entity))]
    band = next((seen for key in placed if (seen := statistics.bands.of(row, key))), ())
    if band and entities[0].kind != "id":
        return range_generator(band, salt)
    if entities[0].kind in _PLACES and _is_located(found):
        return ConstantGenerator(entities[0].text)
    limited = next((each for each in entities if are_years(statistics.seen(each))), max(entities, key=_rank))
    if limited.text != entities[0].text:
        # In another form (007 and 7), only that of the first place can be drawn.
        limited = replace(entities[0], role=CODE) if limited.role in FIXED else entities[0]
    return statistics.generator(limited, salt)


def _is_located(found: Mapping[Path, Sequence[Entity]]) -> bool:
    """Whether a row names a place twice: by a postal code, or its country."""
    entities = [each for those in found.values() for each in those]
    return any(each.role == POSTAL for each in entities) or {"city", "country"} <= {each.kind for each in entities}


def _rank(entity: Entity) -> int:
    """How much the place of a value says about which others may stand there; numbers alone are told apart."""
    if entity.kind not in ("number", "year"):
        return 4
    if entity.role in FIXED:
        return 3
    if entity.kind == "year" or entity.unit == "age" or entity.role in BOUNDS:
        return 2
    return int(entity.role in OPEN)


def _is_name_of_question(variable: Variable) -> bool:
    """Whether a variable may vary in a row whose answer is not in its text.

    One that occurs in several leaves is a name there, unless it is a plain number, which may decide the answer.
    """
    entity = variable.places[0].entity
    if entity.kind == "id":
        return True
    shared = len({place.path for place in variable.places}) > 1
    named = len(variable.places[0].word) > len(entity.text) or len(entity.text) >= _LEAST_NAME
    return shared and (entity.kind not in NUMBERS or named)


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


def _sequences(generators: Sequence[Generator]) -> tuple[int, ...]:
    """A number for each generator, the same for equal ones."""
    numbers: dict[Generator, int] = {}
    return tuple(numbers.setdefault(generator, len(numbers)) for generator in generators)


def _numbered(generators: list[Generator], variables: Variables, most: int) -> list[Generator]:
    """Give the ids inside lists different numbers of the ``most`` that each row takes."""
    nth = 0
    for at, (generator, variable) in enumerate(zip(generators, variables.all, strict=True)):
        nested = any(isinstance(step, int) for place in variable.places for step in place.path)
        if isinstance(generator, SerialGenerator) and nested:
            generators[at] = replace(generator, step=max(most, 1), nth=nth)
            nth += 1
    return generators


def _keep_small(generators: Sequence[Generator]) -> list[Generator]:
    """Bound single digits (an attempt, a count) if other values of the row make rows distinct."""
    wide = any(isinstance(each, IdentifierGenerator | AddressGenerator) or _is_open(each) for each in generators)
    return [
        generator.bounded() if wide and isinstance(generator, NumberGenerator) and generator.high < 10 else generator
        for generator in generators
    ]


def _is_open(generator: Generator) -> bool:
    return isinstance(generator, NumberGenerator) and generator.cap is None and generator.high >= 10
