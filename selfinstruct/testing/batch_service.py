"""Batch jobs of the fault server: OpenAI's files and batches, Together's variant of them, and their faults.

    POST /files -> POST /batches -> GET /batches/{id} ... -> GET /files/{id}/content

A job advances with time alone, as a provider's does: whether or not anybody polls, its requests are processed and
billed, each once. Its output is in another order than its requests.

Does not handle: the content of replies (``exchange``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any, TypeAlias

from aiohttp import web

from selfinstruct.errors import InputError
from selfinstruct.testing.batch_job import BatchJob, File
from selfinstruct.testing.behaviour import Behaviour
from selfinstruct.testing.exchange import Exchange, ServerState

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Rejection: TypeAlias = Callable[[web.Request, Any, str], web.Response | None]

#: The faults of batch jobs by name: what each does to a job, a line of it, a poll, or a file.
BATCH_FAULTS = {
    "create-lost": "the job is created, and the reply is a 500",
    "create-refused": "503, and no job is created",
    "invalid": "the job fails its validation, with a reason for a line",
    "token-limit": "the job fails its validation: too many tokens are enqueued",
    "expired": "the job expires with half of its requests processed",
    "cancelled": "somebody else cancels the job with half of its requests processed",
    "slow": "the job takes ten times as long",
    "line-429": "a rate limit in place of a reply, in the error file",
    "line-500": "a server error in place of a reply, in the error file",
    "line-400": "a rejection in place of a reply, in the error file",
    "line-missing": "a billed reply without a line in the output",
    "line-twice": "two lines for one reply",
    "line-unknown": "another line, with a custom_id that no request has",
    "poll-503": "503 in place of the state of a job",
    "file-cut": "the first half of a file, then the end of the connection",
    "file-503": "503 in place of a file",
}
_JOB_FAULTS = ("invalid", "token-limit", "expired", "cancelled", "slow")
_LINE_FAULTS = tuple(name for name in BATCH_FAULTS if name.startswith("line-"))
#: The largest page of a list of jobs.
_PAGE = 100


def require_known_faults(faults: Mapping[str, float]) -> None:
    """Raise InputError for a fault that batch jobs do not have."""
    for name in faults:
        if name not in BATCH_FAULTS:
            raise InputError(
                "batch fault: unknown name {name!r}",
                hint="Choose one of {names}.",
                name=name,
                names=", ".join(BATCH_FAULTS),
            )


class BatchService:
    """The files and jobs of one server; ``behaviour`` returns its present settings.

    ``rejection`` is the error for a wrong key, model, option or body of a completion request, if any.
    """

    def __init__(self, state: ServerState, behaviour: Callable[[], Behaviour], rejection: _Rejection) -> None:
        self._state = state
        self._behaviour = behaviour
        self._rejection = rejection
        self._files: dict[str, File] = {}
        self._jobs: dict[str, BatchJob] = {}
        self._billed: set[str] = set()
        self._draws = 0

    def add_routes(self, router: web.UrlDispatcher, prefix: str) -> None:
        """Add the paths of both shapes."""
        for path in ("/files", "/files/upload"):
            router.add_post(f"{prefix}{path}", self._guarded(self._upload))
        router.add_get(f"{prefix}/files/{{id}}/content", self._guarded(self._content))
        router.add_delete(f"{prefix}/files/{{id}}", self._guarded(self._delete))
        router.add_post(f"{prefix}/batches", self._guarded(self._create))
        router.add_get(f"{prefix}/batches", self._guarded(self._list))
        router.add_get(f"{prefix}/batches/{{id}}", self._guarded(self._show))
        router.add_post(f"{prefix}/batches/{{id}}/cancel", self._guarded(self._cancel))

    def advance(self) -> None:
        """Bring every job to its present state, and bill what has been processed since."""
        now = asyncio.get_running_loop().time()
        for job in self._jobs.values():
            for line in job.advance(now):
                self._state.ledger.counts["batch-requests"] += 1
                self._state.ledger.counts["batch-repeated"] += line in self._billed
                self._billed.add(line)
            if job.output is not None:
                self._publish(job)

    def _guarded(self, handle: _Handler) -> _Handler:
        """The handler for requests with the right key, after all jobs have advanced."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            """Check the key, advance, and answer."""
            # The body of a completion that nothing but a wrong key can be wrong with.
            valid = {"messages": ["-"], "model": self._behaviour().models[0]}
            if (rejection := self._rejection(request, valid, "/chat/completions")) is not None:
                self._state.ledger.counts["denied"] += 1
                return rejection
            self.advance()
            return await handle(request)

        return guarded

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        part, purpose = form.get("file"), str(form.get("purpose", ""))
        wanted = "batch-api" if self._shape == "together" else "batch"
        if not isinstance(part, web.FileField):
            return _error(400, "'file' is a required property")
        if purpose != wanted or request.path.endswith("/upload") != (self._shape == "together"):
            return _error(400, f"'{purpose}' is not one of ['{wanted}'] - 'purpose'")
        file = self._add_file(part.file.read(), part.filename)
        return web.json_response(
            {"id": file.id, "object": "file", "bytes": len(file.data), "filename": file.name, "purpose": purpose}
        )

    async def _content(self, request: web.Request) -> web.StreamResponse:
        file = self._files.get(request.match_info["id"])
        if file is None:
            return _error(404, f"No such File object: {request.match_info['id']}")
        if self._draw("file-503"):
            return _error(503, "The server is overloaded. Try again later.")
        if not self._draw("file-cut"):
            return web.Response(body=file.data, content_type="application/octet-stream")
        response = web.StreamResponse(headers={"Content-Length": str(len(file.data))})
        await response.prepare(request)
        await response.write(file.data[: len(file.data) // 2])
        if request.transport is not None:
            request.transport.close()
        return response

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        found = self._files.pop(request.match_info["id"], None)
        if found is None:
            return _error(404, f"No such File object: {request.match_info['id']}")
        return web.json_response({"id": found.id, "object": "file", "deleted": True})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        file = self._files.get(str(body.get("input_file_id")))
        if file is None:
            return _error(400, f"Invalid 'input_file_id': no such file: {body.get('input_file_id')}")
        if body.get("completion_window", "24h") != "24h":
            return _error(400, "Invalid 'completion_window': expected '24h'")
        if self._draw("create-refused"):
            return _error(503, "The server is overloaded. Try again later.")
        number = len(self._jobs) + 1
        fault = next((name for name in _JOB_FAULTS if self._draw(name)), "")
        seconds = self._behaviour().batches.seconds * (10 if fault == "slow" else 1)
        now = asyncio.get_running_loop().time()
        job = BatchJob(f"batch_{number}", file, body, now, seconds, fault, lambda line: self._answer(request, line))
        self._jobs[job.id] = job
        self._state.ledger.counts["batch-jobs"] += 1
        if self._draw("create-lost"):
            return _error(500, "The server had an error while processing your request.")
        payload = job.payload(self._shape)
        return web.json_response({"job": payload} if self._shape == "together" else payload)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        self._state.ledger.counts["batch-polls"] += 1
        if self._draw("poll-503"):
            return _error(503, "The server is overloaded. Try again later.")
        return self._shown(request)

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self._jobs.get(request.match_info["id"])
        if job is not None:
            job.cancel(asyncio.get_running_loop().time())
            self.advance()
        return self._shown(request)

    def _shown(self, request: web.Request) -> web.StreamResponse:
        job = self._jobs.get(request.match_info["id"])
        if job is None:
            return _error(404, f"No batch found with id '{request.match_info['id']}'.")
        return web.json_response(job.payload(self._shape))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """The jobs, the newest first; a page at a time in OpenAI's shape."""
        payloads = [job.payload(self._shape) for job in reversed(self._jobs.values())]
        if self._shape == "together":
            return web.json_response(payloads)
        ids = [each["id"] for each in payloads]
        after = request.query.get("after")
        start = ids.index(after) + 1 if after in ids else 0
        limit = min(int(request.query.get("limit", "20")), _PAGE)
        page = payloads[start : start + limit]
        return web.json_response({"object": "list", "data": page, "has_more": start + limit < len(payloads)})

    @property
    def _shape(self) -> str:
        return self._behaviour().batches.shape

    def _draw(self, fault: str) -> bool:
        """Whether a fault occurs now; the number of the draw determines it."""
        share = self._behaviour().batches.faults.get(fault, 0.0)
        if not share:
            return False
        self._draws += 1
        occurs = Random(f"{self._behaviour().seed}:batch:{self._draws}").random() < share
        self._state.ledger.counts.update({"batch-faults": 1, fault: 1} if occurs else {})
        return occurs

    def _answer(self, request: web.Request, line: Mapping[str, Any]) -> tuple[str, int, Any]:
        """The fault, the status and the body of the reply to one line of a job."""
        body, path = line.get("body"), str(line.get("url") or "/chat/completions")
        if (rejection := self._rejection(request, body, path)) is not None:
            return "", rejection.status, json.loads(rejection.text or "null")
        fault = next((name for name in _LINE_FAULTS if self._draw(name)), "")
        if fault[5:].isdigit():
            message = {"line-429": "Rate limit reached for requests.", "line-400": "Invalid prompt."}
            error = {"message": message.get(fault, "The server had an error."), "type": "server_error", "code": None}
            return fault, int(fault[5:]), {"error": error}
        counts = self._state.ledger.counts
        counts["batch-lines"] += 1
        # Numbers of their own, so that their authors' draws do not depend on the number of online requests.
        exchange = Exchange(
            request, dict(body or {}), 1_000_000 + counts["batch-lines"], self._state, self._behaviour()
        )
        exchange.fault = fault
        return fault, 200, exchange.payload(exchange.bill())

    def _publish(self, job: BatchJob) -> None:
        """Make files of the output of a job that has ended."""
        output, errors = job.output or ([], [])
        job.output = None
        Random(job.id).shuffle(output)
        for lines, name in ((output, "output"), (errors, "error")):
            if lines:
                data = "".join(json.dumps(line) + "\n" for line in lines).encode()
                job.files[name] = self._add_file(data, f"{job.id}_{name}.jsonl").id

    def _add_file(self, data: bytes, name: str) -> File:
        file = File(f"file-{len(self._files) + self._draws + 1:04d}-{name[:8]}", name, data)
        while file.id in self._files:
            file = File(f"{file.id}x", name, data)
        self._files[file.id] = file
        return file


def _error(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status)
