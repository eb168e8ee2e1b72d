"""The batch jobs of a run whose replies the journal lacks; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from selfinstruct.backends.openai.batches.input_file import custom_id
from selfinstruct.journal import SentJob


def open_jobs(jobs: Sequence[SentJob], recorded: Iterable[tuple[int, str]]) -> list[SentJob]:
    """The jobs with a request whose reply is not recorded; ``recorded`` are the batch and the key of each call.

    A request that was sent again counts for its last job alone: what an earlier one made of it is known.
    """
    last = {name: job.id for job in jobs for name in job.requests}
    attempts: Counter[tuple[int, str]] = Counter()
    for batch, step in recorded:
        attempts[batch, step] += 1
        last.pop(custom_id(batch, step, attempts[batch, step]), None)
    open_ids = set(last.values())
    return [job for job in jobs if job.id in open_ids]
