"""Inference of a complete recipe from bare seed rows, with the reason for each inferred key.

Does not handle: rules that the seeds follow by chance. The inferred recipe is printed, and ``selfinstruct init`` writes
it to a file to edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from selfinstruct.mining import ValueStatistics, split_words
from selfinstruct.preparation.categories import Categorizer, build_categorizer, label_of
from selfinstruct.recipe import Categories as CategoriesTable
from selfinstruct.recipe import Field, Novelty, Quota, Recipe, Seeds, recipe_name
from selfinstruct.records import JSON, Row
from selfinstruct.rows import RowFile
from selfinstruct.text import find_span

FieldType: TypeAlias = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

#: A rule is inferred if at least this share of the seeds follows it.
_SHARE = 0.9
# A label has few values, each short, most of them repeated.
_LABEL_CHARACTERS = 40
_LABEL_VALUES = 50
# The maximum length of a value: this many times the longest seed, and at least ``_LEAST_MAX_CHARS``.
_MAX_LENGTH_RATIO = 4
_LEAST_MAX_CHARS = 200
_ROWS_PER_SEED = 100


@dataclass(frozen=True, slots=True)
class Inferred:
    """A recipe, the reason for each inferred key path, and the statistics of the seeds that it was inferred from."""

    recipe: Recipe
    reasons: Mapping[str, str]
    statistics: ValueStatistics


def infer(seeds: RowFile) -> Inferred:
    """Infer the recipe of a seed file: fields, grounding, identifiers, categories, and a quota of 100 rows per seed."""
    rows = seeds.rows
    reasons: dict[str, str] = {}
    types = {name: _type([row[name] for row in rows]) for name in seeds.fields}
    texts = [name for name, kind in types.items() if kind == "string"]
    grounded = _grounding(rows, texts, reasons)
    label = _label(rows, [name for name in seeds.fields if name not in grounded and types[name] != "object"])
    if label in grounded.values():
        label = None
    free = [name for name in texts if name not in grounded and name != label]
    identified = _identifiers(rows, free, grounded, reasons)
    fields = {
        name: Field(
            type=types[name],
            appears_in=grounded.get(name),
            identifiers_in=identified.get(name),
            min_chars=0 if _may_be_blank(rows, name) else None,
            max_chars=_max_chars(rows, name) if types[name] == "string" else None,
        )
        for name in seeds.fields
    }
    statistics = ValueStatistics(rows, grounded)
    categories = _categories(statistics, seeds.fields, label, free, grounded, reasons)
    reasons["quota.rows"] = f"{_ROWS_PER_SEED} for each of the {len(rows)} seeds"
    compared = tuple(free or [name for name in seeds.fields if name != label])
    reasons["novelty.fields"] = "the texts that are neither a label nor a span of another field"
    name = recipe_name(seeds.path) if seeds.path != "-" else "stdin"
    recipe = Recipe(
        name=name,
        seeds=Seeds(file=seeds.path),
        fields=fields,
        categories=categories,
        quota=Quota(rows=_ROWS_PER_SEED * len(rows)),
        novelty=Novelty(fields=compared),
    )
    return Inferred(recipe, reasons, statistics)


def context_fields(recipe: Recipe) -> dict[str, str]:
    """Map each field that is grounded in another, or takes its identifiers from another, to that field."""
    return {name: other for name, field in recipe.fields.items() if (other := field.appears_in or field.identifiers_in)}


def value_statistics(recipe: Recipe, rows: Sequence[Row], known: ValueStatistics | None = None) -> ValueStatistics:
    """The statistics of a recipe's seeds: ``known`` where those are already of the same rows and references."""
    references = context_fields(recipe)
    return known if known is not None and known.describes(rows, references) else ValueStatistics(rows, references)


def make_categories(recipe: Recipe, statistics: ValueStatistics) -> Categorizer:
    """The recipe's categories over its seeds.

    A word of a question is a slot if the rest of its row shows that it is a value; the slots of a text without
    related fields (a log alone) follow Drain's rule.
    """
    refer = context_fields(recipe)
    asks = bool(refer) and recipe.categories.field not in refer.values()
    others = [name for name in recipe.fields if name != recipe.categories.field] if asks else []
    return build_categorizer(recipe.categories, others or None, statistics)


