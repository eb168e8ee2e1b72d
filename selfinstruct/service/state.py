"""The state of a run as its directory shows it, whichever process writes it; read-only.

A finished session leaves ``summary.json`` and checksums, which a new one removes before it writes anything: while they
are there and nobody holds the run, the summary is true. Otherwise the journal is read, which takes longer.

Does not handle: runs without a journal, which only ``jobs`` knows.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from selfinstruct.analysis.summary import Summary, cost_of
from selfinstruct.api.runs import open_run
from selfinstruct.errors import InputError
from selfinstruct.journal import BY_PERSON, INBOX_NAME, JOURNAL_NAME, History, RunMetadata, holder_of
from selfinstruct.render.summary import reopened
from selfinstruct.run_directory import CHECKSUMS_NAME
from selfinstruct.service.models import Category, DecisionCounts, LastRejection, LastRow, Run, RunError, State, Tokens

_ENDS: Mapping[str, State] = {
    "done": "done",
    "exhausted": "short",
    "budget": "short",
    "interrupted": "interrupted",
    "running": "interrupted",
}


def read_run(directory: Path) -> Run:
    """Read the figures of a run. Raises StorageError for a journal that cannot be read."""
    held = holder_of(directory) is not None
    with History.open(directory) as history:
        settled = not history.decisions.log or history.decisions.log[-1].id
        if not held and settled and (directory / CHECKSUMS_NAME).exists():
            with contextlib.suppress(InputError):  # written by another version: the journal knows
                return _of_summary(directory, history, open_run(directory).summary)
        return _of_journal(directory, history, held=held)


def stamp_of(directory: Path) -> tuple[object, ...]:
    """A value that changes when the figures of a run may have changed."""
    stamps: list[object] = [holder_of(directory) is not None]
    for name in (JOURNAL_NAME, f"{JOURNAL_NAME}-wal", CHECKSUMS_NAME, INBOX_NAME):
        try:
            status = (directory / name).stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def _of_summary(directory: Path, history: History, summary: Summary) -> Run:
    return Run(
        id=directory.name,
        name=summary.name,
        state="short" if reopened(summary) else _ENDS.get(summary.stopped, "failed"),
        origin="command line",
        created=summary.started or _time(directory),
        updated=_time(directory / JOURNAL_NAME),
        error=_error_of(summary.stopped),
        requested_rows=summary.requested_rows,
        accepted=summary.accepted,
        candidates=summary.candidates,
        seeds=summary.seeds,
        rejected=dict(summary.rejected),
        failed=dict(summary.failed),
        categories=[
            Category(
                name=name,
                quota=each.quota,
                accepted=each.accepted,
                exhausted=each.exhausted,
                max_rouge_l=each.max_rouge_l,
            )
            for name, each in summary.growing.items()
        ],
        requests=summary.requests,
        tokens=Tokens(input=summary.tokens.input, output=summary.tokens.output),
        cost=summary.cost,
        model=summary.model,
        seconds=summary.seconds,
        last_row=last_row(history, history.last_row()),
        last_rejection=last_rejection(history, history.last_rejection()),
        notes=list(summary.notes),
        decisions=DecisionCounts(**asdict(summary.decisions)),
    )


def _of_journal(directory: Path, history: History, *, held: bool) -> Run:
    state, metadata = history.state(), history.metadata()
    money, priced = cost_of(state.spent, metadata.prices)
    models = list(dict.fromkeys(each.model for each in state.spent if each.model))
    quotas = metadata.current_quotas
    ended = _ENDS.get(metadata.stopped, "failed")
    if ended == "done" and state.accepted < sum(quotas.values()) <= state.accepted + state.rejected.get(BY_PERSON, 0):
        ended = "short"  # a person has rejected rows since
    return Run(
        id=directory.name,
        name=_name_of(directory, metadata),
        state="running" if held else ended,
        origin="command line",
        created=metadata.started or _time(directory),
        updated=_time(directory / JOURNAL_NAME),
        error=None if held else _error_of(metadata.stopped),
        requested_rows=sum(quotas.values()),
        accepted=state.accepted,
        candidates=state.candidates,
        seeds=state.seeds,
        rejected=state.rejected,
        failed=state.failed,
        categories=[
            Category(
                name=name,
                quota=quota,
                accepted=counts.accepted if (counts := state.categories.get(name)) else 0,
                exhausted=name in state.exhausted,
                max_rouge_l=None,
            )
            for name, quota in quotas.items()
            if quota or name in state.categories
        ],
        requests=state.requests,
        tokens=Tokens(input=state.tokens.input, output=state.tokens.output),
        cost=float(money) if priced else None,
        model=", ".join(models) or "imitator",
        seconds=round(metadata.seconds, 3),
        last_row=last_row(history, history.last_row()),
        last_rejection=last_rejection(history, history.last_rejection()),
        notes=list(metadata.remarks),
        decisions=DecisionCounts(**asdict(state.decisions)),
    )


def last_row(history: History, number: int) -> LastRow | None:
    """The accepted row of this number, if there is one."""
    grown = history.row(number) if number else None
    return None if grown is None else LastRow(number=grown.number, category=grown.category, row=grown.row)


def last_rejection(history: History, number: int) -> LastRejection | None:
    """The rejection of this id, if there is one."""
    refused = history.rejection(number) if number else None
    if refused is None:
        return None
    return LastRejection(id=number, reason=refused.reason, message=refused.message, text=refused.text)


def _error_of(stopped: str) -> RunError | None:
    if stopped == "endpoint":
        return RunError(title="the endpoint failed", hint="Check the endpoint, then resume the run.")
    if stopped == "storage":
        return RunError(title="the disk failed", hint="Check the disk, then resume the run.")
    if stopped not in _ENDS:
        return RunError(title=f"the run stopped: {stopped}", hint="Resume the run.")
    return None


def _name_of(directory: Path, metadata: RunMetadata) -> str:
    try:
        return str(tomllib.loads(metadata.recipe)["name"])
    except (tomllib.TOMLDecodeError, KeyError):
        return directory.name


def _time(path: Path) -> str:
    """When a file or directory was last changed, in UTC (ISO 8601)."""
    try:
        seconds = path.stat().st_mtime
    except OSError:
        seconds = 0.0
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
