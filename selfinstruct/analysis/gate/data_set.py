"""One data set examined: every finding on its rows and on all of them together, and its measures.

Does not handle: reading files (``sources``); examining rows (``examining``); deciding what fails (``verdict``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from selfinstruct.analysis.findings import DataSet, Finding, Measures
from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.examining import Alike, Link, Located, Part, make_finding, severity_of
from selfinstruct.analysis.gate.figures import Figures
from selfinstruct.analysis.gate.fingerprint import digest
from selfinstruct.analysis.gate.found import Found
from selfinstruct.analysis.gate.kinds import WholeKinds
from selfinstruct.analysis.gate.masking import mask

_MOST_SECRETS = 1000


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


class WholeSet:
    """A data set whose parts are added one after the other."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._recipe = rules, rules.criteria.recipe
        self._kinds, self._figures = WholeKinds(rules), Figures(self._recipe)
        self._categories: Counter[str] = Counter()
        self._by_row: dict[int, list[Finding]] = {}
        self._hidden: dict[int, list[Found]] = {}
        self.links: list[Link] = []

    def add(self, part: Part) -> None:
        """Add the next rows, examined."""
        self._by_row.update(part.findings)
        self._hidden.update(part.hidden)
        self._categories.update(part.categories)
        self.links += part.links
        if part.sums is not None and part.figures is not None:
            self._kinds.sums.absorb(part.sums)
            self._figures.absorb(part.figures)

    def result(
        self,
        rows: Located,
        name: str,
        files: Sequence[str],
        notes: tuple[str, ...],
        labelled: Iterable[tuple[int, str]],
    ) -> Examined:
        """All findings in the order of the rows, then those on the data set as a whole.

        ``rows`` are all of them, ``labelled`` those that have a label.
        """
        whole: list[Finding] = []
        for at, found in self._kinds.of_all(self._categories, labelled):
            # A label that is no category is reported once.
            if (
                at is not None
                and found.reason == "label"
                and any(other.reason == "label" for other in self._by_row.get(at, ()))
            ):
                continue
            severity = severity_of(self._recipe.gate, found.reason, found.severity)
            if severity == "off":
                continue
            if at is None:
                whole.append(make_finding(found, severity, (rows.file(0), 1, 0), self._secrets()))
                continue
            place, hidden = (rows.file(at), rows.lines[at], at + 1), self._hidden.get(at, ())
            finding = make_finding(found, severity, place, hidden, digest(rows.rows[at]))
            self._by_row.setdefault(at, []).append(finding)
        findings = [finding for at in sorted(self._by_row) for finding in self._by_row[at]] + whole
        data_set = DataSet(name, tuple(files), _without(self._secrets(), self._measures(len(rows.rows), findings)))
        has_classes = not self._rules.inferred or self._recipe.categories.by == "field"
        alike = {link.fingerprint: link.alike for link in self.links}
        return Examined(data_set, findings, notes, alike, has_classes)

    def _secrets(self) -> list[Found]:
        """The secrets of all rows: the name of a category may contain one."""
        found = (each for hidden in self._hidden.values() for each in hidden if each.reason == "secret")
        return list(islice(found, _MOST_SECRETS))

    def _measures(self, rows: int, findings: list[Finding]) -> Measures:
        severities = Counter(finding.severity for finding in findings)
        reasons = Counter(finding.reason for finding in findings)
        ungrounded = Counter(finding.field for finding in findings if finding.reason == "ungrounded")
        criteria, recipe = self._rules.criteria, self._recipe
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


def _without(secrets: Sequence[Found], measures: Measures) -> Measures:
    """The measures, with the names of categories and labels masked."""
    if not secrets:
        return measures
    categories, limits = mask(measures.categories, secrets), mask(measures.max_rouge_l, secrets)
    return replace(measures, categories=categories, max_rouge_l=limits, labels=mask(measures.labels, secrets))
