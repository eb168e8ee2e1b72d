"""Inference of a complete recipe from bare seed rows, with the reason for each inferred key.

Does not handle: rules that the seeds follow by chance. The inferred recipe is printed, and ``selfinstruct init`` writes
it to a file to edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.checks import schema
from selfinstruct.messages import Phrase, joined
from selfinstruct.mining import ValueStatistics
from selfinstruct.mining.relations import infer_relations
from selfinstruct.mining.telling_fields import telling_fields
from selfinstruct.mining.unique_fields import unique_fields
from selfinstruct.preparation import field_rules
from selfinstruct.preparation.categories import Categorizer, build_categorizer, spellings
from selfinstruct.recipe import Categories as CategoriesTable
from selfinstruct.recipe import Field, Novelty, Quota, Recipe, Seeds, recipe_name
from selfinstruct.records import Row
from selfinstruct.rows import RowFile

_ROWS_PER_SEED = 100
# Templates are categories unless those of one half of the seeds refuse more than this share of the other half. Seeds
# of many kinds have some kind only once, which is then in one half: in 45 lines of 17 kinds these are a third.
_MOST_REFUSED = 0.5
# The seeds that the halves are taken from: more take time and show no more.
_MOST_SPLIT = 200


@dataclass(frozen=True, slots=True)
class Inferred:
    """A recipe, the reason for each inferred key path, and the statistics of the seeds that it was inferred from.

    ``doubtful`` maps the position of each seed with a value of another type than nearly all the others to its fault;
    nothing was inferred from these.
    """

    recipe: Recipe
    reasons: Mapping[str, str]
    statistics: ValueStatistics
    doubtful: Mapping[int, str]


def infer(seeds: RowFile) -> Inferred:
    """Infer the recipe of a seed file: fields, grounding, identifiers, categories, and a quota of 100 rows per seed."""
    reasons: dict[str, str] = {}
    optional = {name for name in seeds.fields if any(name not in row for row in seeds.rows)}
    types = {name: field_rules.field_type([row[name] for row in seeds.rows if name in row]) for name in seeds.fields}
    shapes = {name: Field(type=kind, optional=name in optional) for name, kind in types.items()}
    own, doubtful = _sound_rows(seeds.rows, shapes)
    rows = [{name: row.get(name) for name in seeds.fields} for row in own] if optional else own
    unique = unique_fields(rows)
    count = {name: sum(name in row for row in own) for name in optional}
    reasons.update({f"fields.{name}.optional": _have_it(count[name], len(own)) for name in optional})
    reasons.update({f"fields.{name}.unique": Phrase("every seed has another value") for name in unique})
    free = [name for name in seeds.fields if name not in unique]
    texts = [name for name in free if field_rules.are_of(rows, name, str)]
    scalars = [name for name in free if field_rules.are_of(rows, name, (str, int, float))]
    grounded = field_rules.grounding(rows, [*scalars, *field_rules.plain_lists(rows, free)], texts, reasons)
    labels = [name for name in free if name not in grounded and name not in optional and types[name] != "object"]
    label = field_rules.find_label(rows, labels)
    if label in grounded.values():
        label = None
    asking = [name for name in texts if name not in grounded and name != label]
    nested = [name for name in free if name not in {label, *grounded} and field_rules.has_texts(rows, name)]
    compared = [name for name in seeds.fields if name in asking or name in nested]
    telling = telling_fields(rows, compared)
    identified = field_rules.identifier_sources(rows, compared, grounded.values(), reasons)
    fields = {
        name: Field(
            type=types[name],
            unique=name in unique,
            appears_in=grounded.get(name),
            identifiers_in=identified.get(name),
            optional=name in optional,
            min_chars=0 if name not in unique and field_rules.may_be_blank(own, name) else None,
            max_chars=field_rules.max_chars(rows, name) if name in texts else None,
        )
        for name in seeds.fields
    }
    statistics = ValueStatistics(own, grounded)
    relations = infer_relations(own, grounded, identified)
    reasons.update({f"relations.{at}": inferred.reason for at, inferred in enumerate(relations)})
    always = [name for name in asking if name not in optional]
    categories = _categories(statistics, seeds.fields, label, always, grounded, reasons)
    reasons["quota.rows"] = Phrase("{rows} for each of the {seeds} seeds", rows=_ROWS_PER_SEED, seeds=len(rows))
    compared_texts = Phrase("the texts that are neither a label nor a span of another field")
    never = [Phrase("{fields} never makes a row new", fields=joined(unique))] if unique else []
    reasons["novelty.fields"] = joined([compared_texts, *never], "; ")
    name = recipe_name(seeds.path) if seeds.path != "-" else "stdin"
    recipe = Recipe(
        name=name,
        seeds=Seeds(file=seeds.path, encoding=seeds.encoding),
        fields=fields,
        relations=tuple(inferred.relation for inferred in relations),
        categories=categories,
        quota=Quota(rows=_ROWS_PER_SEED * len(rows)),
        novelty=Novelty(fields=tuple(telling or [name for name in free if name != label] or free)),
    )
    return Inferred(recipe, reasons, statistics, doubtful)


def _sound_rows(rows: Sequence[Row], fields: Mapping[str, Field]) -> tuple[list[Row], dict[int, str]]:
    """The rows whose values have these types, and the faults of the others by their positions."""
    sound, doubtful = [], {}
    for at, row in enumerate(rows):
        fault = next((message for _, message in schema.faults(row, fields)), None)
        if fault is None:
            sound.append(row)
        else:
            doubtful[at] = fault
    return (sound, doubtful) if sound else (list(rows), {})


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
    texts = [
        name for name, field in recipe.fields.items() if field.type == "string" and not (field.unique or field.optional)
    ]
    free = [name for name in texts if name not in bound]
    return free if len(free) == 1 else []


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
        count = len(spellings([row[label] for row in rows]))
        reasons["categories"] = Phrase(
            "label field: {field}, with {count} values in {seeds} seeds", field=label, count=count, seeds=len(rows)
        )
        return CategoriesTable(by="field", field=label)
    sources = set(grounded.values())
    asking = [name for name in free if name not in sources] or list(free)
    for name in asking:
        others = [other for other in fields if other != name] if name not in sources and grounded else None
        mined = statistics.templates(name, others)
        shared = sum(n for at, n in Counter(mined.of).items() if n > 1 and mined.templates[at].has_words)
        if 2 * shared >= len(rows) and _fit_halves(statistics, name, others):
            reasons["categories"] = Phrase(
                "templates of {field}: {count} in {seeds} seeds",
                field=name,
                count=len(mined.templates),
                seeds=len(rows),
            )
            return CategoriesTable(by="template", field=name)
    reasons["categories"] = Phrase("no label field, and too few seeds share a template: one category")
    return CategoriesTable(by="none")


def _have_it(count: int, seeds: int) -> Phrase:
    return Phrase("{count} of {seeds} seeds have it", count=count, seeds=seeds)


def _fit_halves(statistics: ValueStatistics, name: str, others: Sequence[str] | None) -> bool:
    """Whether the templates of one half of the seeds are those of the other half."""

    def refused(one: Sequence[Row], other: Sequence[Row]) -> int:
        half = statistics.of_some(one)
        table = CategoriesTable(by="template", field=name)
        categories = build_categorizer(table, others, half)
        return sum(not categories.of(row) for row in other)

    rows = statistics.rows[:: max(len(statistics.rows) // _MOST_SPLIT, 1)]
    return field_rules.fits_halves(rows, refused, _MOST_REFUSED)
