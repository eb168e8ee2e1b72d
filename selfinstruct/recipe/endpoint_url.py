"""The address of an endpoint, which may contain a user, a password and a query, and how to show it without them; pure.

>>> shown_url("https://me:secret@host/v1?api-version=2024-10-21")
'https://host/v1'
>>> without_secrets("https://me:secret@host/v1?api-version=2024-10-21&key=abc")
'https://host/v1?api-version=2024-10-21'
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

#: Names of parameters and headers that carry a secret.
_SECRET = re.compile(r"key|token|secret|passw|auth|signature|\bsig\b|\bcode\b|credential|cookie|session", re.IGNORECASE)
#: An environment variable in a value.
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def is_secret_name(name: str) -> bool:
    """Whether a parameter or a header of this name carries a secret."""
    return _SECRET.search(name) is not None


def shown_url(url: str) -> str:
    """The address as messages show it: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, _host(parts.netloc), parts.path.rstrip("/"), "", ""))


def without_secrets(url: str) -> str:
    """The address as files keep it: without user, password, and the parameters that carry a secret.

    Those that are in environment variables, ``${NAME}``, stay.
    """
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not is_secret_name(name) or VARIABLE.search(value)]
    keeps_user = "@" not in parts.netloc or VARIABLE.search(parts.password or parts.username or "")
    if len(kept) == len(pairs) and keeps_user:
        return url
    place = parts.netloc if keeps_user else _host(parts.netloc)
    return urlunsplit((parts.scheme, place, parts.path, urlencode(kept, safe="${}"), ""))


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2]
