"""What a run has counted so far: candidates, accepted rows, requests, and rejections and failures by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.growth.planner import CategoryProgress
from selfinstruct.records import Judgement, Row


@dataclass(slots=True)
class RunCounts:
    """Counts over all sessions of a run, except ``rejected_by_category``, which counts this session.

    ``last_row`` is the row that was accepted last in this session.
    """

    accepted: int = 0
    candidates: int = 0
    requests: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    rejected_by_category: Counter[str] = field(default_factory=Counter)
    last_row: Row | None = None

    def add_judgements(self, judgements: Sequence[Judgement], category: str) -> int:
        """Count the judgements of a batch; returns how many candidates were accepted.

        ``category`` is the batch's: a rejected candidate without a category of its own counts there.
        """
        accepted = 0
        for judgement in judgements:
            if judgement.rejection is not None:
                self.rejected[judgement.rejection.reason] += 1
                self.rejected_by_category[judgement.category or category] += 1
            else:
                accepted += 1
                self.last_row = judgement.candidate.row
        self.accepted += accepted
        self.candidates += len(judgements)
        return accepted

    def snapshot(self, progress: Mapping[str, CategoryProgress]) -> Snapshot:
        """These counts and those of the categories, for display; with nothing in flight."""
        return Snapshot(
            categories={
                name: CategoryCount(state.quota, state.accepted, self.rejected_by_category[name], state.exhausted)
                for name, state in progress.items()
            },
            accepted=self.accepted,
            candidates=self.candidates,
            rejected=dict(self.rejected),
            failed=dict(self.failed),
            requests=self.requests,
            in_flight=0,
            last_row=self.last_row,
        )

    def commonest_loss(self) -> str:
        """The most frequent reason for which candidates were rejected or replies failed; "" where there is none."""
        common = (self.rejected + self.failed).most_common(1)
        return common[0][0] if common else ""
