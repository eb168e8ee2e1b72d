"""The result of ``dedup`` in one line."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.analysis.cleaning import Cleaning
from selfinstruct.messages import Phrase, _, joined, translated
from selfinstruct.render.text import counted, printable


def cleaning_text(done: Cleaning, name: str) -> Text:
    """Return how many rows were kept and dropped, and which fields were compared."""
    compared = joined(map(printable, done.fields)) or Phrase("lines of text")
    text = Text(f"{printable(name)}{_(': ')}")
    text.append(_("kept {kept:,} of {rows}", kept=done.kept, rows=counted(done.rows, "row")), "bold")
    dropped = _(
        ", dropped {dropped:,} with ROUGE-L above {threshold} over {fields} ({format})",
        dropped=done.dropped,
        threshold=done.max_rouge_l,
        fields=compared,
        format=done.format,
    )
    text.append(dropped)
    if done.unique:
        same = Phrase.counting(
            "{names} tells nothing about whether rows are alike, and is not compared.",
            "{names} tell nothing about whether rows are alike, and are not compared.",
            len(done.unique),
            names=joined(map(printable, done.unique)),
        )
        text.append(f"\n  {translated(same)}", "dim")
    if done.not_utf8:
        unread = Phrase.counting(
            "{count:,} line is not UTF-8; only the readable part was compared. Name the encoding of the "
            "file: {option}, for example.",
            "{count:,} lines are not UTF-8; only the readable part was compared. Name the encoding of the "
            "file: {option}, for example.",
            done.not_utf8,
            option="--encoding gb18030",
        )
        text.append(f"\n  {translated(unread)}", "yellow")
    for note in done.notes:
        text.append(f"\n  {_('note')} ", "yellow")
        text.append(printable(translated(note)))
    return text
