"""The form of a committed baseline, which ``baseline`` writes and reads."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class RecordedMeasures(TypedDict):
    """The figures that are compared, as in the output of ``check --format json``.

    ``rows`` is the number of rows, and ``categories`` counts those of each class, if the rows have classes.
    ``grounding`` is the share of rows, by field, whose value is a span of its source field. ``duplicates`` and
    ``near_duplicates`` are shares of all rows. ``diversity`` is distinct-2 of the compared texts, ``lengths`` the
    median number of characters by field, ``labels`` the share of rows of each label, by field.
    """

    rows: int
    grounding: dict[str, float]
    duplicates: float
    near_duplicates: float
    diversity: float
    lengths: dict[str, float]
    labels: dict[str, dict[str, float]]
    categories: NotRequired[dict[str, int]]


class RecordedFinding(TypedDict):
    """Findings with the same ``fingerprint``, and their number, ``count``.

    ``reason``, ``field``, ``severity`` and ``message`` are those of each of them.
    """

    fingerprint: str
    reason: str
    field: str
    severity: Literal["error", "warning", "note"]
    message: str
    count: int


class RecordedAlike(TypedDict):
    """Similar rows: the fingerprints of the ``rows``, and the ``reason`` why they are reported."""

    reason: str
    rows: list[str]


class RecordedDataSet(TypedDict):
    """One data set: its ``measures``, its ``findings`` by fingerprint, and the groups of rows that are ``alike``."""

    measures: RecordedMeasures
    findings: list[RecordedFinding]
    alike: list[RecordedAlike]


class BaselineFile(TypedDict):
    """The state of data sets that later ones are compared with.

    ``kind`` tells such a file from others, ``version`` is that of its format. ``data_sets`` has each by its path, as
    seen from the folder of the baseline.
    """

    kind: str
    version: Literal[1]
    data_sets: dict[str, RecordedDataSet]
