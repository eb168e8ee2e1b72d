"""How much one prompt asks and shows: less where replies are not what was asked for, learnt from the replies.

    malformed share above the bound -> half the rows a prompt -> no better: the form said once more, with an example
    a prompt too long for the model -> half the demonstrations

Pure. Does not handle: rows that are well-formed and no good, which the planner asks for again.
"""

from __future__ import annotations

import math
from collections import deque

from selfinstruct.recipe import Demos, Prompt

#: The share of malformed replies that is taken as it comes: some endpoints spoil as much on a good day, and more
#: prompts of fewer rows would then cost more than they save.
TOLERATED = 0.3
#: So many replies are looked at together, the last ones, and not before there are so many.
WINDOW, LEAST = 32, 8
# More than is tolerated, by three standard deviations: by chance that is seen in one window of a thousand.
_DEVIATIONS = 3.0
# A change that leaves more than this share of the malformed part as it was has not helped.
_HELPED = 0.7


class PromptSize:
    """What a prompt may ask for now; ``notes`` says in words what was changed, and why.

    ``prompt`` is the recipe's with as many rows and demonstrations as seem right; ``reminds`` is whether the form of
    a reply is said once more, with a worked example. ``changed_at`` is the number of the last batch that was planned
    before the last change: what it and those before it brought says nothing about what is asked now.
    """

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = self._asked_for = prompt
        self.repeats_format = False
        self.notes: list[str] = []
        self._shares: deque[float] = deque(maxlen=WINDOW)
        self._before: float | None = None
        self.changed_at = 0
        self._settled = False

    def record_reply(self, batch: int, good: int, malformed: int, last: int) -> None:
        """The reply to the batch of that number had so many pieces that are rows, and so many that are none.

        ``last`` is the number of the last batch that was planned: replies to prompts from before a change say
        nothing about it.
        """
        if batch <= self.changed_at:
            return
        self._shares.append(malformed / (good + malformed) if good else 1.0)
        count = len(self._shares)
        share = sum(self._shares) / count
        if self._before is None:
            bound = TOLERATED + _DEVIATIONS * math.sqrt(TOLERATED * (1 - TOLERATED) / count)
            if count >= LEAST and share > bound:
                self._change(share, last)
        elif count >= 2 * LEAST:
            if share <= _HELPED * self._before:
                self._before = None
            else:
                self._change(share, last)

    def record_too_long(self, batch: int, demos: int, last: int) -> None:
        """The prompt of the batch of that number, with so many demonstrations, was longer than the model reads."""
        if batch <= self.changed_at or demos < 2:
            return
        seeds = min(self.prompt.demos.seeds, math.ceil(demos / 2))
        grown = min(self.prompt.demos.grown, demos // 2 - seeds) if demos // 2 > seeds else 0
        if seeds + grown == 0:
            seeds, grown = 0, demos // 2
        self.changed_at = last
        self.prompt = self.prompt.model_copy(update={"demos": Demos(seeds=seeds, grown=grown)})
        self.notes.append(f"prompts with {demos} demonstrations are too long for the model: {seeds + grown} are shown")

    def _change(self, share: float, last: int) -> None:
        """Do the next thing that may help: fewer rows; then, where that was no better, the form said again."""
        said = f"{share:.0%} of the last {len(self._shares)} replies could not be read as rows"
        most = self._asked_for.rows_per_request
        helped = self._before is None
        self._shares.clear()
        self._before = share
        if self.prompt.rows_per_request == most > 1 and not self.repeats_format:
            self.changed_at = last
            rows = math.ceil(most / 2)
            self.prompt = self.prompt.model_copy(update={"rows_per_request": rows})
            self.notes.append(f"{said}: {rows} rows a prompt are asked for in place of {most}")
        elif not self.repeats_format:
            self.changed_at = last
            if not helped:
                self.prompt = self.prompt.model_copy(update={"rows_per_request": most})
            self.repeats_format = True
            self.notes.append(f"{said}: each prompt now ends with the form of a reply and an example of it")
        elif not self._settled:
            self._settled = True
            self.notes.append(f"{said}, though each prompt shows an example: this model may not be able to do it")
