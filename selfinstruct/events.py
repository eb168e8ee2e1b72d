"""What a run tells while it goes on, as frozen data; whoever shows it decides how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.records import Row


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """Where one category stands: rows it must have, rows it has, candidates refused, whether it gave up."""

    quota: int
    accepted: int
    rejected: int
    exhausted: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """How calls go at the moment: how many at once at most, how many there are, and ``why``, in a short sentence.

    ``free`` is whether nothing but the number that was asked for holds them back.
    """

    concurrency: int
    in_flight: int
    reason: str
    unrestricted: bool = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where the run stands after some batches were judged.

    ``in_flight`` counts batches, ``requests`` what was sent in this run so far, ``rejected`` and ``failed`` count by
    reason. ``last_row`` is the row that was accepted last. ``pace`` is that of the calls, None where nothing is called.
    ``notes`` are what was done about an author that does not do as it is asked.
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
