"""Classification of calls that got no reply: what was wrong with the connection, and what to do; pure.

Does not handle: replies with an error (``call_error``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from selfinstruct.backends.openai.call_error import UNLIMITED_TRIES, CallError
from selfinstruct.backends.openai.proxy import Proxy
from selfinstruct.messages import Phrase

# The default ports of local servers, and the command that starts each.
_START_COMMANDS = {
    1234: "lms server start",
    8000: "vllm serve MODEL",
    8080: "llama-server -m FILE --port 8080",
    11434: "ollama serve",
}
_OPENAI_HOST = "api.openai.com"


def from_exception(error: BaseException, base_url: str, proxy: Proxy | None = None) -> CallError:
    """Classify an exception of aiohttp, or of a library above it that hides aiohttp's in a chain of causes.

    ``proxy`` is the one that the call went through. The exception's own text is not included, because it may contain
    the request's headers.
    """
    import aiohttp

    chain = list(exception_chain(error))
    cause = next((each for each in chain if isinstance(each, aiohttp.ClientError | ConnectionError)), error)
    cause = next((each for each in chain if isinstance(each, aiohttp.ClientError)), cause)
    if isinstance(cause, aiohttp.ClientHttpProxyError) and proxy is not None:
        return _refused_by(proxy, cause.status, base_url)
    if isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return _untrusted(cause, base_url)
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return _unreachable(base_url, Phrase("cannot resolve the host name"), proxy)
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return _unreachable(base_url, Phrase("timed out"), proxy)
    if isinstance(cause, aiohttp.ClientConnectorError):
        problem = os.strerror(cause.errno).lower() if cause.errno else Phrase("no connection")
        return _unreachable(base_url, problem, proxy)
    if isinstance(cause, aiohttp.ClientPayloadError):
        return _transient("cut", Phrase("{base_url}: the reply ended early", base_url=base_url), overload=False)
    if any(isinstance(each, TimeoutError) for each in (cause, error)):
        return _transient("timeout", Phrase("{base_url}: no complete reply before the deadline", base_url=base_url))
    if isinstance(cause, aiohttp.ClientConnectionError | ConnectionError):
        return _transient("dropped", Phrase("{base_url}: the connection was dropped before a reply", base_url=base_url))
    return CallError(
        "garbled",
        Phrase("{base_url}: cannot read the reply ({name})", base_url=base_url, name=type(cause).__name__),
        max_tries=3,
        billed=True,
    )


def unsupported(proxy: Proxy, base_url: str) -> CallError:
    """The error of a proxy that speaks something else than HTTP."""
    note = "{base_url}: cannot use {proxy}: only HTTP proxies are supported"
    message = Phrase(note, base_url=base_url, proxy=proxy.name)
    return CallError("unreachable", message, hint=proxy.hint, fatal=True)


def _refused_by(proxy: Proxy, status: int, base_url: str) -> CallError:
    """The error of a proxy that makes no connection; one that needs a password, or forbids the host, always will."""
    message = Phrase("{base_url}: {proxy} answered status {status}", base_url=base_url, proxy=proxy.name, status=status)
    is_final = status in (401, 403, 407)
    return CallError(
        "unreachable", message, proxy.hint, fatal=is_final, max_tries=UNLIMITED_TRIES, overload=not is_final
    )


def _untrusted(cause: BaseException, base_url: str) -> CallError:
    """The error of a TLS connection, with what is wrong with the certificate, if that is known."""
    certificate = getattr(cause, "certificate_error", None)
    problem = str(getattr(certificate, "verify_message", "") or type(cause).__name__)
    return CallError(
        "unreachable",
        Phrase("{base_url}: cannot establish a TLS connection ({name})", base_url=base_url, name=problem),
        hint="Check whether the server expects http instead of https. To trust a certificate of your own, set the "
        "environment variable SSL_CERT_FILE to a file with it.",
        fatal=True,
    )


def _unreachable(base_url: str, problem: str, proxy: Proxy | None) -> CallError:
    message = Phrase("{base_url}: cannot connect: {problem}", base_url=base_url, problem=problem)
    if proxy is not None:
        note = "{base_url}: cannot connect through {proxy}: {problem}"
        message = Phrase(note, base_url=base_url, proxy=proxy.name, problem=problem)
    return CallError(
        "unreachable",
        message,
        hint=_connection_hint(base_url) if proxy is None else proxy.hint,
        max_tries=UNLIMITED_TRIES,
        overload=True,
    )


def _connection_hint(base_url: str) -> str:
    """What to do about a server that cannot be reached: which address, and how to start a local one."""
    address = urlsplit(base_url)
    if address.hostname == _OPENAI_HOST:
        return Phrase('Check the network, or call another server: `base_url="http://127.0.0.1:8000/v1"`.')
    command = _START_COMMANDS.get(address.port or 0)
    start = Phrase("docs/models.md describes how to start one")
    if command:
        start = Phrase("start one with `{command}`", command=command)
    place = f"{address.scheme}://{address.netloc}"
    return Phrase(
        "Check that a server is running at {place} ({start}), or correct `base_url`.", place=place, start=start
    )


def _transient(reason: str, message: str, *, overload: bool = True) -> CallError:
    return CallError(reason, message, max_tries=UNLIMITED_TRIES, overload=overload, billed=True)


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, the root first."""
    seen: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in seen:
        seen.append(step)
        step = step.__cause__ or step.__context__
    return reversed(seen)
