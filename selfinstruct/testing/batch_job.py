"""One batch job of the fault server: its states over time, its validation, and the lines of its output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

#: The states in which a job changes no more.
ENDED = ("completed", "failed", "expired", "cancelled")
#: OpenAI's limits of one job.
_MOST_REQUESTS = 50_000
_MOST_BYTES = 200 * 2**20
_CREATED = 1_700_000_000

#: The fault, the status and the body of the reply to a line.
Answer: TypeAlias = Callable[[Mapping[str, Any]], tuple[str, int, Any]]


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, or one of a job's output."""

    id: str
    name: str
    data: bytes


@dataclass(slots=True)
class BatchJob:
    """A job with the lines of ``file``, created at ``created`` with this ``body``, and with a ``fault`` or "".

    It spends ``seconds`` in each state; times are those of the event loop. ``answer`` processes and bills one line.
    ``output`` has its lines of replies and of errors once it has ended, and ``files`` their files by "output" and
    "error".
    """

    id: str
    file: File
    body: Mapping[str, Any]
    created: float
    seconds: float
    fault: str
    answer: Answer
    status: str = "validating"
    errors: list[dict[str, Any]] = field(default_factory=list)
    output: tuple[list[Any], list[Any]] | None = None
    files: dict[str, str] = field(default_factory=dict)
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _replies: list[Any] = field(default_factory=list)
    _failed: list[Any] = field(default_factory=list)
    _next: int = 0
    _finished: bool = False
    _cancelled_at: float | None = None

    def advance(self, now: float) -> Iterator[str]:
        """Bring the job to its state at ``now``; yield the line of each request that was billed since."""
        if self.status == "validating" and self._passed(now) >= 1:
            self.errors = list(self._validate())
            self.status = "failed" if self.errors else "in_progress"
        if self.status == "in_progress":
            stopped = self.fault in ("expired", "cancelled")
            share = min(self._passed(now) - 1, 1.0) / (2 if stopped else 1)
            yield from self._process(len(self._lines) if share == 1 else int(share * len(self._lines)))
            if self._passed(now) >= 2:
                self.status = self.fault if stopped else "finalizing"
        if self.status == "finalizing" and self._passed(now) >= 3:
            self.status = "completed"
        if self.status == "cancelling" and now >= (self._cancelled_at or 0) + self.seconds:
            self.status = "cancelled"
        if self.status in ENDED and self.status != "failed" and not self._finished:
            self._finish()

    def cancel(self, now: float) -> None:
        """Process no further request."""
        if self.status not in ENDED:
            self.status, self._cancelled_at = "cancelling", now

    def payload(self, shape: str) -> dict[str, Any]:
        """The job as "openai" or "together" shows it."""
        common = {
            "id": self.id,
            "input_file_id": self.file.id,
            "endpoint": self.body.get("endpoint"),
            "output_file_id": self.files.get("output"),
            "error_file_id": self.files.get("error"),
        }
        if shape == "together":
            error = self.errors[0]["message"] if self.errors else None
            progress = 100 * self._next / len(self._lines) if self._lines else 0
            shown = "CANCELLED" if self.status == "cancelling" else self.status.upper()
            shown = "IN_PROGRESS" if shown == "FINALIZING" else shown
            return common | {"status": shown, "progress": progress, "error": error}
        counts = {"total": len(self._lines), "completed": len(self._replies), "failed": len(self._failed)}
        return common | {
            "object": "batch",
            "status": self.status,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "completion_window": self.body.get("completion_window"),
            "created_at": _CREATED + int(self.created),
            "request_counts": counts,
            "metadata": self.body.get("metadata"),
        }

    def _passed(self, now: float) -> float:
        """How many states the job has had time for."""
        return (now - self.created) / self.seconds if self.seconds else 4.0

    def _validate(self) -> Iterator[dict[str, Any]]:
        """The errors of the input file and of the fault, as OpenAI reports them; reads the lines."""
        if self.fault == "invalid":
            yield _invalid("invalid_request", "The body of this line is not a valid request.", 1)
            return
        if self.fault == "token-limit":
            message = "Enqueued token limit reached for this model. Limit: 90,000 enqueued tokens."
            yield _invalid("token_limit_exceeded", message, None)
            return
        if len(self.file.data) > _MOST_BYTES:
            yield _invalid("file_too_large", "The file exceeds 200 MB.", None)
            return
        seen: set[str] = set()
        for number, text in enumerate(self.file.data.decode().splitlines(), 1):
            try:
                line = json.loads(text)
                custom_id = line["custom_id"]
            except (ValueError, KeyError, TypeError):
                yield _invalid("invalid_json_line", "This line is not parseable as valid JSON.", number)
                continue
            if custom_id in seen or len(custom_id) > 64:
                yield _invalid("duplicate_custom_id", f"The custom_id {custom_id!r} was used before.", number)
            if line.get("url", self.body.get("endpoint")) != self.body.get("endpoint"):
                yield _invalid("mismatched_url", "The URL does not match the endpoint of the batch.", number)
            seen.add(custom_id)
            self._lines.append(line)
        if not self._lines:
            yield _invalid("empty_file", "The file has no request.", None)
        if len(self._lines) > _MOST_REQUESTS:
            yield _invalid("too_many_tasks", "The batch has more than 50,000 requests.", None)

    def _process(self, until: int) -> Iterator[str]:
        """Process the requests before this place; yield the line of each that is billed."""
        while self._next < until:
            line = self._lines[self._next]
            self._next += 1
            fault, status, body = self.answer(line)
            response = {"status_code": status, "request_id": f"req_{self.id}_{self._next}", "body": body}
            entry = {"id": f"{self.id}_{self._next}", "custom_id": line["custom_id"], "response": response}
            if status != 200:
                self._failed.append(entry | {"error": None})
                continue
            yield json.dumps(line)
            if fault == "line-missing":
                continue
            self._replies += [entry | {"error": None}] * (2 if fault == "line-twice" else 1)
            if fault == "line-unknown":
                self._replies.append(entry | {"custom_id": "nobody", "error": None})

    def _finish(self) -> None:
        """Write the output of an ended job, with an error for each request that was not processed."""
        self._finished = True
        code = "batch_expired" if self.status == "expired" else "batch_cancelled"
        message = "This request could not be executed before the completion window expired."
        if code == "batch_cancelled":
            message = "This request was not executed because the batch was cancelled."
        for line in self._lines[self._next :]:
            error = {"code": code, "message": message}
            self._failed.append({"id": "", "custom_id": line["custom_id"], "response": None, "error": error})
        self.output = (list(self._replies), list(self._failed))


def _invalid(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "line": line, "param": None}
