"""Inference: from bare seed rows to a recipe that runs as it is, with the reason for each thing it says.

Does not handle: rules that the seeds keep by chance. What is inferred is printed, and ``selfinstruct init``
writes it down to be edited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from selfinstruct.mining.text_template import split_words
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.categories import Categorizer, build_categorizer, label_of
from selfinstruct.recipe import Categories as CategoriesTable
from selfinstruct.recipe import Field, Novelty, Quota, Recipe, Seeds, recipe_name
from selfinstruct.records import JSON, Row
from selfinstruct.rows import RowFile
from selfinstruct.text import find_span

FieldType: TypeAlias = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

#: The share of seeds that must keep a rule for it to be inferred.
_SHARE = 0.9
# A label has few values, each short and most of them seen again.
_LABEL_CHARACTERS = 40
_LABEL_VALUES = 50
# A value may be so many times as long as the longest seed, and this long in any case.
_LONGEST = 4
_LEAST_MOST = 200
_ROWS_PER_SEED = 100


@dataclass(frozen=True, slots=True)
class Inferred:
    """A recipe, the reason for each inferred key path, and the statistics of the seeds that it was inferred from."""

    recipe: Recipe
    reasons: Mapping[str, str]
    statistics: ValueStatistics


def infer(seeds: RowFile) -> Inferred:
    """The recipe of a bare seed file: fields, grounding, identifiers, categories; quota a hundred times its rows."""
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
    reasons["quota.rows"] = f"{_ROWS_PER_SEED} for each of the {len(rows)} seeds; --rows or --per-category change it"
    compared = tuple(free or [name for name in seeds.fields if name != label])
    reasons["novelty.fields"] = "the text that is neither a label nor taken from another field"
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
    """For each field that refers to another, by grounding or by identifiers, that other field."""
    return {name: other for name, field in recipe.fields.items() if (other := field.appears_in or field.identifiers_in)}


def value_statistics(recipe: Recipe, rows: Sequence[Row], known: ValueStatistics | None = None) -> ValueStatistics:
    """The statistics of a recipe's seeds: ``known`` where those are already of the same rows and references."""
    references = context_fields(recipe)
    return known if known is not None and known.describes(rows, references) else ValueStatistics(rows, references)


def make_categories(recipe: Recipe, statistics: ValueStatistics) -> Categorizer:
    """The recipe's categories over its seeds.

    The words of a question vary where the rest of its row shows them to be values; the words of a text that no
    other field refers to (a log alone) vary by Drain's rule.
    """
    refer = context_fields(recipe)
    asks = bool(refer) and recipe.categories.field not in refer.values()
    others = [name for name in recipe.fields if name != recipe.categories.field] if asks else []
    return build_categorizer(recipe.categories, others or None, statistics)


def prose_field(recipe: Recipe) -> list[str]:
    """The field whose sentences may be mixed within a category: the only free text, to which nothing refers.

    Two free texts of a row (an instruction and its output) belong together.
    """
    refer = context_fields(recipe)
    bound = {*refer, *refer.values(), recipe.categories.field}
    free = [name for name, field in recipe.fields.items() if field.type == "string" and name not in bound]
    return free if len(free) == 1 else []


def _may_be_blank(rows: Sequence[Row], name: str) -> bool:
    """Whether some seed leaves the field blank, so that new rows may."""
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
    return max(_LONGEST * max(len(row[name]) for row in rows), _LEAST_MOST)


def _grounding(rows: Sequence[Row], texts: Sequence[str], reasons: dict[str, str]) -> dict[str, str]:
    """Field -> the field that its value is a span of in at least ``_SHARE`` of the rows that have one."""
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
            reasons[f"fields.{name}.appears_in"] = f"a span of {best} in {most} of {len(filled)} seeds"
    return grounded


def _identifiers(
    rows: Sequence[Row], free: Sequence[str], grounded: Mapping[str, str], reasons: dict[str, str]
) -> dict[str, str]:
    """Field -> the field in which its digit-bearing words stand, in at least ``_SHARE`` of the rows with some."""
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
                    f"its words with digits stand in {source} in {kept} of the {len(having)} seeds that have some"
                )
    return identified


def _has_digit(piece: str) -> bool:
    return any(character.isdigit() for character in piece)


def _label(rows: Sequence[Row], names: Sequence[str]) -> str | None:
    """The field with few short values, most of them in several rows; the last such field, as labels stand last."""
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
        reasons["categories"] = f"{label} has {count} values over {len(rows)} seeds: a label"
        return CategoriesTable(by="field", field=label)
    sources = set(grounded.values())
    asking = [name for name in free if name not in sources] or list(free)
    for name in asking:
        others = [other for other in fields if other != name] if name not in sources and grounded else None
        mined = statistics.templates(name, others)
        shared = sum(n for at, n in Counter(mined.of).items() if n > 1 and mined.templates[at].has_words)
        if 2 * shared >= len(rows):
            reasons["categories"] = f"{name} has {len(mined.templates)} templates over {len(rows)} seeds"
            return CategoriesTable(by="template", field=name)
    reasons["categories"] = "no label field, and too few seeds share a template: one category"
    return CategoriesTable(by="none")
