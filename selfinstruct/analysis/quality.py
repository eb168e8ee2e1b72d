"""How good a run's rows are, by what judges and votes said about them when they were made.

The points of a judge are relative to the most that it gave to any row of the run, a second opinion counts as the share
of votes for the row's answer, and the quality of a row is the product of all of these, in (0, 1].

The points are read from the recorded replies, which are replayed without a call, as for rejudging.
"""

from __future__ import annotations

from selfinstruct.growth import BatchState
from selfinstruct.journal import History
from selfinstruct.preparation import Prepared

#: The quality of a row to which a judge gave no points at all.
_LEAST = 0.01


def row_quality(history: History, prepared: Prepared) -> dict[int, float]:
    """Return the quality of each row by its number; empty where no judge and no model's vote saw the rows."""
    recipe = prepared.recipe
    if not recipe.judge and not recipe.verified_by_models:
        return {}
    scores = _scores(history, prepared)
    most: dict[str, float] = {}
    for own in scores.values():
        for name, points in own:
            most[name] = max(points, most.get(name, 0.0))
    # A vote is a share already.
    most |= {verify.name: 1.0 for verify in recipe.verified_by_models}
    quality = {}
    for number, own in scores.items():
        whole = 1.0
        for name, points in own:
            whole *= max(points / most[name], _LEAST) if most[name] > 0 else 1.0
        quality[number] = whole
    return quality


def _scores(history: History, prepared: Prepared) -> dict[int, tuple[tuple[str, float], ...]]:
    """What judges and votes gave to each row, by its number."""
    numbers: dict[int, dict[int, int]] = {}
    for grown in history.rows():
        numbers.setdefault(grown.call, {})[grown.position] = grown.number
    found = {}
    for replies in history.replies_by_batch():
        batch = replies[0].batch
        demos = history.pool_rows(batch.demos)
        shown = [demos[demo] for demo in batch.demos if demo in demos]
        state = BatchState(batch, prepared.recipe, prepared.inputs, shown)
        for each in replies:
            if state.pending_call(each.step):
                state.record_reply(each.step, each.reply)
        state.abandon_pending()
        rows = [each for reply in replies for each in numbers.get(reply.call, {}).items()]
        for position, number in rows:
            if position < len(state.drafts) and (scores := state.drafts[position].scores):
                found[number] = scores
    return found
