"""What a run tells while it goes on, as frozen data; whoever shows it decides how."""

from __future__ import annotations

from collections.abc import Mapping
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
class Snapshot:
    """Where the run stands after some batches were judged.

    ``in_flight`` counts batches, ``requests`` the calls of this run so far, ``rejected`` and ``failed`` count by
    reason. ``last_row`` is the row that was accepted last.
    """

    categories: Mapping[str, CategoryCount]
    accepted: int
    candidates: int
    rejected: Mapping[str, int]
    failed: Mapping[str, int]
    requests: int
    in_flight: int
    last_row: Row | None
