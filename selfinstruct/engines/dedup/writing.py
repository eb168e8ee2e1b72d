"""What each group of blocks gives to the file of kept rows and to that of dropped ones.

Does not handle: putting the parts of all groups together (``placing``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from selfinstruct.analysis.cleaning import dropped_row
from selfinstruct.engines.dedup.cutting import file_of
from selfinstruct.engines.dedup.work import Blocks, Job, load, packed, save, size_of, unpacked


def write(job: Job, group: int, shards: Sequence[str]) -> int:
    """Write the kept rows of a group, byte for byte, and a line of JSON for each dropped one.

    ``shards`` has the files, which the names of blocks begin with the number of; it is empty if the rows have none.
    """
    blocks, groups = Blocks.of(job), Blocks.of(job, "groups")
    done = job.path("written", groups.names[group])
    if done.exists():
        return size_of(done)
    kept, dropped = list[bytes](), list[bytes]()
    for block in blocks.between(*groups.starts[group : group + 2]):
        own_kept, own_dropped = _rows(job, blocks, block, shards)
        kept += own_kept
        dropped += own_dropped
    return save(done, kept=packed(kept)[0], dropped=packed(dropped)[0])


def _rows(job: Job, blocks: Blocks, block: int, shards: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """The kept rows of a block, and a line for each dropped one."""
    start, end = blocks.starts[block : block + 2]
    verdicts, folder = job.path("verdicts", 0), job.path("rows", blocks.names[block])
    kept = load(verdicts, "kept")[start:end]
    raw = unpacked(folder, "raw")
    rows = unpacked(folder, "json") or [each.strip() for each in raw]
    lines = load(folder, "lines").tolist()
    out, dropped = [raw[at] for at in np.flatnonzero(kept).tolist()], list[bytes]()
    places = np.flatnonzero(~kept)
    own = shards[file_of(blocks.names[block])] if shards else ""
    nearest, scores = (load(verdicts, name)[start:end][places].tolist() for name in ("nearest", "scores"))
    for at, near, score, near_line in zip(places.tolist(), nearest, scores, _lines(job, blocks, nearest), strict=True):
        files = {}
        if shards:
            files = {"file": own, "nearest_file": shards[file_of(blocks.names[bisect_right(blocks.starts, near) - 1])]}
        dropped.append(dropped_row({**files, "line": lines[at], "nearest": near_line, "score": score}, rows[at]))
    return out, dropped


def _lines(job: Job, blocks: Blocks, rows: Sequence[int]) -> list[int]:
    """The line of each of these rows."""
    numbers = np.array(rows, np.int64)
    lines, of = np.empty(len(rows), np.int64), np.searchsorted(blocks.starts, numbers, "right") - 1
    for at in np.unique(of).tolist():
        own = np.flatnonzero(of == at)
        lines[own] = load(job.path("rows", blocks.names[at]), "lines")[numbers[own] - blocks.starts[at]]
    found: list[int] = lines.tolist()
    return found
