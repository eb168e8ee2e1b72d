"""Work: one batch on its way through the steps, and what each of its calls came to; pure.

    Work(batch, ...) -> asks -> take or lose each -> more asks ... -> pieces

A run feeds it replies as they come, a resumed run and ``rejudge`` those that were recorded, in their order.

Does not handle: sending, journaling, judging.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.sampler import PASSAGE
from selfinstruct.growth.steps import Draft, StepCall, StepReply, advance, read_step_reply
from selfinstruct.prompts import demonstrations
from selfinstruct.recipe import Recipe
from selfinstruct.records import JSON, Batch, Reply, Row


class BatchState:
    """One batch; ``asks`` are the calls to be made now, each listed once, and ``pieces`` what it has come to."""

    def __init__(self, batch: Batch, recipe: Recipe, materials: PromptInputs, demos: Sequence[Row]) -> None:
        self.batch = batch
        self.demos = tuple(demos)
        self.drafts: Sequence[Draft] = ()
        #: The last call whose reply it could use, as the journal numbers it.
        self.last_call = 0
        self._recipe = recipe
        self._materials = materials
        self._values = {} if recipe.imitates else _values(recipe, materials, batch, demos)
        self._replies: dict[str, StepReply | None] = {}
        self._missing: dict[str, StepCall] = {}
        self._out: set[str] = set()
        self._tried: Counter[str] = Counter()
        self._advance()

    @property
    def done(self) -> bool:
        """Whether it needs no more calls."""
        return not self._missing

    def next_calls(self) -> list[StepCall]:
        """The calls that are to be made now and have not been given out yet."""
        due = [ask for key, ask in self._missing.items() if key not in self._out]
        self._out.update(ask.key for ask in due)
        return due

    def pending_call(self, key: str) -> StepCall | None:
        """The call of that key, where a reply to it is still needed."""
        return self._missing.get(key)

    def record_reply(self, key: str, reply: Reply) -> StepReply:
        """Take the reply to a call; one that cannot be read is asked for again, as often as its step says."""
        ask = self._missing[key]
        found = read_step_reply(ask, reply, self._recipe)
        if found.failure:
            self.record_failure(key)
        else:
            self._replies[key] = found
            self._advance()
        return found

    def record_failure(self, key: str) -> None:
        """A call brought nothing: ask again, or give it up."""
        ask = self._missing[key]
        self._tried[key] += 1
        self._out.discard(key)
        if self._tried[key] >= ask.max_tries:
            self._replies[key] = None
            self._advance()

    def abandon_pending(self) -> None:
        """End every branch that waits for a reply: none will come any more."""
        while self._missing:
            self._replies.update(dict.fromkeys(self._missing))
            self._advance()

    def _advance(self) -> None:
        standing = advance(self._recipe, self._materials, self._values, self._replies)
        self._missing = {ask.key: ask for ask in standing.calls}
        self.drafts = standing.drafts


def _values(recipe: Recipe, materials: PromptInputs, batch: Batch, demos: Sequence[Row]) -> dict[str, JSON]:
    """What the prompts of a batch may name."""
    values: dict[str, JSON] = {name: value for name, value in batch.given.items() if name != PASSAGE}
    number = batch.given.get(PASSAGE)
    if number and number <= len(materials.passages):
        values |= materials.passages[number - 1]
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
