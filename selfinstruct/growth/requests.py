"""The request of a call: its messages, the seed, and what its reply should look like; pure.

Does not handle: sending (``dispatch``), or what the backend makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.prompt_size import PromptSize
from selfinstruct.growth.reply_length import ReplyLengths
from selfinstruct.growth.step_call import StepCall
from selfinstruct.prompts import (
    STOP,
    STOP_ANSWER,
    continued_answer,
    continued_rows,
    evidence_first,
    in_order,
    row_messages,
)
from selfinstruct.recipe import Language, Recipe, Verify
from selfinstruct.records import Message, Request, Row


@dataclass(slots=True)
class Requests:
    """Builds the requests of one run; ``seed`` is the run's, and ``reads_messages`` whether they need messages."""

    recipe: Recipe
    language: Language
    seed: int
    seeds: Sequence[Row]
    prompt_size: PromptSize
    reads_messages: bool
    _asked: Recipe = field(init=False)
    _lengths: ReplyLengths | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Choose the order in which a reply is to have the fields."""
        self._asked = evidence_first(self.recipe) if self.prompt_size.for_weak_model else self.recipe

    def batch_rng(self, number: int) -> Random:
        """The random generator of one batch, which depends on the run's seed and the batch number only."""
        return Random(f"{self.seed}/{number}")

    def build(self, state: BatchState, call: StepCall) -> Request:
        """The request of a call of a batch."""
        batch, recipe = state.batch, self.recipe
        # Votes with one seed might all be the same reply.
        of = Random(f"{self.seed}/{call.key}") if isinstance(call.definition, Verify) else None
        seed = (of or self.batch_rng(batch.number)).getrandbits(31)
        if not self.reads_messages:
            return Request(batch, call.key, (), state.demos, seed, call.reply_format(recipe), call.model)
        if self._lengths is None:
            self._lengths = ReplyLengths(recipe, self.seeds)
        rows = call.definition is None
        return Request(
            batch,
            call.key,
            self._row_messages(state) if rows else self._step_messages(call),
            state.demos,
            seed,
            call.reply_format(self._asked),
            call.model,
            self._lengths.expected(call, batch.count),
            self._stop(call),
            batch.count if call.asks_for_rows and self.prompt_size.rows.can_be_fewer else 1,
            self.prompt_size.temperature(batch.category) if rows else None,
        )

    def _stop(self, call: StepCall) -> tuple[str, ...]:
        """The texts that end a reply of a model that continues rows."""
        if not self.recipe.continues_rows:
            return ()
        return STOP_ANSWER if call.continues_answer else STOP if call.definition is None else ()

    def _step_messages(self, call: StepCall) -> tuple[Message, ...]:
        """The messages of a step, a judge or a reader."""
        if self.recipe.continues_rows and call.continues_answer and isinstance(call.definition, Verify):
            return continued_answer(self.recipe, call.definition, call.values, self.seeds)
        return call.messages(self.recipe)

    def _row_messages(self, state: BatchState) -> tuple[Message, ...]:
        """The messages that ask for whole rows, like the demonstrations."""
        batch, demos = state.batch, state.demos
        if self.prompt_size.for_weak_model:
            demos = tuple(in_order(self._asked, demos))
        if self.recipe.continues_rows:
            return continued_rows(self._asked, demos, batch.conditions)
        return row_messages(
            self._asked,
            batch.category,
            batch.count,
            demos,
            self.language,
            given=batch.conditions,
            repeat_format=self.prompt_size.repeats_format or self.prompt_size.form_is_ignored,
        )
