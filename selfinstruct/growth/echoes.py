"""Echoes: a model that copies its demonstrations, or its own rows, is shown fewer of them.

    share of copies among the last candidates of a category above the bound -> half the demonstrations

Every batch draws and shuffles its demonstrations anew, so that their order is never the same. Each step is a note.

Pure. Does not handle: rows that are merely similar (the threshold of novelty), malformed rows (``prompt_size``), or an
imitator, which varies its demonstrations by design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Demos
from selfinstruct.records import Batch, Judgement

#: The reasons of candidates that are copies.
_COPIES = ("echo", "duplicate")
#: A step is taken when more than this share of a category's candidates are copies, after at least so many of them in
#: so many batches. With three in ten as the usual share, five of eight are exceeded by chance in 1 % of cases.
_BOUND, _LEAST_CANDIDATES, _LEAST_BATCHES = 0.6, 8, 2
#: The most steps of a category: of eight demonstrations, one is left.
_MOST_STEPS = 3


@dataclass(slots=True)
class _Category:
    """The steps taken for a category, the last batch planned before the last one, and the candidates since."""

    steps: int = 0
    outdated: int = 0
    batches: int = 0
    candidates: int = 0
    copies: int = 0


class Echoes:
    """What is done about the copies of each category."""

    def __init__(self) -> None:
        self._categories: dict[str, _Category] = {}

    def demos(self, category: str, demos: Demos) -> Demos:
        """The demonstrations to show of a category, where the prompt has room for these."""
        state = self._categories.get(category)
        if state is None or not state.steps:
            return demos
        total = demos.seeds + demos.grown + demos.pool
        left = max(1, total >> state.steps)
        seeds = min(demos.seeds, max(1, left // 2)) if demos.seeds else 0
        pool = min(demos.pool, left - seeds)
        return Demos(seeds=seeds, pool=pool, grown=min(demos.grown, left - seeds - pool))

    def add_batch(self, batch: Batch, judgements: Sequence[Judgement], last_batch: int) -> Phrase | None:
        """Count the candidates of a judged batch; the note about a step, if one is taken.

        ``last_batch`` is the number of the batch planned last.
        """
        state = self._categories.setdefault(batch.category, _Category())
        if batch.number <= state.outdated or state.steps >= _MOST_STEPS or not judgements:
            return None
        reasons = [each.rejection.reason for each in judgements if each.rejection is not None]
        state.batches += 1
        state.candidates += len(judgements)
        state.copies += sum(reason in _COPIES for reason in reasons)
        if state.batches < _LEAST_BATCHES or state.candidates < _LEAST_CANDIDATES:
            return None
        share = state.copies / state.candidates
        if share <= _BOUND:
            # Forget slowly, so that a category that begins to be copied is noticed.
            state.batches, state.candidates, state.copies = 1, state.candidates // 2, state.copies // 2
            return None
        note = "{category}: {share:.0%} of {count} rows were copies: showing half the demonstrations"
        taken = Phrase(note, category=batch.category, share=share, count=state.candidates)
        state.steps += 1
        state.outdated = last_batch
        state.batches = state.candidates = state.copies = 0
        return taken
