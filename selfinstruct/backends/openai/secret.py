r"""Redaction of the API key in the responses of an endpoint.

Some servers repeat the request's Authorization header in their errors. Their replies are decoded later, so the key is
redacted in every encoding that decoding may reveal: as it is, with its punctuation escaped as in JSON, HTML or a URL,
and in base64. None of these escapes letters or digits, so a reply without the longest run of them is not changed.

Does not handle: a part of the key, as more careful endpoints show it.

>>> Secret("sk-one/two+three").redact(rb'{"error": "no such key: sk-one\/two\u002Bthree"}')
b'{"error": "no such key: [api key]"}'
"""

from __future__ import annotations

import base64
import html
import re

_REPLACEMENT = b"[api key]"
# Shorter keys are placeholders such as "EMPTY", and may occur in replies as words.
_MIN_LENGTH = 8


class Secret:
    """An API key, or several secrets; ``str`` and ``repr`` do not show them."""

    def __init__(self, *keys: str) -> None:
        long = [key for key in keys if len(key) >= _MIN_LENGTH]
        forms = [form for key in long for form in (key, *_base64_forms(key.encode()))]
        self._patterns = [
            (_longest_run(form).encode(), re.compile("".join(map(_spellings, form)).encode()))
            for form in dict.fromkeys(forms)
        ]

    def __repr__(self) -> str:
        return "Secret(...)"

    def redact(self, data: bytes) -> bytes:
        """Replace every occurrence of the key by ``[api key]``."""
        for run, pattern in self._patterns:
            if run in data:
                data = pattern.sub(_REPLACEMENT, data)
        return data


def _longest_run(text: str) -> str:
    """The longest run of letters and digits."""
    return max(re.findall("[A-Za-z0-9]+", text), key=len, default="")


def _spellings(character: str) -> str:
    """A pattern of the ways to write a character of the key: in JSON, in a URL, in HTML."""
    if character.isalnum():
        return character
    code = f"{ord(character):02x}"
    named = html.escape(character)
    names = "|".join((rf"#0*{ord(character)}", rf"#x0*{code}", *([named[1:-1]] if len(named) > 1 else ())))
    return rf"(?i:\\*(?:{re.escape(character)}|u00{code})|%{code}|&(?:{names});)"


def _base64_forms(key: bytes) -> list[str]:
    """The part of the key's base64 that does not depend on its surroundings, at each of the three offsets."""
    forms = []
    for before, start in ((0, 0), (1, 2), (2, 3)):
        whole = base64.b64encode(b"x" * before + key)[start : (before + len(key)) * 8 // 6].decode()
        forms += [whole, whole.translate(str.maketrans("+/", "-_"))]
    return forms
