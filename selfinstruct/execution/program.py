"""A program to be run: code, and the tests that are run after it in the same namespace."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Program(NamedTuple):
    """Code and its tests; the names are those of their fields, by which a verdict refers to a line of either."""

    code: str
    tests: str
    code_name: str = "code"
    tests_name: str = "tests"

    def digest(self) -> bytes:
        """A digest of the whole program."""
        parts = (part.encode("utf-8", "surrogatepass") for part in self)
        return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
