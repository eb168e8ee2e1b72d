"""A client of the service's API: JSON in and out, uploads and downloads.

Does not handle: retries. The service is on this machine, or its operator's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import aiohttp

from selfinstruct.files import open_whole

_CHUNK = 1 << 16
#: A preview or a check may take long; no request takes an hour.
_TIMEOUT = aiohttp.ClientTimeout(total=3600, sock_connect=10)


class RefusedError(Exception):
    """The service refused a request, or cannot be reached; the message says why and what to do."""


class ServiceClient:
    """The API of a service at ``url``, used with a token."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session, self._url = session, url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """The JSON at a path; values of ``query`` that are None are left out."""
        return await self._json("GET", path, params=_given(query))

    async def post(self, path: str, body: dict[str, Any], **query: str | int | None) -> dict[str, Any]:
        """Post JSON, and return the JSON of the answer."""
        return await self._json("POST", path, params=_given(query), json=body)

    async def upload(self, file: Path) -> str:
        """Upload a file and return its id."""
        with file.open("rb") as content:
            answer = await self._json(
                "POST",
                "/v1/files",
                params={"name": file.name},
                data=content,
                headers={"Content-Type": "application/octet-stream"},
            )
        return str(answer["id"])

    async def download(self, path: str, out: Path, **query: str | int | None) -> int:
        """Write the answer to a file, whole or not at all, and return its size in bytes."""
        size = 0
        async with self._request("GET", path, params=_given(query)) as response:
            await _require_success(response)
            with open_whole(out) as file:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    size += file.write(chunk)
        return size

    async def wait_for_event(self, path: str, name: str, seconds: float) -> None:
        """Read the event stream at a path until the event ``name``, its end, or for so long."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):  # the caller looks at the state anyway
            async with asyncio.timeout(seconds), self._request("GET", path) as response:
                async for line in response.content:
                    if line.decode(errors="replace").strip() == f"event: {name}":
                        return

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            async with self._request(method, path, **options) as response:
                await _require_success(response)
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RefusedError(f"{self._url}: cannot reach the service: {type(error).__name__}") from error
        return answer

    def _request(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return self._session.request(
            method,
            f"{self._url}{path}",
            headers=self._headers | (headers or {}),
            timeout=_TIMEOUT,
            allow_redirects=False,  # a redirect could take the token to another host
            **options,
        )


def _given(query: dict[str, str | int | None]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


async def _require_success(response: aiohttp.ClientResponse) -> None:
    """Raise the problem that an answer describes, if it does."""
    if response.status < 300:
        return
    text = await response.text(errors="replace")
    try:
        problem = json.loads(text)
        lines = [str(problem["detail"])]
    except (ValueError, KeyError, TypeError):
        raise RefusedError(f"the service answered {response.status}") from None
    for fault in problem.get("errors") or ():
        where = f"line {fault['line']}: " if fault.get("line") else f"{fault['key']}: " if fault.get("key") else ""
        lines.append(f"{where}{fault['message']}")
    if problem.get("hint"):
        lines.append(f"Hint: {problem['hint']}")
    raise RefusedError("\n".join(lines))
