"""Prepare a run from its source: a seed file, a recipe, or rows in memory.

    source -> RowFile + Recipe (given or inferred) -> valid seeds -> categories, thresholds, quotas

Does not handle: the run directory, calling models.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from selfinstruct.checks import (
    AppliedCheck,
    CustomCheck,
    applied_checks,
    custom_checks,
    custom_rejection,
    field_faults,
    schema,
)
from selfinstruct.errors import InputError, RowError
from selfinstruct.growth import PromptInputs, attribute_categories, quotas, read_prompt_inputs
from selfinstruct.journal import History
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.capacity import capacity
from selfinstruct.preparation.categories import AttributeCategories, Categorizer, spelling_notes
from selfinstruct.preparation.imitable import leave_out
from selfinstruct.preparation.infer import Inferred, infer, make_categories, value_statistics
from selfinstruct.preparation.presets import find_preset
from selfinstruct.preparation.thresholds import thresholds
from selfinstruct.recipe import Importer, Quota, Recipe, accept_unimported, bind, builtin, is_recipe, parse_recipe
from selfinstruct.records import Row
from selfinstruct.rows import RowFile, find_shards, open_row_file, parse_rows, read_rows, rows_from_objects
from selfinstruct.similarity.duplicates import DuplicateIndex, unique_field_names

if TYPE_CHECKING:
    import pandas

#: A path ("-" for stdin), a recipe, rows, or a pandas DataFrame.
Source: TypeAlias = "str | Path | Recipe | Iterable[Mapping[str, Any]] | pandas.DataFrame"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything known before the first batch; ``statistics`` are those of the values of the seeds.

    ``reasons`` explains inferred settings by their key path; it is empty for a given recipe. ``skipped`` has the
    "file:line: fault" of seeds that were left out. ``inputs`` are the lists, passages and templates of prompts.
    ``use_passages_once`` is set where the quota is open, so that the run ends with the last passage. ``preset`` is the
    built-in recipe that fits the fields of bare seeds, and why; "" if none does. ``warnings`` are for the user.
    """

    seeds: RowFile
    recipe: Recipe
    reasons: Mapping[str, str]
    statistics: ValueStatistics
    categories: Categorizer
    thresholds: Mapping[str, float]
    quotas: Mapping[str, int]
    skipped: Sequence[str]
    inputs: PromptInputs
    use_passages_once: bool
    preset: str
    warnings: Sequence[str] = ()

    def resumed(self, passages: Sequence[Row]) -> Prepared:
        """Return the preparation of a resumed run, whose batches refer to its recorded ``passages`` if it has any."""
        if not passages:
            return self
        inputs = replace(self.inputs, passages=passages)
        return replace(self, inputs=inputs, quotas=_quotas(self.recipe, inputs, self.categories))


def prepare(
    source: Source,
    *,
    rows: int | None = None,
    per_category: int | None = None,
    skip_bad_seeds: bool = False,
    importer: Importer | None = None,
    choose_models: Callable[[Recipe], Recipe] = lambda recipe: recipe,
    imitates: Callable[[Recipe], bool] = lambda recipe: False,
) -> Prepared:
    """Read and check the seeds, with the recipe that ``source`` is, or one inferred from them.

    ``rows`` or ``per_category`` replaces the quota of the recipe, ``choose_models`` its models. ``importer`` is as for
    ``parse_recipe``: without one, a recipe that names code is refused. Raises RowError or RecipeError for invalid
    input, before anything is written.

    Where ``imitates`` is true of the final recipe, the embedded imitator will write its rows: seeds that it cannot
    keep true are left out, and RowError is raised if too few are left (see ``imitable``).
    """
    quota = _quota(rows, per_category)
    seeds, recipe = read_source(source, importer=importer)
    bare = recipe is None
    skipped: list[str] = []
    if recipe is None:
        seeds, skipped = check_seeds(seeds, None, skip=skip_bad_seeds)
        start = _start(seeds, skip=skip_bad_seeds)
        skipped += start.skipped
    else:
        start = _Start(seeds, bind(recipe, seeds.fields))
    start = replace(start, recipe=choose_models(_with_quota(start.recipe, quota)))
    if start.seeds.rows and imitates(start.recipe):
        kept, needing_model = leave_out(start.seeds, start.recipe, model_command(source), least=2 if bare else 1)
        if needing_model:
            skipped += needing_model
            start = _start(kept, skip=skip_bad_seeds) if bare else replace(start, seeds=kept)
            skipped += start.skipped if bare else []
            start = replace(start, recipe=choose_models(_with_quota(start.recipe, quota)))
    seeds = start.seeds
    if seeds.rows:
        seeds, invalid = check_seeds(seeds, start.recipe, skip=skip_bad_seeds)
        skipped += invalid
    recipe = start.recipe
    inputs = read_prompt_inputs(recipe)
    return build_prepared(
        seeds,
        recipe,
        inputs,
        reasons=start.reasons,
        skipped=skipped,
        preset=start.preset,
        warnings=start.warnings,
        known_statistics=start.statistics,
    )


