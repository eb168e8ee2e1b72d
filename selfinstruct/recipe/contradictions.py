"""Problems between keys of a recipe: unknown names, and keys that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from selfinstruct.messages import Phrase, joined
from selfinstruct.recipe import toml
from selfinstruct.recipe.errors import Problem, no_such_field
from selfinstruct.recipe.methods import REFERRING_KEYS, Constraints
from selfinstruct.recipe.namings import naming_problems
from selfinstruct.recipe.patterns import pattern_problem
from selfinstruct.recipe.relation_paths import parse_pattern
from selfinstruct.recipe.relations import KINDS, Relation
from selfinstruct.recipe.tables import PROBABILITY, Recipe

_UNNEST = Phrase("remove the inner repeat, or end it with a character that it cannot match: (a+,)+ instead of (a+)+")


def recipe_contradictions(recipe: Recipe) -> Iterator[Problem]:
    """Yield every contradiction in ``recipe``."""
    yield from naming_problems(recipe)
    if not recipe.fields:
        yield Problem(
            ("fields",),
            "must define at least one field",
            "add a table for each field of a row, such as [fields.Question]",
        )
    for path, name in _named_fields(recipe):
        if name not in recipe.fields:
            yield no_such_field(path, name, recipe.fields)
    for field_path, name, constraints in _all_constraints(recipe):
        for key in REFERRING_KEYS:
            if getattr(constraints, key) == name:
                hint = Phrase("name the field to compare with, or remove the key")
                yield Problem((*field_path, key), "must name another field", hint)
        yield from _constraint_problems(field_path, constraints)
    for at, relation in enumerate(recipe.relations):
        yield from _relation_problems(("relations", at), relation, recipe)
    yield from _quota_conflicts(recipe)
    yield from _holdout_problems(recipe)
    written = {*recipe.fields, *(name for step in recipe.steps for name in step.writes)}
    if recipe.prompt.verbalized_sampling and PROBABILITY in map(str.casefold, written):
        message = Phrase("cannot be used with a field named {name}: the reply has a key of that name", name=PROBABILITY)
        yield Problem(("prompt", "verbalized_sampling"), message, "rename the field, or remove the key")
    if recipe.models and recipe.model is not None:
        yield Problem(("models",), "cannot be combined with [model]", "make [model] one of the [[models]]")
    if recipe.continues_rows and len({model.api for model in recipe.models}) > 1:
        yield Problem(
            ("models",),
            "must have one api if they imitate rows",
            'set the same api in each, "chat" or "completions"',
        )
    if len({(model.name, model.base_url) for model in recipe.models}) < len(recipe.models):
        yield Problem(("models",), "lists the same model at the same base_url twice", "keep one, with a larger weight")


def _holdout_problems(recipe: Recipe) -> Iterator[Problem]:
    """Yield the problems of held-out rows."""
    table = recipe.seeds
    if table.holdout is not None and table.split_field is not None:
        yield Problem(("seeds", "holdout"), "cannot be combined with split_field", "remove one of them")
    if table.holds_out and not table.file:
        key = "holdout" if table.holdout is not None else "split_field"
        yield Problem(("seeds", key), "has no effect without seed rows", 'name them: file = "rows.jsonl"')
    if table.split_field is not None and table.split_field in recipe.fields:
        hint = Phrase("remove the field: its values say which rows are held out")
        yield Problem(
            ("seeds", "split_field"),
            Phrase("must not be one of the fields: {split_field}", split_field=table.split_field),
            hint,
        )


def _all_constraints(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str, Constraints]]:
    """Yield every table of constraints: its path, and the field that it applies to."""
    for name, field in recipe.fields.items():
        yield ("fields", name), name, field
    for at, rule in enumerate(recipe.rules):
        yield ("rules", at), rule.field, rule


def _named_fields(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str]]:
    for path, _, constraints in _all_constraints(recipe):
        for key in REFERRING_KEYS:
            if (other := getattr(constraints, key)) is not None:
                yield (*path, key), other
    for at, rule in enumerate(recipe.rules):
        yield ("rules", at, "field"), rule.field
        for name in rule.when:
            yield ("rules", at, "when"), name
    for name, field in recipe.fields.items():
        for key, other in (field.negatives.names if field.negatives is not None else {}).items():
            yield ("fields", name, "negatives", key), other
    if recipe.categories.field is not None:
        yield ("categories", "field"), recipe.categories.field
    for role, other in (recipe.roles.names if recipe.roles is not None else {}).items():
        yield ("roles", role), other
    for other in recipe.novelty.fields:
        yield ("novelty", "fields"), other


def _constraint_problems(path: toml.KeyPath, constraints: Constraints) -> Iterator[Problem]:
    """Yield the problems within the constraints of one field or rule."""
    if constraints.match != "exact" and constraints.appears_in is None:
        yield Problem((*path, "match"), "has no effect without appears_in")
    if constraints.differs_by is not None and constraints.differs_from is None:
        yield Problem((*path, "differs_by"), "has no effect without differs_from", "name the field to differ from")
    for unit in ("chars", "words"):
        least, most = getattr(constraints, f"min_{unit}"), getattr(constraints, f"max_{unit}")
        if most is not None and (least or 0) > most:
            message = Phrase("is below min_{unit} ({least}): no text can satisfy both", unit=unit, least=least)
            yield Problem((*path, f"max_{unit}"), message)
    for key, patterns in (("pattern", (constraints.pattern,)), ("refuse", constraints.refuse)):
        for pattern in patterns:
            if pattern is not None and (problem := pattern_problem(pattern)):
                shown = pattern if len(pattern) <= 60 else f"{pattern[:60]}..."
                hint = Phrase("see docs.python.org/3/library/re.html") if "regular expression" in problem else _UNNEST
                yield Problem(
                    (*path, key), Phrase("{shown} {problem}", shown=toml.literal(shown), problem=problem), hint
                )
    rules = constraints.snippets
    if rules is not None and rules.most is not None and rules.least > rules.most:
        yield Problem(
            (*path, "snippets"), Phrase("least ({least}) is above most ({most})", least=rules.least, most=rules.most)
        )


def _relation_problems(path: toml.KeyPath, relation: Relation, recipe: Recipe) -> Iterator[Problem]:
    """Yield the problems of one relation: its kind, its paths, and keys without effect."""
    kinds = [kind for kind in KINDS if getattr(relation, kind) is not None]
    if len(kinds) != 1:
        yield Problem(
            path,
            Phrase("expected exactly one kind, got {kinds}", kinds=joined(kinds))
            if kinds
            else Phrase("expected exactly one kind, got none"),
            Phrase("the kinds are: {kinds}", kinds=joined(KINDS)),
        )
        return
    kind = kinds[0]
    for written in relation.paths:
        try:
            field = str(parse_pattern(written)[0])
        except ValueError:
            hint = Phrase("write field, field.key or field[*].key")
            yield Problem((*path, kind), Phrase("invalid path {written}", written=toml.literal(written)), hint)
            return
        if field not in recipe.fields:
            yield no_such_field((*path, kind), field, recipe.fields)
    if len(set(relation.paths)) < len(relation.paths):
        yield Problem((*path, kind), "names the same path twice", "compare a value with another one")
    depth = parse_pattern(relation.target).count(None)
    for path_of_minus in relation.minus or ():
        if parse_pattern(path_of_minus).count(None) > depth:
            hint = Phrase("name a single value for each computed one")
            yield Problem(
                (*path, "minus"),
                Phrase("{path_of_minus} has more [*] than the sum", path_of_minus=toml.literal(path_of_minus)),
                hint,
            )
    least, how = _LEAST_PATHS.get(kind, (1, ""))
    if len(relation.paths) < least:
        yield Problem(
            (*path, kind), Phrase("expected at least two paths" if least == 2 else "expected at least three paths"), how
        )
    if kind == "bands" and not relation.limits:
        yield Problem((*path, kind), "limits are missing", "write limits = { A = [90, 100], B = [80, 89] }")
    if kind == "order" and len(relation.paths) == 1 and not depth:
        yield Problem((*path, kind), "a single value has no order", "name a list such as readings[*], or two paths")
    if relation.step is not None and kind == "order" and len(relation.paths) > 1:
        yield Problem((*path, "step"), "applies to the order of one list", "name one path such as readings[*]")
    for key, having in _KEYS_OF_KINDS.items():
        if getattr(relation, key) not in (None, "value") and kind not in having:
            yield Problem(
                (*path, key),
                Phrase("has no effect with {kind}", kind=kind),
                Phrase("it applies to: {having}", having=joined(having)),
            )


#: The least number of paths, where it is not part of the type, and how to write them.
_LEAST_PATHS = {
    "one_of": (2, Phrase("name the value first, then its options")),
    "same_length": (2, Phrase("name two lists")),
    "supported": (3, Phrase("name the text, the key and the options")),
}
_COMPUTED = ("sum", "difference", "product", "ratio", "max", "min", "mean", "sum_product")
#: The keys of a relation besides its kind, and the kinds that each applies to.
_KEYS_OF_KINDS = {
    "by": ("one_of", "supported", "contained"),
    "unit": ("count", "difference", "order"),
    "factor": _COMPUTED,
    "plus": _COMPUTED,
    "precision": _COMPUTED,
    "tolerance": _COMPUTED,
    "minus": ("sum",),
    "step": ("range", "order"),
    "end": ("offset",),
    "limits": ("bands",),
}


def _quota_conflicts(recipe: Recipe) -> Iterator[Problem]:
    categories, quota = recipe.categories, recipe.quota
    if categories.by in ("field", "template") and categories.field is None:
        yield Problem(("categories", "field"), Phrase('missing; by = "{by}" requires a field', by=categories.by))
    if categories.function is not None and categories.field is not None:
        hint = Phrase('remove the key, or use by = "template" or by = "field"')
        yield Problem(("categories", "field"), "unused: the function in by is given the whole row", hint)
    if categories.by in ("none", "passage") and categories.field is not None:
        yield Problem(
            ("categories", "field"),
            Phrase('has no effect with by = "{by}"', by=categories.by),
            'use by = "template" or by = "field"',
        )
    if quota.rows is not None and quota.per_category is not None:
        yield Problem(("quota", "per_category"), "cannot be combined with rows")
    if quota.weights and quota.rows is None:
        yield Problem(("quota", "weights"), "requires rows", "add, for example, rows = 1000")
    if quota.weights and categories.by == "none":
        yield Problem(("quota", "weights"), 'requires categories, but [categories] has by = "none"')
    if recipe.novelty.categories and categories.by == "none":
        yield Problem(("novelty", "categories"), 'requires categories, but [categories] has by = "none"')
    if recipe.novelty.per_field and recipe.novelty.max_rouge_l == "seeds":
        message = Phrase('requires a number for max_rouge_l: "seeds" is measured on all fields together')
        yield Problem(("novelty", "per_field"), message, "for example max_rouge_l = 0.7")
    if not recipe.novelty.fields:
        yield Problem(("novelty", "fields"), "must name at least one field to compare")
