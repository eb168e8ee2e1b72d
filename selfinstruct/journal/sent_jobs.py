"""What a journal knows of batch jobs, and which calls have been recorded since."""

from __future__ import annotations

from selfinstruct.journal.entries import SentJob, decode_text, parse_json
from selfinstruct.journal.history import History


def sent_jobs(history: History) -> list[SentJob]:
    """The batch jobs of the run, in the order in which their files were uploaded."""
    found = history.query("SELECT id, model, file, job, requests FROM jobs ORDER BY id")
    return [
        SentJob(number, decode_text(model), file, job, tuple(parse_json(names, f"the requests of job {number}")))
        for number, model, file, job, names in found
    ]


def count_calls(history: History, batch: int, step: str) -> int:
    """How often a call of a batch was recorded, with or without a reply."""
    return int(history.query("SELECT COUNT(*) FROM calls WHERE batch = ? AND step = ?", batch, step)[0][0])


def keys_of_calls(history: History) -> list[tuple[int, str]]:
    """The batch and the key of each call, in the order of recording."""
    return history.query("SELECT batch, step FROM calls ORDER BY id")
