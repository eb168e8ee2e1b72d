"""The result of judging a run's replies again."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.analysis.rejudge import Rejudged
from selfinstruct.render.text import counted, format_number, printable


def rejudge_text(done: Rejudged, name: str) -> Text:
    """Return a line that says whether anything changed, and a table of the counts before and after."""
    text = Text(f"{printable(name)}: {counted(done.replies, 'recorded reply', 'recorded replies')} judged again: ")
    if done.identical:
        text.append("the same rows are accepted\n\n", "bold")
    else:
        text.append(
            f"{format_number(done.same)} of {format_number(done.before.accepted)} rows are accepted as before\n\n",
            "bold",
        )
    rows = [("accepted", done.before.accepted, done.after.accepted)]
    counts = (
        ("rejected", done.before.rejected, done.after.rejected),
        ("failed", done.before.failed, done.after.failed),
    )
    for kind, before, after in counts:
        rows += [(f"{kind}: {name}", before.get(name, 0), after.get(name, 0)) for name in sorted({*before, *after})]
    widest = max(len(what) for what, _, _ in rows)
    text.append(f"  {'':{widest}}  {'before':>9}  {'after':>9}\n", "dim")
    for what, was, now in rows:
        text.append(
            f"  {what:{widest}}  {format_number(was):>9}  {format_number(now):>9}\n", "" if was == now else "bold"
        )
    return text
