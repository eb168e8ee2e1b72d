"""HTTP: send one chat completion with aiohttp, and return the bytes of the reply.

Every exception of aiohttp becomes a CallError here, and nowhere else. A reply is read up to a maximum size, and
decompressed according to its bytes, because its headers are not always right. The openai package is used for batch
jobs alone (``batches/client``): importing it takes twice as long as all else that a call needs, and its client doubles
the CPU time of a call.

Does not handle: the meaning of a status or a body (``call_error``, ``completion``), or when to send (``pacing``).
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from selfinstruct._version import __version__
from selfinstruct.backends.openai.address import Address
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.connection_error import from_exception, unsupported
from selfinstruct.backends.openai.proxy import Proxy
from selfinstruct.backends.openai.secret import Secret
from selfinstruct.backends.openai.settings import Deadlines
from selfinstruct.messages import Phrase
from selfinstruct.platform_support import trusted_certificates

#: Servers close idle connections after about 5 s; the client closes them earlier, so that none is reused as it dies.
KEEP_ALIVE = 4.0
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 16
_JSON = "application/json"
# A new deadline is applied to calls in flight if it differs by more than this share.
_SAME_DEADLINE = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP reply: ``headers`` by lower-case name, ``data`` decompressed."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _BadBody(Exception):
    """The body of a reply is unusable, because of ``error``."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.reason)
        self.error = error


class _Connector(aiohttp.TCPConnector):
    """Makes the connections; ``connected`` is whether there has been one."""

    connected = False

    async def connect(self, *request: Any, **options: Any) -> aiohttp.connector.Connection:
        """A connection for a request, perhaps an old one."""
        connection = await super().connect(*request, **options)
        self.connected = True
        return connection