@dataclass(frozen=True, slots=True)
class _Start:
    """Seeds and their recipe; of bare seeds also what was inferred, and the built-in recipe that fits.

    ``skipped`` has the faults of doubtful seeds, ``warnings`` are for the user.
    """

    seeds: RowFile
    recipe: Recipe
    reasons: Mapping[str, str] = field(default_factory=dict)
    statistics: ValueStatistics | None = None
    preset: str = ""
    skipped: Sequence[str] = ()
    warnings: Sequence[str] = ()


def _start(seeds: RowFile, *, skip: bool) -> _Start:
    """Infer the recipe of bare seeds, or take the built-in one for fields like theirs.

    A built-in recipe whose rules the seeds break is not used, unless such seeds are to be left out (``skip``).
    """
    inferred = _infer(seeds)
    seeds, doubtful = without_doubtful(seeds, inferred)
    start = _Start(seeds, inferred.recipe, inferred.reasons, inferred.statistics, skipped=doubtful)
    fitting = find_preset(inferred.recipe, seeds.fields) if Path(seeds.path).is_file() else None
    if fitting is None:
        return start
    fault = "" if skip else _first_fault(seeds, fitting.recipe, inferred.recipe)
    if fault:
        warning = f"the built-in recipe {fitting.like} is not used, as the seeds break its rules: {fault}"
        return replace(start, warnings=(warning,))
    if not fitting.recipe.seeds.file:
        seeds = RowFile(seeds.path, seeds.format, [], [], tuple(fitting.recipe.fields))
    return replace(start, seeds=seeds, recipe=fitting.recipe, preset=f"{fitting.like}: {fitting.why}")


def _with_quota(recipe: Recipe, quota: Quota | None) -> Recipe:
    """The recipe with another quota, whose shares are the recipe's weights."""
    if quota is None:
        return recipe
    weights = recipe.quota.weights if quota.rows is not None else {}
    return recipe.model_copy(update={"quota": quota.model_copy(update={"weights": weights})})


def model_command(source: Source) -> str:
    """What to do for rows by a model: the command for a file, else the arguments."""
    if isinstance(source, str | Path):
        return f"selfinstruct run {shlex.quote(str(source))} --base-url http://127.0.0.1:8000/v1 --model NAME"
    return 'set `base_url="http://127.0.0.1:8000/v1"` and `model="NAME"`.'


def _infer(seeds: RowFile) -> Inferred:
    """Infer a recipe from at least two seed rows."""
    if len(seeds.rows) < 2:
        raise RowError(
            seeds.place(0),
            "need at least two seed rows to infer what varies",
            hint="Add a second seed row, or edit a recipe: "
            f"selfinstruct init {seeds.path} -o recipe.toml; selfinstruct run recipe.toml",
        )
    return infer(seeds)


def build_prepared(
    seeds: RowFile,
    recipe: Recipe,
    inputs: PromptInputs | None = None,
    *,
    reasons: Mapping[str, str] | None = None,
    skipped: Sequence[str] = (),
    preset: str = "",
    warnings: Sequence[str] = (),
    known_statistics: ValueStatistics | None = None,
) -> Prepared:
    """Build the preparation of valid seeds and their complete recipe: its categories, thresholds and quotas.

    ``known_statistics`` are those of inference, which are reused as far as they apply.
    """
    statistics = value_statistics(recipe, seeds.rows, known_statistics)
    inputs = inputs or PromptInputs()
    categories: Categorizer
    if recipe.categories.by == "attribute":
        categories = AttributeCategories(tuple(attribute_categories(recipe, inputs)))
    else:
        categories = make_categories(recipe, statistics)
    return Prepared(
        seeds=seeds,
        recipe=recipe,
        reasons=_reasons_of(recipe, reasons or {}),
        statistics=statistics,
        categories=categories,
        thresholds=thresholds(recipe, categories, statistics),
        quotas=_quotas(recipe, inputs, categories),
        skipped=skipped,
        inputs=inputs,
        use_passages_once=_is_open(recipe),
        preset=preset,
        warnings=(*warnings, *spelling_notes(categories)),
    )


def _reasons_of(recipe: Recipe, reasons: Mapping[str, str]) -> Mapping[str, str]:
    """Return the reasons without those of relations that a built-in recipe for the seeds does not have."""
    if recipe.relations:
        return reasons
    return {key: reason for key, reason in reasons.items() if not key.startswith("relations.")}


def _is_open(recipe: Recipe) -> bool:
    """Whether the passages alone limit how many rows there will be."""
    return recipe.quota.rows is None and recipe.quota.per_category is None and recipe.documents is not None


def _quotas(recipe: Recipe, inputs: PromptInputs, categories: Categorizer) -> dict[str, int]:
    """The quota of each category; of an open quota, the most rows that the passages can yield."""
    quota = Quota(rows=capacity(recipe, inputs)) if _is_open(recipe) else recipe.quota
    return quotas(quota, categories.names)


