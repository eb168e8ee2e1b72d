"""Findings: every problem that the checks find in a file of rows, with its line and the evidence.

    rows + recipe (given, or inferred from the rows) -> Findings

A row is compared with the rows before it in the file and with the rows of the files in ``against``. So the second of
two duplicates is reported, never the first.

Does not handle: a file that cannot be read, which is an InputError; comparing with an earlier state.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from selfinstruct.analysis.unanswered import contradicted
from selfinstruct.checks import Criteria, Fault, examine, schema
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.preparation.categories import label_of
from selfinstruct.preparation.infer import infer, make_categories, value_statistics
from selfinstruct.preparation.seed_checks import check_seeds
from selfinstruct.preparation.source import Source, read_source
from selfinstruct.preparation.thresholds import CAP, thresholds
from selfinstruct.readers import Prediction
from selfinstruct.recipe import Importer, Recipe, Verify, bind
from selfinstruct.records import Row
from selfinstruct.rows import UTF_8, RowFile, read_rows, rows_from_objects
from selfinstruct.rows.optional_keys import odd_rows, optional_keys
from selfinstruct.similarity.neighbour_index import NeighbourIndex
from selfinstruct.text import value_text

#: A rule inferred from the rows themselves may be wrong, so a row that breaks one of these gets a warning only.
_UNCERTAIN = {"length", "label", "near-duplicate"}
#: Rows used for inference, which takes about a millisecond a row; more add nothing.
_SAMPLE = 500
_EVIDENCE_CHARACTERS = 200
#: Rows between two calls of ``watch``.
_PROGRESS_INTERVAL = 500
#: Rows whose tests are run together.
_RUN_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one row.

    ``line`` is the line where the row starts, counted from 1 (the row's number, for rows given as objects). ``field``
    is "" for a problem of the row as a whole. ``reason`` is one of ``checks.REASONS``, ``severity`` is "error" or
    "warning". ``evidence`` may contain the ``value``, and ``file``, ``line`` and ``score`` of the row that this one
    conflicts with, and the ``max_rouge_l`` that was allowed; of ``unanswered``, the ``answer`` of a reader of the
    other rows and its ``confidence``.
    """

    file: str
    line: int
    field: str
    reason: str
    severity: str
    message: str
    evidence: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The finding in the output of ``check --format json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of a checked file.

    ``categories`` counts rows by category, ``uncategorised`` those of none; ``reasons`` counts findings by reason.
    ``max_rouge_l`` is the threshold of each category. ``recipe`` is the recipe's name, or "inferred".
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

    def to_dict(self) -> dict[str, Any]:
        """The measures in the output of ``check --format json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings of a file in the order of its lines, and its measures; ``file`` is its name in messages.

    ``notes`` are lines about the file as a whole: how it was read, and what looks like a mistake in it.
    ``html`` renders them in a notebook; without it they have no rich display.
    """

    findings: Sequence[Finding]
    measures: Measures
    file: str = "rows"
    notes: Sequence[str] = ()
    html: Callable[[Mapping[str, Any]], str] | None = field(default=None, repr=False, compare=False)

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return self.measures.errors > 0

    def to_dict(self) -> dict[str, Any]:
        """The object that ``check --format json`` prints."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "measures": self.measures.to_dict(),
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str | None:
        """The findings in a notebook, as a table."""
        return None if self.html is None else self.html(self.to_dict())


def find_problems(
    source: Source,
    *,
    recipe: str | None = None,
    against: Sequence[Source] = (),
    encoding: str = UTF_8,
    importer: Importer | None = None,
    watch: Callable[[int, int], None] = lambda rows, findings: None,
) -> Findings:
    """Check every row of ``source`` (a path, "-", rows, a DataFrame) by the rules of a recipe.

    ``recipe`` is a path; without one the rules are inferred from the rows. ``encoding`` is that of row files which are
    not UTF-8. ``importer`` is as for ``parse_recipe``.
    Rows must not duplicate rows of ``against``. ``watch`` is called every 500 rows with the number of rows checked and
    of findings.

    Raises RowError if a file cannot be read, RecipeError if the recipe is invalid.
    """
    file = _read(source, encoding)
    others = [_read(other, encoding) for other in against]
    criteria = _inferred(file) if recipe is None else _given(recipe, importer)
    earlier = _EarlierRows(criteria.recipe, min(criteria.thresholds.values()))
    for other in others:
        for at, row in enumerate(other.rows):
            if schema.check(row, criteria.recipe.fields) is None:
                earlier.add(row, other.file(at), other.lines[at])
    doubts = contradicted(file.rows, criteria.recipe, inferred=recipe is None)
    findings: list[Finding] = []
    categories: Counter[str] = Counter()
    for done, (row, line) in enumerate(zip(file.rows, file.lines, strict=True), 1):
        if done % _RUN_AT_ONCE == 1:
            criteria.run_ahead(file.rows[done - 1 : done - 1 + _RUN_AT_ONCE])
        name = file.file(done - 1)
        faults = examine(row, criteria, earlier.index)
        well_formed = schema.check(row, criteria.recipe.fields) is None
        categories[criteria.categorise(row) if well_formed else ""] += 1
        for fault in faults:
            evidence = _evidence(fault, row, criteria, earlier)
            severity = "warning" if recipe is None and _is_uncertain(fault, row, criteria.recipe) else "error"
            rejection = fault.rejection
            findings.append(Finding(name, line, fault.field, rejection.reason, severity, rejection.message, evidence))
        doubt = doubts.get(done - 1)
        if doubt is not None and all(fault.field != doubt[0].answers for fault in faults):
            findings.append(_doubt(name, line, row, *doubt))
        if well_formed and (spelled := _other_spelling(row, criteria)) is not None:
            findings.append(Finding(name, line, *spelled))
        if well_formed:
            earlier.add(row, name, line)
        if done % _PROGRESS_INTERVAL == 0:
            watch(done, len(findings))
    return Findings(findings, _measures(findings, categories, file, criteria, recipe), file.path, file.notes)


def _doubt(file: str, line: int, row: Row, verify: Verify, read: Prediction) -> Finding:
    """The finding on a row whose answer a reader of the other rows contradicts."""
    shown = json.dumps(read.answer[:_EVIDENCE_CHARACTERS], ensure_ascii=False)
    message = Phrase(
        "{answers}: a reader of the other rows answers {shown}, with a confidence of {confidence:.2f}",
        answers=verify.answers,
        shown=shown,
        confidence=read.confidence,
    )
    evidence = {"value": row[verify.answers], "answer": read.answer, "confidence": round(read.confidence, 4)}
    return Finding(file, line, verify.answers, "unanswered", "warning", message, evidence)


class _EarlierRows:
    """The rows that a row of the file is compared with, by ids from 1, with the place of each."""

    def __init__(self, recipe: Recipe, min_threshold: float) -> None:
        self.index = NeighbourIndex(recipe, min_threshold)
        self._files: list[str] = []
        self._starts: list[int] = []
        self._lines = array("Q")

    def add(self, row: Row, file: str, line: int) -> None:
        """Add one row."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
            self._starts.append(len(self._lines))
        self.index.add(row)
        self._lines.append(line)

    def place(self, number: int) -> dict[str, Any]:
        """The file and line of the row with this id."""
        at = number - 1
        return {"file": self._files[bisect_right(self._starts, at) - 1], "line": self._lines[at]}


