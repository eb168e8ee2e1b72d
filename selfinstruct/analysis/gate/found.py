"""What a kind of finding sees, before it has a place in a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """One problem of a row, or of a data set as a whole.

    ``field`` is "" for the row as a whole. ``detail`` distinguishes problems of one reason in one field of one row.
    ``hidden`` is the part of the row that no output may contain, and ``shown`` what it is replaced by.
    """

    reason: str
    field: str
    message: str
    evidence: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    detail: str = ""
    hidden: str = ""
    shown: str = ""
    severity: str = ""
