"""Adapt the number of rows and demonstrations per prompt to the quality of the replies.

    share of malformed rows above the bound -> half the rows per prompt -> no better: repeat the reply format
    a prompt too long for the model -> half the demonstrations

Pure. Does not handle: well-formed rows that are rejected, which the planner requests again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from selfinstruct.growth.reply_notes import ReplyNotes
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Demos, Prompt

#: The share of malformed rows that changes nothing: some endpoints produce as many on a good day, and more
#: prompts of fewer rows would cost more than they save.
TOLERATED = 0.3
#: The share is that of the last WINDOW replies, and is not judged before MIN_REPLIES have arrived.
WINDOW, MIN_REPLIES = 32, 4
# The bound is TOLERATED plus three standard deviations: exceeded by chance in one window of a thousand.
_DEVIATIONS = 3.0
# A change has helped if the malformed share falls to this part of what it was.
_HELPED = 0.7


class PromptSize:
    """The rows and demonstrations that a prompt may contain now; ``notes`` explains each change to the user.

    ``prompt`` is the recipe's with these numbers; ``repeats_format`` is whether each prompt ends with the reply format
    and a worked example. ``last_outdated_batch`` is the last batch that was planned before the last change: its
    replies and earlier ones are no evidence about present prompts.
    """

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = self._recipe_prompt = prompt
        self.repeats_format = False
        #: Whether an endpoint is known to ignore the format that requests ask for, so that each prompt repeats it.
        self.form_is_ignored = False
        self.notes: list[str] = []
        self.last_outdated_batch = 0
        self._malformed_shares: deque[float] = deque(maxlen=WINDOW)
        self._share_before_change: float | None = None
        self._gave_up = False
        self._replies = ReplyNotes()

    def tell(self, corrections: Sequence[str]) -> None:
        """Add a note about corrections of replies that were made for the first time."""
        if corrections:
            self.notes += self._replies.new(corrections)

    def record_reply(self, batch: int, well_formed: int, malformed: int, last_batch: int) -> None:
        """Record a reply to batch number ``batch`` by its numbers of well-formed and malformed rows.

        ``last_batch`` is the number of the batch planned last.
        """
        if batch <= self.last_outdated_batch:
            return
        self._malformed_shares.append(malformed / (well_formed + malformed) if well_formed else 1.0)
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

    def record_too_long(self, batch: int, demos: int, last_batch: int) -> None:
        """Record that the prompt of a batch, with ``demos`` demonstrations, was too long for the model."""
        if batch <= self.last_outdated_batch or demos < 2:
            return
        seeds = min(self.prompt.demos.seeds, math.ceil(demos / 2))
        grown = min(self.prompt.demos.grown, demos // 2 - seeds) if demos // 2 > seeds else 0
        if seeds + grown == 0:
            seeds, grown = 0, demos // 2
        self.last_outdated_batch = last_batch
        self.prompt = self.prompt.model_copy(update={"demos": Demos(seeds=seeds, grown=grown)})
        note = "prompts with {demos} demonstrations are too long for the model: showing {shown}"
        self.notes.append(Phrase(note, demos=demos, shown=seeds + grown))

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
            self.prompt = self.prompt.model_copy(update={"rows_per_request": rows})
            note = "{problem}: requesting {rows} rows per prompt instead of {most}"
            self.notes.append(Phrase(note, problem=problem, rows=rows, most=most))
        elif not self.repeats_format:
            self.last_outdated_batch = last_batch
            if not helped:
                self.prompt = self.prompt.model_copy(update={"rows_per_request": most})
            self.repeats_format = True
            note = "{problem}: repeating the reply format, with an example, at the end of each prompt"
            self.notes.append(Phrase(note, problem=problem))
        elif not self._gave_up:
            self._gave_up = True
            note = "{problem}, although each prompt ends with an example: the model may be too weak"
            self.notes.append(Phrase(note, problem=problem))
