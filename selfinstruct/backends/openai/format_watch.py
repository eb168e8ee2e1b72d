"""Notices from its replies that an endpoint accepts ``response_format`` and ignores it, as some do."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from selfinstruct.messages import Phrase
from selfinstruct.replies import answer_text, ending_of

#: The replies that are looked at, and the fewest that show something.
_MOST, _FEWEST = 64, 8
#: The share of replies in another form that no endpoint has that keeps to a form.
_IGNORED = 0.75


@dataclass(slots=True)
class FormatWatch:
    """The whole replies to requests for rows by a schema so far, and ``strays`` in another form."""

    replies: int = 0
    strays: int = 0
    ignores: bool = False

    def record(self, text: str, finish_reason: str, body: Mapping[str, Any]) -> None:
        """Record a reply to a request with this ``body``."""
        required = (body.get("response_format") or {}).get("json_schema", {}).get("schema", {}).get("required", ())
        # Judges and readers often say one word, which is understood as well.
        if "rows" not in required or self.replies >= _MOST or not text or ending_of(finish_reason) != "whole":
            return
        kept = _has_form(text, required) or _has_form(answer_text(text), required)
        if kept is None:
            return
        self.replies += 1
        self.strays += not kept
        self.ignores |= self.replies >= _FEWEST and self.strays >= _IGNORED * self.replies

    @property
    def notes(self) -> list[str]:
        """A remark for the summary about an endpoint that ignores the format."""
        note = Phrase(
            "the endpoint accepts response_format and ignores it: the form of the reply is repeated in each prompt"
        )
        return [note] if self.ignores else []


def _has_form(text: str, required: Collection[str]) -> bool | None:
    """Whether a text is one JSON object with the keys that are required at the top; None for a torn one."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        is_torn = error.pos >= len(text) or error.msg.startswith("Unterminated")
        return None if is_torn and text[:1] in "{" else False
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and all(name in value for name in required)
