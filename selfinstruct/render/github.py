"""Findings as workflow commands of GitHub Actions, which become annotations on the lines of a pull request.

    ::error file=seeds.jsonl,line=3,title=ungrounded in Answer::Answer "gone" does not occur in RawLog [3f0c9a417be2]

A value can neither end its command nor begin another: the characters that commands are made of are escaped as the
runner unescapes them (``%25``, ``%0D``, ``%0A``; in properties also ``%3A`` and ``%2C``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from selfinstruct.analysis.findings import Finding, Findings
from selfinstruct.render.text import printable, seen_from

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
#: Annotations of each level in a step; the page of a run shows ten of each, and the rest only in the log.
_MOST = 50


def github_text(found: Findings, base: Path) -> str:
    """Return a command for each new finding, errors first, and a last one that counts those that are left out.

    Files in ``base``, the folder of the repository, are named as seen from there.
    """
    return "".join(f"{line}\n" for line in _commands(found, base))


def _commands(found: Findings, base: Path) -> Iterator[str]:
    shown: Counter[str] = Counter()
    ranked = sorted(found.new, key=lambda finding: list(_COMMANDS).index(finding.severity))
    for finding in ranked:
        shown[finding.severity] += 1
        if shown[finding.severity] <= _MOST:
            yield _command(finding, base)
    for note in found.notes:
        yield f"::notice title=selfinstruct check::{_data(note)}"
    left = sum(max(count - _MOST, 0) for count in shown.values())
    if left:
        yield f"::notice title=selfinstruct check::{left:,} more findings are in the output of --format json"


def _command(finding: Finding, base: Path) -> str:
    title = finding.reason + (f" in {finding.field}" if finding.field else "")
    properties = {"file": seen_from(finding.file, base), "line": str(finding.line), "title": title}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = finding.message + (f" ({place})" if (place := _other_place(finding)) else "")
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(message)} [{finding.fingerprint}]"


def _other_place(finding: Finding) -> str:
    evidence = finding.evidence
    return f"{evidence['file']}:{evidence['line']}" if "line" in evidence and "file" in evidence else ""


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
