"""``secret``: keys and tokens of known shapes, checked by their checksum or their header where they have one.

Shapes are those that the issuers publish. GitHub: the last six characters are the CRC-32 of the thirty before them in
base 62 ("Behind GitHub's new authentication token formats", 2021). PyPI: a macaroon whose location is the index, in
base64. JWT: RFC 7519, a header in base64url with ``alg``. A text of a known shape without a checksum counts only if its
characters vary as in a random text, so that ``sk-xxxxxxxx`` is none.

Does not handle: passwords in prose; keys without a shape of their own, such as 40 characters of hexadecimal digits.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase

_BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Bits a character. Random base 62 has 4 or more from 20 characters on, hexadecimal digits 3 or more, words about 3.
_LEAST_BITS = 2.8
_LEAST_DISTINCT = 8
_BEFORE, _AFTER = r"(?<![A-Za-z0-9_\-])", r"(?![A-Za-z0-9_\-])"
#: Passwords of a URL that are placeholders in manuals.
_NO_PASSWORD = re.compile(
    r"pass(?:word|wd)?|secret|pwd|changeme|your\W?password|example|[*x.]+|[<{$\[%].*", re.IGNORECASE
)


class _Shape(NamedTuple):
    """A kind of secret: ``shown`` characters of its start name the kind and nothing more."""

    name: Phrase
    pattern: re.Pattern[str]
    shown: int
    holds: Callable[[str], bool]


def _is_random(text: str) -> bool:
    body = re.sub(r"[^A-Za-z0-9]", "", text)
    counts = Counter(body)
    bits = -sum(count / len(body) * math.log2(count / len(body)) for count in counts.values()) if body else 0.0
    return len(counts) >= _LEAST_DISTINCT and bits >= _LEAST_BITS


def _has_github_checksum(token: str) -> bool:
    body, written = token[4:-6], token[-6:]
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = _BASE_62[digit] + digits
    return digits == written


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _is_jwt(token: str) -> bool:
    try:
        header, claims = (json.loads(_decoded(part)) for part in token.split(".")[:2])
    except ValueError:
        return False
    return isinstance(header, dict) and "alg" in header and isinstance(claims, dict)


def _is_pypi(token: str) -> bool:
    return b"pypi.org" in _decoded(token.removeprefix("pypi-")[:40])


def _is_private_key(block: str) -> bool:
    body = re.sub(r"-----[A-Z ]+-----|[^A-Za-z0-9+/=]", "", block.replace("\\n", ""))
    return len(body) >= 40 and _is_random(body)


def _is_password(url: str) -> bool:
    return _NO_PASSWORD.fullmatch(url.rpartition("@")[0].rpartition(":")[2]) is None


def _shape(name: Phrase, body: str, shown: int, holds: Callable[[str], bool] = _is_random) -> _Shape:
    return _Shape(name, re.compile(f"{_BEFORE}(?:{body}){_AFTER}"), shown, holds)


_SHAPES = (
    _shape(Phrase("an AWS access key id"), r"(?:AKIA|ASIA)[A-Z0-9]{16}", 4),
    _Shape(
        Phrase("an AWS secret access key"),
        re.compile(
            r"(?i:aws_?(?:secret)?_?(?:access)?_?key|secret_?access_?key)\W{1,6}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
        0,
        _is_random,
    ),
    _shape(Phrase("a GitHub token"), r"gh[oprsu]_[A-Za-z0-9]{36}", 4, _has_github_checksum),
    _shape(Phrase("a GitHub token"), r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", 11),
    _shape(Phrase("a GitLab token"), r"gl(?:pat|ptt|dt|rt)-[A-Za-z0-9_\-]{20,}", 6),
    _shape(Phrase("a Slack token"), r"xox[abeoprs]-\d{8,}-(?:\d{8,}-)*[A-Za-z0-9]{16,}", 5),
    _shape(Phrase("a Slack token"), r"xapp-\d-[A-Z0-9]{9,}-\d{9,}-[a-f0-9]{32,}", 5),
    _shape(
        Phrase("a Slack webhook"),
        r"https://hooks\.slack\.com/services/T[A-Z0-9]{7,}/B[A-Z0-9]{7,}/[A-Za-z0-9]{20,}",
        33,
    ),
    _shape(Phrase("a Stripe key"), r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,}", 8),
    _shape(Phrase("a Stripe webhook secret"), r"whsec_[A-Za-z0-9+/]{32,}", 6),
    _shape(Phrase("an Anthropic key"), r"sk-ant-[a-z]+\d\d-[A-Za-z0-9_\-]{40,}", 7),
    _shape(Phrase("an OpenAI key"), r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_\-]{20,}", 8),
    _shape(Phrase("an API key"), r"sk-(?:or-v1-)?[A-Za-z0-9]{32,}", 3),
    _shape(Phrase("a Google API key"), r"AIza[A-Za-z0-9_\-]{35}", 4),
    _shape(Phrase("a Google client secret"), r"GOCSPX-[A-Za-z0-9_\-]{28}", 7),
    _shape(Phrase("an npm token"), r"npm_[A-Za-z0-9]{36}", 4),
    _shape(Phrase("a PyPI token"), r"pypi-[A-Za-z0-9_\-]{50,}", 5, _is_pypi),
    _shape(Phrase("a Hugging Face token"), r"hf_[A-Za-z0-9]{34,}", 3),
    _shape(Phrase("a SendGrid key"), r"SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}", 3),
    _shape(Phrase("a DigitalOcean token"), r"do[opr]_v1_[a-f0-9]{64}", 7),
    _shape(Phrase("a Databricks token"), r"dapi[a-f0-9]{32}(?:-\d)?", 4),
    _shape(Phrase("a Shopify token"), r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", 6),
    _shape(Phrase("a Telegram bot token"), r"\d{8,10}:AA[A-Za-z0-9_\-]{33}", 0),
    _Shape(Phrase("an Azure storage key"), re.compile(r"AccountKey=([A-Za-z0-9+/]{86}==)"), 0, _is_random),
    _shape(
        Phrase("a JSON Web Token"), r"eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]{10,}", 3, _is_jwt
    ),
    _Shape(
        Phrase("a private key"),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\sA-Za-z0-9+/=\\:,.\-]{40,}"),
        10,
        _is_private_key,
    ),
    _Shape(
        Phrase("a password in a URL"),
        re.compile(r"[a-z][a-z0-9+.\-]{1,20}://[^\s:/@\"'<>]{1,64}:([^\s:/@\"'<>]{3,100})@(?=[A-Za-z0-9\[])"),
        0,
        lambda password: _NO_PASSWORD.fullmatch(password) is None,
    ),
)
# What every shape contains: a text without any of these has no secret.
_MAY = re.compile(
    r"AKIA|ASIA|(?i:aws|access_?key)|gh[oprsu]_|github_pat|gl(?:pat|ptt|dt|rt)-|xox|xapp|hooks\.slack|k_(?:live|test)_|whsec_"
    r"|sk-|AIza|GOCSPX|npm_|pypi-|hf_|SG\.|_v1_|dapi|shp|:AA|AccountKey|eyJ|PRIVATE KEY|://[^\s/@]*:[^\s/@]*@"
)


def may_be_in(text: str) -> bool:
    """Whether a text is worth a closer look; of most texts it is not."""
    return _MAY.search(text) is not None


def find(name: str, text: str) -> Iterator[Found]:
    """Each secret in the text of a field, with its kind, its length and where it is, but not its characters."""
    taken: list[tuple[int, int]] = []
    for shape in _SHAPES:
        for match in shape.pattern.finditer(text):
            group = shape.pattern.groups
            start, end = match.span(group)
            secret = match[group]
            if any(start < until and end > since for since, until in taken) or not shape.holds(secret):
                continue
            taken.append((start, end))
            shown = Phrase("{start}… ({count} characters)", start=secret[: shape.shown], count=end - start)
            yield Found(
                "secret",
                name,
                Phrase("{field} contains {kind}: {shown}", field=name, kind=shape.name, shown=shown),
                {"kind": shape.name.split(" ", 1)[1], "span": [start, end], "value": str(shown)},
                detail=secret,
                hidden=secret,
                shown=f"{secret[: shape.shown]}…",
            )
