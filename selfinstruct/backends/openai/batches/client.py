"""HTTP of batch jobs: upload a file, create, find, poll and cancel a job, download its output.

Two shapes of the protocol are known: OpenAI's, which most providers have, and Together's, which uploads to another path
and lists without pages. The shape follows from the address, and from an upload that is refused for its purpose.

Does not handle: retries, or the meaning of a job's state (``round``).
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from selfinstruct.backends.openai.batches.job import Job, read_job, read_jobs
from selfinstruct.backends.openai.call_error import CallError, from_status, not_json
from selfinstruct.backends.openai.wire import Answer, Wire

#: The time that every provider offers.
_WINDOW = "24h"
_PAGE = 100
#: Pages of jobs that are searched, the newest first.
_MOST_PAGES = 20
#: Seconds that a file may take in either direction.
_FILE_SECONDS = 3600.0
_TOGETHER = "batch-api"


class BatchClient:
    """The files and jobs of one endpoint. Every method returns a CallError where it fails."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        host = urlsplit(wire.base_url).hostname or ""
        self._together = host.startswith("api.together.")

    @property
    def base_url(self) -> str:
        """The URL that requests are sent to."""
        return self._wire.base_url

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

    async def create(self, file: str, endpoint: str, tag: str) -> Job | CallError:
        """Create a job of an uploaded file; ``tag`` is for people who look at the provider's list of jobs."""
        body: dict[str, Any] = {"input_file_id": file, "endpoint": endpoint, "completion_window": _WINDOW}
        if not self._together:
            body["metadata"] = {"selfinstruct": tag}
        return _job(await self._json("POST", "/batches", json.dumps(body).encode()))

    async def find(self, file: str) -> Job | CallError | None:
        """The job of an uploaded file, if there is one."""
        after = ""
        for _ in range(_MOST_PAGES):
            query = "" if self._together else "?" + urlencode({"limit": _PAGE, **({"after": after} if after else {})})
            answer = await self._json("GET", f"/batches{query}")
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
        return _job(await self._json("GET", f"/batches/{quote(job, safe='')}"))

    async def cancel(self, job: str) -> Job | CallError:
        """Ask for a job to be cancelled; what is processed until then is kept and billed."""
        return _job(await self._json("POST", f"/batches/{quote(job, safe='')}/cancel", b"{}"))

    async def content(self, file: str) -> bytes | CallError:
        """The bytes of an output file."""
        answer = await self._wire.send("GET", f"/files/{quote(file, safe='')}/content", total=_FILE_SECONDS)
        if isinstance(answer, CallError):
            return answer
        return answer.data if answer.status == 200 else from_status(answer.status, answer.headers, answer.data)

    async def delete(self, file: str) -> None:
        """Delete an uploaded file, so that no job can be created of it any more; it may be gone already."""
        await self._wire.send("DELETE", f"/files/{quote(file, safe='')}")

    async def _upload(self, name: str, data: bytes) -> Any:
        path, purpose = ("/files/upload", _TOGETHER) if self._together else ("/files", "batch")
        boundary = uuid.uuid4().hex
        form = _form(boundary, {"purpose": purpose, "file_name": name} if self._together else {"purpose": purpose})
        body = form + _file_part(boundary, name, data)
        kind = f"multipart/form-data; boundary={boundary}"
        return _payload(await self._wire.send("POST", path, body, content_type=kind, total=_FILE_SECONDS))

    async def _json(self, method: str, path: str, data: bytes | None = None) -> Any:
        return _payload(await self._wire.send(method, path, data))


def _payload(answer: Answer | CallError) -> Any:
    """The JSON of a reply, or what is wrong with it."""
    if isinstance(answer, CallError):
        return answer
    if not 200 <= answer.status < 300:
        return from_status(answer.status, answer.headers, answer.data)
    try:
        return json.loads(answer.data)
    except (ValueError, RecursionError):
        return not_json(answer.status, answer.data, answer.headers.get("content-type", ""))


def _job(payload: Any) -> Job | CallError:
    if isinstance(payload, CallError):
        return payload
    return read_job(payload) or CallError("garbled", "the reply is no batch job", max_tries=3)


def _form(boundary: str, fields: dict[str, str]) -> bytes:
    """The text fields of a form."""
    return "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ).encode()


def _file_part(boundary: str, name: str, data: bytes) -> bytes:
    """The file of a form, and its end."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    return head.encode() + b"Content-Type: application/jsonl\r\n\r\n" + data + f"\r\n--{boundary}--\r\n".encode()
