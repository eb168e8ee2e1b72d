"""The task "run": grow a spec in its run directory, or resume the run that is there, and tell how it goes.

A run that this version of the package began is resumed from its spec, as its user would repeat a command; any other
one from its journal alone, which has its recipe and its seed rows.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfinstruct import api
from selfinstruct._version import __version__
from selfinstruct.analysis.summary import cost_of
from selfinstruct.errors import InputError, StorageError
from selfinstruct.events import Snapshot
from selfinstruct.growth import quotas
from selfinstruct.journal import History
from selfinstruct.preparation import Prepared
from selfinstruct.preparation.prepare import prepared_from_journal
from selfinstruct.preparation.quota_arguments import quota_of
from selfinstruct.recipe import Quota
from selfinstruct.recipe.extensions import references
from selfinstruct.run_directory import is_run_directory
from selfinstruct.service.child import Say
from selfinstruct.service.planning import plan_spec, with_endpoint
from selfinstruct.service.state import last_rejection, last_row

#: Seconds between two snapshots, and between two sums of what was spent.
_SNAPSHOT, _SPENT = 0.25, 2.0


async def grow(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Grow the run of ``spec["out"]``; returns why it stopped."""
    where = Path(spec["out"])
    recorded = _recorded(where) if is_run_directory(where) else None
    if recorded is None or ("file" in spec and recorded[0] == __version__):
        prepared, seed = plan_spec(spec), spec["seed"]
    else:
        prepared, seed = _from_journal(where, spec), recorded[1]
    say({"plan": _plan(prepared)})
    done = await api.run_async(
        prepared=prepared,
        out=where,
        seed=seed,
        budget=spec.get("budget"),
        max_requests=spec.get("max_requests"),
        concurrency=spec.get("concurrency"),
        watch=_watch(where, say, asks_models=bool(prepared.recipe.all_models)),
    )
    return {"stopped": done.summary.stopped}


def _recorded(where: Path) -> tuple[str, int]:
    """The version and the random seed that a journal names."""
    with History.open(where) as history:
        metadata = history.metadata()
        return metadata.version, metadata.seed


def _from_journal(where: Path, spec: Mapping[str, Any]) -> Prepared:
    """The run of a journal, with the quota of the spec if it has one. Raises InputError if it needs the operator."""
    with History.open(where) as history:
        prepared = prepared_from_journal(history)
        current = history.metadata().current_quotas
    recipe = prepared.recipe
    if spec.get("endpoint") is not None:
        recipe = with_endpoint(recipe, spec["endpoint"])
        prepared = replace(prepared, recipe=recipe)
    elif recipe.all_models or recipe.needs_model or any(references(recipe)):
        raise InputError(
            "{name}: a run of the command line that uses a model or code",
            hint="Resume it on the command line.",
            name=recipe.name,
        )
    quota = quota_of(spec.get("rows"), spec.get("per_category"))
    if quota is None or recipe.passages is not None:
        return replace(prepared, quotas=current) if set(current) == set(prepared.quotas) else prepared
    wanted = Quota(rows=quota.rows, per_category=quota.per_category, weights=recipe.quota.weights)
    grown = quotas(wanted, prepared.categories.names)
    return replace(prepared, recipe=recipe.model_copy(update={"quota": wanted}), quotas=grown)


def _plan(prepared: Prepared) -> dict[str, Any]:
    recipe = prepared.recipe
    return {
        "name": recipe.name,
        "seeds": len(prepared.seeds.rows),
        "requested_rows": sum(prepared.quotas.values()),
        "model": ", ".join(each.name for each in recipe.all_models) or "imitator",
        "thresholds": dict(prepared.thresholds),
        "notes": [str(note) for note in prepared.notes],
    }


def _watch(where: Path, say: Say, *, asks_models: bool) -> Callable[[Snapshot], None]:
    """A watcher that sends the state of the run, a few times a second at most."""
    sent = summed = float("-inf")
    spent: dict[str, Any] = {}

    def watch(snapshot: Snapshot) -> None:
        """Send a snapshot, if it is time."""
        nonlocal sent, summed
        now = time.monotonic()
        if now - sent < _SNAPSHOT:
            return
        message: dict[str, Any] = _state(snapshot)
        # The journal may be a group of rows behind.
        with contextlib.suppress(StorageError), History.open(where) as history:
            refused = last_rejection(history, sum(snapshot.rejected.values()))
            accepted = last_row(history, snapshot.accepted)
            message["last_rejection"] = None if refused is None else refused.model_dump()
            message["last_row"] = None if accepted is None else accepted.model_dump()
            if asks_models and now - summed >= _SPENT:
                spent.update(_spent(history))
                summed = time.monotonic()
        say({"snapshot": message | spent})
        sent = time.monotonic()

    return watch


def _state(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "accepted": snapshot.accepted,
        "candidates": snapshot.candidates,
        "rejected": dict(snapshot.rejected),
        "failed": dict(snapshot.failed),
        "requests": snapshot.requests,
        "categories": [[name, each.quota, each.accepted, each.exhausted] for name, each in snapshot.categories.items()],
        "notes": [str(note) for note in snapshot.notes],
    }


def _spent(history: History) -> dict[str, Any]:
    state, metadata = history.state(), history.metadata()
    money, known = cost_of(state.spent, metadata.prices)
    return {"tokens": [state.tokens.input, state.tokens.output], "cost": float(money) if known else None}
