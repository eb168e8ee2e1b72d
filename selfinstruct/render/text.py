r"""Text from outside, made safe to print on one line of a terminal; numbers, durations and amounts as text.

Does not handle: HTML (``html``), or styles.

>>> printable("Mar 14\x1b[31m\tred")
'Mar 14\\x1b[31m\\tred'
>>> shorten("乾卦的卦辞是什么？", 10)
'乾卦的卦…'
"""

from __future__ import annotations

import math
import re
import unicodedata
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from selfinstruct.messages import Phrase

# Controls, formats (bidirectional overrides, zero-width marks), surrogates, private and unassigned code points, and
# separators of lines and paragraphs: characters without a glyph.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SUSPECT = re.compile(r"[^\x20-\x7e]")
#: A range is narrow if its most is at most this many times its least.
_NARROW = 1.2
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    """Return ``text`` on one line, with every character that has no glyph written as its escape."""
    return _SUSPECT.sub(_escaped, text)


def shorten(text: str, cells: int | None) -> str:
    """Return ``text`` cut to this many terminal cells, the last one an ellipsis; None does not cut."""
    if cells is None or cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(cells - 1, 0)).rstrip() + "…" if cells > 0 else ""


def pad(text: str, cells: int) -> str:
    """Return ``text`` padded with spaces to this many terminal cells; a wide character takes two."""
    return text + " " * (cells - cell_len(text))


def pad_left(text: str, cells: int) -> str:
    """Return ``text`` with spaces before it, as `pad`."""
    return " " * (cells - cell_len(text)) + text


def seen_from(file: str, folder: Path) -> str:
    """Return the name of a file as seen from a folder that contains it, with slashes; other names stay as they are."""
    from selfinstruct.remote import is_remote

    if is_remote(file):
        return file
    path = Path(file)
    return (path.relative_to(folder) if path.is_absolute() and path.is_relative_to(folder) else path).as_posix()


def format_number(value: int) -> str:
    """Return a count with separated thousands: 1,000."""
    return f"{value:,}"


def span(limits: tuple[int, int | None]) -> Phrase:
    """Return a range of counts with two significant digits: 14,000 to 120,000, or about 14,000 if it is narrow.

    >>> span((14_400, 119_700)), span((9_800, 10_400)), span((10_400, None))
    ('14,000 to 120,000', 'about 10,000', 'at least 10,000')
    """
    least, most = limits
    if most is None:
        return Phrase("at least {least:,}", least=two_digits(least))
    if most <= _NARROW * least:
        return Phrase("about {usual:,}", usual=two_digits((least + most) // 2))
    return Phrase("{least:,} to {most:,}", least=two_digits(least), most=two_digits(most))


def two_digits(value: int) -> int:
    """Return a count with two significant digits."""
    return round(value, 2 - len(str(abs(value))))


def counted(value: int, noun: str, plural: str = "") -> Phrase:
    """Return a count and its noun: 1 row, 1,000 rows."""
    return Phrase.counting(f"{{count:,}} {noun}", f"{{count:,}} {plural or noun + 's'}", value)


def format_duration(seconds: float) -> Phrase:
    """Return a duration as text: 0.9 s, 42 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 9.95:
        return Phrase("{seconds:.1f} s", seconds=seconds)
    whole = round(seconds)
    if whole < 60:
        return Phrase("{seconds} s", seconds=whole)
    if whole < 3600:
        return Phrase("{minutes} min {seconds:02} s", minutes=whole // 60, seconds=whole % 60)
    return Phrase("{hours} h {minutes:02} min", hours=whole // 3600, minutes=whole % 3600 // 60)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_size(size: int) -> str:
    """A number of bytes, in decimal units: 850 B, 2.5 MB, 31 GB."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"


def format_money(amount: float) -> str:
    """Return an amount in the currency of the prices: two decimals, or as many as show three digits of it."""
    if not amount:
        return "0"
    decimals = max(2, 2 - math.floor(math.log10(abs(amount))))
    return f"{amount:,.{min(decimals, 12)}f}"