def prose_field(recipe: Recipe) -> list[str]:
    """The field whose sentences may be mixed within a category: the only free text that no field refers to.

    Two free texts of a row (an instruction and its output) belong together.
    """
    refer = context_fields(recipe)
    bound = {*refer, *refer.values(), recipe.categories.field}
    free = [name for name, field in recipe.fields.items() if field.type == "string" and name not in bound]
    return free if len(free) == 1 else []


def _may_be_blank(rows: Sequence[Row], name: str) -> bool:
    """Whether the field is blank in some seed, so that it may be blank in new rows."""
    return any(isinstance(row[name], str) and not row[name].strip() for row in rows)


def _type(values: Sequence[JSON]) -> FieldType:
    kinds = {_json_type(value) for value in values}
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "any"


def _json_type(value: JSON) -> FieldType:
    names: dict[type, FieldType] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return names.get(type(value), "any")


def _max_chars(rows: Sequence[Row], name: str) -> int:
    return max(_MAX_LENGTH_RATIO * max(len(row[name]) for row in rows), _LEAST_MAX_CHARS)


def _grounding(rows: Sequence[Row], texts: Sequence[str], reasons: dict[str, str]) -> dict[str, str]:
    """Map each field to the field that contains its value in at least ``_SHARE`` of the rows that have one."""
    grounded: dict[str, str] = {}
    for name in texts:
        best, most = None, 0
        filled = [row for row in rows if row[name].strip()]
        for other in texts:
            if other == name or grounded.get(other) == name:
                continue
            kept = sum(1 for row in filled if row[name] != row[other] and find_span(row[name], row[other]))
            if filled and kept >= _SHARE * len(filled) and kept > most:
                best, most = other, kept
        if best is not None:
            grounded[name] = best
            reasons[f"fields.{name}.appears_in"] = f"a span of {best} ({most} of {len(filled)} seeds)"
    return grounded


def _identifiers(
    rows: Sequence[Row], free: Sequence[str], grounded: Mapping[str, str], reasons: dict[str, str]
) -> dict[str, str]:
    """Map each field to the field that contains its words with digits in at least ``_SHARE`` of the rows with some."""
    sources = list(dict.fromkeys(grounded.values()))
    identified = {}
    for name in free:
        for source in sources:
            if source == name:
                continue
            having = [(words, row) for row in rows if (words := [p for p in split_words(row[name]) if _has_digit(p)])]
            kept = sum(1 for words, row in having if all(find_span(word, row[source]) for word in words))
            if having and kept >= _SHARE * len(having):
                identified[name] = source
                reasons[f"fields.{name}.identifiers_in"] = (
                    f"numbers and ids must occur in {source} ({kept} of {len(having)} seeds)"
                )
    return identified


def _has_digit(piece: str) -> bool:
    return any(character.isdigit() for character in piece)


def _label(rows: Sequence[Row], names: Sequence[str]) -> str | None:
    """The last field with few short values, most of them in several rows; labels usually come last."""
    for name in reversed(names):
        values = Counter(label_of(row[name]) for row in rows)
        short = all(len(value) <= _LABEL_CHARACTERS and value.strip() for value in values)
        again = sum(n for n in values.values() if n > 1)
        few = 2 <= len(values) <= min(_LABEL_VALUES, len(rows) // 2)
        if short and few and again >= _SHARE * len(rows) and len(names) > 1:
            return name
    return None


def _categories(
    statistics: ValueStatistics,
    fields: Sequence[str],
    label: str | None,
    free: Sequence[str],
    grounded: Mapping[str, str],
    reasons: dict[str, str],
) -> CategoriesTable:
    rows = statistics.rows
    if label is not None:
        count = len({label_of(row[label]) for row in rows})
        reasons["categories"] = f"label field: {label}, with {count} values in {len(rows)} seeds"
        return CategoriesTable(by="field", field=label)
    sources = set(grounded.values())
    asking = [name for name in free if name not in sources] or list(free)
    for name in asking:
        others = [other for other in fields if other != name] if name not in sources and grounded else None
        mined = statistics.templates(name, others)
        shared = sum(n for at, n in Counter(mined.of).items() if n > 1 and mined.templates[at].has_words)
        if 2 * shared >= len(rows):
            reasons["categories"] = f"templates of {name}: {len(mined.templates)} in {len(rows)} seeds"
            return CategoriesTable(by="template", field=name)
    reasons["categories"] = "no label field, and too few seeds share a template: one category"
    return CategoriesTable(by="none")
