"""What one text of a row states of another: its numbers, the tables of a query, the words of a name, spans, options."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import permutations

from selfinstruct.mining.columns import Cell, Column, mean_length, path_column, together
from selfinstruct.mining.significance import Evidence, weigh
from selfinstruct.recipe import Relation
from selfinstruct.recipe.text_violations import has_words, is_span, named_option, unknown_name
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text
from selfinstruct.values import occurs_in
from selfinstruct.values.pieces import QUERY, SCHEMA, named, stated

#: Texts that must show that numbers of one occur in another.
_LEAST_STATING = 4
#: Longer texts are not compared.
_LONGEST = 4000
#: Positions in a list of objects (the turns of a dialogue) that are compared with each other.
_POSITIONS = 3
#: A key names a supported option by accident in this share of cases at most.
_MOST_ACCIDENTAL = 0.02
_SHORT = 60


def number_relations(
    columns: Sequence[Column], rows: Sequence[Row], known: Mapping[str, str], contexts: Container[str]
) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the texts whose numbers, dates and quoted words, or whose names, all occur in another text.

    ``known`` maps fields to those for which the recipe says so already; ``contexts`` are texts that others refer to.
    """
    texts = [column for column in columns if column.is_prose and not column.depth and column.varies]
    texts += [turn for column in columns if column.is_prose and column.depth == 1 for turn in _turns(column, rows)]
    # A context says more than what is asked about it, or was copied from it.
    pairs = [(one, other) for one, other in permutations(texts, 2) if one.path not in contexts]
    # Every number of one text is looked for in the other, which takes their lengths' product.
    pairs = [pair for pair in pairs if max(map(mean_length, pair)) <= _LONGEST]
    for one, other in pairs:
        values, owners = together((one, other))
        for kind, holds in (("numbers_in", _states), ("names_in", _names)):
            # A question names what its text is about; not all that a text names is asked for.
            if kind == "names_in" and mean_length(one) >= mean_length(other):
                continue
            evidence = weigh(values, owners, holds, prior=0.1, hypotheses=2 * len(pairs))
            if evidence is None or not evidence.is_believed or evidence.distinct < _LEAST_STATING:
                continue
            if evidence.is_strict and not (kind == "numbers_in" and known.get(one.path) == other.path):
                yield Relation.model_validate({kind: (one.path, other.path)}), evidence


def query_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the SQL queries whose tables and columns occur in the schema next to them."""
    texts = [column for column in columns if column.is_text and not column.depth and column.varies]
    queries = [column for column in texts if _are(column, QUERY.match)]
    schemas = [column for column in texts if _are(column, SCHEMA.search)]
    for one in queries:
        for other in schemas:
            values, owners = together((one, other))
            evidence = weigh(values, owners, _is_answered, prior=0.1, hypotheses=len(queries) * len(schemas))
            if one is not other and evidence is not None and evidence.is_believed:
                yield Relation(query=(one.path, other.path)), evidence


def word_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the names and titles whose words occur in an address or a slug, and not already as they are."""
    texts = [column for column in columns if column.is_text and not column.depth and column.varies]
    parts = [column for column in texts if _are(column, str.istitle) or column.is_prose]
    wholes = [column for column in texts if not any(" " in value_text(cell.value) for cell in column.cells[:20])]
    pairs = [(one, other) for one in parts for other in wholes if one is not other and _is_short(one)]
    for one, other in pairs:
        values, owners = together((one, other))
        evidence = weigh(values, owners, has_words, prior=1e-3, hypotheses=len(pairs))
        are_told = all(occurs_in(value, value_text(text)) for value, text in values)
        if evidence is not None and evidence.is_believed and not are_told:
            yield Relation(contained=(one.path, other.path), by="words"), evidence


