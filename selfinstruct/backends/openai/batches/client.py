"""Files and jobs of an endpoint, by the openai package, whose requests our wire carries.

    openai (paths, forms, pages) -> _Carrier -> Wire (proxy, certificates, headers, query, deadlines, secrets)

Two shapes of the protocol are known: OpenAI's, which most providers have, and Together's, which uploads to another path
and lists without pages. The shape follows from the address, and from an upload that is refused for its purpose. Replies
are taken as they came: the package's own types know OpenAI's shape alone.

Importing openai takes half a second, so import this module only where batch jobs are used. Does not handle: retries, or
the meaning of a job's state (``round``).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx2
from openai import APIStatusError, AsyncOpenAI, OpenAIError, omit

from selfinstruct.backends.openai.address import NO_KEY
from selfinstruct.backends.openai.batches.input_file import Endpoint
from selfinstruct.backends.openai.batches.job import Job, read_job, read_jobs
from selfinstruct.backends.openai.call_error import CallError, from_status, not_json
from selfinstruct.backends.openai.wire import Wire

if TYPE_CHECKING:
    from openai._legacy_response import LegacyAPIResponse

T = TypeVar("T")
_PAGE = 100
#: Pages of jobs that are searched, the newest first.
_MOST_PAGES = 20
#: Seconds that a file may take in either direction.
_FILE_SECONDS = 3600.0
#: The most bytes of an output file: 50,000 replies of 20 KB.
_FILE_BYTES = 1 << 30
_FILES = "/files"
# Together's purpose of a file, and where it goes.
_TOGETHER, _TOGETHER_FILES = "batch-api", "/files/upload"


class _Failed(OpenAIError):
    """A request that got no reply, because of ``error``; the client passes on its own kind of exception unchanged."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.reason)
        self.error = error


class _Carrier(httpx2.AsyncBaseTransport):
    """Carries what the client of openai asks for over a wire, which knows the key, the proxy and the deadlines."""

    def __init__(self, wire: Wire) -> None:
        #: Where files are uploaded to: the client knows one place alone.
        self.upload_path = _FILES
        self._wire = wire
        self._root = httpx2.URL(wire.base_url).raw_path.decode().rstrip("/")

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the method, path and body of a request. Of its headers the type of its body alone counts."""
        path = request.url.raw_path.decode().removeprefix(self._root)
        if (request.method, path) == ("POST", _FILES):
            path = self.upload_path
        seconds, most_bytes = (_FILE_SECONDS, _FILE_BYTES) if path.startswith(_FILES) else (None, None)
        answer = await self._wire.send(
            request.method,
            path,
            await request.aread() or None,
            content_type=request.headers.get("Content-Type", ""),
            total=seconds,
            most_bytes=most_bytes,
        )
        if isinstance(answer, CallError):
            raise _Failed(answer)
        return httpx2.Response(answer.status, headers=dict(answer.headers), content=answer.data, request=request)


class BatchClient:
    """The files and jobs of one endpoint. Every method returns a CallError where it fails."""

    def __init__(self, wire: Wire) -> None:
        self.base_url = wire.base_url
        # The wire adds the key: the client never has it.
        self._carrier = _Carrier(wire)
        http = httpx2.AsyncClient(transport=self._carrier, trust_env=False)
        self._api = AsyncOpenAI(api_key=NO_KEY, base_url=wire.base_url, http_client=http, max_retries=0)
        host = urlsplit(wire.base_url).hostname or ""
        self._together = host.startswith("api.together.")

    async def upload(self, name: str, data: bytes) -> str | CallError:
        """Upload an input file; its id."""
        answer = await self._upload(name, data)
        if isinstance(answer, CallError) and not self._together and _TOGETHER in answer.message:
            self._together = True
            answer = await self._upload(name, data)
        if isinstance(answer, CallError):
            return answer
        found = answer.get("id") if isinstance(answer, dict) else None
        return found if isinstance(found, str) and found else CallError("garbled", "the upload has no id", max_tries=3)

    async def create(self, file: str, endpoint: Endpoint, tag: str) -> Job | CallError:
        """Create a job of an uploaded file; ``tag`` is for people who look at the provider's list of jobs."""
        metadata = omit if self._together else {"selfinstruct": tag}
        return _job(
            await _payload(
                self._api.batches.with_raw_response.create(
                    input_file_id=file, endpoint=endpoint, completion_window="24h", metadata=metadata
                )
            )
        )

    async def find(self, file: str) -> Job | CallError | None:
        """The job of an uploaded file, if there is one."""
        after = ""
        for _ in range(_MOST_PAGES):
            page = self._api.batches.with_raw_response.list(
                limit=omit if self._together else _PAGE, after=after or omit
            )
            answer = await _payload(page)
            if isinstance(answer, CallError):
                return answer
            jobs, more = read_jobs(answer)
            for job in jobs:
                if job.input == file:
                    return job
            if not more or not jobs:
                return None
            after = jobs[-1].id
        return None

    async def retrieve(self, job: str) -> Job | CallError:
        """The present state of a job."""
        return _job(await _payload(self._api.batches.with_raw_response.retrieve(job)))

    async def cancel(self, job: str) -> Job | CallError:
        """Ask for a job to be cancelled; what is processed until then is kept and billed."""
        return _job(await _payload(self._api.batches.with_raw_response.cancel(job)))

    async def content(self, file: str) -> bytes | CallError:
        """The bytes of an output file."""
        answer = await _answered(self._api.files.content(file))
        return answer if isinstance(answer, CallError) else answer.content

    async def delete(self, file: str) -> None:
        """Delete an uploaded file, so that no job can be created of it any more; it may be gone already."""
        await _answered(self._api.files.with_raw_response.delete(file))

    async def _upload(self, name: str, data: bytes) -> Any:
        self._carrier.upload_path = _TOGETHER_FILES if self._together else _FILES
        purpose: Any = _TOGETHER if self._together else "batch"  # the client knows OpenAI's purposes
        more = {"file_name": name} if self._together else {}
        part = (name, data, "application/jsonl")
        return await _payload(
            self._api.files.with_raw_response.create(file=part, purpose=purpose, extra_body=more or None)
        )


async def _answered(call: Awaitable[T]) -> T | CallError:
    """The result of a call of the client, or why there is none."""
    try:
        return await call
    except APIStatusError as error:
        response = error.response
        return from_status(response.status_code, dict(response.headers), response.content)
    except _Failed as error:
        return error.error


async def _payload(call: Awaitable[LegacyAPIResponse[Any]]) -> Any:
    """The JSON of the response to a call, or what is wrong with it."""
    answer = await _answered(call)
    if isinstance(answer, CallError):
        return answer
    response = answer.http_response
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return not_json(response.status_code, response.content, response.headers.get("content-type", ""))


def _job(payload: Any) -> Job | CallError:
    if isinstance(payload, CallError):
        return payload
    return read_job(payload) or CallError("garbled", "the reply is no batch job", max_tries=3)
