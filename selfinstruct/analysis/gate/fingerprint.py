"""Fingerprints: what identifies a finding wherever its row stands, and however its values are written in the file.

    reason, field, canonical values of the row (of both rows, in either order), detail -> twelve hexadecimal digits

The file and the line take no part, so a finding keeps its fingerprint when rows are moved. It gets another one when its
row changes.
"""

from __future__ import annotations

from selfinstruct.records import JSON
from selfinstruct.similarity.duplicates import value_digest

# 48 bits: among a million findings, two have the same fingerprint by chance with a probability of 1 in 600.
_BYTES = 6
_ROW_BYTES = 8


def digest(value: JSON) -> bytes:
    """The digest of a JSON value by its canonical texts; the order of keys does not matter."""
    return value_digest(value, _ROW_BYTES)


def fingerprint(reason: str, field: str, *contents: bytes, detail: str = "") -> str:
    """The fingerprint of a finding on rows with these digests, of which none comes first."""
    rows = sorted(each.hex() for each in contents)
    return value_digest([reason, field, *rows, detail], _BYTES).hex()
