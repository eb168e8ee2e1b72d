"""``dedup`` as stages of tasks, on any number of machines: the rows, counts and notes of ``analysis.cleaning``.

    files -> rows (cut) -> elements (count, merge) -> entries (encode) -> verdicts (join, compare)
          -> rows (write) -> files (place)

Only the verdicts are decided here, in one process; everything else is done by tasks, which read and write the work
directory. A stage begins when the one before it is complete. After a kill, the tasks whose result exists are skipped.

Does not handle: where tasks run (``engines.executor``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selfinstruct._version import __version__
from selfinstruct.analysis.cleaning import Cleaning, compared_fields, read_first
from selfinstruct.engines.dedup import placing
from selfinstruct.engines.dedup.cost import expected
from selfinstruct.engines.dedup.cutting import Reading, block_name, cut, read_notes
from selfinstruct.engines.dedup.pairing import Pairing
from selfinstruct.engines.dedup.sampling import sampled, take_sample
from selfinstruct.engines.dedup.settling import Verdicts, settle, settle_copies
from selfinstruct.engines.dedup.stage_runner import StageRunner, Watch
from selfinstruct.engines.dedup.work import Blocks, Job, load, remove, remove_first, save, working_in
from selfinstruct.engines.dedup.writing import write
from selfinstruct.engines.executor import Executor, SerialExecutor
from selfinstruct.errors import RowError
from selfinstruct.remote import state_of
from selfinstruct.rows import file_name, find_shards, open_source

_PARTITION_BYTES = 1 << 24  # of input, for each partition of elements
_FEWEST, _MOST = 8, 4096  # partitions
_MOST_ROWS = 1 << 31  # two numbers of rows are one of 64 bits


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where the rows go: functions that take a complete file, which they may move; ``done`` is called after them.

    None for rows that nobody wants.
    """

    kept: Callable[[Path], object] | None
    dropped: Callable[[Path], object] | None
    done: Callable[[], object] = lambda: None


