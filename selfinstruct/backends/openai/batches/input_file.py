"""The input of batch jobs: the names of requests, their lines, and how many fit into one file; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

#: The path that a request is for, in the form that jobs name it.
Endpoint: TypeAlias = Literal["/v1/chat/completions", "/v1/completions"]
#: The most requests of one job, at OpenAI and elsewhere.
MOST_REQUESTS = 50_000
#: The most bytes of one file: OpenAI takes 200 MB, others 100 MB.
MOST_BYTES = 100_000_000
#: The longest custom_id that every provider takes.
_LONGEST_ID = 64


def custom_id(batch: int, step: str, attempt: int) -> str:
    """The name of a request: the number of its batch, the key of its call, and the how manieth such call it is.

    A call that is recorded has another name than the next one with the same key, so the journal alone says whether
    the reply to a request is still to be recorded.

    >>> custom_id(12, "answers/3", 1)
    '12/answers/3/1'
    """
    name = f"{batch}/{step}/{attempt}"
    if len(name) <= _LONGEST_ID and name.isascii() and name.isprintable():
        return name
    return f"{batch}/{hashlib.sha256(step.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}/{attempt}"


def request_line(name: str, body: Mapping[str, Any]) -> bytes:
    """One line of an input file, with its end."""
    line = {"custom_id": name, "method": "POST", "url": endpoint_of(body), "body": body}
    return json.dumps(line).encode() + b"\n"


def endpoint_of(body: Mapping[str, Any]) -> Endpoint:
    """The path that a request with this body is for."""
    return "/v1/completions" if "prompt" in body else "/v1/chat/completions"


def split(lines: Sequence[bytes], most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> Iterator[range]:
    """The positions of the lines of each file, in order: as few files as the limits allow.

    A line that is longer than ``most_bytes`` gets a file of its own, which the endpoint then refuses by its own words.

    >>> list(split([b"aa", b"aa", b"aa"], most_bytes=4))
    [range(0, 2), range(2, 3)]
    """
    start, size = 0, 0
    for at, line in enumerate(lines):
        if at > start and (at - start >= most_requests or size + len(line) > most_bytes):
            yield range(start, at)
            start, size = at, 0
        size += len(line)
    if start < len(lines):
        yield range(start, len(lines))
