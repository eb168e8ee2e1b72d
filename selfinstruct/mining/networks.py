"""Networks that a row names (10.20.0.0/24): its addresses in one of them stay, as the network does.

Does not handle: networks of IPv6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network

from selfinstruct.mining.entities import Entity

_NETWORK = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}(?![\d.])")


def networks_in(texts: Iterable[str]) -> list[IPv4Network]:
    """Return the networks that the texts name."""
    found = []
    for text in texts:
        for match in _NETWORK.finditer(text) if "/" in text else ():
            try:
                found.append(IPv4Network(match.group(), strict=False))
            except ValueError:
                continue
    return found


def is_in_network(entity: Entity, networks: Sequence[IPv4Network]) -> bool:
    """Whether a value is an address in one of the networks."""
    return entity.kind == "ipv4" and any(IPv4Address(entity.text) in network for network in networks)
