"""Rows examined one by one: the findings on each, with place and fingerprint, and the sums that the whole needs.

A row is compared with the rows before it and with the rows of the files to keep apart. So the second of two duplicates
is reported, never the first.

Does not handle: findings that only all rows show (``data_set``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from selfinstruct.analysis.findings import Finding, Severity
from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.figures import Figures
from selfinstruct.analysis.gate.fingerprint import digest, fingerprint
from selfinstruct.analysis.gate.found import Found
from selfinstruct.analysis.gate.kinds import Kinds, Sums
from selfinstruct.analysis.gate.leaks import Contexts
from selfinstruct.analysis.gate.masking import mask, mask_text
from selfinstruct.analysis.gate.reasons import USUAL
from selfinstruct.checks import Criteria, Fault, Neighbours, examine, schema
from selfinstruct.messages import Phrase
from selfinstruct.readers import Prediction
from selfinstruct.recipe import Gate, Recipe, Verify
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: A rule inferred from the rows themselves may be wrong, so a row that breaks one of these gets a warning only.
_UNCERTAIN = {"length", "label", "near-duplicate"}
_EVIDENCE_CHARACTERS = 200
#: Rows whose tests are run together.
_RUN_AT_ONCE = 64
#: Rows that are compared with earlier ones together: with 16 or 64 each costs a tenth more.
_COMPARED_AT_ONCE = 32
#: Rows between two calls of ``watch``.
_PROGRESS_INTERVAL = 500
SEVERITIES: Mapping[str, Severity] = {"error": "error", "warning": "warning", "note": "note"}

#: A reader's answer that contradicts a row's, by the index of the row.
Doubts = Mapping[int, tuple[Verify, Prediction]]


class Located(Protocol):
    """Rows with their places, by their indexes."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows."""
        ...

    @property
    def lines(self) -> Sequence[int]:
        """The line that each row starts on."""
        ...

    def file(self, at: int) -> str:
        """The name of the file that contains a row."""
        ...


class Compared(Protocol):
    """What a row is compared with: the rows before it, by ids."""

    @property
    def index(self) -> Neighbours:
        """Finds them."""
        ...

    def look_ahead(self, rows: Sequence[Row], criteria: Criteria) -> None:
        """Prepare for the next rows."""
        ...

    def add(self, row: Row, at: int) -> None:
        """Let later rows be compared with this one, whose index is ``at``."""
        ...

    def place(self, number: int) -> dict[str, Any]:
        """The file and line of the row with this id."""
        ...

    def digest(self, number: int) -> bytes:
        """The digest of the row with this id."""
        ...

    def near(self, row: Row, threshold: float | None) -> frozenset[str]:
        """The digests of the rows that a row is too near to, as far as they are looked for."""
        ...


class Alike(NamedTuple):
    """The digests of the two rows that a finding is about, and of others that the later one is as near to."""

    pair: frozenset[str]
    near: frozenset[str]


class Link(NamedTuple):
    """A finding on two different rows: its fingerprint, the index of the later row, its largest ROUGE-L, both rows."""

    fingerprint: str
    at: int
    threshold: float | None
    alike: Alike


@dataclass(slots=True)
class Part:
    """What is known of some rows of a data set after each was examined; ``hidden`` are secrets and personal data.

    ``labelled`` are the rows that have a label, and ``links`` is empty unless it was asked for.
    """

    findings: dict[int, list[Finding]] = field(default_factory=dict)
    hidden: dict[int, list[Found]] = field(default_factory=dict)
    categories: Counter[str] = field(default_factory=Counter)
    links: list[Link] = field(default_factory=list)
    sums: Sums | None = None
    labelled: list[tuple[int, str]] = field(default_factory=list)
    figures: Figures | None = None


def examine_rows(
    rows: Located,
    start: int,
    rules: Rules,
    earlier: Compared,
    contexts: Contexts,
    doubts: Doubts,
    *,
    with_links: bool,
    watch: Callable[[int, int], None],
) -> Part:
    """Examine some rows, of which the first has the index ``start`` in its data set.

    ``watch`` is called every 500 rows with the number of rows and of findings.
    """
    work, given = _Examination(rows, start, rules, earlier, with_links=with_links), rows.rows
    for at, row in enumerate(given):
        if at % _RUN_AT_ONCE == 0:
            rules.criteria.run_ahead(given[at : at + _RUN_AT_ONCE])
        if at % _COMPARED_AT_ONCE == 0:
            earlier.look_ahead(given[at : at + _COMPARED_AT_ONCE], rules.criteria)
        work.examine(start + at, row, doubts.get(start + at), contexts)
        if (at + 1) % _PROGRESS_INTERVAL == 0:
            watch(at + 1, work.count)
    return work.part()


def severity_of(gate: Gate, reason: str, usual: str) -> str:
    """The severity of findings: what the recipe says, else what the finding does, else what is usual; or "off"."""
    return gate.severity.get(reason) or usual or USUAL.get(reason, "error")


def make_finding(
    found: Found,
    severity: str,
    place: tuple[str, int, int],
    hidden: Sequence[Found],
    *contents: bytes,
) -> Finding:
    """A finding: ``place`` is file, line and number of the row, ``contents`` the digests of the rows it is about."""
    file, line, row = place
    return Finding(
        file,
        line,
        found.field,
        found.reason,
        SEVERITIES[severity],
        _masked(found.message, hidden),
        mask(found.evidence, hidden) if hidden else found.evidence,
        row=row,
        fingerprint=fingerprint(found.reason, found.field, *contents, detail=found.detail),
    )


