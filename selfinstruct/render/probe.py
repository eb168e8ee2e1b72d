"""What a model knows, as text: questions with both answers, then the shares."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.analysis.knowledge import KNOWN_ROUGE_L, Knowledge
from selfinstruct.messages import Phrase, _, joined
from selfinstruct.render.text import counted, pad, printable, shorten

_LISTED = 20
_LEFT = 12
# From this share of known answers on, rows like the seeds teach little; up to the other one, they teach much.
_MUCH, _LITTLE = 0.8, 0.5


def probe_text(found: Knowledge, width: int | None) -> Text:
    """Return the result of a probe; ``width`` is that of the terminal in cells, None leaves lines uncut."""
    text = Text()
    room = None if width is None else max(width - _LEFT, 20)
    for each in found.answers[:_LISTED]:
        score = f"ROUGE-L {each.rouge_l:.2f}"
        mark = _("exact") if each.exact else _("{score}, known", score=score) if each.known else score
        text.append(f"{shorten(printable(each.question), width)}\n", "bold")
        text.append(f"  {pad(_('expected'), 8)}  {shorten(printable(each.expected), room)}\n")
        answered = f"  {pad(_('answered'), 8)}  {shorten(printable(each.answer), room)}\n"
        text.append(answered, "green" if each.known else "yellow")
        text.append(f"            {mark}\n", "dim")
    if len(found.answers) > _LISTED:
        left = _("and {count:,} more, all in the JSON output", count=len(found.answers) - _LISTED)
        text.append(f"{left}\n", "dim")
    return text.append(f"\n{_shares(found)}")


def _shares(found: Knowledge) -> str:
    questions = counted(found.questions, "question")
    said = [Phrase("{answered:,} of {questions} answered", answered=len(found.answers), questions=questions)]
    for reason, count in sorted(found.failed.items()):
        said.append(Phrase("{calls} failed: {reason}", calls=counted(count, "call"), reason=reason))
    if found.stopped == "budget":
        said.append(Phrase("stopped by the budget"))
    lines = [_("{model}, without context: {result}", model=printable(found.model), result=joined(said, "; "))]
    if found.known is not None and found.exact is not None and found.rouge_l is not None:
        count = sum(each.known for each in found.answers)
        shares = _(
            "known: {count} of {answers} ({share:.0%}); exact: {exact:.0%}; mean ROUGE-L: {rouge_l:.2f} (known from "
            "{least} on)",
            count=count,
            answers=len(found.answers),
            share=found.known,
            exact=found.exact,
            rouge_l=found.rouge_l,
            least=KNOWN_ROUGE_L,
        )
        lines.append(shares)
        if found.known >= _MUCH:
            lines.append(_("The model knows most answers: rows like these would teach it little."))
        elif found.known <= _LITTLE:
            lines.append(_("The model lacks at least half of the answers: rows like these have something to teach."))
    return "".join(f"{line}\n" for line in lines)
