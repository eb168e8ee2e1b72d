"""Preparation: from what the user names (a seed file, a recipe, rows in memory) to what a run needs.

    source -> RowFile + Recipe (given or inferred) -> sound seeds -> categories, thresholds, quotas

Does not handle: the run directory, or any model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from selfinstruct.checks import CustomCheck, custom_checks, custom_rejection, field_faults, schema
from selfinstruct.errors import InputError, RowError
from selfinstruct.growth import (
    EXPAND,
    Draft,
    PromptInputs,
    StepReply,
    advance,
    attribute_categories,
    quotas,
    read_prompt_inputs,
)
from selfinstruct.journal import History
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.categories import AttributeCategories, Categorizer
from selfinstruct.preparation.infer import infer, make_categories, value_statistics
from selfinstruct.preparation.presets import find_preset
from selfinstruct.preparation.thresholds import thresholds
from selfinstruct.recipe import Importer, Quota, Recipe, accept_unimported, bind, builtin, is_recipe, parse_recipe
from selfinstruct.records import Row
from selfinstruct.rows import RowFile, open_row_file, parse_rows, rows_from_objects
from selfinstruct.similarity.duplicates import DuplicateIndex

#: A path ("-" for stdin), rows, or a pandas DataFrame.
Source: TypeAlias = str | Path | Iterable[Row] | Any


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before the first row grows.

    ``reasons`` says for each inferred key path of the recipe why; it is empty for a recipe that was given.
    ``skipped`` are the "file:line: fault" of the seeds that were left out. ``materials`` are what prompts are
    conditioned on. ``once``: the quota was left open, and every passage is used once. ``like`` says
    which built-in recipe was found to fit bare seeds, and why.
    """

    seeds: RowFile
    recipe: Recipe
    reasons: Mapping[str, str]
    statistics: ValueStatistics
    categories: Categorizer
    thresholds: Mapping[str, float]
    quotas: Mapping[str, int]
    skipped: Sequence[str]
    inputs: PromptInputs = field(default_factory=PromptInputs)
    use_passages_once: bool = False
    preset: str = ""


def prepare(
    source: Source,
    *,
    rows: int | None = None,
    per_category: int | None = None,
    skip_bad_seeds: bool = False,
    importer: Importer | None = None,
) -> Prepared:
    """Read and check the seeds, with the recipe that ``source`` is or that they suggest.

    ``rows`` or ``per_category`` replaces the recipe's quota. ``importer`` is as for ``parse_recipe``: without one, a
    recipe that names code is refused. Raises RowError or RecipeError where something cannot be used, before anything
    is written.
    """
    wanted, like = _quota(rows, per_category), ""
    seeds, recipe = read_source(source, importer=importer)
    reasons: Mapping[str, str] = {}
    statistics = None
    if recipe is None:
        seeds, skipped = valid_seeds(seeds, None, skip=skip_bad_seeds)
        if len(seeds.rows) < 2:
            raise RowError(
                f"{seeds.path}:{seeds.lines[0]}",
                "need at least two seed rows to infer what varies",
                hint="Add a second seed row, or edit a recipe: "
                f"selfinstruct init {seeds.path} -o recipe.toml; selfinstruct run recipe.toml",
            )
        inferred = infer(seeds)
        recipe, reasons, statistics = inferred.recipe, inferred.reasons, inferred.statistics
        shape = find_preset(recipe, seeds.fields) if Path(seeds.path).is_file() else None
        if shape is not None:
            recipe, like = shape.recipe, f"{shape.like}: {shape.why}"
            seeds = seeds if recipe.seeds.file else RowFile(seeds.path, seeds.format, [], [], tuple(recipe.fields))
    else:
        skipped = []
        recipe = bind(recipe, seeds.fields)
    ungrounded: list[str] = []
    if seeds.rows:
        seeds, ungrounded = valid_seeds(seeds, recipe, skip=skip_bad_seeds)
    if wanted is not None:
        weights = recipe.quota.weights if wanted.rows is not None else {}
        recipe = recipe.model_copy(update={"quota": wanted.model_copy(update={"weights": weights})})
    prepared = build_prepared(seeds, recipe, reasons, [*skipped, *ungrounded], read_prompt_inputs(recipe), statistics)
    return replace(prepared, preset=like)


def build_prepared(
    seeds: RowFile,
    recipe: Recipe,
    reasons: Mapping[str, str],
    skipped: Sequence[str],
    materials: PromptInputs | None = None,
    known: ValueStatistics | None = None,
) -> Prepared:
    """Sound seeds and their recipe, with what follows from the two: categories, thresholds, quotas.

    ``known`` are the statistics that inference took; they are used again where they still apply.
    """
    statistics = value_statistics(recipe, seeds.rows, known)
    materials = materials or PromptInputs()
    categories: Categorizer
    if recipe.categories.by == "attribute":
        categories = AttributeCategories(tuple(attribute_categories(recipe, materials)))
    else:
        categories = make_categories(recipe, statistics)
    once = recipe.quota.rows is None and recipe.quota.per_category is None and recipe.documents is not None
    return Prepared(
        seeds=seeds,
        recipe=recipe,
        reasons=reasons,
        statistics=statistics,
        categories=categories,
        thresholds=thresholds(recipe, categories, statistics),
        quotas=quotas(_all_of(recipe, materials) if once else recipe.quota, categories.names),
        skipped=skipped,
        inputs=materials,
        use_passages_once=once,
    )


