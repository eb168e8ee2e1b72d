"""Echoes: a model that copies its demonstrations, or its own rows, is shown fewer of them, and made less predictable.

    share of copies among the last candidates of a category above the bound -> half the demonstrations
    again -> half of these, and a higher temperature, unless the recipe sets one

Every batch draws and shuffles its demonstrations anew, so that their order is never the same. Each step is a note.

Pure. Does not handle: rows that are merely similar (the threshold of novelty), malformed rows (``prompt_size``), or an
imitator, which varies its demonstrations by design.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfinstruct.growth.batch_result import BatchResult
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Demos

#: A step is taken when more than this share of a category's candidates are copies, after this many candidates in
#: this many batches. With three in ten as the usual share, five of eight are exceeded by chance in 1 % of cases.
_BOUND, _LEAST_CANDIDATES, _LEAST_BATCHES = 0.6, 8, 2
#: The most steps of a category: of eight demonstrations, one is left.
_MOST_STEPS = 3
#: The temperatures of the second step and the third: local servers have 0.7 or 0.8 by default, hosted models 1.
_TEMPERATURES = (1.0, 1.2)


@dataclass(slots=True)
class _Category:
    """The steps taken for a category, and the candidates since, of prompts that show as few demonstrations as now."""

    steps: int = 0
    batches: int = 0
    candidates: int = 0
    copies: int = 0


class Echoes:
    """What is done about the copies of each category.

    ``shown`` is how many demonstrations the recipe shows; ``sets_temperature`` is whether that may be changed.
    """

    def __init__(self, shown: int, *, sets_temperature: bool = True) -> None:
        self._shown = shown
        self._sets_temperature = sets_temperature
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

    def temperature(self, category: str) -> float | None:
        """The temperature of the calls for rows of a category; None for the usual one."""
        state = self._categories.get(category)
        return _temperature(state.steps) if self._sets_temperature and state is not None else None

    def add_batch(self, result: BatchResult) -> Phrase | None:
        """Count the candidates of a judged batch; the note about a step, if one is taken.

        A batch that was shown more than its category is now is no evidence.
        """
        state = self._categories.setdefault(result.category, _Category())
        if state.steps >= _MOST_STEPS or not result.candidates:
            return None
        if state.steps and result.demos > max(1, self._shown >> state.steps):
            return None
        state.batches += 1
        state.candidates += result.candidates
        state.copies += result.copies
        if state.batches < _LEAST_BATCHES or state.candidates < _LEAST_CANDIDATES:
            return None
        share = state.copies / state.candidates
        if share <= _BOUND:
            # Forget slowly, so that a category that begins to be copied is noticed.
            state.batches, state.candidates, state.copies = 1, state.candidates // 2, state.copies // 2
            return None
        state.steps += 1
        note = "{category}: {share:.0%} of {count} rows were copies: showing half the demonstrations"
        taken = Phrase(note, category=result.category, share=share, count=state.candidates)
        if self._sets_temperature and (temperature := _temperature(state.steps)) is not None:
            taken = Phrase("{note}, at temperature {temperature}", note=taken, temperature=temperature)
        state.batches = state.candidates = state.copies = 0
        return taken


def _temperature(steps: int) -> float | None:
    return _TEMPERATURES[steps - 2] if steps >= 2 else None