def deduplicate(
    source: str,
    work: Path,
    executor: Executor,
    sinks: Sinks,
    *,
    fields: Sequence[str],
    max_rouge_l: float,
    encoding: str,
    watch: Watch = lambda progress: None,
) -> Cleaning:
    """Drop the near-duplicates of a file or of shards, with the result of ``deduplicate_file``.

    ``work`` is the work directory, which is removed at the end; every machine of the executor sees it, and the files,
    under the same path.

    Raises:
        RowError: as ``deduplicate_file``.
        InputError: ``work`` has the checkpoints of another input.
        StorageError: ``work`` cannot be written, or another process works there.
    """
    shards = find_shards(source)
    with open_source(source, by_line=True, encoding=encoding) as stream:
        compared, unique = compared_fields(stream, read_first(stream.records), fields, file_name(source))
        form, header, all_notes = stream.format, stream.header, stream.notes[: shards is not None and len(shards) > 1]
    files = shards or [source]
    states = [state_of(file) for file in files]
    size = sum(state[1] for state in states)
    partitions = min(max(size // _PARTITION_BYTES, _FEWEST), _MOST)
    fingerprint = {
        "version": __version__,
        "files": [list(state) for state in states],
        "compared": list(compared),
        "encoding": encoding,
        "max_rouge_l": max_rouge_l,
        "partitions": partitions,
    }
    with working_in(work, fingerprint):
        stages = _Stages(Job(work.resolve(), max_rouge_l, partitions), StageRunner(executor, watch))
        reading = Reading(source, shards, compared, encoding)
        blocks, not_utf8, notes = stages.cut(reading, len(files))
        stages.estimate(blocks)
        verdicts = stages.decide(blocks)
        stages.write([file_name(each) for each in shards or ()], header, sinks)
        sinks.done()
        stages.remove()
        all_notes = list(dict.fromkeys([*all_notes, *notes]))
    kept = int(verdicts.kept.sum())
    rows = len(verdicts.kept)
    return Cleaning(rows, kept, rows - kept, form, compared, max_rouge_l, not_utf8, tuple(all_notes), unique)


class _Stages:
    """The stages of one deduplication."""

    def __init__(self, job: Job, run: StageRunner) -> None:
        self._job, self._run = job, run

    def cut(self, reading: Reading, files: int) -> tuple[Blocks, int, list[str]]:
        """Cut the files: the blocks, the number of lines that are not UTF-8, the notes."""
        calls = [(self._job, reading.absolute(), at) for at in range(files)]
        for at, size in enumerate(self._run.each("read", cut, calls)):
            if size < 0:
                _raise_error(reading, at)
        names, counts, not_utf8, notes = list[str](), [0], 0, list[str]()
        for at in range(files):
            own = load(self._job.path("cut", at), "counts").tolist()
            names += [block_name(at, number) for number in range(len(own))]
            counts += own
            not_utf8 += int(load(self._job.path("cut", at), "not_utf8")[0])
            notes += read_notes(self._job, at)
        blocks = Blocks(tuple(names), tuple(np.cumsum(counts).tolist()))
        if blocks.starts[-1] >= _MOST_ROWS:
            raise RowError(reading.source, "more rows than can be compared at once", hint="Deduplicate it in parts.")
        blocks.save(self._job)
        blocks.groups().save(self._job, "groups")
        return blocks, not_utf8, notes

    def estimate(self, blocks: Blocks) -> None:
        """Find out by a sample what to expect, of more than a few rows."""
        rows = blocks.starts[-1]
        if self._job.threshold < 1 and sampled(rows):
            sample = take_sample(self._job, blocks, StageRunner(SerialExecutor(), lambda progress: None))
            self._run.cost = expected(sample, rows, len(blocks.names), self._run.size)

    def decide(self, blocks: Blocks) -> Verdicts:
        """Decide on every row, and save the verdicts."""
        job, rows = self._job, blocks.starts[-1]
        verdicts = Verdicts(rows)
        self._run.note(0, rows)
        if rows and job.threshold < 1:  # nothing is above 1
            pairing = Pairing(job, self._run)
            copies, firsts = pairing.encode(blocks)
            alone = np.ones(rows, np.bool_)
            alone[copies] = False
            settle(alone, verdicts, pairing, lambda done: self._run.note(done, rows))
            settle_copies(copies, firsts, verdicts, pairing)
        else:
            verdicts.kept[:] = True
        save(job.path("verdicts", 0), kept=verdicts.kept, nearest=verdicts.nearest, scores=verdicts.scores)
        return verdicts

    def write(self, shards: Sequence[str], header: bytes, sinks: Sinks) -> None:
        """Write the kept and the dropped rows, in order; ``shards`` are the files, if rows name theirs."""
        job = self._job
        self._run("write", write, [(job, at, shards) for at in range(len(Blocks.of(job, "groups").names))])
        calls, wanted = list[tuple[Any, ...]](), {"kept": sinks.kept, "dropped": sinks.dropped}
        for name, sink in wanted.items():
            if sink is not None:
                calls += placing.plan(job, name, header if name == "kept" else b"")
        self._run("place", placing.place, calls)
        for name, sink in wanted.items():
            if sink is not None:
                sink(placing.output(job, name))

    def remove(self) -> None:
        """Remove the results of all tasks: at many rows, too many bytes for one process."""
        remove_first(self._job)
        parts = self._run.workers
        self._run("remove", remove, [(self._job, at, parts) for at in range(parts)])


def _raise_error(reading: Reading, at: int) -> None:
    """Read a file again that a task could not read: the error is raised here, as without tasks."""
    with reading.open(at) as stream:
        for _ in stream.records:
            pass
    raise RowError(reading.source, "could not be read by a worker", hint="Check that every machine sees this path.")
