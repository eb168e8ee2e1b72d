"""Findings: what the checks say of every row of a file, with its line and the evidence.

    rows + recipe (given, or inferred from the rows) -> Findings

The rows before a row in the file, and those of the files that it is held against, are its neighbours: so the
second of two duplicates is found, never the first.

Does not handle: a file that cannot be read, which is an InputError; comparing with an earlier state.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfinstruct.checks import Criteria, Fault, examine, schema
from selfinstruct.errors import InputError
from selfinstruct.preparation.infer import context_fields, infer, make_categories
from selfinstruct.preparation.prepare import Source, read_source, valid_seeds
from selfinstruct.preparation.thresholds import CAP, thresholds
from selfinstruct.recipe import Recipe, bind
from selfinstruct.records import Row
from selfinstruct.rows import RowFile, read_rows, rows_from_objects
from selfinstruct.similarity.duplicates import DuplicateIndex, question_fields
from selfinstruct.similarity.row_index import RowIndex
from selfinstruct.text import value_text

#: A rule that was only inferred from the rows themselves may be wrong: breaking one of these is a warning then.
_SUSPECTED = {"length", "label", "near-duplicate"}
#: More rows than this show nothing new to inference, which takes about a millisecond a row.
_SAMPLE = 500
_EVIDENCE_CHARACTERS = 200
#: How often ``watch`` is told, in rows.
_EVERY = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one row.

    ``line`` is where the row starts, counted from 1 (its number, for rows that come from no file). ``field`` is
    "" where the fault is the row's as a whole. ``reason`` is one of ``checks.REASONS``, ``severity`` "error" or
    "warning". ``evidence`` may have the ``value``, and ``file``, ``line`` and ``score`` of the row that it
    clashes with, with the ``max_rouge_l`` that was allowed.
    """

    file: str
    line: int
    field: str
    reason: str
    severity: str
    message: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings of a file in the order of its lines, and its measures.

    ``measures`` has ``rows``, ``fields``, ``categories`` {name: rows}, ``uncategorised``, ``reasons`` {reason: n},
    ``errors``, ``warnings``, ``max_rouge_l`` {category: threshold}, ``recipe`` (a name, or "inferred").
    """

    findings: Sequence[Finding]
    measures: Mapping[str, Any]

    @property
    def failed(self) -> bool:
        """Whether some finding is an error."""
        return bool(self.measures["errors"])

    def to_json(self) -> dict[str, Any]:
        """The object that ``check --format json`` prints."""
        return {"findings": [asdict(finding) for finding in self.findings], "measures": dict(self.measures)}


def find_problems(
    source: Source,
    *,
    recipe: str | None = None,
    against: Sequence[Source] = (),
    watch: Callable[[int, int], None] = lambda rows, findings: None,
) -> Findings:
    """Hold every row of ``source`` (a path, "-", rows, a DataFrame) to the rules of a recipe.

    ``recipe`` is a recipe's path; without one the rules are inferred from the rows. Rows must be no twins or
    near-duplicates of those ``against``. ``watch`` is told now and then how many rows are done, with how many findings.

    Raises RowError where a file cannot be read, RecipeError where the recipe cannot be used.
    """
    file = _read(source)
    others = [_read(other) for other in against]
    terms = _inferred(file) if recipe is None else _given(recipe)
    earlier = _Earlier(terms.recipe, min(terms.thresholds.values()))
    for other in others:
        for row, line in zip(other.rows, other.lines, strict=True):
            if schema.check(row, terms.recipe.fields) is None:
                earlier.add(row, other.path, line)
    findings: list[Finding] = []
    categories: Counter[str] = Counter()
    for done, (row, line) in enumerate(zip(file.rows, file.lines, strict=True), 1):
        faults = examine(row, terms, earlier)
        shaped = schema.check(row, terms.recipe.fields) is None
        categories[terms.categorise(row) if shaped else ""] += 1
        for fault in faults:
            evidence = _evidence(fault, row, terms, earlier)
            severity = "warning" if recipe is None and fault.rejection.reason in _SUSPECTED else "error"
            rejection = fault.rejection
            findings.append(
                Finding(file.path, line, fault.field, rejection.reason, severity, rejection.message, evidence)
            )
        if shaped:
            earlier.add(row, file.path, line)
        if done % _EVERY == 0:
            watch(done, len(findings))
    return Findings(findings, _measures(findings, categories, file, terms, recipe))


class _Earlier:
    """The rows that a row of the file is compared with, by ids from 1, and where each of them stands."""

    def __init__(self, recipe: Recipe, least_threshold: float) -> None:
        self._twins = DuplicateIndex(question_fields(recipe))
        self._index = RowIndex(recipe.novelty, min_threshold=least_threshold)
        self._files: list[str] = []
        self._starts: list[int] = []
        self._lines = array("Q")

    def add(self, row: Row, file: str, line: int) -> None:
        """Put one row in."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
            self._starts.append(len(self._lines))
        self._twins.add(row)
        self._index.add(row)
        self._lines.append(line)

    def place(self, number: int) -> dict[str, Any]:
        """Where the row stands that ``twin`` or ``nearest`` gave."""
        at = number - 1
        return {"file": self._files[bisect_right(self._starts, at) - 1], "line": self._lines[at]}

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """See ``checks.Neighbours``."""
        found = self._twins.find(row)
        return None if found is None else (found[0] + 1, found[1])

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """See ``checks.Neighbours``."""
        found = self._index.nearest(row, threshold)
        return None if found is None else (found[0] + 1, found[1])


