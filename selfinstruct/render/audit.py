"""An audit as text: each claim with what was proved of it, and what contradicts it."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.audit import Audit, Claim
from selfinstruct.messages import Phrase, _, joined, translated
from selfinstruct.render.text import counted, format_number, pad, printable

_COUNTED: dict[str, Callable[[int], Phrase]] = {
    "candidate": lambda n: counted(n, "candidate"),
    "category": lambda n: counted(n, "category", "categories"),
    "decision": lambda n: counted(n, "decision"),
    "figure": lambda n: counted(n, "figure"),
    "file": lambda n: counted(n, "file"),
    "pair": lambda n: counted(n, "pair"),
    "record": lambda n: counted(n, "record"),
    "row": lambda n: counted(n, "row"),
    "seed": lambda n: counted(n, "seed"),
}


def audit_text(audit: Audit, name: str) -> Text:
    """Return the claims about the run called ``name``, and the verdict."""
    rows, seeds = counted(audit.rows, "row"), counted(audit.seeds, "seed")
    text = Text(_("{name}: {rows} from {seeds}", name=printable(name), rows=rows, seeds=seeds) + "\n\n", "bold")
    widest = max(cell_len(claim.name) for claim in audit.claims)
    below = " " * (widest + 6)
    for claim in audit.claims:
        mark, style = ("✗", "red") if not claim.holds else ("✓", "green") if claim.checked else ("?", "yellow")
        text.append(f"  {mark} ", style)
        text.append(pad(claim.name, widest), "bold")
        text.append(f"  {translated(claim.statement)}\n")
        text.append(f"{below}{translated(_proved(claim))}\n", "dim")
        for problem in claim.problems:
            text.append(f"{below}{printable(translated(problem))}\n", "red")
        if claim.broken > len(claim.problems):
            others = _("and {count} more", count=format_number(claim.broken - len(claim.problems)))
            text.append(f"{below}{others}\n", "red")
    text.append("\n")
    broken = [claim.name for claim in audit.claims if not claim.holds]
    if not broken:
        return text.append(_("All {count} claims hold.", count=len(audit.claims)) + "\n", "bold green")
    verdict = _(
        "{count} of {total} claims do not hold: {names}",
        count=len(broken),
        total=len(audit.claims),
        names=", ".join(broken),
    )
    return text.append(f"{verdict}\n", "bold red")


def _proved(claim: Claim) -> Phrase:
    """How much of a claim was looked at, and what was measured."""
    looked = _COUNTED[claim.unit](claim.total)
    if claim.checked != claim.total:
        looked = Phrase("{checked:,} of {total}", checked=claim.checked, total=looked)
    return joined([part for part in (looked if claim.total else "", claim.detail, claim.unproved) if part], "; ")
