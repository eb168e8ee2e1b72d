"""Hard negatives of a complete row, from the passages of the run; pure, so that resuming and rejudging give the same.

Does not handle: which passages are hard (``similarity.hard_negatives``).
"""

from __future__ import annotations

from dataclasses import replace

from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.step_reply import Draft
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Recipe
from selfinstruct.records import Rejection
from selfinstruct.text import value_text


def add_negatives(draft: Draft, recipe: Recipe, inputs: PromptInputs) -> Draft:
    """Return the draft with its hard negatives; rejected as ``empty`` if a field of them would be an empty list."""
    row = draft.row
    if row is None or draft.rejection is not None:
        return draft
    for name, field in recipe.fields.items():
        rule = field.negatives
        if rule is None or any(other not in row for other in rule.names.values()):
            continue
        texts = {key: value_text(row[other]) for key, other in rule.names.items()}
        candidates = inputs.hard_negatives(recipe.fields[rule.of].source or rule.of)
        found = candidates.find(
            texts["of"], texts.get("query", ""), texts.get("answer", ""), rule.count, rule.max_rouge_l
        )
        row = {**row, name: found}
        if not found:
            message = Phrase(
                "{name} is empty: every other passage has the answer or nearly repeats {of}", name=name, of=rule.of
            )
            return replace(draft, row=row, rejection=Rejection("empty", message))
    return replace(draft, row={name: row[name] for name in recipe.fields if name in row})
