"""A cache of the beginnings of prompts, as endpoints keep it: by whole steps of tokens, from a least number on.

Does not handle: forgetting, which endpoints do after some minutes; the time that a cached beginning saves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from selfinstruct.prompts import estimate_tokens


class PrefixCache:
    """The beginnings of the prompts so far: of ``least`` tokens (1,024 at OpenAI), and then every ``step`` (128)."""

    def __init__(self, least: int, step: int) -> None:
        self._least, self._step = least, step
        self._known: set[bytes] = set()

    def cached(self, model: str, messages: Sequence[Mapping[str, Any]], tokens: int) -> int:
        """How many of the ``tokens`` of a prompt are in the cache, which then has the prompt too."""
        text = "\n".join(f"{message.get('role')}: {message.get('content')}" for message in messages)
        per_token = len(text) / max(estimate_tokens(text), 1)
        digest = blake2b(model.encode(), digest_size=16)
        found, at = 0, 0
        for count in range(self._least, tokens + 1, self._step):
            end = round(count * per_token)
            digest.update(text[at:end].encode("utf-8", "replace"))
            at = end
            if (known := digest.digest()) in self._known:
                found = count
            self._known.add(known)
        return found
