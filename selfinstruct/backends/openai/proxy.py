"""The proxy that the environment names for an address.

Does not handle: proxies other than those that speak HTTP, which are an error.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from selfinstruct.messages import Phrase


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its ``url``, which may contain a password, and ``variable``, where it was found."""

    url: str = field(repr=False)
    variable: str
    host: str

    @classmethod
    def of(cls, base_url: str) -> Proxy | None:
        """The proxy for a URL by HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, as curl reads them; None by NO_PROXY."""
        address, proxies = urlsplit(base_url), getproxies()
        url = proxies.get(address.scheme) or proxies.get("all")
        if not url or proxy_bypass(address.netloc):
            return None
        names = (f"{address.scheme}_proxy", "all_proxy")
        variables = (each for name in names for each in (name.upper(), name) if os.environ.get(each) == url)
        return cls(url if "://" in url else f"http://{url}", next(variables, ""), address.hostname or "")

    @property
    def shown(self) -> str:
        """The proxy without its user and password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def is_supported(self) -> bool:
        """Whether requests can be sent through it."""
        return urlsplit(self.url).scheme in ("http", "https")

    @property
    def name(self) -> Phrase:
        """The proxy and where it comes from."""
        if self.variable:
            return Phrase("the proxy {proxy} (from {variable})", proxy=self.shown, variable=self.variable)
        return Phrase("the proxy {proxy} (from the system)", proxy=self.shown)

    @property
    def hint(self) -> Phrase:
        """How to do without it."""
        note = "Calls go through {proxy}; to call {host} directly, add it to NO_PROXY."
        return Phrase(note, proxy=self.name, host=self.host)