def _read(source: Source, encoding: str) -> RowFile:
    """The rows of a source; a row with other fields than the first is a finding, not an error."""
    if isinstance(source, str | Path):
        return read_rows(source, uniform=False, encoding=encoding)
    return rows_from_objects(source, "rows", uniform=False)


def _given(path: str, importer: Importer | None) -> Criteria:
    """The rules of a recipe, with the categories and thresholds of its seeds."""
    seeds, recipe = read_source(path, importer=importer)
    if recipe is None:
        raise InputError(
            "{path}: contains rows, not a recipe", hint="Write a recipe for them: selfinstruct init {path}", path=path
        )
    recipe = bind(recipe, seeds.fields)
    sound, _ = check_seeds(seeds, recipe, skip=True)
    statistics = value_statistics(recipe, sound.rows)
    categories = make_categories(recipe, statistics)
    return Criteria(recipe, thresholds(recipe, categories, statistics), categories.of)


def _inferred(file: RowFile) -> Criteria:
    """The rules inferred from the rows, with the highest threshold that inference can give."""
    optional = optional_keys(file.rows)
    odd = {at for at, *_ in odd_rows(file.rows, optional)}
    shaped = [at for at in range(len(file.rows)) if at not in odd]
    if not optional or not shaped:
        shape, _ = Counter(tuple(sorted(row)) for row in file.rows).most_common(1)[0]
        shaped = [at for at, row in enumerate(file.rows) if tuple(sorted(row)) == shape]
    count = min(len(shaped), _SAMPLE)
    chosen = [shaped[place * len(shaped) // count] for place in range(count)]
    sample = replace(
        file.selected(chosen), fields=tuple(dict.fromkeys(name for at in shaped for name in file.rows[at]))
    )
    rows = sample.rows
    inferred = infer(sample)
    recipe = inferred.recipe
    # A label's values are read off all rows, the templates off the sample.
    all_rows = [file.rows[at] for at in shaped] if recipe.categories.by == "field" else rows
    categories = make_categories(recipe, value_statistics(recipe, all_rows, inferred.statistics))
    return Criteria(recipe, dict.fromkeys(categories.names, CAP), categories.of)


def _is_uncertain(fault: Fault, row: Row, recipe: Recipe) -> bool:
    """Whether a fault may be one of an inferred rule, not of the row; so may a value of another type than usual."""
    odd_type = fault.rejection.reason == "schema" and fault.field in row and fault.field in recipe.fields
    return odd_type or fault.rejection.reason in _UNCERTAIN


def _other_spelling(row: Row, criteria: Criteria) -> tuple[str, str, str, str, dict[str, Any]] | None:
    """The rest of a finding on a label that differs from its category only by case or blanks."""
    table = criteria.recipe.categories
    if table.by != "field" or table.field is None:
        return None
    label, category = label_of(row[table.field]), criteria.categorise(row)
    if category in ("", label):
        return None
    shown, name = (json.dumps(text, ensure_ascii=False) for text in (label, category))
    message = Phrase(
        "{field} {shown} differs from {name} only by case or blanks", field=table.field, shown=shown, name=name
    )
    return table.field, "label", "warning", message, {"value": row[table.field]}


def _evidence(fault: Fault, row: Row, criteria: Criteria, earlier: _EarlierRows) -> dict[str, Any]:
    rejection = fault.rejection
    evidence: dict[str, Any] = {}
    if fault.field in row:
        value = row[fault.field]
        whole = not isinstance(value, str | list | dict) or len(value_text(value)) <= _EVIDENCE_CHARACTERS
        evidence["value"] = value if whole else value_text(value)[:_EVIDENCE_CHARACTERS] + "…"
    if rejection.nearest is not None:
        evidence.update(earlier.place(rejection.nearest))
    if rejection.score is not None:
        evidence.update(score=rejection.score, max_rouge_l=criteria.thresholds[criteria.categorise(row)])
    return evidence


def _measures(
    findings: Sequence[Finding], categories: Counter[str], file: RowFile, criteria: Criteria, recipe: str | None
) -> Measures:
    severities = Counter(finding.severity for finding in findings)
    return Measures(
        rows=len(file.rows),
        fields=list(criteria.recipe.fields),
        categories={name: categories[name] for name in criteria.thresholds},
        uncategorised=categories[""],
        reasons=dict(Counter(finding.reason for finding in findings)),
        errors=severities["error"],
        warnings=severities["warning"],
        max_rouge_l=dict(criteria.thresholds),
        recipe=criteria.recipe.name if recipe is not None else "inferred",
    )