class _Examination:
    """The state of ``examine_rows``."""

    def __init__(self, rows: Located, start: int, rules: Rules, earlier: Compared, *, with_links: bool) -> None:
        self._rows, self._start, self._rules, self._earlier = rows, start, rules, earlier
        self._with_links = with_links
        self._criteria, self._recipe = rules.criteria, rules.criteria.recipe
        self._kinds, self._figures = Kinds(rules), Figures(self._recipe)
        self._part = Part()
        self.count = 0

    def examine(self, at: int, row: Row, doubt: tuple[Verify, Prediction] | None, contexts: Contexts) -> None:
        """Examine one row, then add it to those that later ones are compared with."""
        texts = self._kinds.texts(row)
        own = list(self._kinds.of_row(at, row, texts))
        if hidden := [found for found in own if found.hidden and self._severity(found) != "off"]:
            self._part.hidden[at] = hidden
        faults = examine(row, self._criteria, self._earlier.index)
        well_formed = not faults or schema.check(row, self._recipe.fields) is None
        self._part.categories[self._criteria.categorise(row) if well_formed else ""] += 1
        for fault in faults:
            self._add_fault(at, row, fault)
        if doubt is not None and all(fault.field != doubt[0].answers for fault in faults):
            self._add(at, row, _doubt(row, *doubt))
        if not any(fault.rejection.nearest for fault in faults):
            own += contexts.find(row)
        for found in own:
            self._add(at, row, found)
        if well_formed:
            self._figures.add(row, texts)
            self._earlier.add(row, at)

    def part(self) -> Part:
        """Everything that was found."""
        self._part.sums, self._part.labelled, self._part.figures = self._kinds.sums, self._kinds.labelled, self._figures
        return self._part

    def _severity(self, found: Found) -> str:
        return severity_of(self._recipe.gate, found.reason, found.severity)

    def _add(self, at: int, row: Row, found: Found, *contents: bytes) -> None:
        severity = self._severity(found)
        if severity == "off":
            return
        own = at - self._start
        place = self._rows.file(own), self._rows.lines[own], at + 1
        hidden = self._part.hidden.get(at, ())
        self._part.findings.setdefault(at, []).append(
            make_finding(found, severity, place, hidden, digest(row), *contents)
        )
        self.count += 1

    def _add_fault(self, at: int, row: Row, fault: Fault) -> None:
        rejection = fault.rejection
        severity = "warning" if self._rules.inferred and _is_uncertain(fault, row, self._recipe) else "error"
        contents: tuple[bytes, ...] = ()
        if rejection.nearest is not None:
            contents = (self._earlier.digest(rejection.nearest),)
        evidence = self._evidence(at, row, fault)
        found = Found(rejection.reason, fault.field, rejection.message, evidence, severity=severity)
        self._add(at, row, found, *contents)
        if contents and self._with_links and self._part.findings.get(at):
            pair = frozenset((digest(row).hex(), contents[0].hex()))
            if len(pair) == 2:
                threshold = self._criteria.thresholds.get(self._criteria.categorise(row))
                alike = Alike(pair, self._earlier.near(row, threshold) | pair)
                self._part.links.append(Link(self._part.findings[at][-1].fingerprint, at, threshold, alike))

    def _evidence(self, at: int, row: Row, fault: Fault) -> dict[str, Any]:
        rejection = fault.rejection
        evidence: dict[str, Any] = {}
        if fault.field in row:
            evidence["value"] = _shown(row[fault.field], self._part.hidden.get(at, []))
        if rejection.nearest is not None:
            evidence.update(self._earlier.place(rejection.nearest))
        if rejection.score is not None:
            evidence.update(
                score=rejection.score, max_rouge_l=self._criteria.thresholds[self._criteria.categorise(row)]
            )
        return evidence


def _masked(message: str, hidden: Sequence[Found]) -> str:
    """A message without hidden parts; one that has none stays a phrase that can be translated."""
    masked = mask_text(message, hidden)
    return message if masked == message else masked


def _shown(value: Any, hidden: list[Found]) -> Any:
    """A value as evidence: masked, then cut if it is long."""
    value = mask(value, hidden) if hidden else value
    whole = not isinstance(value, str | list | dict) or len(value_text(value)) <= _EVIDENCE_CHARACTERS
    return value if whole else value_text(value)[:_EVIDENCE_CHARACTERS] + "…"


def _is_uncertain(fault: Fault, row: Row, recipe: Recipe) -> bool:
    """Whether a fault may be one of an inferred rule, not of the row; so may a value of another type than usual."""
    odd_type = fault.rejection.reason == "schema" and fault.field in row and fault.field in recipe.fields
    return odd_type or fault.rejection.reason in _UNCERTAIN


def _doubt(row: Row, verify: Verify, read: Prediction) -> Found:
    """The finding on a row whose answer a reader of the other rows contradicts."""
    shown = json.dumps(read.answer[:_EVIDENCE_CHARACTERS], ensure_ascii=False)
    message = Phrase(
        "{answers}: a reader of the other rows answers {shown}, with a confidence of {confidence:.2f}",
        answers=verify.answers,
        shown=shown,
        confidence=read.confidence,
    )
    evidence = {"value": row[verify.answers], "answer": read.answer, "confidence": round(read.confidence, 4)}
    return Found("unanswered", verify.answers, message, evidence, severity="warning")
