"""Chinese numerals below ten thousand, and the digits of other scripts.

Does not handle: larger Chinese numerals, or other ways of writing one (130 as 一三〇).

>>> write_chinese(130), read_chinese("一百三十")
('一百三十', 130)
>>> ascii_digits("٢٠١٩"), in_digits_of("2021", "٢٠١٩")
('2019', '٢٠٢١')
"""

from __future__ import annotations

import unicodedata

_ZH = "零一二三四五六七八九"


def write_chinese(value: int) -> str:
    """Return a whole number from 0 to 9999 in Chinese numerals: 130 is 一百三十."""
    if value < 10:
        return _ZH[value]
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            text += ("零" if zero else "") + _ZH[digit] + name
            zero = False
        elif text:
            zero = True
    return text.removeprefix("一") if text.startswith("一十") else text


def read_chinese(text: str) -> int | None:
    """Parse a number below ten thousand as ``write_chinese`` writes it; return None for any other text."""
    units = {"十": 10, "百": 100, "千": 1000}
    total, digit = 0, 0
    for character in text:
        if character in units:
            total += (digit or 1) * units[character]
            digit = 0
        elif character in _ZH:
            digit = _ZH.index(character)
        else:
            return None
    total += digit
    return total if write_chinese(total) == text else None


def ascii_digits(text: str) -> str:
    """Return ``text`` with the decimal digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def in_digits_of(text: str, like: str) -> str:
    """Return ``text`` with the digits 0 to 9 in the script of those of ``like``."""
    if like.isascii():
        return text
    zero = next((ord(c) - unicodedata.decimal(c) for c in like if c.isdecimal()), ord("0"))
    return "".join(chr(zero + ord(c) - ord("0")) if c in "0123456789" else c for c in text)