def with_passages(prepared: Prepared, passages: Sequence[Row]) -> Prepared:
    """``prepared`` with the passages of the run that goes on, if it has any, whatever has become of its documents."""
    if not passages:
        return prepared
    materials = replace(prepared.inputs, passages=passages)
    recipe = prepared.recipe
    wanted = (
        quotas(_all_of(recipe, materials), prepared.categories.names) if prepared.use_passages_once else prepared.quotas
    )
    return replace(prepared, inputs=materials, quotas=wanted)


def _all_of(recipe: Recipe, materials: PromptInputs) -> Quota:
    """As many rows as the passages can give, at most: what templates make of them, or one batch asks for of each."""
    if recipe.steps or not all(each.name in materials.templates for each in recipe.expand):
        return Quota(rows=max(len(materials.passages), 1) * recipe.prompt.rows_per_request)
    replies = {EXPAND: StepReply((Draft({}, ""),))}
    return Quota(rows=max(sum(len(advance(recipe, materials, each, replies).drafts) for each in materials.passages), 1))


def prepared_from_journal(history: History, recipe: Recipe | None = None) -> Prepared:
    """What the run of this journal started from, or would have by another ``recipe`` for the same seeds."""
    metadata, stored = history.metadata(), history.seeds()
    own = parse_recipe(metadata.recipe, f"{history.path}: recipe", history.path.parent, importer=accept_unimported)
    names = tuple(stored[0].row) if stored else tuple(own.fields)
    seeds = RowFile(own.seeds.file, "jsonl", [seed.row for seed in stored], [seed.line for seed in stored], names)
    reasons = dict(metadata.reasons) if recipe is None else {}
    materials = PromptInputs.from_json(metadata.prompt_inputs, history.passages())
    if recipe is not None:
        others = read_prompt_inputs(recipe.model_copy(update={"documents": None}))
        materials.lists.update(others.lists)
        materials.templates.update(others.templates)
    return build_prepared(seeds, bind(recipe or own, names), reasons, [], materials)


def read_source(source: Source, *, importer: Importer | None = None) -> tuple[RowFile, Recipe | None]:
    """The seeds that ``source`` names, and the recipe where it is one.

    A file is told by its content: TOML is a recipe, everything else rows.
    """
    if not isinstance(source, str | Path):
        return rows_from_objects(source, "rows"), None
    name = str(source)
    if name in builtin.names() and not Path(name).exists():
        name = str(builtin.path(name))
    data = _read_bytes(name)
    if not is_recipe(data):
        return parse_rows(data, name), None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowError(name, "recipe is not UTF-8 text", hint="Save it as UTF-8.") from error
    recipe = parse_recipe(text, name, Path(name).parent, importer=importer)
    if not recipe.seeds.file:
        return RowFile(name, "jsonl", [], [], tuple(recipe.fields)), recipe
    data = _read_bytes(recipe.seeds.file, hint=f"Check seeds.file in {name}; it is relative to the recipe's directory.")
    return parse_rows(data, recipe.seeds.file), recipe


def valid_seeds(seeds: RowFile, recipe: Recipe | None, *, skip: bool) -> tuple[RowFile, list[str]]:
    """The seeds without those that stand twice or break the recipe's own rules, and what was wrong with these.

    Raises RowError for the first of them, naming all, unless ``skip``; and in any case where none is left.
    """
    faults: list[str] = []
    kept: list[int] = []
    twins = DuplicateIndex(seeds.fields)
    own_checks = () if recipe is None else custom_checks(recipe)
    for at, (row, line) in enumerate(zip(seeds.rows, seeds.lines, strict=True)):
        twin = twins.find(row)
        twins.add(row)
        fault = _fault(row, recipe, own_checks) if twin is None else f"the same row as line {seeds.lines[twin[0]]}"
        if fault:
            faults.append(f"{seeds.path}:{line}: {fault}")
        else:
            kept.append(at)
    if faults and (not skip or not kept):
        where, _, message = faults[0].partition(": ")
        others = "".join(f"\n{fault}" for fault in faults[1:])
        raise RowError(
            where,
            message + others,
            hint="Fix the seeds or the recipe, or leave out these rows with `skip_bad_seeds=True`."
            if kept
            else "No seed row is valid: fix the seeds or the recipe.",
        )
    sound = RowFile(
        seeds.path, seeds.format, [seeds.rows[at] for at in kept], [seeds.lines[at] for at in kept], seeds.fields
    )
    return sound, faults


def _fault(row: Row, recipe: Recipe | None, own_checks: Sequence[CustomCheck]) -> str:
    if recipe is None:
        return ""
    rejection = schema.check(row, recipe.fields)
    if rejection is not None:
        return rejection.message
    rejection = field_faults(row, recipe, tuple(row)) or custom_rejection(row, recipe, own_checks)
    return rejection.message if rejection is not None else ""


def _quota(rows: int | None, per_category: int | None) -> Quota | None:
    if rows is not None and per_category is not None:
        raise InputError("`rows` and `per_category` exclude each other", hint="Set one of them.")
    for name, value in (("rows", rows), ("per_category", per_category)):
        if value is not None and (type(value) is not int or value < 1):
            raise InputError(
                f"`{name}`: expected a whole number of at least 1, got {value!r}", hint="Omit it for the default."
            )
    if rows is None and per_category is None:
        return None
    return Quota(rows=rows, per_category=per_category)


def _read_bytes(name: str, **options: str) -> bytes:
    with open_row_file(name, **options) as file:
        return file.read()
