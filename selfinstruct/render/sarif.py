"""Findings as SARIF 2.1.0 (OASIS Standard, 2020), which code scanning reads and shows on the lines of a pull request.

Every reason is a rule. A fingerprint is a partial fingerprint, a baseline sets the baseline state, and a waiver is a
suppression with its justification, so that what was accepted is not shown as new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from selfinstruct._version import __version__
from selfinstruct.analysis.findings import Finding, Findings
from selfinstruct.remote import is_remote
from selfinstruct.render.text import printable, seen_from

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: Code scanning keeps the first 5,000 results of a run.
_MOST = 5000


def sarif_json(found: Findings, meanings: Mapping[str, str], base: Path) -> str:
    """Return the log as JSON; ``meanings`` are those of the reasons.

    Files in ``base``, the folder of the repository, are named as seen from there.
    """
    ranked = sorted(found.findings, key=_rank)
    reasons = sorted({finding.reason for finding in ranked})
    rules = [
        {"id": reason, "name": _pascal(reason), "shortDescription": {"text": meanings.get(reason, reason)}}
        for reason in reasons
    ]
    results = [
        _result(finding, base, reasons.index(finding.reason), has_baseline=bool(found.gate.baseline))
        for finding in ranked[:_MOST]
    ]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "selfinstruct", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    if len(ranked) > _MOST:
        run["properties"] = {"findings": len(ranked)}
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=True, indent=2) + "\n"


def _rank(finding: Finding) -> tuple[bool, int]:
    return finding.status != "new", ("error", "warning", "note").index(finding.severity)


def _result(finding: Finding, base: Path, rule: int, *, has_baseline: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.reason,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": printable(finding.message)},
        "locations": [_location(finding.file, finding.line, base)],
        "partialFingerprints": {"selfinstruct/v1": finding.fingerprint},
        "properties": {"row": finding.row, "field": printable(finding.field)},
    }
    evidence = finding.evidence
    if "file" in evidence and "line" in evidence:
        near = _location(evidence["file"], evidence["line"], base)
        result["relatedLocations"] = [{**near, "id": 1, "message": {"text": "the row that it conflicts with"}}]
    if "score" in evidence:
        result["properties"]["score"] = evidence["score"]
    if has_baseline:
        result["baselineState"] = "unchanged" if finding.status == "known" else "new"
    if finding.status == "waived":
        result["suppressions"] = [{"kind": "external", "justification": printable(evidence["waived"])}]
    return result


def _location(file: str, line: int, base: Path) -> dict[str, Any]:
    path = seen_from(file, base)
    safe = ":/%" if is_remote(file) else "/"
    uri = Path(path).as_uri() if Path(path).is_absolute() else quote(path, safe, errors="surrogatepass")
    artifact = {"uri": uri}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": max(line, 1)}}}


def _pascal(reason: str) -> str:
    return "".join(part.capitalize() for part in reason.split("-"))