def prepared_from_journal(history: History, recipe: Recipe | None = None) -> Prepared:
    """Prepare the run of this journal again, or a run of its seeds with another ``recipe``."""
    metadata, stored = history.metadata(), history.seeds()
    own = parse_recipe(metadata.recipe, f"{history.path}: recipe", history.path.parent, importer=accept_unimported)
    names = tuple(dict.fromkeys(name for seed in stored for name in seed.row)) or tuple(own.fields)
    seeds = RowFile(own.seeds.file, "jsonl", [seed.row for seed in stored], [seed.line for seed in stored], names)
    reasons = dict(metadata.reasons) if recipe is None else {}
    inputs = PromptInputs.from_json(metadata.prompt_inputs, history.passages())
    if recipe is not None:
        others = read_prompt_inputs(recipe.model_copy(update={"documents": None}))
        inputs.lists.update(others.lists)
        inputs.templates.update(others.templates)
    return build_prepared(seeds, bind(recipe or own, names), inputs, reasons=reasons)


def read_source(source: Source, *, importer: Importer | None = None) -> tuple[RowFile, Recipe | None]:
    """Read the seeds of ``source``, and the recipe if it is one.

    The content of a file decides: TOML is a recipe, everything else rows.
    """
    if isinstance(source, Recipe):
        return _seeds_of(source, source.name), source
    if not isinstance(source, str | Path):
        return rows_from_objects(source, "rows"), None
    name = str(source)
    if name in builtin.names() and not Path(name).exists():
        name = str(builtin.path(name))
    if find_shards(name) is not None:
        return read_rows(name), None
    data = _read_bytes(name)
    if not is_recipe(data):
        return parse_rows(data, name), None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowError(name, "recipe is not UTF-8 text", hint="Save it as UTF-8.") from error
    recipe = parse_recipe(text, name, Path(name).parent, importer=importer)
    return _seeds_of(recipe, name), recipe


def _seeds_of(recipe: Recipe, name: str) -> RowFile:
    """Read the seeds of a recipe that messages call ``name``; a recipe without a seed file has none."""
    if not recipe.seeds.file:
        return RowFile(name, "jsonl", [], [], tuple(recipe.fields))
    hint = f"Check seeds.file in {name}; it is relative to the recipe's directory."
    optional = [name for name, field in recipe.fields.items() if field.optional]
    return read_rows(recipe.seeds.file, hint=hint, optional=optional)


def check_seeds(seeds: RowFile, recipe: Recipe | None, *, skip: bool) -> tuple[RowFile, list[str]]:
    """Return the seeds without duplicates and those that break the rules of the recipe, and the faults of these.

    Raises RowError with all faults unless ``skip``; and in any case if no seed is left.
    """
    faults: list[str] = []
    kept: list[int] = []
    unique = () if recipe is None else unique_field_names(recipe)
    duplicates = DuplicateIndex([name for name in seeds.fields if name not in unique] or seeds.fields, ignored=unique)
    own_checks = () if recipe is None else custom_checks(recipe)
    applied = () if recipe is None else applied_checks(recipe)
    for at, row in enumerate(seeds.rows):
        earlier = duplicates.find(row)
        duplicates.add(row)
        fault = (
            _fault(row, recipe, applied, own_checks)
            if earlier is None
            else f"the same row as {_other(seeds, earlier[0], at)}{_apart_from(unique)}"
        )
        if fault:
            faults.append(f"{seeds.place(at)}: {fault}")
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
    return seeds.selected(kept), faults


def _other(seeds: RowFile, other: int, at: int) -> str:
    """The place of another row, as messages about the row ``at`` name it."""
    return f"line {seeds.lines[other]}" if seeds.file(other) == seeds.file(at) else seeds.place(other)


def without_doubtful(seeds: RowFile, inferred: Inferred) -> tuple[RowFile, list[str]]:
    """Return the seeds that the rules were inferred from, and the faults of the others with file and line."""
    kept = [at for at in range(len(seeds.rows)) if at not in inferred.doubtful]
    faults = [f"{seeds.place(at)}: {fault}" for at, fault in inferred.doubtful.items()]
    return seeds.selected(kept), faults


def _first_fault(seeds: RowFile, recipe: Recipe, inferred: Recipe) -> str:
    """The first fault of seeds that break the rules of a built-in recipe but not the inferred ones, or "".

    A recipe may take no seeds.
    """
    if not recipe.seeds.file or recipe is inferred:
        return ""
    applied = applied_checks(recipe)
    faults = ((line, _fault(row, recipe, applied, ())) for row, line in zip(seeds.rows, seeds.lines, strict=True))
    return next((f"line {line}: {fault}" for line, fault in faults if fault), "")


def _apart_from(unique: Sequence[str]) -> str:
    return f", apart from {' and '.join(unique)}" if unique else ""


def _fault(row: Row, recipe: Recipe | None, applied: Sequence[AppliedCheck], own_checks: Sequence[CustomCheck]) -> str:
    if recipe is None:
        return ""
    rejection = schema.check(row, recipe.fields)
    if rejection is not None:
        return rejection.message
    rejection = field_faults(row, recipe, tuple(row), applied) or custom_rejection(row, recipe, own_checks)
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


def _read_bytes(name: str) -> bytes:
    with open_row_file(name) as file:
        return file.read()
