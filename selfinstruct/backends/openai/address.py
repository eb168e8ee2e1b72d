"""Where requests go, and what each of them carries besides its body: headers, a query, the user of the address.

Values of headers and of the query, user and password may name environment variables, as in ``"${GATEWAY_TOKEN}"``, so
that a recipe contains no secret.

Does not handle: sending (``wire``), or the proxy on the way (``proxy``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from selfinstruct.errors import EndpointError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import VARIABLE, Model, shown_url

#: Where requests go if neither the recipe nor the environment variable OPENAI_BASE_URL names an endpoint.
DEFAULT_BASE_URL = "https://api.openai.com/v1"
#: Sent instead of a missing key: some local servers require one, and ignore it.
NO_KEY = "no-key-needed"


@dataclass(frozen=True, slots=True)
class Address:
    """An endpoint: its ``base_url``, as messages show it, and what its requests carry.

    ``secrets`` are parts of these that no message may show.
    """

    base_url: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, model: Model, key: str, environ: Mapping[str, str]) -> Address:
        """The address of a model with this API key, or "" for none.

        A header of the recipe takes precedence over the user of the address, and that over the key. Raises
        EndpointError for a variable that is not set.
        """
        given = model.base_url or environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL
        address = urlsplit(given)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise EndpointError(
                "OPENAI_BASE_URL: invalid value", hint="Use a URL such as http://127.0.0.1:8000/v1, or unset it."
            )
        secrets = [key]
        headers = {"Authorization": f"Bearer {key or NO_KEY}"}
        if address.username is not None:
            parts = (address.username, address.password or "")
            user, password = (_expanded(unquote(part), environ, "base_url") for part in parts)
            headers["Authorization"] = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
            secrets += [user, password, f"{user}:{password}"]
        pairs = parse_qsl(address.query, keep_blank_values=True)
        query = [(name, _expanded(value, environ, "base_url")) for name, value in pairs]
        secrets += [value for _, value in query]
        for key_name, values in (("extra_headers", model.extra_headers), ("extra_query", model.extra_query)):
            for name, value in values.items():
                text = _expanded(value, environ, f"{key_name}.{name}")
                if text != value:
                    secrets += [text, *(environ[variable] for variable in VARIABLE.findall(value))]
                if key_name == "extra_query":
                    query = [pair for pair in query if pair[0] != name] + [(name, text)]
                else:
                    headers = {each: said for each, said in headers.items() if each.lower() != name.lower()}
                    headers[name] = text
        return cls(shown_url(given), urlencode(query), headers, tuple(dict.fromkeys(secrets)))

    def at(self, base_url: str) -> Address:
        """The same for another path of the same origin."""
        return replace(self, base_url=base_url)

    def url(self, path: str) -> str:
        """The whole URL of a path below the base URL; the path may have a query of its own."""
        joined = "&" if "?" in path else "?"
        return f"{self.base_url}{path}{joined}{self.query}" if self.query else f"{self.base_url}{path}"


def _expanded(value: str, environ: Mapping[str, str], place: str) -> str:
    """A value with its environment variables replaced."""

    def variable(found: re.Match[str]) -> str:
        """The value of one variable."""
        text = environ.get(found[1], "").strip()
        if not text:
            raise EndpointError(
                "{place}: the environment variable {name} is not set",
                hint=Phrase("Set it, or change the recipe's {place}.", place=place),
                place=place,
                name=found[1],
            )
        if not text.isascii() or not text.isprintable():
            raise EndpointError(
                "environment variable {name}: invalid characters for a header or a query",
                hint="Set it to the value alone, without line breaks.",
                name=found[1],
            )
        return text

    return VARIABLE.sub(variable, value)


def read_key(environ: Mapping[str, str], name: str) -> str:
    """Read the API key from a variable; raises EndpointError, without showing the key, if no header can contain it."""
    key = environ.get(name, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(
            "environment variable {name}: invalid characters in the API key",
            hint="Set it to the key alone, without quotes, spaces or line breaks.",
            name=name,
        )
    return key
