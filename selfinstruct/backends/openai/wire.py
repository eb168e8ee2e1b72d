"""The wire: one chat completion sent by the openai package's client over aiohttp, and the bytes that came back.

Whatever the package, its HTTP library or its transport raise becomes a Trouble here, and nowhere else. A reply is
read up to a size, and decoded by what its bytes are: what its headers say of its encoding is not always true.

Does not handle: what a status or a body means (``failures``, ``completion``), or when to send (``pacing``).
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from openai import DEFAULT_CONNECTION_LIMITS, APIStatusError, AsyncOpenAI, DefaultAioHttpClient, Timeout

from selfinstruct._version import __version__
from selfinstruct.backends.openai.call_error import CallError, causes, from_exception
from selfinstruct.backends.openai.secret import Secret

#: The largest reply that is read, in bytes, before and after decompression: 2,000 times a usual one.
MAX_REPLY_BYTES = 16 * 2**20
#: Servers close idle connections after about 5 s; ours are closed before that, so that none is used as it dies.
KEEP_ALIVE = 4.0
#: What is sent as the key where there is none: the package insists on one, and local servers ignore it.
NO_KEY = "no-key-needed"
_GZIP = b"\x1f\x8b"
# A deadline is one for the calls under way too where it differs by more than this share.
_SAME_DEADLINE = 0.1


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: to connect, between two bytes of a reply, and for the whole of one call.

    Once it is known how long replies take, a call is given up sooner than ``total``, but not before ``least``.
    """

    connect: float = 10.0
    idle: float = 600.0
    total: float = 600.0
    least: float = 15.0

    def within(self, total: float) -> Deadlines:
        """The same with ``total`` seconds for a call, and none of the others longer."""
        return Deadlines(min(self.connect, total), total, total, min(self.least, total))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP reply as it came: ``headers`` by lower-case name, ``data`` decompressed."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _BadBody(Exception):
    """A reply's body cannot be used; ``trouble`` says why."""

    def __init__(self, trouble: CallError) -> None:
        super().__init__(trouble.reason)
        self.trouble = trouble


