"""The state of a batch job, read from what an endpoint says about it; pure, and trusts no part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfinstruct.messages import Phrase, joined

#: The states in which a job changes no more.
ENDED = ("completed", "failed", "expired", "cancelled")
#: The code of a job that was refused because too many tokens are waiting in others.
_TOO_MUCH = "token_limit_exceeded"
_REASONS_SHOWN = 3
# Other names of the same states.
_SYNONYMS = {
    "canceled": "cancelled",
    "canceling": "cancelling",
    "error": "failed",
    "pending": "validating",
    "queued": "validating",
    "running": "in_progress",
    "processing": "in_progress",
    "succeeded": "completed",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A job at the endpoint. ``status`` is OpenAI's word for its state.

    ``done`` of ``total`` requests are processed (0 where that is not said), ``completed`` of them with a reply (None:
    not said). ``output`` and ``errors`` are the ids of its files, "" where there is none. ``reasons`` is why it failed.
    """

    id: str
    status: str
    input: str = ""
    total: int = 0
    done: int = 0
    completed: int | None = None
    output: str = ""
    errors: str = ""
    reasons: str = ""
    too_much: bool = False

    @property
    def ended(self) -> bool:
        """Whether its state changes no more."""
        return self.status in ENDED


def read_job(payload: Any) -> Job | None:
    """The job in a payload of OpenAI's or Together's shape; None if there is none."""
    if isinstance(payload, Mapping) and isinstance(payload.get("job"), Mapping):
        payload = payload["job"]
    if not isinstance(payload, Mapping) or not isinstance(payload.get("id"), str) or not payload["id"]:
        return None
    status = str(payload.get("status") or "validating").lower()
    counts = payload.get("request_counts")
    counts = counts if isinstance(counts, Mapping) else {}
    total, completed, failed = (_count(counts.get(name)) for name in ("total", "completed", "failed"))
    progress = payload.get("progress")
    if total is None and isinstance(progress, int | float):
        total, done = 100, int(progress)
    else:
        done = (completed or 0) + (failed or 0)
    reasons, codes = _reasons(payload)
    return Job(
        payload["id"],
        _SYNONYMS.get(status, status),
        str(payload.get("input_file_id") or ""),
        total or 0,
        done,
        completed,
        str(payload.get("output_file_id") or ""),
        str(payload.get("error_file_id") or ""),
        reasons,
        _TOO_MUCH in codes,
    )


def read_jobs(payload: Any) -> tuple[list[Job], bool]:
    """The jobs of a list, and whether there are more."""
    listed = payload.get("data") if isinstance(payload, Mapping) else payload
    jobs = [read_job(each) for each in listed] if isinstance(listed, Sequence) else []
    more = isinstance(payload, Mapping) and bool(payload.get("has_more"))
    return [job for job in jobs if job is not None], more


def _reasons(payload: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Why a job failed, for people, and the codes of the reasons."""
    errors = payload.get("errors") or payload.get("error")
    if isinstance(errors, Mapping):
        errors = errors.get("data") or [errors]
    if isinstance(errors, str):
        return errors, []
    found = [each for each in errors if isinstance(each, Mapping)] if isinstance(errors, Sequence) else []
    said = []
    for each in found[:_REASONS_SHOWN]:
        message = str(each.get("message") or each.get("code") or each)[:200]
        line = each.get("line")
        said.append(Phrase("line {line}: {problem}", line=line, problem=message) if line else message)
    return joined(said, "; ") if said else "", [str(each.get("code")) for each in found]


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
