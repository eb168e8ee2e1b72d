"""The result of ``dedup`` in one line."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.analysis.cleaning import Cleaning
from selfinstruct.render.text import counted, format_number, printable


def cleaning_text(done: Cleaning, name: str) -> Text:
    """Return how many rows were kept and dropped, and which fields were compared."""
    compared = ", ".join(map(printable, done.fields)) or "lines of text"
    text = Text(f"{printable(name)}: ")
    text.append(f"kept {format_number(done.kept)} of {counted(done.rows, 'row')}", "bold")
    text.append(
        f", dropped {format_number(done.dropped)} with ROUGE-L above {done.max_rouge_l} over {compared} ({done.format})"
    )
    if done.unique:
        names = ", ".join(map(printable, done.unique))
        verb = "is" if len(done.unique) == 1 else "are"
        text.append(f"\n  {names} {verb} different in every row, and not compared.", "dim")
    if done.not_utf8:
        text.append(
            f"\n  {counted(done.not_utf8, 'line is', 'lines are')} not UTF-8; only the readable part was compared.",
            "yellow",
        )
        text.append(" Name the encoding of the file: --encoding gb18030, for example.", "yellow")
    for note in done.notes:
        text.append("\n  note ", "yellow")
        text.append(printable(note))
    return text
