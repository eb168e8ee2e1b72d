"""What a model knows, as text: questions with both answers, then the shares."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.analysis.knowledge import KNOWN_ROUGE_L, Knowledge
from selfinstruct.render.text import counted, format_number, printable, shorten

_LISTED = 20
_LEFT = 12
# From this share of known answers on, rows like the seeds teach little; up to the other one, they teach much.
_MUCH, _LITTLE = 0.8, 0.5


def probe_text(found: Knowledge, width: int | None) -> Text:
    """Return the result of a probe; ``width`` is that of the terminal in cells, None leaves lines uncut."""
    text = Text()
    room = None if width is None else max(width - _LEFT, 20)
    for each in found.answers[:_LISTED]:
        mark = "exact" if each.exact else f"ROUGE-L {each.rouge_l:.2f}{', known' if each.known else ''}"
        text.append(f"{shorten(printable(each.question), width)}\n", "bold")
        text.append(f"  expected  {shorten(printable(each.expected), room)}\n")
        text.append(f"  answered  {shorten(printable(each.answer), room)}\n", "green" if each.known else "yellow")
        text.append(f"            {mark}\n", "dim")
    if len(found.answers) > _LISTED:
        text.append(f"and {format_number(len(found.answers) - _LISTED)} more, all in the JSON output\n", "dim")
    return text.append(f"\n{_shares(found)}")


def _shares(found: Knowledge) -> str:
    asked = f"{format_number(len(found.answers))} of {counted(found.questions, 'question')} answered"
    failed = "".join(f"; {counted(count, 'call')} failed: {reason}" for reason, count in sorted(found.failed.items()))
    stopped = "; stopped by the budget" if found.stopped == "budget" else ""
    lines = [f"{printable(found.model)}, without context: {asked}{failed}{stopped}"]
    if found.known is not None and found.exact is not None and found.rouge_l is not None:
        count = sum(each.known for each in found.answers)
        lines.append(
            f"known: {count} of {len(found.answers)} ({found.known:.0%}); exact: {found.exact:.0%}; "
            f"mean ROUGE-L: {found.rouge_l:.2f} (known from {KNOWN_ROUGE_L} on)"
        )
        if found.known >= _MUCH:
            lines.append("The model knows most answers: rows like these would teach it little.")
        elif found.known <= _LITTLE:
            lines.append("The model lacks at least half of the answers: rows like these have something to teach.")
    return "".join(f"{line}\n" for line in lines)
