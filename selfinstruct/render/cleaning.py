"""What ``dedup`` did, in a line."""

from __future__ import annotations

from rich.text import Text

from selfinstruct.analysis.cleaning import Cleaning
from selfinstruct.render.text import counted, format_number, printable


def cleaning_text(done: Cleaning, name: str) -> Text:
    """How many rows were kept and dropped, and what was compared."""
    what = ", ".join(map(printable, done.fields)) or "lines of text"
    text = Text(f"{printable(name)}: ")
    text.append(f"{counted(done.rows, 'row')}, {format_number(done.kept)} kept", "bold")
    text.append(f", {format_number(done.dropped)} dropped: ROUGE-L above {done.max_rouge_l} in {what} ({done.format})")
    if done.not_utf8:
        text.append(
            f"\n  {counted(done.not_utf8, 'line')} not in UTF-8, compared only in what can be read of it.", "yellow"
        )
        text.append(" To convert a file: iconv -f GB18030 -t UTF-8", "yellow")
    return text
