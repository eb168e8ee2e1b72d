"""What a person's decision changes in a run: the progress of categories, the rows to compare with, the demonstrations.

A row that a person rejected opens its quota again, but new rows are still compared with it, so that nothing like it
comes back. The same code runs during a run, when it is resumed, and when its replies are judged again.

Does not handle: where decisions come from (``journal``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from selfinstruct.growth.planner import CategoryProgress
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.run_counts import RunCounts
from selfinstruct.journal import Change, Decision, Journal, Outcome, Standing


def take_decisions(journal: Journal, counts: RunCounts, progress: Mapping[str, CategoryProgress], pool: Pool) -> bool:
    """Apply what a person has decided since the last call, and return whether there was anything.

    A quota that is opened by it is filled again.
    """
    taken = journal.take_decisions()
    for change in taken:
        target = change.decision.target
        if (outcome := journal.history.outcome_of(target)) is not None:
            _count_change(change, outcome, counts)
            apply_change(change, outcome.category, progress)
            compare_with(change.decision, pool)
            show_again(target, change.after, outcome.category, pool)
    return bool(taken)


def apply_change(change: Change, recorded: str | None, progress: Mapping[str, CategoryProgress]) -> None:
    """Move a row from where it counted to where it counts now.

    ``recorded`` is the category in which the checks accepted it, or None. A category that gains room again is planned
    for again, even if it had been given up.
    """
    before, after = _category(change.before, recorded), _category(change.after, recorded)
    if before == after:
        return
    for name, one in ((before, -1), (after, 1)):
        if name is not None and name in progress:
            progress[name].accepted += one
            progress[name].stagnation.reset()


def compare_with(decision: Decision, pool: Pool) -> None:
    """Compare new rows with the row that a person wrote or accepted, from now on and whatever is decided later."""
    if decision.line is not None:
        pool.add_by_person(json.loads(decision.line), decision.target)


def show_again(target: int, standing: Standing | None, category: str | None, pool: Pool) -> None:
    """Show a grown row as a demonstration, or no longer: not one that a person rejected or changed."""
    if target > 0 and category is not None:
        pool.show(pool.seed_count + target, category, shown=standing is None or standing.action == "accept")


def _count_change(change: Change, outcome: Outcome, counts: RunCounts) -> None:
    """Count a row as accepted or rejected, as it stands now."""
    for standing, one in ((change.before, -1), (change.after, 1)):
        if _category(standing, outcome.category) is not None:
            counts.accepted += one
        else:
            counts.rejected[outcome.reason] += one
    if not counts.rejected[outcome.reason]:
        del counts.rejected[outcome.reason]


def _category(standing: Standing | None, recorded: str | None) -> str | None:
    """The category in which a row counts, or None."""
    if standing is None:
        return recorded
    return (standing.category or recorded) if standing.counts else None
