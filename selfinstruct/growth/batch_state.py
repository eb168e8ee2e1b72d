"""The state of one batch on its way through the steps of a recipe; pure.

    BatchState(batch, ...) -> next_calls -> record_reply or record_failure for each -> next_calls ... -> drafts

A run records replies as they arrive, a resumed run and ``rejudge`` those in the journal, in their order.

Does not handle: sending, journaling, judging.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from selfinstruct.growth.negatives import add_negatives
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.sampler import PASSAGE
from selfinstruct.growth.step_call import StepCall
from selfinstruct.growth.step_reply import Draft, StepReply, read_step_reply
from selfinstruct.growth.steps import advance
from selfinstruct.prompts import demonstrations, fenced
from selfinstruct.recipe import Recipe
from selfinstruct.records import JSON, Batch, Reply, Row


class BatchState:
    """One batch: ``next_calls`` returns the calls to be made now, ``drafts`` the result once it is ``done``."""

    def __init__(self, batch: Batch, recipe: Recipe, inputs: PromptInputs, demos: Sequence[Row]) -> None:
        self.batch = batch
        self.demos = tuple(demos)
        self.drafts: Sequence[Draft] = ()
        #: The journal's id of the last call with a usable reply.
        self.last_call = 0
        #: How long that reply took.
        self.seconds = 0.0
        #: The tokens of its calls so far, in this session.
        self.tokens = 0
        self._recipe = recipe
        self._inputs = inputs
        self._values = {} if recipe.imitates and not recipe.judge else _prompt_values(recipe, inputs, batch, demos)
        self._replies: dict[str, StepReply | None] = {}
        self._pending: dict[str, StepCall] = {}
        self._issued: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._advance()

    @property
    def done(self) -> bool:
        """Whether the batch needs no more calls."""
        return not self._pending

    def next_calls(self) -> list[StepCall]:
        """The calls to be made now; each is returned once, unless it fails and may be repeated."""
        calls = [call for key, call in self._pending.items() if key not in self._issued]
        self._issued.update(call.key for call in calls)
        return calls

    def pending_call(self, key: str) -> StepCall | None:
        """The call with this key, or None where no reply to it is needed any more."""
        return self._pending.get(key)

    def record_reply(self, key: str, reply: Reply) -> StepReply:
        """Record the reply to a call; after an unreadable one the call is made again, as often as its step allows."""
        read = read_step_reply(self._pending[key], reply, self._recipe, self._inputs.marks)
        if read.failure:
            self.record_failure(key)
        else:
            self._replies[key] = read
            self._advance()
        return read

    def record_failure(self, key: str) -> None:
        """Record a call without a usable reply: make it again, or give it up after its last try."""
        self._failures[key] += 1
        self._issued.discard(key)
        if self._failures[key] >= self._pending[key].max_tries:
            self._replies[key] = None
            self._advance()

    def abandon_pending(self) -> None:
        """End every branch that waits for a reply."""
        while self._pending:
            self._replies.update(dict.fromkeys(self._pending))
            self._advance()

    def _advance(self) -> None:
        progress = advance(self._recipe, self._inputs, self._values, self._replies)
        self._pending = {call.key: call for call in progress.calls}
        self.drafts = self._with_ids(progress.drafts) if self._inputs.ids else progress.drafts
        if self.drafts and any(each.negatives is not None for each in self._recipe.fields.values()):
            self.drafts = [add_negatives(draft, self._recipe, self._inputs) for draft in self.drafts]

    def _with_ids(self, drafts: Sequence[Draft]) -> list[Draft]:
        """The drafts with values of their own in unique fields, which follow from the numbers of batch and draft."""
        first = (self.batch.number - 1) * max(self._recipe.prompt.rows_per_request, self.batch.count)
        numbered = []
        for serial, draft in enumerate(drafts, first):
            if draft.row is not None:
                row = draft.row | {name: ids.draw(serial) for name, ids in self._inputs.ids.items()}
                draft = replace(draft, row={name: row[name] for name in self._recipe.fields if name in row})
            numbered.append(draft)
        return numbered


def _prompt_values(recipe: Recipe, inputs: PromptInputs, batch: Batch, demos: Sequence[Row]) -> dict[str, JSON]:
    """The values that the prompts of a batch may name."""
    values: dict[str, JSON] = {name: value for name, value in batch.conditions.items() if name != PASSAGE}
    number = batch.conditions.get(PASSAGE)
    if number and number <= len(inputs.passages):
        passage = inputs.passages[number - 1]
        values |= passage
        if recipe.passages is not None:
            values[f"{PASSAGE}.quoted"] = fenced(passage[PASSAGE])
    values |= {
        "task": recipe.task,
        "category": batch.category,
        "count": batch.count,
        "demos": demonstrations(demos),
    }
    values |= {f"demos.{name}": [row[name] for row in demos if name in row] for name in recipe.fields}
    if len(demos) == 1:
        values["demo"] = demos[0]
    return values
