"""Triplets for training embeddings, as JSON Lines: ``{"anchor", "positive", "negative"}``, a line for each negative.

These are the columns that Sentence Transformers trains on, whose losses read them by their place. A row without a
negative gives no triplet, and a note counts these; where no row has one, the rows are pairs.

Does not handle: the order of the triplets (``BatchSamplers.NO_DUPLICATES`` keeps those with one anchor apart in
training).
"""

from __future__ import annotations

from typing import BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports.columns import column, find_column
from selfinstruct.exports.json_files import write_json_lines
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text

_QUERY = ("query", "anchor", "question", "查询", "问题")
_POSITIVE = ("positive", "pos", "passage", "document", "正例", "段落")
_NEGATIVES = ("negatives", "negative", "hard_negatives", "hard_negative", "neg", "负例")


def write_triplets(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the triplets; return their number. Raises InputError for a row without the texts of one."""
    pairs: list[tuple[Row, list[str]]] = []
    for number, item in enumerate(items.each, 1):
        row = item.row
        anchor = _text(row, column(row, "query", _QUERY, number, settings), number)
        positive = _text(row, column(row, "positive", _POSITIVE, number, settings), number)
        name = find_column(row, "negatives", _NEGATIVES, settings)
        pairs.append(({"anchor": anchor, "positive": positive}, _texts(row.get(name) if name is not None else None)))
    without = sum(not negatives for _, negatives in pairs)
    if without == len(pairs):
        return write_json_lines((pair for pair, _ in pairs), file), ""
    triplets = ({**pair, "negative": negative} for pair, negatives in pairs for negative in negatives)
    note = Phrase.counting(
        "{count:,} row has no negative, and was left out", "{count:,} rows have no negative, and were left out", without
    )
    return write_json_lines(triplets, file), note if without else ""


def _text(row: Row, name: str, number: int) -> str:
    text = "" if row[name] is None else value_text(row[name])
    if not text:
        raise InputError(
            "`format={format}`: row {number} has no text in {name}",
            hint="Name another field: `columns`.",
            format="triplets",
            number=number,
            name=name,
        )
    return text


def _texts(value: JSON) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [value_text(each) for each in values if each not in (None, "")]
