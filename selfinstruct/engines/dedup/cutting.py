"""The first stage: each file of rows is cut into blocks, with what later stages need of each row.

A block has the bytes of its rows, their lines, and the texts that are compared.

Does not handle: the choice of the compared fields, which are the same for all files (``analysis.cleaning``).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.analysis.cleaning import is_not_utf8, row_json, text_of
from selfinstruct.engines.dedup.work import Bytes, Job, load, packed, save, size_of
from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.remote import is_remote
from selfinstruct.rows import Record, RowStream, open_shard, open_source

_ROWS, _BYTES = 1 << 15, 1 << 25  # of a block: its stages then need some 100 MB


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files are read: what the user named, the shards that it is, the compared fields, and the encoding."""

    source: str
    shards: Sequence[str] | None
    compared: tuple[str, ...]
    encoding: str

    def absolute(self) -> Reading:
        """The same with absolute paths, for workers whose working directory is another."""
        shards = None if self.shards is None else [_absolute(shard) for shard in self.shards]
        return replace(self, source=_absolute(self.source), shards=shards)

    @contextlib.contextmanager
    def open(self, at: int) -> Iterator[RowStream]:
        """Yield the rows of one of the files."""
        opened = (
            open_source(self.source, by_line=True, encoding=self.encoding)
            if self.shards is None
            else open_shard(self.shards, at, by_line=True, encoding=self.encoding)
        )
        with opened as stream:
            yield stream


@dataclass(slots=True)
class _Block:
    """The rows of a block, as they come."""

    raw: list[bytes] = field(default_factory=list)
    json: list[bytes] = field(default_factory=list)
    text: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    size: int = 0

    def add(self, record: Record, form: str, compared: Sequence[str]) -> None:
        """Add a row."""
        self.raw.append(record.raw)
        if form != "jsonl":
            self.json.append(row_json(form, record))
        self.text.append(text_of(record, compared).encode("utf-8", "surrogatepass"))
        self.lines.append(record.line)
        self.size += len(record.raw) + len(self.text[-1])

    @property
    def is_full(self) -> bool:
        """Whether the next row belongs to another block."""
        return len(self.lines) >= _ROWS or self.size >= _BYTES

    def save(self, job: Job, name: str) -> int:
        """Write the block, and return its bytes."""
        (raw, raw_ends), (json, json_ends), (text, text_ends) = map(packed, (self.raw, self.json, self.text))
        arrays: dict[str, NDArray[Any]] = {"raw": raw, "raw_ends": raw_ends, "json": json, "json_ends": json_ends}
        lines = np.array(self.lines, np.int64)
        return save(job.path("rows", name), text=text, text_ends=text_ends, lines=lines, **arrays)


def cut(job: Job, reading: Reading, at: int) -> int:
    """Cut one of the files into blocks, and return their bytes; -1 if it cannot be read (reading it again tells why).

    Saves the number of rows of each block, the number of lines that are not UTF-8, and the notes.
    """
    done = job.path("cut", at)
    if done.exists():
        return sum(size_of(each) for each in job.path("rows", "").glob(f"{at:06d}-*"))
    counts, not_utf8, size = list[int](), 0, 0
    try:
        with reading.open(at) as stream:
            block = _Block()
            for record in stream.records:
                block.add(record, stream.format, reading.compared)
                not_utf8 += is_not_utf8(record)
                if block.is_full:
                    size += block.save(job, block_name(at, len(counts)))
                    counts.append(len(block.lines))
                    block = _Block()
            if block.lines:
                size += block.save(job, block_name(at, len(counts)))
                counts.append(len(block.lines))
            notes = json.dumps([note_to_json(note) for note in stream.notes]).encode()
    except RowError:
        return -1
    save(done, counts=np.array(counts, np.int64), not_utf8=np.array([not_utf8]), notes=np.frombuffer(notes, np.uint8))
    return size


def _absolute(path: str) -> str:
    return path if is_remote(path) else str(Path(path).absolute())


def block_name(file: int, number: int) -> str:
    """The name of a block of a file."""
    return f"{file:06d}-{number:06d}"


def file_of(block: str) -> int:
    """The number of the file that a block is of."""
    return int(block.partition("-")[0])


def read_notes(job: Job, at: int) -> list[str]:
    """The notes on how one of the files was read."""
    notes: Bytes = load(job.path("cut", at), "notes")
    return [note_from_json(note) for note in json.loads(notes.tobytes())]


def note_to_json(note: str) -> Any:
    """A message with its template and values, so that it can still be translated."""
    if not isinstance(note, Phrase):
        return note
    values = {name: note_to_json(value) if isinstance(value, str) else value for name, value in note.values.items()}
    return [note.template, note.plural, note.number, values]


def note_from_json(note: Any) -> Any:
    """The message that was written."""
    if not isinstance(note, list):
        return note
    template, plural, number, values = note
    values = {name: note_from_json(value) for name, value in values.items()}
    if not plural:
        return Phrase(template, **values)
    return Phrase.counting(template, plural, number, **{name: values[name] for name in values if name != "count"})
