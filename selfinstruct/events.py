"""Events: frozen snapshots of a run in progress, for display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.records import Row


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """The state of one category: its quota, accepted rows, rejected candidates, and whether it is exhausted."""

    quota: int
    accepted: int
    rejected: int
    exhausted: bool


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The batch jobs that are awaited: their number, the state of the one that is furthest behind, and since when.

    ``state`` is "uploading", "validating", "in_progress", "finalizing", "cancelling" or "downloading". ``done`` of
    ``total`` requests are processed. ``seconds`` is the time since the first of them was submitted in this session.
    """

    jobs: int
    state: str
    done: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    """The present pace of calls: the most that may be in flight, the number in flight, and the ``reason`` in words.

    ``unrestricted`` is True where only the configured concurrency limits them. ``batch`` is what batch jobs are doing,
    where calls are made in such.
    """

    concurrency: int
    in_flight: int
    reason: str
    unrestricted: bool = True
    batch: JobProgress | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a run after some batches were judged.

    ``requests`` counts those sent by the run so far; ``in_flight`` counts calls that have not ended. ``rejected`` and
    ``failed`` count by reason. ``last_row`` was accepted last. ``pace`` is None where the backend makes no calls.
    ``notes`` explain to the user what was changed because of the replies. ``tokens_left`` are the least and the most
    tokens that the missing rows are expected to take, None while that is not known.
    """

    categories: Mapping[str, CategoryCount]
    accepted: int
    candidates: int
    rejected: Mapping[str, int]
    failed: Mapping[str, int]
    requests: int
    in_flight: int
    last_row: Row | None
    pace: Pace | None = None
    notes: Sequence[str] = ()
    tokens_left: tuple[int, int] | None = None
