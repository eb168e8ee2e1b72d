"""What judging needs to know of a run: the criteria, the progress of each category, and the pool.

A new run starts from its seeds, a resumed one also restores its recorded rows, and rejudging replays recorded replies
on the state of the seeds.

Does not handle: judging (``growth``), or the rows themselves, which are in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from selfinstruct.checks import Criteria
from selfinstruct.growth import (
    CategoryProgress,
    Pool,
    ReaderFields,
    Sampler,
    SecondOpinion,
    compare_with,
    restore,
    show_again,
)
from selfinstruct.journal import History
from selfinstruct.preparation.prepare import Prepared


@dataclass(frozen=True, slots=True)
class JudgingState:
    """The state of one run; ``progress`` and ``pool`` change as replies are judged."""

    criteria: Criteria
    progress: dict[str, CategoryProgress]
    pool: Pool

    @classmethod
    def of_seeds(cls, prepared: Prepared) -> Self:
        """Return the state before the first batch."""
        progress = {name: CategoryProgress(quota) for name, quota in prepared.quotas.items()}
        seeds = prepared.seeds.rows
        pool = Pool(prepared.recipe, prepared.thresholds, progress, second_opinions(prepared), prepared.held_out)
        pool.add_seeds(seeds, [prepared.categories.of(row) for row in seeds])
        if prepared.recipe.categories.by == "passage":
            pool.share_seeds()
        return cls(
            Criteria(prepared.recipe, prepared.thresholds, prepared.categories.of, prepared.inputs.marks),
            progress,
            pool,
        )

    def restore(self, history: History, sampler: Sampler) -> None:
        """Bring the state, and ``sampler``, to the end of the recorded sessions.

        A category is no longer exhausted if its quota has grown.
        """
        restore(self.progress, sampler, history)
        self.pool.add_all((grown.row, grown.category) for grown in history.rows())
        for decision in history.decisions.log:
            compare_with(decision, self.pool)
        for target, standing in history.decisions.standing.items():
            outcome = history.outcome_of(target)
            show_again(target, standing, outcome and outcome.category, self.pool)

    def set_quotas(self, quotas: Mapping[str, int]) -> None:
        """Replace the quotas, unless they are those of other categories."""
        if set(quotas) == set(self.criteria.thresholds):
            for name, quota in quotas.items():
                self.progress[name].quota = quota


def second_opinions(prepared: Prepared) -> list[SecondOpinion]:
    """The second opinions of a run that embedded readers give."""
    recipe, seeds = prepared.recipe, prepared.seeds.rows
    return [
        SecondOpinion(each, ReaderFields.of(each, recipe, seeds), prepared.inputs.conventions[each.answers])
        for each in recipe.verified_by_reader
    ]
