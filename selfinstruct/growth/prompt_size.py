"""Adapt the number of rows and demonstrations per prompt to the quality of the replies.

    share of malformed rows above the bound -> half the rows per prompt -> no better: repeat the reply format
    a prompt too long for the model -> half the demonstrations
    an endpoint that may be weak or slow -> few rows at first (``rows_per_call``)
    copies of demonstrations -> fewer of them, and a higher temperature (``echoes``)

Pure. Does not handle: well-formed rows that are rejected, which the planner requests again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

from selfinstruct.growth.batch_result import BatchResult
from selfinstruct.growth.echoes import Echoes
from selfinstruct.growth.reply_notes import ReplyNotes
from selfinstruct.growth.rows_per_call import RowsPerCall
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Demos, Prompt

#: The share of malformed rows that changes nothing: some endpoints produce as many on a good day, and more
#: prompts of fewer rows would cost more than they save.
TOLERATED = 0.3
#: The share is that of the last WINDOW replies, and is not judged before MIN_REPLIES have arrived.
WINDOW, MIN_REPLIES = 32, 4
# The bound is TOLERATED plus three standard deviations: exceeded by chance in one window of a thousand.
_DEVIATIONS = 3.0
# Failed replies that are no attempt at the format of a reply.
_NO_ATTEMPT = ("refusal", "filtered")
# A change has helped if the malformed share falls to this part of what it was.
_HELPED = 0.7


class PromptSize:
    """The rows and demonstrations that a prompt may contain now; ``notes`` explains each change to the user.

    ``prompt`` is the recipe's with these numbers; ``repeats_format`` is whether each prompt ends with the reply format
    and a worked example. ``last_outdated_batch`` is the last batch that was planned before the last change: its
    replies and earlier ones are no evidence about present prompts. ``rows`` limits the rows of a call as well, and
    ``echoes`` the demonstrations of a category; by default neither changes anything.
    """

    def __init__(
        self, prompt: Prompt, rows: RowsPerCall | None = None, echoes: Echoes | None = None, *, of_rows: bool = True
    ) -> None:
        """``of_rows`` is whether replies contain whole rows, so that malformed ones are due to their number."""
        self._of_rows = of_rows
        self._prompt = self._recipe_prompt = prompt
        self.rows = rows or RowsPerCall(prompt.rows_per_request)
        self.echoes = echoes
        self.repeats_format = False
        #: Whether the model may be weak, so that prompts make it as easy as they can.
        self.for_weak_model = False
        #: Whether an endpoint is known to ignore the format that requests ask for, so that each prompt repeats it.
        self.form_is_ignored = False
        self.notes: list[str] = []
        self.last_outdated_batch = 0
        self._malformed_shares: deque[float] = deque(maxlen=WINDOW)
        self._share_before_change: float | None = None
        self._gave_up = False
        self._replies = ReplyNotes()

    @property
    def prompt(self) -> Prompt:
        """The recipe's prompt with the present numbers."""
        if self.rows.rows >= self._prompt.rows_per_request:
            return self._prompt
        return self._prompt.model_copy(update={"rows_per_request": self.rows.rows})

    def tell(self, corrections: Sequence[str]) -> None:
        """Add a note about corrections of replies that were made for the first time."""
        if corrections:
            self.notes += self._replies.new(corrections)

    def demos(self, category: str, demos: Demos) -> Demos:
        """The demonstrations to show of a category, where the prompt has room for these."""
        return demos if self.echoes is None else self.echoes.demos(category, demos)

    def temperature(self, category: str) -> float | None:
        """The temperature for a category whose replies are copies; None for the usual one."""
        return None if self.echoes is None else self.echoes.temperature(category)

    def record_batch(self, result: BatchResult, last_batch: int) -> None:
        """Record what came of a batch that was answered; ``last_batch`` is the number of the batch planned last."""
        if result.failure not in _NO_ATTEMPT:
            self.rows.record(result)
            if self._of_rows:
                self._record_reply(result, last_batch)
        if self.echoes is not None and (note := self.echoes.add_batch(result)):
            self.notes.append(note)

    def restore(self, results: Iterable[BatchResult]) -> None:
        """Come to the numbers that the recorded results of earlier sessions had led to.

        Which batches were planned by then is not recorded: none but those with results, if calls were not concurrent.
        """
        last_batch = 0
        for result in results:
            last_batch = max(last_batch, result.number)
            if result.replied:
                self.record_batch(result, last_batch)
            elif result.failure == "timeout":
                self.record_timeout(result.asked)

    def record_timeout(self, asked: int) -> None:
        """Record a call for ``asked`` rows that had no reply before its deadline."""
        if self.rows.record_timeout(asked):
            note = "calls for {asked} rows are not answered in time: asking for {rows}, and for more as replies succeed"
            self.notes.append(Phrase(note, asked=asked, rows=self.rows.rows))

    def record_too_long(self, batch: int, demos: int, last_batch: int) -> None:
        """Record that the prompt of a batch, with ``demos`` demonstrations, was too long for the model."""
        if batch <= self.last_outdated_batch or demos < 2:
            return
        seeds = min(self.prompt.demos.seeds, math.ceil(demos / 2))
        grown = min(self.prompt.demos.grown, demos // 2 - seeds) if demos // 2 > seeds else 0
        if seeds + grown == 0:
            seeds, grown = 0, demos // 2
        self.last_outdated_batch = last_batch
        self._prompt = self._prompt.model_copy(update={"demos": Demos(seeds=seeds, grown=grown)})
        note = "prompts with {demos} demonstrations are too long for the model: showing {shown}"
        self.notes.append(Phrase(note, demos=demos, shown=seeds + grown))

    def _record_reply(self, result: BatchResult, last_batch: int) -> None:
        """Record the malformed share of a reply with whole rows, or with none."""
        if result.number <= self.last_outdated_batch:
            return
        self._malformed_shares.append(result.malformed / result.candidates if result.whole else 1.0)
        count = len(self._malformed_shares)
        share = sum(self._malformed_shares) / count
        if self._share_before_change is None:
            bound = TOLERATED + _DEVIATIONS * math.sqrt(TOLERATED * (1 - TOLERATED) / count)
            if count >= MIN_REPLIES and share > bound:
                self._change(share, last_batch)
        elif count >= 2 * MIN_REPLIES:
            if share <= _HELPED * self._share_before_change:
                self._share_before_change = None
            else:
                self._change(share, last_batch)

    def _change(self, share: float, last_batch: int) -> None:
        """Take the next step: fewer rows per prompt; if that does not help, the reply format again; then a note."""
        problem = Phrase(
            "{share:.0%} of the last {count} replies were malformed",
            share=share,
            count=len(self._malformed_shares),
        )
        most = self._recipe_prompt.rows_per_request
        helped = self._share_before_change is None
        self._malformed_shares.clear()
        self._share_before_change = share
        if self.prompt.rows_per_request == most > 1 and not self.repeats_format:
            self.last_outdated_batch = last_batch
            rows = math.ceil(most / 2)
            self._prompt = self._prompt.model_copy(update={"rows_per_request": rows})
            note = "{problem}: requesting {rows} rows per prompt instead of {most}"
            self.notes.append(Phrase(note, problem=problem, rows=rows, most=most))
        elif not self.repeats_format:
            self.last_outdated_batch = last_batch
            if not helped:
                self._prompt = self._prompt.model_copy(update={"rows_per_request": most})
            self.repeats_format = True
            note = "{problem}: repeating the reply format, with an example, at the end of each prompt"
            self.notes.append(Phrase(note, problem=problem))
        elif not self._gave_up:
            self._gave_up = True
            note = "{problem}, although each prompt ends with an example: the model may be too weak"
            self.notes.append(Phrase(note, problem=problem))
