"""Findings as text: one per line, file:line first, then a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.findings import Findings
from selfinstruct.render.text import counted, format_number, pad, printable, shorten

_NAME_CELLS = 64
_LISTED = 24


def findings_text(found: Findings) -> Text:
    """Return every finding as ``file:line: severity reason: message``, which editors and terminals turn into links."""
    text = Text()
    for note in found.notes:
        text.append(f"{printable(found.file)}: ", "bold")
        text.append("note", "yellow")
        text.append(f": {printable(note)}\n")
    for finding in found.findings:
        text.append(f"{printable(finding.file)}:{finding.line}: ", "bold")
        text.append(finding.severity, "red" if finding.severity == "error" else "yellow")
        text.append(f" {finding.reason}", "bold")
        text.append(f": {printable(finding.message)}{_clash(finding.file, finding.evidence)}\n")
    return text


def verdict_text(found: Findings, file: str) -> Text:
    """Return the rows by category, and the numbers of errors and warnings."""
    measures = found.measures
    text = Text()
    categories = measures.categories
    if len(categories) > 1:
        shown = {name: shorten(printable(name), _NAME_CELLS) for name in list(categories)[:_LISTED]}
        widest = max(map(cell_len, shown.values()))
        column = max(len(format_number(count)) for count in categories.values())
        for name, label in shown.items():
            text.append(f"  {pad(label, widest)}  {format_number(categories[name]):>{column}}\n")
        if len(categories) > _LISTED:
            text.append(f"  and {format_number(len(categories) - _LISTED)} more\n", "dim")
        if measures.uncategorised:
            text.append(
                f"  {pad('no category', widest)}  {format_number(measures.uncategorised):>{column}}\n", "yellow"
            )
    rules = "inferred rules" if measures.recipe == "inferred" else f"recipe {printable(measures.recipe)}"
    text.append(f"{printable(file)}: {counted(measures.rows, 'row')}, {rules}: ")
    errors, warnings = measures.errors, measures.warnings
    if not errors and not warnings:
        return text.append("no findings\n", "bold green")
    counts = [counted(errors, "error")] if errors else []
    counts += [counted(warnings, "warning")] if warnings else []
    text.append(" and ".join(counts), "bold red" if errors else "bold yellow")
    reasons = ", ".join(f"{format_number(n)} {reason}" for reason, n in sorted(measures.reasons.items(), key=_by_count))
    return text.append(f" ({reasons})\n")


def _by_count(pair: tuple[str, int]) -> int:
    return -pair[1]


def _clash(file: str, evidence: Mapping[str, Any]) -> str:
    if "line" not in evidence:
        return ""
    there = (
        f"line {evidence['line']}" if evidence["file"] == file else f"{printable(evidence['file'])}:{evidence['line']}"
    )
    return f" ({there})"
