"""The first stage: each file of rows is cut into blocks, with what the inference of rules needs to know of them.

A block has its rows as JSON, with their lines. Of a file, the shapes of its rows are counted, and for each shape the
rows are noted that a sample may be taken from.

Does not handle: which files are one data set (``planning``).
"""

from __future__ import annotations

import contextlib
import heapq
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from selfinstruct.analysis.gate.criteria import SAMPLE, row_checksum
from selfinstruct.analysis.gate.sources import folder_files
from selfinstruct.engines.dedup.cutting import block_name, note_from_json, note_to_json
from selfinstruct.engines.dedup.work import Job, load, packed, save, size_of
from selfinstruct.errors import RowError
from selfinstruct.records import Row
from selfinstruct.rows import RowStream, file_name, find_shards, open_shard, open_source
from selfinstruct.rows.row_file import no_fields

_ROWS, _BYTES = 1 << 14, 1 << 24  # of a block


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One of the files of a source: the one number ``at`` of some shards, or a file of its own without them.

    ``folder`` is the working directory of the command, which names are relative to. A file that a folder contains but
    that is not named like one of rows is ``doubtful``: it may be something else.
    """

    source: str
    shards: tuple[str, ...] | None
    at: int
    encoding: str
    folder: str
    doubtful: bool = False

    @property
    def path(self) -> str:
        """Its path or URL."""
        return self.source if self.shards is None else self.shards[self.at]

    @property
    def name(self) -> str:
        """What findings call it."""
        return file_name(self.path)

    @contextlib.contextmanager
    def open(self) -> Iterator[RowStream]:
        """Yield its rows."""
        there = contextlib.chdir(self.folder) if Path(self.folder).is_dir() else contextlib.nullcontext()
        opened = (
            open_source(self.source, encoding=self.encoding)
            if self.shards is None
            else open_shard(self.shards, self.at, encoding=self.encoding)
        )
        with there, opened as stream:
            yield stream


def files_of(
    source: str, apart: Collection[str] | None, encoding: str
) -> tuple[list[SourceFile], list[tuple[str, bool]] | None]:
    """The files that a source names; for a folder of row files also the names of its entries, and which are read.

    A folder that is itself to be kept apart (``apart`` is None) is shards of one data set.

    Raises RowError if there are none.
    """
    folder = str(Path.cwd())
    if apart is not None and (found := folder_files(source, apart)) is not None:
        files = [
            SourceFile(str(path), None, 0, encoding, folder, doubtful=not is_named)
            for _, path, is_named in found
            if is_named is not None
        ]
        return files, [(name, is_named is not None) for name, _, is_named in found]
    shards = find_shards(source)
    names = None if shards is None else tuple(shards)
    return [SourceFile(source, names, at, encoding, folder) for at in range(len(names or (source,)))], None


@dataclass(slots=True)
class _Shape:
    """The rows of one shape: how many, and those of the smallest checksums, which a sample may be taken from."""

    rows: int = 0
    smallest: list[tuple[int, int]] = field(default_factory=list)

    def add(self, row: Row, at: int) -> None:
        """Count a row, whose index in its file is ``at``."""
        self.rows += 1
        item = -row_checksum(row), -at
        if len(self.smallest) < SAMPLE:
            heapq.heappush(self.smallest, item)
        elif item > self.smallest[0]:
            heapq.heapreplace(self.smallest, item)


@dataclass(frozen=True, slots=True)
class FileRows:
    """What is known of a file that was read.

    ``counts`` are the numbers of rows of its blocks; ``shapes`` those of rows with the same keys, and ``ranked`` the
    checksum and index of some rows of each shape.
    """

    counts: Sequence[int]
    format: str
    notes: tuple[str, ...]
    shapes: dict[tuple[str, ...], int]
    ranked: list[list[tuple[int, int]]]

    @classmethod
    def of(cls, job: Job, number: int) -> Self:
        """That of the file with this number."""
        path = job.path("cut", number)
        about = json.loads(load(path, "about").tobytes())
        notes = tuple(map(note_from_json, about["notes"]))
        shapes = {tuple(keys): count for keys, count in about["shapes"]}
        ranked = [[tuple(item) for item in items] for items in about["ranked"]]
        return cls(load(path, "counts").tolist(), about["format"], notes, shapes, ranked)


def read(job: Job, file: SourceFile, number: int) -> int:
    """Cut a file into blocks, and return their bytes; -1 if it cannot be read (reading it again tells why)."""
    done = job.path("cut", number)
    if done.exists():
        return sum(size_of(each) for each in job.path("rows", "").glob(f"{number:06d}-*"))
    counts, shapes, size, lines, rows, held = list[int](), dict[tuple[str, ...], _Shape](), 0, [0], [b""], 0
    lines.clear()
    rows.clear()
    try:
        with file.open() as stream:
            at = 0
            for row, line in full_rows(stream, file.name):
                shapes.setdefault(tuple(row), _Shape()).add(row, at)
                rows.append(json.dumps(row).encode())
                lines.append(line)
                at, held = at + 1, held + len(rows[-1])
                if len(rows) >= _ROWS or held >= _BYTES:
                    size += _save(job, block_name(number, len(counts)), rows, lines)
                    counts.append(len(rows))
                    rows, lines, held = [], [], 0
            about = {"format": stream.format, "notes": [note_to_json(note) for note in stream.notes]}
    except RowError:
        return -1
    if rows:
        size += _save(job, block_name(number, len(counts)), rows, lines)
        counts.append(len(rows))
    about |= {
        "shapes": [[list(keys), shape.rows] for keys, shape in shapes.items()],
        "ranked": [[(-checksum, -at) for checksum, at in shape.smallest] for shape in shapes.values()],
    }
    save(done, counts=np.array(counts, np.int64), about=np.frombuffer(json.dumps(about).encode(), np.uint8))
    return size


def full_rows(stream: RowStream, name: str) -> Iterator[tuple[Row, int]]:
    """The rows of a stream, with their lines. Raises RowError for one without fields."""
    for record in stream.records:
        if isinstance(record.value, dict):
            if not record.value:
                raise no_fields(record.file or name, record.line)
            yield record.value, record.line


def _save(job: Job, block: str, rows: list[bytes], lines: list[int]) -> int:
    whole, ends = packed(rows)
    arrays: dict[str, NDArray[Any]] = {"json": whole, "json_ends": ends}
    return save(job.path("rows", block), lines=np.array(lines, np.int64), **arrays)
