"""The rows of blocks, read when they are asked for."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from selfinstruct.engines.dedup.cutting import file_of
from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, unpacked
from selfinstruct.records import Row

Item = TypeVar("Item")


def block_rows(job: Job, block: str) -> list[Row]:
    """The rows of a block."""
    return [json.loads(each) for each in unpacked(job.path("rows", block), "json")]


class StoredRows:
    """The rows of some blocks, one after the other; ``names`` are those of all files, by number."""

    def __init__(self, job: Job, blocks: Blocks, names: Sequence[str]) -> None:
        self._job, self._blocks, self._names = job, blocks, names
        self._last: tuple[int, Arrays] | None = None
        size = blocks.starts[-1]
        self.rows: Sequence[Row] = _Items(size, self._row, self._all_rows)
        self.lines: Sequence[int] = _Items(size, self._line, self._all_lines)

    def file(self, at: int) -> str:
        """The name of the file that contains a row."""
        return self._names[file_of(self._blocks.names[self._block(at)])]

    def _row(self, at: int) -> Row:
        arrays, own = self._arrays(at)
        ends = arrays["json_ends"]
        start = int(ends[own - 1]) if own else 0
        row: Row = json.loads(arrays["json"][start : int(ends[own])].tobytes())
        return row

    def _line(self, at: int) -> int:
        arrays, own = self._arrays(at)
        return int(arrays["lines"][own])

    def _all_rows(self) -> Iterator[Row]:
        for name in self._blocks.names:
            yield from block_rows(self._job, name)

    def _all_lines(self) -> Iterator[int]:
        for name in self._blocks.names:
            yield from Arrays(self._job.path("rows", name))["lines"].tolist()

    def _block(self, at: int) -> int:
        return bisect_right(self._blocks.starts, at) - 1

    def _arrays(self, at: int) -> tuple[Arrays, int]:
        block = self._block(at)
        if self._last is None or self._last[0] != block:
            self._last = block, Arrays(self._job.path("rows", self._blocks.names[block]))
        return self._last[1], at - self._blocks.starts[block]


class _Items(Sequence[Item]):
    """A sequence that is read item by item, or as a whole."""

    def __init__(self, size: int, read: Callable[[int], Item], read_all: Callable[[], Iterator[Item]]) -> None:
        self._size, self._read, self._read_all = size, read, read_all

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Item]:
        return self._read_all()

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...

    def __getitem__(self, at: Any) -> Any:
        return (
            [self._read(each) for each in range(*at.indices(self._size))] if isinstance(at, slice) else self._read(at)
        )