class _Client(DefaultAioHttpClient):
    """The package's aiohttp client, which reads every reply, good or bad, up to a size and no further."""

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request and read its reply whole."""
        streamed = await super().send(request, **{**options, "stream": True})
        try:
            length = streamed.headers.get("content-length", "")
            if length.isdecimal() and int(length) <= MAX_REPLY_BYTES and "content-encoding" not in streamed.headers:
                if (await streamed.aread())[:2] != _GZIP:
                    return streamed
                chunks = [streamed.content]
            else:
                chunks = await _chunks(streamed)
        finally:
            await streamed.aclose()
        encoding = streamed.headers.pop("content-encoding", "")
        data = _decoded(b"".join(chunks), encoding)
        return type(streamed)(
            streamed.status_code,
            headers=streamed.headers,
            content=data,
            request=request,
            extensions=streamed.extensions,
        )


class Wire:
    """A client bound to one base URL; ``base_url`` None is the package's own default."""

    def __init__(self, base_url: str | None, key: str, deadlines: Deadlines, connections: int) -> None:
        limits = type(DEFAULT_CONNECTION_LIMITS)(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_ALIVE
        )
        timeout = Timeout(deadlines.idle, connect=deadlines.connect, pool=None)
        self._deadlines = deadlines
        self._secret = Secret(key)
        self._under_way: dict[asyncio.Timeout, float] = {}
        self._allowed = deadlines.total
        # A key is sent to the origin that it was given for, and to none that a reply points to.
        self._http = _Client(limits=limits, timeout=timeout, follow_redirects=False)
        self._client = AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            http_client=self._http,
            # Small replies gain nothing by compression, and there is a fault less to meet.
            default_headers={"Accept-Encoding": "identity"},
        )
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {key or NO_KEY}",
            "Content-Type": "application/json",
            "User-Agent": f"selfinstruct/{__version__}",
        }

    @property
    def base_url(self) -> str:
        """Where requests go, without a slash at the end."""
        return str(self._client.base_url).rstrip("/")

    async def complete(self, body: Mapping[str, Any], total: float | None = None) -> Answer | CallError:
        """POST a chat completion, or a completion where the body has a prompt.

        ``total`` seconds (by default the deadline) bound it from end to end.
        They bound the calls that are under way as well: those that were sent before it was known how long replies
        take, and are answered by none, would hold up the end of a run for the whole deadline.
        """
        if total is not None:
            self._allow(total)
        return await self._exchange(
            self._post("/completions" if "prompt" in body else "/chat/completions", body), total
        )

    async def models(self) -> Answer | CallError:
        """GET the list of models."""
        return await self._exchange(self._listed())

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The reply to a POST, through the package's HTTP client alone.

        The package's own way checks and merges options for each call, which is more than half of a call's CPU time.
        """
        url, content = f"{self.base_url}{path}", json.dumps(body).encode()
        return await self._http.send(self._http.build_request("POST", url, content=content, headers=self._headers))

    async def _listed(self) -> Any:
        return (await self._client.models.with_raw_response.list()).http_response

    async def _exchange(self, call: Awaitable[Any], total: float | None = None) -> Answer | CallError:
        caught: Exception
        try:
            async with self._bounded(self._deadlines.total if total is None else total):
                return self._answer(await call)
        except APIStatusError as error:
            return self._answer(error.response)
        except Exception as error:  # noqa: BLE001 - whatever three libraries raise is translated, here and nowhere else
            caught = error
        # Out here, so that no traceback carries the exception, whose request has the key in its headers.
        bad = next((cause for cause in causes(caught) if isinstance(cause, _BadBody)), None)
        return bad.trouble if bad is not None else from_exception(caught, self.base_url)

    @asynccontextmanager
    async def _bounded(self, total: float) -> AsyncIterator[None]:
        async with asyncio.timeout(total) as timeout:
            self._under_way[timeout] = asyncio.get_running_loop().time()
            try:
                yield
            finally:
                del self._under_way[timeout]

    def _allow(self, total: float) -> None:
        """Bound the calls under way anew, where that makes a difference."""
        if abs(total - self._allowed) <= _SAME_DEADLINE * self._allowed:
            return
        self._allowed = total
        for timeout, began in self._under_way.items():
            if not timeout.expired():
                timeout.reschedule(began + total)

    def _answer(self, response: Any) -> Answer:
        # Some servers repeat the key in their errors; it goes no further than here.
        hidden = self._secret.hidden
        headers = {name.lower(): hidden(value.encode()).decode() for name, value in response.headers.items()}
        return Answer(response.status_code, headers, hidden(response.content))


async def _chunks(response: Any) -> list[bytes]:
    """A body of unknown length as it comes, up to the size."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise _too_large()
        chunks.append(chunk)
    return chunks


def _decoded(data: bytes, encoding: str) -> bytes:
    """The bytes decompressed where they are compressed, whatever the header says."""
    if data[:2] == _GZIP or (encoding == "deflate" and data[:1] == b"\x78"):
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            plain = inflater.decompress(data, MAX_REPLY_BYTES)
        except zlib.error as error:
            raise _unreadable(encoding) from error
        if inflater.unconsumed_tail:
            raise _too_large()
        if not inflater.eof:
            raise _unreadable(encoding)
        return plain
    if encoding in ("br", "zstd"):
        try:
            json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _unreadable(encoding) from error
    return data


def _too_large() -> _BadBody:
    message = f"a reply of more than {MAX_REPLY_BYTES:,} bytes was cut off"
    return _BadBody(CallError("too-large", message, "Ask for fewer rows, or set max_tokens.", billed=True))


def _unreadable(encoding: str) -> _BadBody:
    message = f"a reply was compressed ({encoding or 'gzip'}), which was not asked for, and cannot be read"
    return _BadBody(CallError("garbled", message, tries=2, billed=True))
