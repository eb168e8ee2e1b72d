"""What ``dedup`` did, in a line."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.cleaning import Cleaning
from selfinstruct.render.text import counted, number, printable


def cleaning_text(done: Cleaning, name: str) -> Text:
    """How many rows were kept and dropped, and what was compared."""
    what = ", ".join(map(printable, done.fields)) or "lines of text"
    text = Text(f"{printable(name)}: ")
    text.append(f"{counted(done.rows, 'row')}, {number(done.kept)} kept", "bold")
    return text.append(f", {number(done.dropped)} dropped: ROUGE-L above {done.max_rouge_l} in {what} ({done.format})")
