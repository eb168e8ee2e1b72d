"""Values of Python, NumPy and pandas as JSON values.

Neither pandas nor NumPy is imported; their types are recognised by what they offer.
"""

from __future__ import annotations

import datetime
from typing import Any

from selfinstruct.records import JSON

_PLAIN = (str, int, bool, type(None))


def json_value(value: Any) -> JSON:
    """Convert a value at any depth: missing -> null, times -> ISO 8601 text; JSON refuses what is left."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {key: json_value(member) for key, member in value.items()}
    if isinstance(value, list):
        return [json_value(member) for member in value]
    if type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "M":  # numpy.datetime64, whose tolist() yields nanoseconds
        moments = value.astype(str).tolist()
        return None if moments == "NaT" else moments
    return json_value(value.tolist()) if kind and hasattr(value, "tolist") else value
