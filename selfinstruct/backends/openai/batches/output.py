"""The output of batch jobs: from the lines of output and error files to the outcome of each request; pure.

The lines are in any order. A request without a line in either file has no outcome: it is sent again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from selfinstruct.backends.openai.call_error import CallError, from_error, from_status
from selfinstruct.backends.openai.completion import Completion, read_completion

#: What became of one request.
Outcome: TypeAlias = Completion | CallError
#: The bodies of requests by custom_id.
Bodies: TypeAlias = Mapping[str, Mapping[str, Any]]
NO_BODIES: Bodies = {}
#: How often a request of a batch job is sent, each time in another job, before it is given up.
MOST_TRIES = 3
# Codes of requests that a job did not come to.
_NOT_PROCESSED = ("batch_expired", "batch_cancelled")


@dataclass(slots=True)
class Output:
    """The outcomes of a job by custom_id, and the numbers of lines that are unreadable, or answer no known request."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    unreadable: int = 0
    unknown: int = 0

    @property
    def replies(self) -> int:
        """The number of requests with a reply."""
        return sum(isinstance(outcome, Completion) for outcome in self.outcomes.values())


def read_output(files: Iterable[bytes], expected: Collection[str], bodies: Bodies = NO_BODIES) -> Output:
    """Read the files of a job with the requests ``expected``, as far as known with these ``bodies``.

    Of several lines for one request the first reply counts, and an error only where there is no reply.
    """
    output = Output()
    for data in files:
        for text in data.splitlines():
            if text.strip():
                _read_line(text, expected, bodies, output)
    return output


def _read_line(text: bytes, expected: Collection[str], bodies: Bodies, output: Output) -> None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict):
        output.unreadable += 1
        return
    name = line.get("custom_id")
    if not isinstance(name, str) or name not in expected:
        output.unknown += 1
        return
    if not isinstance(output.outcomes.get(name), Completion):
        output.outcomes[name] = read_outcome(line, bodies.get(name))


def read_outcome(line: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> Outcome:
    """The outcome that one line means for a ``request`` with this body.

    A reply is in ``response.body`` with ``response.status_code``, or ``response`` is the body itself.
    """
    response, error = line.get("response"), line.get("error")
    if isinstance(response, Mapping) and response:
        status = response.get("status_code")
        body = response.get("body", response if status is None else None)
        code = status if isinstance(status, int) else 200
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        if code == 200 and not (error and not body):
            return read_completion(data, "application/json", request)
        failure = from_status(code, {}, data, request)
        # Text of the model that came with the error.
        return failure if failure.salvage is None else Completion(failure.salvage, "stop", None, None)
    if isinstance(error, Mapping) and error.get("code") in _NOT_PROCESSED:
        return not_processed()
    return from_error(200, {"error": error or "no response"}, {}, 0.0, request)


def not_processed() -> CallError:
    """The outcome of a request that its job did not come to: it was not billed, and is sent again."""
    return CallError("expired", "the batch job ended before this request was processed", max_tries=MOST_TRIES)


def missing() -> CallError:
    """The outcome of a request without a line in the output of a job that is complete: it may have been billed."""
    return CallError("missing", "the output of the batch job lacks this request", max_tries=MOST_TRIES, billed=True)
