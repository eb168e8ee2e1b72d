"""Who may call: the token, and exact allow-lists of Host and Origin, on every method; and the headers of every answer.

Host is checked against DNS rebinding, Origin against other sites. The token comes in ``Authorization: Bearer``, or in a
cookie that ``GET /?token=...`` sets. Everything here is decided before a request is routed, so that no method and no
path is forgotten.

Does not handle: what a user may do; all users of a service see all its runs.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDictProxy

from selfinstruct.messages import Phrase
from selfinstruct.service.problems import Problem
from selfinstruct.service.settings import Settings, digest_of

#: Nothing from elsewhere, nothing inline, no frames.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_SAFE = ("GET", "HEAD")


def cookie_name(settings: Settings) -> str:
    """The name of the cookie; cookies do not distinguish ports, and several services may run on one host."""
    return f"selfinstruct-{settings.port}"


def check_host(settings: Settings, headers: CIMultiDictProxy[str]) -> None:
    """Raise Problem unless the Host header is one of those allowed."""
    hosts = headers.getall("Host", [])
    if len(hosts) != 1 or hosts[0].lower() not in settings.hosts:
        raise Problem(
            HTTPStatus.MISDIRECTED_REQUEST,
            Phrase("Host: not a name of this service"),
            Phrase("Add it to `hosts` in the configuration of the service."),
            slug="host",
        )


def check_origin(settings: Settings, request: web.Request) -> None:
    """Raise Problem for an Origin that is not allowed.

    Without one, only safe methods are allowed with the cookie, which a browser sends whoever asks it to; a token in
    ``Authorization`` is sent by nobody but its owner.
    """
    origins = request.headers.getall("Origin", [])
    if not origins:
        if (
            request.method in _SAFE
            or "Authorization" in request.headers
            or cookie_name(settings) not in request.cookies
        ):
            return
    elif len(origins) == 1 and origins[0].lower() in settings.origins:
        return
    raise Problem(
        HTTPStatus.FORBIDDEN,
        Phrase("Origin: not a page of this service"),
        Phrase("Add it to `origins` in the configuration of the service."),
        slug="origin",
    )


def user_of(settings: Settings, request: web.Request) -> str | None:
    """The user whose token a request has; None without a valid one."""
    given = request.headers.getall("Authorization", [])
    if given:
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            return None
        return user_with(settings, token.strip())
    cookie = request.cookies.get(cookie_name(settings))
    return None if cookie is None else user_with(settings, cookie)


def user_with(settings: Settings, token: str) -> str | None:
    """The user with this token; the time that this takes does not depend on the token."""
    digest, found = digest_of(token), None
    for name, expected in settings.users.items():
        if hmac.compare_digest(digest, expected):
            found = name
    return found


def unauthorised() -> Problem:
    """The problem of a request without a valid token."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        Phrase("Authorization: no valid token"),
        Phrase("Open the link that the service printed, or send the header `Authorization: Bearer TOKEN`."),
        headers={"WWW-Authenticate": 'Bearer realm="selfinstruct"'},
    )
