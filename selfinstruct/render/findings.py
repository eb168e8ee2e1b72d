"""Findings as text: one per line, file:line first, then a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.findings import Finding, Findings, Measures
from selfinstruct.analysis.gate.reasons import REASONS
from selfinstruct.messages import Phrase, _, joined, translated
from selfinstruct.remote import is_remote, shown
from selfinstruct.render.summary import MEANINGS
from selfinstruct.render.text import counted, format_number, pad, printable, shorten

#: The meaning of each reason for a finding: of those that rejections have too, in the words of a file.
FINDING_MEANINGS: Mapping[str, str] = {
    **MEANINGS,
    "duplicate": "identical to another row",
    "near-duplicate": "too similar to another row",
    "label": "not a known category, or one label in two spellings",
    **{reason: meaning for reason, (usual, meaning) in REASONS.items()},
}
_NAME_CELLS = 64
_LISTED = 24
#: Findings that are printed one by one: more than a person reads.
_MOST_FINDINGS = 1000
_MOST_FIXED = 5
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def findings_text(found: Findings) -> Text:
    """Return every new finding as ``file:line: severity reason: message [fingerprint]``.

    Editors and terminals turn its beginning into a link.
    """
    text = Text()
    for note in found.notes:
        text.append(f"{printable(found.file)}: " if len(found.data_sets) < 2 else "", "bold")
        text.append(_("note"), "yellow")
        text.append(f"{_(': ')}{printable(translated(note))}\n")
    new = found.new
    for finding in new[:_MOST_FINDINGS]:
        text.append(_line(finding))
    if len(new) > _MOST_FINDINGS:
        left = counted(len(new) - _MOST_FINDINGS, "more finding")
        text.append(_("and {findings}; --format json lists them all", findings=left) + "\n", "dim")
    return text


def _line(finding: Finding) -> Text:
    severity = {"error": _("error"), "warning": _("warning"), "note": _("note")}[finding.severity]
    text = Text()
    text.append(f"{printable(finding.file)}:{finding.line}: ", "bold")
    text.append(severity, _COLOURS[finding.severity])
    text.append(f" {finding.reason}", "bold")
    message = printable(translated(finding.message))
    text.append(f"{_(': ')}{message}{_clash(finding.file, finding.evidence)}")
    return text.append(f" [{finding.fingerprint}]\n", "dim")


def verdict_text(found: Findings, file: str) -> Text:
    """Return the rows by category and the numbers of findings, then what the baseline and the waivers did.

    Of several data sets, each has a line.
    """
    text = Text()
    if len(found.data_sets) < 2:
        text.append(_categories(found.measures))
        text.append(_counts(file, found.measures))
    else:
        for data_set in found.data_sets:
            text.append(_counts(data_set.name, data_set.measures))
    return text.append(_accepted(found))


def baseline_text(found: Findings, path: str) -> Text:
    """Return the line that says what was written as the baseline."""
    sets, findings = counted(len(found.data_sets), "data set"), counted(found.gate.known, "finding")
    line = _("{path}: wrote the baseline: {sets}, {findings}", path=printable(path), sets=sets, findings=findings)
    return Text(f"{line}\n")


def _categories(measures: Measures) -> Text:
    text = Text()
    categories = measures.categories
    if len(categories) < 2:
        return text
    shown = {name: shorten(printable(name), _NAME_CELLS) for name in list(categories)[:_LISTED]}
    widest = max(map(cell_len, shown.values()))
    column = max(len(format_number(count)) for count in categories.values())
    for name, label in shown.items():
        text.append(f"  {pad(label, widest)}  {format_number(categories[name]):>{column}}\n")
    if len(categories) > _LISTED:
        text.append(f"  {_('and {count:,} more', count=len(categories) - _LISTED)}\n", "dim")
    if measures.uncategorised:
        text.append(f"  {pad(_('no category'), widest)}  {format_number(measures.uncategorised):>{column}}\n", "yellow")
    return text


def _counts(file: str, measures: Measures) -> Text:
    text = Text()
    inferred = measures.recipe == "inferred"
    rules = Phrase("inferred rules") if inferred else Phrase("recipe {name}", name=printable(measures.recipe))
    name = shown(file) if is_remote(file) else file
    text.append(_("{file}: {rows}, {rules}: ", file=printable(name), rows=counted(measures.rows, "row"), rules=rules))
    counts = [counted(measures.errors, "error")] if measures.errors else []
    counts += [counted(measures.warnings, "warning")] if measures.warnings else []
    counts += [counted(measures.notes, "note")] if measures.notes else []
    if not counts:
        return text.append(f"{_('no findings')}\n", "bold green")
    style = "bold red" if measures.errors else "bold yellow" if measures.warnings else "bold cyan"
    text.append(translated(joined([joined(counts[:-1]), counts[-1]] if counts[1:] else counts, " and ")), style)
    reasons = joined(f"{format_number(n)} {reason}" for reason, n in sorted(measures.reasons.items(), key=_by_count))
    return text.append(_(" ({reasons})", reasons=reasons) + "\n")


def _accepted(found: Findings) -> Text:
    """What the baseline knows, what is fixed, and what the waivers accept, one line each."""
    gate, text = found.gate, Text()
    if gate.known:
        known = counted(gate.known, "known finding")
        text.append(_("  {findings} in {baseline}", findings=known, baseline=printable(gate.baseline)) + "\n", "dim")
    if gate.waived:
        text.append(_("  {findings} waived", findings=counted(gate.waived, "finding")) + "\n", "dim")
    if gate.fixed:
        fixed = counted(sum(each.count for each in gate.fixed), "known finding")
        text.append(_("  {findings} fixed: keep it so with --update-baseline", findings=fixed) + "\n", "green")
        for each in gate.fixed[:_MOST_FIXED]:
            text.append(f"    {printable(each.file)}: {each.reason}: {printable(each.message)}\n", "dim")
    if gate.unused_waivers:
        waivers, listed = counted(len(gate.unused_waivers), "waiver"), ", ".join(gate.unused_waivers)
        text.append(_("  {waivers} that no finding needs: {listed}", waivers=waivers, listed=listed) + "\n", "yellow")
    if gate.expired_waivers:
        waivers, listed = counted(len(gate.expired_waivers), "waiver"), ", ".join(gate.expired_waivers)
        text.append(_("  {waivers} expired: {listed}", waivers=waivers, listed=listed) + "\n", "yellow")
    return text


def _by_count(pair: tuple[str, int]) -> int:
    return -pair[1]


def _clash(file: str, evidence: Mapping[str, Any]) -> str:
    if "line" not in evidence:
        return ""
    if evidence["file"] == file:
        return _(" (line {line})", line=evidence["line"])
    return _(" ({place})", place=f"{printable(evidence['file'])}:{evidence['line']}")
