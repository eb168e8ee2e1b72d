"""The result of judging a run's replies again."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.rejudge import Rejudged
from selfinstruct.messages import _
from selfinstruct.render.text import counted, format_number, pad, pad_left, printable


def rejudge_text(done: Rejudged, name: str) -> Text:
    """Return a line that says whether anything changed, and a table of the counts before and after."""
    replies = counted(done.replies, "recorded reply", "recorded replies")
    text = Text(_("{run}: {replies} judged again: ", run=printable(name), replies=replies))
    if done.identical:
        said = _("the same rows are accepted")
    else:
        said = _("{same:,} of {before:,} rows are accepted as before", same=done.same, before=done.before.accepted)
    text.append(f"{said}\n\n", "bold")
    rows = [(_("accepted"), done.before.accepted, done.after.accepted)]
    counts = (
        (_("rejected"), done.before.rejected, done.after.rejected),
        (_("failed"), done.before.failed, done.after.failed),
    )
    for kind, before, after in counts:
        reasons = sorted({*before, *after})
        rows += [(f"{kind}{_(': ')}{reason}", before.get(reason, 0), after.get(reason, 0)) for reason in reasons]
    widest = max(cell_len(what) for what, _before, _after in rows)
    text.append(f"  {'':{widest}}  {pad_left(_('before'), 9)}  {pad_left(_('after'), 9)}\n", "dim")
    for what, was, now in rows:
        line = f"  {pad(what, widest)}  {format_number(was):>9}  {format_number(now):>9}\n"
        text.append(line, "" if was == now else "bold")
    return text
