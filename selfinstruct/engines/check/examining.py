"""The last stage: each row examined, with what is known of others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.analysis.gate.examining import Doubts, examine_rows
from selfinstruct.analysis.gate.leaks import Contexts
from selfinstruct.engines.check.describing import Corpus
from selfinstruct.engines.check.kept import keep, kept
from selfinstruct.engines.check.known import KnownRows
from selfinstruct.engines.check.rules import read_rules
from selfinstruct.engines.check.stored import StoredRows, block_rows
from selfinstruct.engines.dedup.cutting import file_of
from selfinstruct.engines.dedup.work import Blocks, Job, load, size_of
from selfinstruct.rows import RowFile
from selfinstruct.similarity import unique_field_names


@dataclass(frozen=True, slots=True)
class Work:
    """What is examined: the rows of one data set, in one corpus; ``done`` is where the parts go.

    ``doubts`` is a file, and so are the ``contexts`` of the rows to keep apart, if there are any.
    """

    job: Job
    corpus: Corpus
    rules: Path
    done: Path
    doubts: Path
    contexts: Path | None
    with_links: bool


def examine(work: Work, block: str, start: int) -> int:
    """Examine the rows of a block, of which the first has the index ``start`` in its data set."""
    done = work.done / block
    if done.exists():
        return size_of(done)
    rules, rows = read_rules(work.rules), block_rows(work.job, block)
    names: Sequence[str] = json.loads(load(work.job.path("names", 0), "names").tobytes())
    lines = load(work.job.path("rows", block), "lines").tolist()
    file = RowFile(names[file_of(block)], "", rows, lines, ())
    recipe = rules.criteria.recipe
    everything = StoredRows(work.job, Blocks.of(work.corpus.job), names)
    known = KnownRows(work.corpus, everything, block, rows, unique_field_names(recipe))
    doubts: Doubts = kept(work.doubts)
    contexts = Contexts(recipe) if work.contexts is None else kept(work.contexts)
    part = examine_rows(
        file, start, rules, known, contexts, doubts, with_links=work.with_links, watch=lambda rows, findings: None
    )
    return keep(done, part)
