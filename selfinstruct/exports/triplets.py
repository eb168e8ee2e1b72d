"""Triplets for embedding models: ``{"anchor": ..., "positive": ..., "negative": ...}`` on each line.

These are the columns that Sentence Transformers trains on. A row gives one triplet for each of its negatives, so that
rows with different numbers of them fit one table.

Does not handle: fields of other names; the order of the triplets (``BatchSamplers.NO_DUPLICATES`` keeps those with one
anchor apart in training).
"""

from __future__ import annotations

import json
from typing import BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports.rows import ExportRows
from selfinstruct.text import value_text

_FIELDS = ("query", "positive", "negatives")


def write_triplets(items: ExportRows, file: BinaryIO) -> tuple[int, str]:
    """Write the triplets of each row; return their number, and no note.

    Raises InputError for a row without a query, a positive passage and a list of negatives.
    """
    count = 0
    for number, item in enumerate(items.each, 1):
        row = item.row
        anchor, positive, negatives = (row.get(name) for name in _FIELDS)
        if not isinstance(negatives, list) or not anchor or not positive:
            raise InputError(
                f"`format=triplets`: row {number} has not all of {', '.join(_FIELDS)}; its fields are {', '.join(row)}",
                hint="Export a run of the recipe retrieval, or name the fields of your recipe like that.",
            )
        for negative in negatives:
            triplet = {"anchor": value_text(anchor), "positive": value_text(positive), "negative": value_text(negative)}
            line = json.dumps(triplet, ensure_ascii=False)
            file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
            count += 1
    return count, ""
