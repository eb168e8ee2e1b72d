"""Figures of the batches and calls of a journal, all at once, to restore from them what a run had learnt."""

from __future__ import annotations

from collections import Counter

from selfinstruct.journal.history import History


def rejections_by_call(history: History) -> dict[int, Counter[str]]:
    """How many candidates of each call were rejected, by reason, as the run judged them."""
    found: dict[int, Counter[str]] = {}
    for call, reason, count in history.query("SELECT call, reason, COUNT(*) FROM rejections GROUP BY call, reason"):
        found.setdefault(call, Counter())[reason] = count
    return found


def seconds_by_reply(history: History) -> dict[int, float]:
    """How long each call with a reply took."""
    return dict(history.query("SELECT c.id, c.seconds FROM calls c JOIN replies t ON t.call = c.id"))


def demos_by_batch(history: History) -> dict[int, int]:
    """How many demonstrations each batch was shown."""
    return dict(history.query("SELECT number, json_array_length(demos) FROM batches"))
