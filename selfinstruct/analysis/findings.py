"""Findings: what ``check`` says about rows, as typed data; ``check --format json`` prints ``CheckOutput``.

Does not handle: finding anything (``gate``), or words for people (``render``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias

#: The version of the JSON output. Keys may be added without a new one.
VERSION = 1
Severity: TypeAlias = Literal["error", "warning", "note"]
Status: TypeAlias = Literal["new", "known", "waived"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one row, or of a data set as a whole: ``message`` says it in words.

    ``file`` is the name of the row's file. ``line`` is the line where the row starts, counted from 1 (the row's
    number, for rows given as objects). ``field`` is "" for a problem of the row as a whole. ``reason`` is a slug; its
    meaning is in docs/reference/reasons.md. ``severity`` is "error", "warning" or "note". ``evidence`` may contain
    the ``value`` and the ``span`` in it, and ``file``, ``line`` and ``score`` of the row that this one conflicts with,
    and the ``max_rouge_l`` that was allowed; of ``unanswered``, the ``answer`` of a reader of the other rows and its
    ``confidence``.

    ``row`` is the number of the row in its file, from 1, and 0 for the data set as a whole. ``fingerprint`` identifies
    the finding when rows are moved. ``status`` is "known" if a baseline has it, "waived" if a waiver accepts it;
    neither fails the gate.
    """

    file: str
    line: int
    field: str
    reason: str
    severity: Severity
    message: str
    evidence: Mapping[str, Any]
    row: int = 0
    fingerprint: str = ""
    status: Status = "new"

    def to_dict(self) -> dict[str, Any]:
        """The finding in the output of ``check --format json``."""
        return {name: getattr(self, name) for name in _FINDING_KEYS}


_FINDING_KEYS = tuple(each.name for each in fields(Finding))


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of checked rows.

    ``rows`` is their number, ``fields`` are the names of their fields. ``categories`` counts rows by category,
    ``uncategorised`` those of none; ``reasons`` counts new findings by reason, and ``errors``, ``warnings`` and
    ``notes`` by severity. ``max_rouge_l`` is the threshold of each category. ``recipe`` is the recipe's name, or
    "inferred".

    ``grounding`` is the share of rows, by field, whose value is a span of its source field; ``duplicates`` and
    ``near_duplicates`` are shares of all rows; ``diversity`` is distinct-2 (Li et al. 2016, arXiv:1510.03055) of the
    compared texts of at most 500 rows, ``lengths`` the median number of characters by text field, and ``labels`` the
    share of rows of each label, by field.
    """

    rows: int
    fields: Sequence[str]
    categories: Mapping[str, int]
    uncategorised: int
    reasons: Mapping[str, int]
    errors: int
    warnings: int
    max_rouge_l: Mapping[str, float]
    recipe: str
    notes: int = 0
    grounding: Mapping[str, float] = field(default_factory=dict)
    duplicates: float = 0.0
    near_duplicates: float = 0.0
    diversity: float = 0.0
    lengths: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The measures in the output of ``check --format json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DataSet:
    """Rows that were checked as one: a file, or a folder of files with the same fields.

    ``name`` is the argument that named them, ``files`` are the files. ``measures`` are the figures of their rows.
    """

    name: str
    files: Sequence[str]
    measures: Measures


@dataclass(frozen=True, slots=True)
class FixedFinding:
    """A finding of the baseline that no row has any more: ``count`` of them.

    ``file``, ``fingerprint``, ``reason`` and ``message`` are those of the finding.
    """

    file: str
    fingerprint: str
    reason: str
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class GateResult:
    """What was decided, and what a baseline and waivers accepted.

    ``failed`` is whether the gate failed. ``baseline`` is the name of the file, or "". ``known`` counts the findings
    that it has, ``waived`` those that a waiver accepts. ``fixed`` lists the findings of the baseline that no row has
    any more. ``unused_waivers`` and ``expired_waivers`` are fingerprints.
    """

    failed: bool = False
    baseline: str = ""
    known: int = 0
    waived: int = 0
    fixed: Sequence[FixedFinding] = ()
    unused_waivers: Sequence[str] = ()
    expired_waivers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """The object that ``check --format json`` prints.

    ``version`` is that of this format. ``findings`` are in the order of files and lines. ``notes`` are lines about a
    file as a whole: how it was read, and what looks like a mistake in it. ``gate`` is what was decided. ``measures``
    are those of all rows together. ``data_sets`` has them one by one.
    """

    version: int
    findings: Sequence[Finding]
    measures: Measures
    notes: Sequence[str]
    data_sets: Sequence[DataSet]
    gate: GateResult


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings in the order of files and lines, and the measures of all rows; ``file`` names these in messages.

    ``notes`` are lines about a file as a whole: how it was read, and what looks like a mistake in it. ``data_sets`` are
    what was checked, ``gate`` what was decided. ``html`` renders them in a notebook; without it they have no rich
    display.
    """

    findings: Sequence[Finding]
    measures: Measures
    file: str = "rows"
    notes: Sequence[str] = ()
    data_sets: Sequence[DataSet] = ()
    gate: GateResult = GateResult()
    html: Callable[[Mapping[str, Any]], str] | None = field(default=None, repr=False, compare=False)

    @property
    def failed(self) -> bool:
        """Whether the gate fails: whether any new finding is an error."""
        return self.gate.failed or self.measures.errors > 0

    @property
    def new(self) -> list[Finding]:
        """The findings that no baseline and no waiver accepts."""
        return [finding for finding in self.findings if finding.status == "new"]

    def to_dict(self) -> dict[str, Any]:
        """The object that ``check --format json`` prints, of the form of ``CheckOutput``."""
        return {
            "version": VERSION,
            "findings": [finding.to_dict() for finding in self.findings],
            "measures": self.measures.to_dict(),
            "notes": list(self.notes),
            "data_sets": [asdict(each) for each in self.data_sets],
            "gate": asdict(self.gate),
        }

    def _repr_html_(self) -> str | None:
        """The findings in a notebook, as a table."""
        return None if self.html is None else self.html(self.to_dict())