class Wire:
    """A client for one address, created in a running event loop.

    What the requests carry is sent only to this origin, never to the target of a redirect. A proxy is taken from the
    environment, as by curl.
    """

    def __init__(self, address: Address, deadlines: Deadlines, connections: int, max_reply_bytes: int) -> None:
        self._address = address
        self._deadlines = deadlines
        self._max_reply_bytes = max_reply_bytes
        self._secret = Secret(*address.secrets)
        self._in_flight: dict[asyncio.Timeout, float] = {}
        self._deadline = deadlines.total
        #: The proxy on the way to the address, or None.
        self.proxy = Proxy.of(address.base_url)
        https = urlsplit(address.base_url).scheme == "https"
        self._connector = _Connector(
            limit=connections, keepalive_timeout=KEEP_ALIVE, ssl=trusted_certificates() if https else True
        )
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(sock_connect=deadlines.connect, sock_read=deadlines.idle),
            auto_decompress=False,
            # Compression gains nothing for small replies, and some servers get it wrong.
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"selfinstruct/{__version__}",
                **address.headers,
            },
        )

    @property
    def base_url(self) -> str:
        """The URL that requests are sent to, without a trailing slash, user and query."""
        return self._address.base_url

    @property
    def connected(self) -> bool:
        """Whether there has been a connection, so that a request may have arrived."""
        return self._connector.connected

    async def complete(self, body: Mapping[str, Any], total: float | None = None) -> Answer | CallError:
        """POST a chat completion, or a completion if the body has a prompt.

        ``total`` is the deadline of the whole call in seconds, by default that of the settings. It also applies to
        the calls in flight: those that were sent before it was known how long replies take, and are never answered,
        would otherwise delay the end of a run by the default deadline.
        """
        if total is not None:
            self._apply_deadline(total)
        path = "/completions" if "prompt" in body else "/chat/completions"
        return await self._exchange("POST", path, json.dumps(body).encode(), total)

    async def models(self) -> Answer | CallError:
        """GET the list of models."""
        return await self._exchange("GET", "/models")

    async def send(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        *,
        content_type: str = _JSON,
        total: float | None = None,
        most_bytes: int | None = None,
    ) -> Answer | CallError:
        """Send any other request of the API.

        ``total`` is its deadline in seconds, ``most_bytes`` the largest reply; by default those of the settings.
        """
        return await self._exchange(method, path, data, total, content_type, most_bytes)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _exchange(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        total: float | None = None,
        content_type: str = _JSON,
        most_bytes: int | None = None,
    ) -> Answer | CallError:
        headers = {"Content-Type": content_type} if data is not None else None
        if self.proxy is not None and not self.proxy.is_supported:
            return unsupported(self.proxy, self.base_url)
        try:
            async with (
                self._bounded(self._deadlines.total if total is None else total),
                self._session.request(
                    method,
                    self._address.url(path),
                    # As a stream: aiohttp sends bytes in one piece, and a file may have many.
                    data=data if data is None or len(data) < _CHUNK else BytesIO(data),
                    headers=headers,
                    allow_redirects=False,
                    proxy=self.proxy.url if self.proxy is not None else None,
                ) as response,
            ):
                return await self._answer(response, most_bytes or self._max_reply_bytes)
        except _BadBody as error:
            return error.error
        except Exception as error:  # noqa: BLE001 - the exceptions of aiohttp are translated here, and nowhere else
            caught = error
        # Outside the handler, so that no traceback holds the exception, whose request has the key in its headers.
        return from_exception(caught, self.base_url, self.proxy)

    @asynccontextmanager
    async def _bounded(self, total: float) -> AsyncIterator[None]:
        async with asyncio.timeout(total) as timeout:
            self._in_flight[timeout] = asyncio.get_running_loop().time()
            try:
                yield
            finally:
                del self._in_flight[timeout]

    def _apply_deadline(self, total: float) -> None:
        """Apply a new deadline to the calls in flight, if it differs enough."""
        if abs(total - self._deadline) <= _SAME_DEADLINE * self._deadline:
            return
        self._deadline = total
        for timeout, began in self._in_flight.items():
            if not timeout.expired():
                timeout.reschedule(began + total)

    async def _answer(self, response: aiohttp.ClientResponse, limit: int) -> Answer:
        # Some servers repeat the key in their errors.
        redact = self._secret.redact
        headers = {
            name.decode("latin-1").lower(): redact(value).decode("utf-8", "replace")
            for name, value in response.raw_headers
        }
        return Answer(response.status, headers, redact(await _body(response, headers, limit)))


async def _body(response: aiohttp.ClientResponse, headers: dict[str, str], limit: int) -> bytes:
    """The whole body, decompressed, of at most ``limit`` bytes."""
    length = headers.get("content-length", "")
    encoding = headers.pop("content-encoding", "")
    if length.isdecimal() and int(length) <= limit:
        data = await response.read()
    else:
        data = await _read_at_most(response, limit)
    return _decompress(data, encoding, limit) if encoding or data[:2] == _GZIP else data


async def _read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a body of unknown length, of at most ``limit`` bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """Decompress compressed data, regardless of the header, to at most ``limit`` bytes."""
    if data[:2] == _GZIP or (encoding == "deflate" and data[:1] == b"\x78"):
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            plain = inflater.decompress(data, limit)
        except zlib.error as error:
            raise _unreadable(encoding) from error
        if inflater.unconsumed_tail:
            raise _too_large(limit)
        if not inflater.eof:
            raise _unreadable(encoding)
        return plain
    if encoding in ("br", "zstd"):
        try:
            json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _unreadable(encoding) from error
    return data


def _too_large(limit: int) -> _BadBody:
    message = Phrase("the reply exceeds {limit:,} bytes", limit=limit)
    hint = "Request fewer rows per prompt, or set the recipe's max_tokens."
    return _BadBody(CallError("too-large", message, hint, billed=True))


def _unreadable(encoding: str) -> _BadBody:
    message = Phrase(
        "cannot decompress the reply ({encoding}); the request did not ask for compression", encoding=encoding or "gzip"
    )
    return _BadBody(CallError("garbled", message, max_tries=2, billed=True))