def span_relations(columns: Sequence[Column], known: Sequence[Relation]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the numbers that are starts and ends of whole words; ``known`` are the positions of given values."""
    numbers = [column for column in columns if column.is_integer and not column.is_text and column.varies]
    texts = [column for column in columns if column.is_prose and not column.depth]
    said = {relation.paths[0] for relation in known}
    triples = [
        (start, end, text)
        for start, end in permutations(numbers, 2)
        for text in texts
        if start.inner == end.inner and start.path not in said
    ]
    for start, end, text in triples:
        values, owners = together((start, end, text))
        if not values:
            continue
        words = sum(len(value_text(whole).split()) for *_, whole in values)
        prior = (words / max(sum(len(value_text(whole)) for *_, whole in values), 1)) ** 2
        evidence = weigh(values, owners, is_span, prior=prior, hypotheses=len(triples))
        if evidence is not None and evidence.is_believed:
            yield Relation(span=(start.path, end.path, text.path)), evidence


def support_relations(
    columns: Sequence[Column], rows: Sequence[Row], keyed: Sequence[Relation]
) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the texts in which the option that a key names occurs, while the other options mostly do not.

    ``keyed`` are relations of a key and its options. Two accidents are weighed: that options occur in a text of
    another row, and that a key drawn at random names one that occurs.
    """
    texts = [column for column in columns if column.is_prose and not column.depth and column.varies]
    by_path = {column.path: column for column in columns}
    for relation in keyed:
        key_path, *option_paths = relation.paths
        for text in texts:
            if text.path in relation.paths or key_path not in by_path:
                continue
            named: list[tuple[JSON, ...]] = []
            owners: list[int] = []
            accident = 1.0
            for key, whole, row in _keys_and_texts(by_path[key_path], text, rows):
                options = [(path, each) for path in option_paths for each in path_column(path, rows[row])]
                option = named_option(key, options, relation.by)
                if option is None:
                    continue
                named.append((option, whole))
                owners.append(row)
                share = sum(occurs_in(each, value_text(whole)) for _, each in options) / len(options)
                accident *= max(share, 1e-3)
            evidence = weigh(named, owners, _occurs, prior=0.05, hypotheses=len(texts) * len(keyed))
            if evidence is not None and evidence.is_believed and accident <= _MOST_ACCIDENTAL:
                given = {"supported": (text.path, key_path, *option_paths), "by": relation.by}
                yield Relation.model_validate(given), evidence


def _keys_and_texts(key: Column, text: Column, rows: Sequence[Row]) -> Iterator[tuple[JSON, JSON, int]]:
    values, owners = together((key, text))
    for (one, other), row in zip(values, owners, strict=True):
        yield one, other, row


def _turns(column: Column, rows: Sequence[Row]) -> Iterator[Column]:
    """The values at each of the first positions of a list of objects, as columns of their own."""
    if column.pattern[-1] is None:
        return
    for at in range(_POSITIONS):
        cells = [Cell(cell.row, (), cell.value) for cell in column.cells if cell.position == (at,)]
        if len(cells) >= max(_LEAST_STATING, math.ceil(0.9 * len(rows))):
            yield column.at(at, cells)


def _states(one: JSON, other: JSON) -> bool | None:
    pieces = stated(value_text(one))
    return all(occurs_in(piece, value_text(other)) for piece in pieces) if pieces else None


def _names(one: JSON, other: JSON) -> bool | None:
    names = named(value_text(one))
    return all(occurs_in(name, value_text(other)) for name in names) if names else None


def _is_answered(query: JSON, schema: JSON) -> bool:
    return unknown_name(query, schema) is None


def _occurs(value: JSON, text: JSON) -> bool:
    return occurs_in(value, value_text(text))


def _are(column: Column, test: object) -> bool:
    matches = [bool(test(value_text(cell.value))) for cell in column.cells]  # type: ignore[operator]
    return sum(matches) >= 0.9 * len(matches)


def _is_short(column: Column) -> bool:
    return all(len(value_text(cell.value)) <= _SHORT for cell in column.cells[:50])
