"""Findings as text: one per line, file:line first, then a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.findings import Findings
from selfinstruct.messages import Phrase, _, joined, translated
from selfinstruct.render.text import counted, format_number, pad, printable, shorten

_NAME_CELLS = 64
_LISTED = 24


def findings_text(found: Findings) -> Text:
    """Return every finding as ``file:line: severity reason: message``, which editors and terminals turn into links."""
    text = Text()
    for note in found.notes:
        text.append(f"{printable(found.file)}: ", "bold")
        text.append(_("note"), "yellow")
        text.append(f"{_(': ')}{printable(translated(note))}\n")
    for finding in found.findings:
        text.append(f"{printable(finding.file)}:{finding.line}: ", "bold")
        is_error = finding.severity == "error"
        text.append(_("error") if is_error else _("warning"), "red" if is_error else "yellow")
        text.append(f" {finding.reason}", "bold")
        message = printable(translated(finding.message))
        text.append(f"{_(': ')}{message}{_clash(finding.file, finding.evidence)}\n")
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
            text.append(f"  {_('and {count:,} more', count=len(categories) - _LISTED)}\n", "dim")
        if measures.uncategorised:
            text.append(
                f"  {pad(_('no category'), widest)}  {format_number(measures.uncategorised):>{column}}\n", "yellow"
            )
    inferred = measures.recipe == "inferred"
    rules = Phrase("inferred rules") if inferred else Phrase("recipe {name}", name=printable(measures.recipe))
    text.append(_("{file}: {rows}, {rules}: ", file=printable(file), rows=counted(measures.rows, "row"), rules=rules))
    errors, warnings = measures.errors, measures.warnings
    if not errors and not warnings:
        return text.append(f"{_('no findings')}\n", "bold green")
    counts = [counted(errors, "error")] if errors else []
    counts += [counted(warnings, "warning")] if warnings else []
    text.append(translated(joined(counts, " and ")), "bold red" if errors else "bold yellow")
    reasons = joined(f"{format_number(n)} {reason}" for reason, n in sorted(measures.reasons.items(), key=_by_count))
    return text.append(_(" ({reasons})", reasons=reasons) + "\n")


def _by_count(pair: tuple[str, int]) -> int:
    return -pair[1]


def _clash(file: str, evidence: Mapping[str, Any]) -> str:
    if "line" not in evidence:
        return ""
    if evidence["file"] == file:
        return _(" (line {line})", line=evidence["line"])
    return _(" ({place})", place=f"{printable(evidence['file'])}:{evidence['line']}")
