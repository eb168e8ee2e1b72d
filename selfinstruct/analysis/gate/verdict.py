"""The verdict on examined rows: what a baseline knows, what waivers accept, what is worse, and whether the gate fails.

    examined data sets, baseline, waivers -> findings with their status, measures, GateResult

Does not handle: reading and writing files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfinstruct.analysis.findings import DataSet, Finding, Findings, FixedFinding, GateResult, Measures, Severity
from selfinstruct.analysis.gate import regressions
from selfinstruct.analysis.gate.baseline import Recorded
from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.data_set import Examined
from selfinstruct.analysis.gate.fingerprint import fingerprint
from selfinstruct.analysis.gate.reasons import USUAL
from selfinstruct.analysis.gate.waivers import apply_waivers
from selfinstruct.recipe import Waiver


def judge(
    examined: Sequence[tuple[Examined, Rules]],
    *,
    recorded: Mapping[str, Recorded] | None = None,
    baseline: str = "",
    waivers: Sequence[Waiver] = (),
    today: str = "",
) -> Findings:
    """Judge data sets; ``recorded`` has those of the baseline by the name of the data set in messages.

    ``today`` is the day of the waivers, as an ISO date.
    """
    findings: list[Finding] = []
    data_sets: list[DataSet] = []
    fixed: list[FixedFinding] = []
    unused: dict[str, None] = {}
    used: set[str] = set()
    expired: dict[str, None] = {}
    for each, rules in examined:
        before = (recorded or {}).get(each.data_set.name)
        own = each.findings + ([] if before is None else _regressions(each, before, rules))
        waived = apply_waivers(own, (*rules.gate.waivers, *waivers), today)
        known = set() if before is None else before.known(each)
        # A waived finding is not used up as a known one: the other of two equal ones may be.
        own = [
            replace(finding, status="known") if at in known and finding.status == "new" else finding
            for at, finding in enumerate(waived.findings)
        ]
        unused.update(dict.fromkeys(waived.unused))
        used.update(finding.fingerprint for finding in own if finding.status == "waived")
        expired.update(dict.fromkeys(waived.expired))
        if before is not None:
            fixed += [FixedFinding(each.data_set.name, *item) for item in before.fixed(each)]
        findings += own
        data_sets.append(replace(each.data_set, measures=_counted(each.data_set.measures, own)))
    counts = Counter(finding.status for finding in findings)
    measures = _total([data_set.measures for data_set in data_sets])
    gate = GateResult(
        failed=measures.errors > 0,
        baseline=baseline,
        known=counts["known"],
        waived=counts["waived"],
        fixed=tuple(fixed),
        unused_waivers=tuple(each for each in unused if each not in used),
        expired_waivers=tuple(expired),
    )
    names = [data_set.name for data_set in data_sets]
    notes = tuple(dict.fromkeys(note for each, _ in examined for note in each.notes))
    return Findings(findings, measures, ", ".join(names), notes, tuple(data_sets), gate)


def _regressions(examined: Examined, before: Recorded, rules: Rules) -> list[Finding]:
    severity = rules.gate.severity.get("regression", USUAL["regression"])
    if severity == "off":
        return []
    level: Severity = severity
    now = Recorded.of(examined).measures
    file = examined.data_set.files[0]
    return [
        Finding(
            file,
            1,
            found.field,
            found.reason,
            level,
            found.message,
            found.evidence,
            fingerprint=fingerprint(found.reason, found.field, detail=found.detail),
        )
        for found in regressions.find(before.measures, now, rules.gate.tolerances)
    ]


def _counted(measures: Measures, findings: Sequence[Finding]) -> Measures:
    """The measures with the counts of new findings."""
    new = [finding for finding in findings if finding.status == "new"]
    severities = Counter(finding.severity for finding in new)
    return replace(
        measures,
        reasons=dict(Counter(finding.reason for finding in new)),
        errors=severities["error"],
        warnings=severities["warning"],
        notes=severities["note"],
    )


def _total(measures: Sequence[Measures]) -> Measures:
    """The measures of all data sets together: counts are added, shares are weighed by rows."""
    if len(measures) == 1:
        return measures[0]
    rows = sum(each.rows for each in measures)
    categories: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for each in measures:
        categories.update(each.categories)
        reasons.update(each.reasons)
    recipes = dict.fromkeys(each.recipe for each in measures)
    return Measures(
        rows=rows,
        fields=list(dict.fromkeys(name for each in measures for name in each.fields)),
        categories=dict(categories),
        uncategorised=sum(each.uncategorised for each in measures),
        reasons=dict(reasons),
        errors=sum(each.errors for each in measures),
        warnings=sum(each.warnings for each in measures),
        max_rouge_l={name: limit for each in measures for name, limit in each.max_rouge_l.items()},
        recipe=", ".join(recipes),
        notes=sum(each.notes for each in measures),
        duplicates=round(sum(each.duplicates * each.rows for each in measures) / rows, 4),
        near_duplicates=round(sum(each.near_duplicates * each.rows for each in measures) / rows, 4),
    )
