"""One data set examined: every finding on its rows, with its place and fingerprint, and its measures.

A row is compared with the rows before it and with the rows of the files to keep apart. So the second of two duplicates
is reported, never the first.

Does not handle: reading files (``sources``); deciding what fails (``verdict``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from selfinstruct.analysis.findings import DataSet, Finding, Measures, Severity
from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.earlier import EarlierRows
from selfinstruct.analysis.gate.figures import Figures
from selfinstruct.analysis.gate.fingerprint import digest, fingerprint
from selfinstruct.analysis.gate.found import Found
from selfinstruct.analysis.gate.kinds import Kinds
from selfinstruct.analysis.gate.leaks import Contexts
from selfinstruct.analysis.gate.masking import mask, mask_text
from selfinstruct.analysis.gate.reasons import USUAL
from selfinstruct.analysis.unanswered import contradicted
from selfinstruct.checks import Fault, examine, schema
from selfinstruct.messages import Phrase
from selfinstruct.readers import Prediction
from selfinstruct.recipe import Recipe, Verify
from selfinstruct.records import Row
from selfinstruct.rows import RowFile
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
#: All near rows of a near-duplicate are looked for while this many rows have been compared: for a few seconds.
_MOST_COMPARED = 20_000_000
_NEIGHBOURS = 8
_MOST_SECRETS = 1000


class Alike(NamedTuple):
    """The digests of the two rows that a finding is about, and of others that the later one is as near to."""

    pair: frozenset[str]
    near: frozenset[str]


@dataclass(slots=True)
class Examined:
    """The findings and measures of a data set.

    ``alike`` has, by fingerprint, the rows of each finding on two different rows. ``has_classes`` says whether its
    categories are those of a recipe or a label, and not templates that depend on the order of the rows.
    """

    data_set: DataSet
    findings: list[Finding]
    notes: tuple[str, ...]
    alike: dict[str, Alike]
    has_classes: bool


def examine_rows(
    file: RowFile,
    rules: Rules,
    earlier: EarlierRows,
    contexts: Contexts,
    *,
    with_alike: bool = False,
    watch: Callable[[int, int], None] = lambda rows, findings: None,
) -> Examined:
    """Examine every row of a file; ``watch`` is called every 500 rows with the number of rows and of findings."""
    work = _Examination(file, rules, earlier, with_alike=with_alike)
    earlier.begin(file)
    doubts = contradicted(file.rows, rules.criteria.recipe, inferred=rules.inferred)
    for at, row in enumerate(file.rows):
        if at % _RUN_AT_ONCE == 0:
            rules.criteria.run_ahead(file.rows[at : at + _RUN_AT_ONCE])
        if at % _COMPARED_AT_ONCE == 0:
            earlier.look_ahead(file.rows[at : at + _COMPARED_AT_ONCE], rules.criteria)
        work.examine(at, row, doubts.get(at), contexts)
        if (at + 1) % _PROGRESS_INTERVAL == 0:
            watch(at + 1, work.count)
    return work.result()


class _Examination:
    """The state of ``examine_rows``."""

    def __init__(self, file: RowFile, rules: Rules, earlier: EarlierRows, *, with_alike: bool) -> None:
        self._file, self._rules, self._earlier, self._with_alike = file, rules, earlier, with_alike
        self._criteria, self._recipe = rules.criteria, rules.criteria.recipe
        self._severities = self._recipe.gate.severity
        self._kinds, self._figures = Kinds(rules), Figures(self._recipe)
        self._categories: Counter[str] = Counter()
        self._by_row: dict[int, list[Finding]] = {}
        self._hidden: dict[int, list[Found]] = {}
        self._alike: dict[str, Alike] = {}
        self._compared = self.count = 0

    def examine(self, at: int, row: Row, doubt: tuple[Verify, Prediction] | None, contexts: Contexts) -> None:
        """Examine one row, then add it to those that later ones are compared with."""
        texts = self._kinds.texts(row)
        own = list(self._kinds.of_row(at, row, texts))
        if hidden := [found for found in own if found.hidden and self._severity(found.reason, "") != "off"]:
            self._hidden[at] = hidden
        faults = examine(row, self._criteria, self._earlier.index)
        well_formed = not faults or schema.check(row, self._recipe.fields) is None
        self._categories[self._criteria.categorise(row) if well_formed else ""] += 1
        for fault in faults:
            self._add_fault(at, row, fault)
        if doubt is not None and all(fault.field != doubt[0].answers for fault in faults):
            self._add(at, _doubt(row, *doubt))
        if not any(fault.rejection.nearest for fault in faults):
            own += contexts.find(row)
        for found in own:
            self._add(at, found)
        if well_formed:
            self._figures.add(row, texts)
            self._earlier.add(row, at)

    def result(self) -> Examined:
        """All findings in the order of the rows, then those on the data set as a whole."""
        whole: list[Finding] = []
        for at, found in self._kinds.of_all(self._categories):
            # A label that is no category is reported once.
            if (
                at is not None
                and found.reason == "label"
                and any(other.reason == "label" for other in self._by_row.get(at, ()))
            ):
                continue
            whole += self._add(at, found)
        findings = [finding for at in sorted(self._by_row) for finding in self._by_row[at]] + whole
        files = tuple(dict.fromkeys(self._file.files)) or (self._file.path,)
        data_set = DataSet(self._file.path, files, _without(self._secrets(), self._measures(findings)))
        has_classes = not self._rules.inferred or self._recipe.categories.by == "field"
        return Examined(data_set, findings, self._file.notes, self._alike, has_classes)

    def _secrets(self) -> list[Found]:
        """The secrets of all rows: the name of a category may contain one."""
        found = (each for hidden in self._hidden.values() for each in hidden if each.reason == "secret")
        return list(islice(found, _MOST_SECRETS))

    def _severity(self, reason: str, usual: str) -> str:
        return self._severities.get(reason) or usual or USUAL.get(reason, "error")

    def _add(self, at: int | None, found: Found, *contents: bytes) -> list[Finding]:
        """Keep one finding; return it if it is on the data set as a whole."""
        severity = self._severity(found.reason, found.severity)
        if severity == "off":
            return []
        place = 0 if at is None else at
        hidden = self._hidden.get(place, ()) if at is not None else self._secrets()
        own = () if at is None else (digest(self._file.rows[at]),)
        finding = Finding(
            self._file.file(place),
            self._file.lines[place] if at is not None else 1,
            found.field,
            found.reason,
            _CAST[severity],
            _masked(found.message, hidden),
            mask(found.evidence, hidden) if hidden else found.evidence,
            row=0 if at is None else at + 1,
            fingerprint=fingerprint(found.reason, found.field, *own, *contents, detail=found.detail),
        )
        self.count += 1
        if at is None:
            return [finding]
        self._by_row.setdefault(at, []).append(finding)
        return []

    def _add_fault(self, at: int, row: Row, fault: Fault) -> None:
        rejection = fault.rejection
        severity = "warning" if self._rules.inferred and _is_uncertain(fault, row, self._recipe) else "error"
        contents: tuple[bytes, ...] = ()
        if rejection.nearest is not None:
            contents = (self._earlier.digest(rejection.nearest),)
        evidence = self._evidence(at, row, fault)
        self._add(at, Found(rejection.reason, fault.field, rejection.message, evidence, severity=severity), *contents)
        if contents and self._with_alike and self._by_row.get(at):
            pair = frozenset((digest(row).hex(), contents[0].hex()))
            if len(pair) == 2:
                self._alike[self._by_row[at][-1].fingerprint] = Alike(pair, self._near(row) | pair)

    def _near(self, row: Row) -> frozenset[str]:
        """The digests of the rows that a row is too near to, while that takes no more than a few seconds in all."""
        size = len(self._earlier.index)
        threshold = self._criteria.thresholds.get(self._criteria.categorise(row))
        if threshold is None or self._compared + size > _MOST_COMPARED:
            return frozenset()
        self._compared += size
        numbers = self._earlier.index.all_near(row, threshold, _NEIGHBOURS)
        return frozenset(self._earlier.digest(number).hex() for number in numbers)

    def _evidence(self, at: int, row: Row, fault: Fault) -> dict[str, Any]:
        rejection = fault.rejection
        evidence: dict[str, Any] = {}
        if fault.field in row:
            evidence["value"] = _shown(row[fault.field], self._hidden.get(at, []))
        if rejection.nearest is not None:
            evidence.update(self._earlier.place(rejection.nearest))
        if rejection.score is not None:
            evidence.update(
                score=rejection.score, max_rouge_l=self._criteria.thresholds[self._criteria.categorise(row)]
            )
        return evidence

    def _measures(self, findings: list[Finding]) -> Measures:
        rows = len(self._file.rows)
        severities = Counter(finding.severity for finding in findings)
        reasons = Counter(finding.reason for finding in findings)
        ungrounded = Counter(finding.field for finding in findings if finding.reason == "ungrounded")
        criteria, recipe = self._criteria, self._recipe
        return Measures(
            rows=rows,
            fields=list(recipe.fields),
            categories={name: self._categories[name] for name in criteria.thresholds},
            uncategorised=self._categories[""],
            reasons=dict(reasons),
            errors=severities["error"],
            warnings=severities["warning"],
            max_rouge_l=dict(criteria.thresholds),
            recipe="inferred" if self._rules.inferred else recipe.name,
            notes=severities["note"],
            grounding={
                name: round(1 - ungrounded[name] / rows, 4) for name, each in recipe.fields.items() if each.appears_in
            },
            duplicates=round(reasons["duplicate"] / rows, 4),
            near_duplicates=round(reasons["near-duplicate"] / rows, 4),
            diversity=self._figures.diversity(),
            lengths=self._figures.lengths(),
            labels=self._kinds.label_shares(),
        )


_CAST: Mapping[str, Severity] = {"error": "error", "warning": "warning", "note": "note"}


def _without(secrets: Sequence[Found], measures: Measures) -> Measures:
    """The measures, with the names of categories and labels masked."""
    if not secrets:
        return measures
    categories, limits = mask(measures.categories, secrets), mask(measures.max_rouge_l, secrets)
    return replace(measures, categories=categories, max_rouge_l=limits, labels=mask(measures.labels, secrets))


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
