"""Findings as a JUnit XML report, in the form that Jenkins (junit-10.xsd), GitLab and others read.

A data set is a test suite, and a finding a test case: an error fails, a warning or a note passes with its text as
output, and what a baseline or a waiver accepts is skipped. A data set without findings has one case that passes.
"""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

from selfinstruct.analysis.findings import DataSet, Finding, Findings
from selfinstruct.render.text import printable

_MOST = 5000


def junit_xml(found: Findings) -> str:
    """Return the report; of more than 5,000 findings of a data set, the rest is only counted."""
    root = ElementTree.Element("testsuites", name="selfinstruct check")
    totals: Counter[str] = Counter()
    for data_set in found.data_sets:
        files = set(data_set.files)
        suite, counts = _suite(data_set, [finding for finding in found.findings if finding.file in files])
        root.append(suite)
        totals.update(counts)
    for key in ("tests", "failures"):
        root.set(key, str(totals[key]))
    root.set("errors", "0")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(data_set: DataSet, findings: list[Finding]) -> tuple[ElementTree.Element, Counter[str]]:
    suite = ElementTree.Element("testsuite", name=printable(data_set.name))
    counts: Counter[str] = Counter()
    for finding in sorted(findings, key=_rank)[:_MOST]:
        suite.append(_case(finding, counts))
    if not findings:
        counts["tests"] += 1
        ElementTree.SubElement(suite, "testcase", classname=printable(data_set.name), name="rows have no findings")
    for key, value in (("tests", counts["tests"]), ("failures", counts["failures"]), ("errors", 0)):
        suite.set(key, str(value))
    suite.set("skipped", str(counts["skipped"]))
    if len(findings) > _MOST:
        output = ElementTree.SubElement(suite, "system-out")
        output.text = f"{len(findings) - _MOST:,} more findings are in the output of --format json"
    return suite, counts


def _rank(finding: Finding) -> tuple[bool, int]:
    return finding.status != "new", ("error", "warning", "note").index(finding.severity)


def _case(finding: Finding, counts: Counter[str]) -> ElementTree.Element:
    where = f"{printable(finding.file)}:{finding.line}"
    name = f"{finding.reason} {f'in {finding.field} ' if finding.field else ''}at line {finding.line}"
    case = ElementTree.Element(
        "testcase", classname=printable(finding.file), name=f"{printable(name)} [{finding.fingerprint}]"
    )
    message = printable(finding.message)
    text = f"{where}: {finding.severity} {finding.reason}: {message}"
    counts["tests"] += 1
    if finding.status != "new":
        counts["skipped"] += 1
        why = f"waived: {printable(str(finding.evidence.get('waived', '')))}" if finding.status == "waived" else "known"
        ElementTree.SubElement(case, "skipped", message=why)
    elif finding.severity == "error":
        counts["failures"] += 1
        ElementTree.SubElement(case, "failure", type=finding.reason, message=message).text = text
    else:
        ElementTree.SubElement(case, "system-out").text = text
    return case