def _read(source: Source) -> RowFile:
    """The rows of a source; rows of another shape than the first are findings, not errors."""
    if isinstance(source, str | Path):
        return read_rows(source, uniform=False)
    if hasattr(source, "to_dict"):
        source = source.to_dict(orient="records")
    return rows_from_objects(source, "rows", uniform=False)


def _given(path: str) -> Criteria:
    """The rules of a recipe; its seeds say which categories there are and how alike their rows may be."""
    seeds, recipe = read_source(path)
    if recipe is None:
        raise InputError(
            f"{path}: contains rows, not a recipe", hint=f"Write a recipe for them: selfinstruct init {path}"
        )
    recipe = bind(recipe, seeds.fields)
    sound, _ = valid_seeds(seeds, recipe, skip=True)
    categories = make_categories(recipe, sound.rows)
    return Criteria(recipe, thresholds(recipe, sound.rows, categories, context_fields(recipe)), categories.of)


def _inferred(file: RowFile) -> Criteria:
    """The rules that the rows themselves suggest, as alike as any recipe inferred from them could allow."""
    shape, _ = Counter(tuple(sorted(row)) for row in file.rows).most_common(1)[0]
    shaped = [at for at, row in enumerate(file.rows) if tuple(sorted(row)) == shape]
    count = min(len(shaped), _SAMPLE)
    chosen = [shaped[place * len(shaped) // count] for place in range(count)]
    rows = [file.rows[at] for at in chosen]
    sample = RowFile(file.path, file.format, rows, [file.lines[at] for at in chosen], tuple(rows[0]))
    recipe = infer(sample).recipe
    # A label's values are read off all rows, the templates off the sample.
    all_rows = [file.rows[at] for at in shaped] if recipe.categories.by == "field" else rows
    categories = make_categories(recipe, all_rows)
    return Criteria(recipe, dict.fromkeys(categories.names, CAP), categories.of)


def _evidence(fault: Fault, row: Row, terms: Criteria, earlier: _Earlier) -> dict[str, Any]:
    rejection = fault.rejection
    evidence: dict[str, Any] = {}
    if fault.field in row:
        value = row[fault.field]
        whole = not isinstance(value, str | list | dict) or len(value_text(value)) <= _EVIDENCE_CHARACTERS
        evidence["value"] = value if whole else value_text(value)[:_EVIDENCE_CHARACTERS] + "…"
    if rejection.nearest is not None:
        evidence.update(earlier.place(rejection.nearest))
    if rejection.score is not None:
        evidence.update(score=rejection.score, max_rouge_l=terms.thresholds[terms.categorise(row)])
    return evidence


def _measures(
    findings: Sequence[Finding], categories: Counter[str], file: RowFile, terms: Criteria, recipe: str | None
) -> dict[str, Any]:
    severities = Counter(finding.severity for finding in findings)
    return {
        "rows": len(file.rows),
        "fields": list(terms.recipe.fields),
        "categories": {name: categories[name] for name in terms.thresholds},
        "uncategorised": categories[""],
        "reasons": dict(Counter(finding.reason for finding in findings)),
        "errors": severities["error"],
        "warnings": severities["warning"],
        "max_rouge_l": dict(terms.thresholds),
        "recipe": terms.recipe.name if recipe is not None else "inferred",
    }
