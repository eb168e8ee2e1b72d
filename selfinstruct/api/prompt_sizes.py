"""The sizes of the prompts of one session: as recorded replies have left them, or few rows at first of a weak model."""

from __future__ import annotations

from dataclasses import replace

from selfinstruct.backends import ModelPool
from selfinstruct.growth import BatchResult, Echoes, PromptSize, RowsPerCall
from selfinstruct.journal import Journal
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared


def prompt_size(prepared: Prepared, journal: Journal, models: ModelPool, *, is_new: bool) -> PromptSize:
    """The sizes of prompts, as recorded results have left them; the first calls to a weak model ask for few rows.

    Not where a passage is used once, and its rows are one call's, nor where a round of calls takes hours.
    """
    recipe, most = prepared.recipe, prepared.recipe.prompt.rows_per_request
    metadata, reason = journal.history.metadata(), models.weakness
    deadline = models.deadline if is_new or metadata.few_rows is None else metadata.few_rows
    is_fixed = recipe.documents is not None or recipe.passages is not None or models.works_in_rounds
    few = reason is not None if is_new else metadata.few_rows is not None
    rows = RowsPerCall(most, deadline, few=few and not is_fixed, least=most if is_fixed else 1)
    echoes = None
    if models.reads_messages:
        demos = recipe.prompt.demos
        sets_temperature = all(model.temperature is None for model in recipe.all_models)
        echoes = Echoes(demos.seeds + demos.grown + demos.pool, sets_temperature=sets_temperature)
    size = PromptSize(recipe.prompt, rows, echoes, of_rows=recipe.imitates)
    size.for_weak_model = few
    if is_new and reason is not None and rows.rows < most:
        note = "{reason}: asking for {rows} rows per call at first, and for more as replies succeed"
        size.notes.append(Phrase(note, reason=reason, rows=rows.rows))
        journal.write_metadata(replace(metadata, few_rows=deadline))
    if models.reads_messages and not is_new:
        size.restore(BatchResult.recorded(journal.history))
    return size
