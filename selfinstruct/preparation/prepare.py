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
from selfinstruct.checks import running_checks
from selfinstruct.checks.agreement import conventions
from selfinstruct.checks.leftovers import SeedMarks
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
from selfinstruct.preparation.categories import (
    AttributeCategories,
    Categorizer,
    PassageCategories,
    spelling_notes,
    with_labels,
)
from selfinstruct.preparation.holdout import hold_out, holdout_table, with_holdout, without_field
from selfinstruct.preparation.imitable import leave_out
from selfinstruct.preparation.infer import Inferred, infer, make_categories, value_statistics
from selfinstruct.preparation.passage_inputs import add_passages, id_sequences
from selfinstruct.preparation.passage_quotas import passage_quotas
from selfinstruct.preparation.passage_rows import (
    about_documents,
    about_passages,
    idle_attributes,
    passage_reasons,
    passages_of,
    without_seeds,
)
from selfinstruct.preparation.personal_data import personal_warnings
from selfinstruct.preparation.presets import find_preset
from selfinstruct.preparation.quota_arguments import quota_of, with_quota
from selfinstruct.preparation.seed_checks import check_seeds, first_fault, without_doubtful
from selfinstruct.preparation.source import Source, model_command, read_source
from selfinstruct.preparation.thresholds import thresholds
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import Importer, Language, Quota, Recipe, Seeds, accept_unimported, bind, parse_recipe
from selfinstruct.records import Row
from selfinstruct.rows import RowFile


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything known before the first batch; ``statistics`` are those of the values of the seeds.

    ``held_out`` are rows of the seed file that are no seeds: nothing is grown from them, and no row may be like them.

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
    held_out: Sequence[Row] = ()

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
    holdout: float | None = None,
    split_field: str | None = None,
    skip_bad_seeds: bool = False,
    importer: Importer | None = None,
    choose_models: Callable[[Recipe], Recipe] = lambda recipe: recipe,
    imitates: Callable[[Recipe], bool] = lambda recipe: False,
) -> Prepared:
    """Read and check the seeds, with the recipe that ``source`` is, or one inferred from them.

    Rows are about the texts of the files ``passages``, without those that rows of the files ``against`` use; they
    replace those of the recipe, or its documents, and with them ``source`` may be None. ``rows`` or ``per_category``
    replaces the quota of the recipe, ``choose_models`` its models, ``language`` that of its prompts. A share
    ``holdout`` of the seeds is held out, or what ``split_field`` names (see ``holdout_table``), instead of what the
    recipe says. ``encoding`` is of files that ``source``, ``passages`` and ``against`` name. ``importer`` is as for
    ``parse_recipe``: without one, code is refused. Raises RowError or RecipeError for invalid input, before anything is
    written.

    Where ``imitates`` is true of the final recipe, the embedded imitator will write its rows: seeds that it cannot
    keep true are left out, and RowError is raised if too few are left (see ``imitable``).
    """
    quota = quota_of(rows, per_category)
    held = holdout_table(holdout, split_field)
    read = partial(read_source, importer=importer, language=language, passages=passages, encoding=encoding)
    seeds, recipe = without_seeds(passages, encoding) if source is None else read(source)
    bare = recipe is None
    skipped: list[str] = []
    if recipe is None:
        seeds, skipped = check_seeds(seeds, None, skip=skip_bad_seeds)
        split = hold_out(seeds, held or Seeds())
        start = _start(split.seeds, skip=skip_bad_seeds, fitting=not passages, language=language)
        skipped += start.skipped
    else:
        recipe = with_holdout(about_documents(recipe, passages, encoding), held)
        recipe = bind(recipe, without_field(seeds, recipe.seeds.split_field).fields)
        split = hold_out(seeds, recipe.seeds, recipe)
        start = _Start(split.seeds, recipe)

    def settled(recipe: Recipe) -> Recipe:
        """The recipe with what the arguments set."""
        recipe = with_holdout(recipe, held)
        recipe = recipe if language is None else recipe.model_copy(update={"language": language})
        return choose_models(with_quota(recipe, quota))

    start = replace(start, recipe=settled(start.recipe))
    table = passages_of(start.recipe, () if start.recipe.documents else passages, against, encoding)
    if table is not None:
        about = about_passages(start.recipe, table, start.seeds.rows)
        start = replace(start, warnings=(*start.warnings, *idle_attributes(about)))
        start = replace(start, recipe=about, reasons=passage_reasons(start.recipe, about, start.reasons))
    elif start.seeds.rows and imitates(start.recipe):
        command = model_command(seeds.path if source is None else source, encoding)
        kept, needing_model = leave_out(start.seeds, start.recipe, command, least=2 if bare else 1)
        if needing_model:
            skipped += needing_model
            start = _start(kept, skip=skip_bad_seeds, language=language) if bare else replace(start, seeds=kept)
            skipped += start.skipped if bare else []
            start = replace(start, recipe=settled(start.recipe))
    seeds = start.seeds
    if seeds.rows:
        seeds, invalid = check_seeds(seeds, start.recipe, skip=skip_bad_seeds)
        skipped += invalid
    recipe = start.recipe
    running_checks(recipe)  # refused here, before anything is written, where code cannot be run
    inputs, notes = add_passages(read_prompt_inputs(recipe), recipe, seeds.rows, split.held_out)
    notes = (*inputs.notes, *notes)
    return build_prepared(
        seeds,
        recipe,
        inputs,
        reasons=start.reasons,
        skipped=skipped,
        preset=start.preset,
        notes=(*([split.note] if split.note else []), *notes),
        warnings=(*start.warnings, *personal_warnings(seeds)),
        held_out=split.held_out,
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
    fault = "" if skip else first_fault(seeds, preset.recipe, inferred.recipe)
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
        preset=Phrase("{like}: {why}", like=preset.like, why=preset.why),
    )


def _infer(seeds: RowFile) -> Inferred:
    """Infer a recipe from at least two seed rows."""
    if len(seeds.rows) < 2:
        raise RowError(
            seeds.place(0),
            "need at least two seed rows to infer what varies",
            hint="Add a second seed row, or edit a recipe: selfinstruct init {path} -o recipe.toml; "
            "selfinstruct run recipe.toml",
            path=seeds.path,
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
    held_out: Sequence[Row] = (),
    known_statistics: ValueStatistics | None = None,
) -> Prepared:
    """Build the preparation of valid seeds and their complete recipe: its categories, thresholds and quotas.

    ``known_statistics`` are those of inference, which are reused as far as they apply.
    """
    recipe = with_labels(recipe, seeds.rows)
    statistics = value_statistics(recipe, seeds.rows, known_statistics)
    inputs = inputs or PromptInputs()
    inputs = replace(
        inputs,
        conventions=conventions(recipe.verify, seeds.rows, recipe.fields),
        marks=SeedMarks(seeds.rows, inputs.passages),
    )
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
        held_out=held_out,
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
    held_out = metadata.held_out
    prepared = build_prepared(seeds, bind(recipe or own, names), inputs, reasons=reasons, held_out=held_out)
    quotas = metadata.current_quotas
    # The recipe of a part has the quota of the whole run.
    recorded = own.passages or "step" in metadata.parts
    return replace(prepared, quotas=quotas) if set(quotas) == set(prepared.quotas) and recorded else prepared
