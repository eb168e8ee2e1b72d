"""Rows of text with slots: what a row says must agree between its fields.

A form is a text with slots in braces for each field. The name of a slot up to its first digit is its kind (``SLOTS``);
the same slot in two places must contain the same text. A row is true if one form of its file matches all its fields.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.truth import values

Row = dict[str, Any]
Check = Callable[[Row], str | None]
_LETTERS = r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u064b-\u0652'’-])*"
_MONTHS: list[str] = [name[:3] for name in values.MONTHS]
#: Slot -> the pattern of its text, and what else must be true of it.
SLOTS: dict[str, tuple[str, Callable[[str], bool] | None]] = {
    "int": (r"0|[1-9]\d*", None),
    "count": (r"[1-9]\d*", lambda text: int(text) < 100_000),
    "small": (r"\d+", lambda text: int(text) <= 60),
    "num": (r"\d+(?:\.\d+)?", None),
    "comma": (r"\d+,\d+", None),
    "percent": (r"\d+\.\d", lambda text: float(text) <= 100),
    "id": (r"(?=\S*\d)[\w-]+", None),
    "word": (r"[\w-]+", None),
    "name": (rf"{_LETTERS}(?: {_LETTERS})*", None),
    "one": (_LETTERS, None),
    "age": (r"\d{1,3}", lambda text: 0 < int(text) <= 115),
    "year": (r"1[0-9]{3}|20[0-4]\d", None),
    "ip": (r"\d+(?:\.\d+){3}", values.is_address),
    "port": (r"\d+", lambda text: 0 < int(text) < 65_536),
    "status": (r"[1-5]\d\d", None),
    "method": ("GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS", None),
    "path": (r"/[\w./-]*", None),
    "iso": (r"\d{4}-\d\d-\d\d", values.is_iso_date),
    "clock": (r"\d\d:\d\d(?::\d\d)?", values.is_clock),
    "millis": (r"\d\d:\d\d:\d\d\.\d{3}", lambda text: values.is_clock(text[:8])),
    "md": (r"\d\d-\d\d", lambda text: values.is_date(2024, *text.split("-"))),
    "clf": (
        r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000",
        lambda text: (
            text[3:6] in _MONTHS
            and values.is_date(text[7:11], _MONTHS.index(text[3:6]) + 1, text[:2])
            and values.is_clock(text[12:20])
        ),
    ),
    "german": (r"\d\d\.\d\d\.\d{4}", lambda text: values.is_date(*reversed(text.split(".")))),
    "heure": (r"\d\dh\d\d", lambda text: values.is_clock(text.replace("h", ":"))),
    "month": ("[1-9]|1[0-2]", None),
    "day": (r"[1-9]|[12]\d|3[01]", None),
    "package": (r"[a-z]+(?:\.[a-z0-9]+)+", None),
    "agent": (r"[\w./ -]+", None),
    "table": (r"[a-z_]\w*", None),
    "text": (r".+?", None),
}


@dataclass(frozen=True)
class Form:
    """One kind of row: a text with slots for each field, by name or dotted path."""

    fields: dict[str, str]

    def slots(self, row: Row) -> dict[str, str] | None:
        """Return what the slots hold, or None where the row does not match."""
        held: dict[str, str] = {}
        for path, text in self.fields.items():
            value = value_at(row, path)
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                return None
            match = _compiled(text).fullmatch(_plain(str(value)))
            if match is None:
                return None
            for slot, found in match.groupdict().items():
                valid = SLOTS[slot.rstrip("0123456789")][1]
                if held.setdefault(slot, found) != found or (valid is not None and not valid(found)):
                    return None
        return held

    def mismatch(self, row: Row) -> tuple[int, str]:
        """Return how many fields do not match by themselves, and what does not match first."""
        held: dict[str, str] = {}
        strange, disagreeing = [], ""
        for path, text in self.fields.items():
            match = _compiled(text).fullmatch(_plain(str(value_at(row, path))))
            if match is None:
                strange.append(path)
                continue
            for slot, found in match.groupdict().items():
                valid = SLOTS[slot.rstrip("0123456789")][1]
                if valid is not None and not valid(found):
                    disagreeing = disagreeing or f"{path}: {found} is not valid"
                if held.setdefault(slot, found) != found:
                    disagreeing = disagreeing or f"{path} has {found}, another field {held[slot]}"
        return len(strange), f"{', '.join(strange)}: not of this form" if strange else disagreeing


def value_at(row: Any, path: str) -> Any:
    """Return the value at a path such as ``places.0``, or None."""
    for part in path.split("."):
        if isinstance(row, dict):
            row = row.get(part)
        elif isinstance(row, list) and part.isdecimal() and int(part) < len(row):
            row = row[int(part)]
        else:
            return None
    return row


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@cache
def _compiled(text: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for part in re.split(r"(\{\w+\})", _plain(text)):
        if not part.startswith("{"):
            parts.append(re.escape(part))
        elif (slot := part[1:-1]) in seen:
            parts.append(f"(?P={slot})")
        else:
            seen.add(slot)
            parts.append(f"(?P<{slot}>{SLOTS[slot.rstrip('0123456789')][0]})")
    return re.compile("".join(parts))


def forms(fields: Sequence[str], *rows: Sequence[str]) -> tuple[Form, ...]:
    """Return one form for each of ``rows``, which give the texts of ``fields`` in order."""
    return tuple(Form(dict(zip(fields, row, strict=True))) for row in rows)


def one_of(kinds: Sequence[Form], extra: Callable[[Row, dict[str, str]], str | None] | None = None) -> Check:
    """Return a check that a row matches one of ``kinds``, and passes ``extra`` with the slots of that form."""

    def check(row: Row) -> str | None:
        for form in kinds:
            held = form.slots(row)
            if held is not None:
                return extra(row, held) if extra else None
        return min((form.mismatch(row) for form in kinds), key=lambda found: found[0])[1]

    return check
