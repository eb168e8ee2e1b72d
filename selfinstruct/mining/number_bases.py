"""Leaves that are the number of another leaf in base 2, 8 or 16: 13, 1101, 0xd.

Does not handle: negative numbers and fractions; numbers inside texts.

>>> rows = [{("n",): "13", ("b",): "1101"}, {("n",): "42", ("b",): "101010"}, {("n",): "7", ("b",): "111"}]
>>> based_leaves(rows)
{('b',): (('n',), 2, '1101')}
>>> in_base(9, 2, "0b01101"), in_base(29, 16, "2A")
('0b01001', '1D')
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfinstruct.rows.leaves import Path

_PREFIXED = re.compile(r"(0[xob])?([0-9a-f]{1,16})", re.IGNORECASE)
_BASES = {2: "01", 8: "01234567", 16: "0123456789abcdef"}
_LEAST_ROWS = 3
_MOST_LEAVES = 40


def based_leaves(texts: Sequence[Mapping[Path, str]]) -> dict[Path, tuple[Path, int, str]]:
    """The leaves that are another leaf's number in another base in every row; the base, and how it is written."""
    if len(texts) < _LEAST_ROWS:
        return {}
    shared = [path for path in texts[0] if all(path in each for each in texts)][:_MOST_LEAVES]
    columns = {path: [each[path] for each in texts] for path in shared}
    short = {path: column for path, column in columns.items() if all(map(_PREFIXED.fullmatch, column))}
    decimal = {path: column for path, column in short.items() if all(map(str.isdecimal, column))}
    found: dict[Path, tuple[Path, int, str]] = {}
    for path, column in short.items():
        for other, numbers in decimal.items():
            if other == path or len(set(numbers)) < _LEAST_ROWS or column == numbers or other in found:
                continue
            base = next((base for base in _BASES if _is_in_base(column, numbers, base)), None)
            if base is not None:
                found[path] = other, base, max(column, key=_is_telling)
                break
    return found


def _is_in_base(column: Sequence[str], numbers: Sequence[str], base: int) -> bool:
    return all(in_base(int(number), base, text) == text for number, text in zip(numbers, column, strict=True))


def _is_telling(text: str) -> tuple[bool, bool]:
    """Whether a text shows that numbers are padded with zeros, and the case of its digits."""
    match = _PREFIXED.fullmatch(text)
    own = match[2] if match is not None else text
    return own[0] == "0" and len(own) > 1, own != own.lower()


def in_base(number: int, base: int, like: str) -> str:
    """Return a number in a base, with the prefix, the case and the zeros before it that ``like`` has."""
    match = _PREFIXED.fullmatch(like)
    prefix, own = (match[1] or "", match[2]) if match is not None else ("", like)
    digits, rest = "", number
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = _BASES[base][digit] + digits
    digits = digits.upper() if own != own.lower() else digits
    return prefix + digits.zfill(len(own) if own[0] == "0" else 1)
