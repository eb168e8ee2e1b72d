"""Prepare a run from its source: a seed file, a recipe, or rows in memory.

    source -> RowFile + Recipe (given or inferred) -> valid seeds -> categories, thresholds, quotas

Does not handle: the run directory, calling models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from selfinstruct.backends import PassageQuestions
from selfinstruct.checks import (
    AppliedCheck,
    CustomCheck,
    applied_checks,
    custom_checks,
    custom_rejection,
    field_faults,
    schema,
)
from selfinstruct.checks.agreement import conventions
from selfinstruct.documents import PackedPassages
from selfinstruct.errors import RowError
from selfinstruct.growth import (
    PromptInputs,
    attribute_categories,
    passage_groups,
    quotas,
    read_prompt_inputs,
    recorded_inputs,
)
from selfinstruct.journal import History
from selfinstruct.messages import Phrase
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.capacity import capacity
from selfinstruct.preparation.categories import AttributeCategories, Categorizer, PassageCategories, spelling_notes
from selfinstruct.preparation.imitable import leave_out
from selfinstruct.preparation.infer import Inferred, infer, make_categories, value_statistics
from selfinstruct.preparation.passage_inputs import add_passages, id_sequences
from selfinstruct.preparation.passage_quotas import passage_quotas
from selfinstruct.preparation.passage_rows import (
    about_documents,
    about_passages,
    passage_reasons,
    passages_of,
    without_seeds,
)
from selfinstruct.preparation.presets import find_preset
from selfinstruct.preparation.quota_arguments import quota_of, with_quota
from selfinstruct.preparation.source import Source, model_command, read_source
from selfinstruct.preparation.thresholds import thresholds
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import Importer, Language, Quota, Recipe, accept_unimported, bind, parse_recipe
from selfinstruct.records import Row
from selfinstruct.rows import RowFile
from selfinstruct.similarity.duplicates import DuplicateIndex, unique_field_names


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything known before the first batch; ``statistics`` are those of the values of the seeds.

    ``reasons`` explains inferred settings by their key path; it is empty for a given recipe. ``skipped`` has the
    "file:line: fault" of seeds that were left out. ``inputs`` are the lists, passages and templates of prompts.
    ``use_passages_once`` is set where the quota is open, so that the run ends with the last passage. ``preset`` is the
    built-in recipe that fits the fields of bare seeds, and why; "" if none does. ``notes`` and ``warnings`` are for the
    user. ``questions`` are those that the embedded imitator asks about passages, if it does.
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
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    questions: PassageQuestions | None = None

    @property
    def passage_texts(self) -> Sequence[str]:
        """The texts of the passages, decoded at each access."""
        passages = self.inputs.passages
        if isinstance(passages, PackedPassages):
            return passages.texts
        return [each["passage"] for each in passages]

    def is_usable(self, number: int, used: int) -> bool:
        """Whether there is a question left to ask about a passage that was used this often; always for a model."""
        rows = used * self.recipe.prompt.rows_per_request
        return self.questions is None or rows < self.questions.count(number)

    def resumed(self, recorded: PromptInputs) -> Prepared:
        """Return the preparation of a resumed run, whose batches refer to its recorded passages if it has any."""
        passages = recorded.passages
        if not passages:
            return self
        inputs = replace(self.inputs, passages=passages, capacity=recorded.capacity)
        categories = self.categories
        if self.recipe.categories.by == "passage":
            categories = PassageCategories(tuple(passage_groups(passages)))
        return replace(
            self,
            inputs=inputs,
            categories=categories,
            thresholds=thresholds(self.recipe, categories, self.statistics),
            quotas=_quotas(self.recipe, inputs, categories),
        )


def prepare(
    source: Source | None,
    *,
    passages: Sequence[str] = (),
    against: Sequence[str] = (),
    rows: int | None = None,
    per_category: int | None = None,
    language: Language | None = None,
    encoding: str | None = None,
    skip_bad_seeds: bool = False,
    importer: Importer | None = None,
    choose_models: Callable[[Recipe], Recipe] = lambda recipe: recipe,
    imitates: Callable[[Recipe], bool] = lambda recipe: False,
) -> Prepared:
    """Read and check the seeds, with the recipe that ``source`` is, or one inferred from them.

    Rows are about the texts of the files ``passages``, without those that rows of the files ``against`` use; they
    replace those of the recipe, or its documents, and with them ``source`` may be None. ``rows`` or ``per_category``
    replaces the quota of the recipe, ``choose_models`` its models, ``language`` that of its prompts. ``encoding`` is of
    files that ``source``, ``passages`` and ``against`` name. ``importer`` is as for ``parse_recipe``: without one, code
    is refused. Raises RowError or RecipeError for invalid input, before anything is written.

    Where ``imitates`` is true of the final recipe, the embedded imitator will write its rows: seeds that it cannot
    keep true are left out, and RowError is raised if too few are left (see ``imitable``).
    """
    quota = quota_of(rows, per_category)
    read = partial(read_source, importer=importer, language=language, passages=passages, encoding=encoding)
    seeds, recipe = without_seeds(passages, encoding) if source is None else read(source)
    bare = recipe is None
    skipped: list[str] = []
    if recipe is None:
        seeds, skipped = check_seeds(seeds, None, skip=skip_bad_seeds)
        start = _start(seeds, skip=skip_bad_seeds, fitting=not passages, language=language)
        skipped += start.skipped
    else:
        start = _Start(seeds, bind(about_documents(recipe, passages, encoding), seeds.fields))
    if language is not None:
        start = replace(start, recipe=start.recipe.model_copy(update={"language": language}))
    start = replace(start, recipe=choose_models(with_quota(start.recipe, quota)))
    table = passages_of(start.recipe, () if start.recipe.documents else passages, against, encoding)
    if table is not None:
        about = about_passages(start.recipe, table, start.seeds.rows)
        start = replace(start, recipe=about, reasons=passage_reasons(start.recipe, about, start.reasons))
    elif start.seeds.rows and imitates(start.recipe):
        command = model_command(seeds.path if source is None else source)
        kept, needing_model = leave_out(start.seeds, start.recipe, command, least=2 if bare else 1)
        if needing_model:
            skipped += needing_model
            start = _start(kept, skip=skip_bad_seeds, language=language) if bare else replace(start, seeds=kept)
            skipped += start.skipped if bare else []
            start = replace(start, recipe=choose_models(with_quota(start.recipe, quota)))
    seeds = start.seeds
    if seeds.rows:
        seeds, invalid = check_seeds(seeds, start.recipe, skip=skip_bad_seeds)
        skipped += invalid
    recipe = start.recipe
    inputs, notes = add_passages(read_prompt_inputs(recipe), recipe, seeds.rows)
    return build_prepared(
        seeds,
        recipe,
        inputs,
        reasons=start.reasons,
        skipped=skipped,
        preset=start.preset,
        notes=notes,
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


def _start(seeds: RowFile, *, skip: bool, language: Language | None, fitting: bool = True) -> _Start:
    """Infer the recipe of bare seeds, or take the built-in one for fields like theirs, if a ``fitting`` one may be.

    A built-in recipe whose rules the seeds break is not used, unless such seeds are to be left out (``skip``).
    """
    inferred = _infer(seeds)
    seeds, doubtful = without_doubtful(seeds, inferred)
    start = _Start(seeds, inferred.recipe, inferred.reasons, inferred.statistics, skipped=doubtful)
    fits = fitting and Path(seeds.path).is_file()
    preset = find_preset(inferred.recipe, seeds.fields, language or detect_language(seeds.rows)) if fits else None
    if preset is None:
        return start
    fault = "" if skip else _first_fault(seeds, preset.recipe, inferred.recipe)
    if fault:
        warning = Phrase(
            "the built-in recipe {like} is not used, as the seeds break its rules: {fault}",
            like=preset.like,
            fault=fault,
        )
        return replace(start, warnings=(warning,))
    if not preset.recipe.seeds.file:
        seeds = RowFile(seeds.path, seeds.format, [], [], tuple(preset.recipe.fields))
    return replace(
        start,
        seeds=seeds,
        recipe=preset.recipe,
        preset=Phrase("like the built-in recipe {like}: {why}", like=preset.like, why=preset.why),
    )


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
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
    known_statistics: ValueStatistics | None = None,
) -> Prepared:
    """Build the preparation of valid seeds and their complete recipe: its categories, thresholds and quotas.

    ``known_statistics`` are those of inference, which are reused as far as they apply.
    """
    statistics = value_statistics(recipe, seeds.rows, known_statistics)
    inputs = replace(inputs or PromptInputs(), conventions=conventions(recipe.verify, seeds.rows))
    categories: Categorizer
    if recipe.categories.by == "attribute":
        categories = AttributeCategories(tuple(attribute_categories(recipe, inputs)))
    elif recipe.categories.by == "passage":
        categories = PassageCategories(tuple(passage_groups(inputs.passages)))
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
        notes=notes,
        warnings=(*warnings, *spelling_notes(categories)),
    )


def _reasons_of(recipe: Recipe, reasons: Mapping[str, str]) -> Mapping[str, str]:
    """Return the reasons without those of relations that a built-in recipe for the seeds does not have."""
    if recipe.relations:
        return reasons
    return {key: reason for key, reason in reasons.items() if not key.startswith("relations.")}


def with_capacity(prepared: Prepared, capacity: Mapping[str, int], least: Mapping[str, int] | None = None) -> Prepared:
    """The preparation of a run about passages whose categories can yield this many rows, with its quotas.

    No quota is below its ``least``, which an earlier session had.
    """
    inputs = replace(prepared.inputs, capacity=capacity)
    if prepared.recipe.categories.by != "passage":
        return replace(prepared, inputs=inputs)
    quotas = passage_quotas(prepared.recipe.quota, prepared.categories.names, capacity, least or {})
    return replace(prepared, inputs=inputs, quotas=quotas)


def _is_open(recipe: Recipe) -> bool:
    """Whether the passages alone limit how many rows there will be."""
    return recipe.quota.rows is None and recipe.quota.per_category is None and recipe.documents is not None


def _quotas(recipe: Recipe, inputs: PromptInputs, categories: Categorizer) -> dict[str, int]:
    """The quota of each category; of an open quota, the most rows that the passages can yield."""
    quota = Quota(rows=capacity(recipe, inputs)) if _is_open(recipe) else recipe.quota
    if recipe.categories.by == "passage":
        return passage_quotas(quota, categories.names, inputs.capacity)
    return quotas(quota, categories.names)


def prepared_from_journal(history: History, recipe: Recipe | None = None) -> Prepared:
    """Prepare the run of this journal again, or a run of its seeds with another ``recipe``."""
    metadata, stored = history.metadata(), history.seeds()
    own = parse_recipe(metadata.recipe, f"{history.path}: recipe", history.path.parent, importer=accept_unimported)
    names = tuple(dict.fromkeys(name for seed in stored for name in seed.row)) or tuple(own.fields)
    seeds = RowFile(own.seeds.file, "jsonl", [seed.row for seed in stored], [seed.line for seed in stored], names)
    reasons = dict(metadata.reasons) if recipe is None else {}
    inputs = recorded_inputs(own, history)
    inputs.ids = id_sequences(own, seeds.rows)
    if recipe is not None:
        others = read_prompt_inputs(recipe.model_copy(update={"documents": None}))
        inputs.lists.update(others.lists)
        inputs.templates.update(others.templates)
    prepared = build_prepared(seeds, bind(recipe or own, names), inputs, reasons=reasons)
    quotas = metadata.current_quotas
    return replace(prepared, quotas=quotas) if set(quotas) == set(prepared.quotas) and own.passages else prepared


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
