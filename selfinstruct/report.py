"""Measures of a run: numbers only, read from its journal; how they look is for ``render``."""

from __future__ import annotations

from typing import Any, TypeAlias

from selfinstruct.journal import History
from selfinstruct.preparation import Prepared

#: The object of ``summary.json`` and of ``run --json``.
Summary: TypeAlias = dict[str, Any]


def summarise(history: History, prepared: Prepared) -> Summary:
    """The summary of a run as its journal has it; a category is exhausted where it gave up short of its quota.

    ``cost`` is None where no prices are known. ``stopped`` is ``done``, ``exhausted``, ``interrupted``,
    ``endpoint`` or ``storage``; ``conserved`` whether every candidate is accounted for.
    """
    state, notes = history.state(), history.notes()
    categories = {}
    for name, quota in prepared.quotas.items():
        tally = state.categories.get(name)
        categories[name] = {
            "quota": quota,
            "accepted": tally.accepted if tally else 0,
            "exhausted": name in state.exhausted,
            "max_rouge_l": prepared.thresholds[name],
        }
    model = prepared.recipe.model
    price = model.price if model is not None else None
    cost = None
    if model is None:
        cost = 0.0
    elif price is not None:
        cost = (state.tokens.input * price.input + state.tokens.output * price.output) / 1_000_000
    return {
        "name": prepared.recipe.name,
        "requested_rows": sum(prepared.quotas.values()),
        "accepted": state.accepted,
        "seeds": state.seeds,
        "candidates": state.candidates,
        "rejected": state.rejected,
        "failed": state.failed,
        "categories": categories,
        "requests": state.requests,
        "tokens": {"input": state.tokens.input, "output": state.tokens.output, "estimated": state.tokens.estimated},
        "cost": cost,
        "max_rouge_l": max(prepared.thresholds.values()),
        "model": model.name if model is not None else "imitator",
        "seed": notes.get("seed"),
        "stopped": notes.get("stopped", "interrupted"),
        "seconds": round(float(notes.get("seconds", 0.0)), 3),
        "conserved": state.conserved,
    }
