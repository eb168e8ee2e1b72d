r"""The key, struck out of whatever an endpoint says.

Some servers repeat the request's Authorization header in their errors. What they send is decoded later, so that the
key is looked for in the forms that it may have by then: as it is, with its punctuation escaped as in JSON, in pages or
in addresses, and in base64. Letters and digits are escaped in none of these: where the longest run of them is not
found, nothing is.

Does not handle: a part of the key, as endpoints show that know better.

>>> Secret("sk-one/two+three").hidden(rb'{"error": "no such key: sk-one\/two\u002Bthree"}')
b'{"error": "no such key: [the key]"}'
"""

from __future__ import annotations

import base64
import html
import re

_SHOWN = b"[the key]"
# Shorter keys are placeholders such as "EMPTY", and might be words of a reply.
_SHORTEST = 8


class Secret:
    """A key; ``str`` and ``repr`` do not show it."""

    def __init__(self, key: str) -> None:
        written = [key, *_encoded(key.encode())] if len(key) >= _SHORTEST else []
        self._looked_for = [
            (_run(each).encode(), re.compile("".join(map(_forms, each)).encode())) for each in dict.fromkeys(written)
        ]

    def __repr__(self) -> str:
        return "Secret(...)"

    def hidden(self, data: bytes) -> bytes:
        """``data`` with ``[the key]`` wherever the key stands."""
        for run, pattern in self._looked_for:
            if run in data:
                data = pattern.sub(_SHOWN, data)
        return data


def _run(text: str) -> str:
    """The longest run of letters and digits."""
    return max(re.findall("[A-Za-z0-9]+", text), key=len, default="")


def _forms(character: str) -> str:
    """A pattern of the forms that a character of the key may have: in JSON, in an address, in a page."""
    if character.isalnum():
        return character
    code = f"{ord(character):02x}"
    named = html.escape(character)
    names = "|".join((rf"#0*{ord(character)}", rf"#x0*{code}", *([named[1:-1]] if len(named) > 1 else ())))
    return rf"(?i:\\*(?:{re.escape(character)}|u00{code})|%{code}|&(?:{names});)"


def _encoded(key: bytes) -> list[str]:
    """What of the key's base64 does not depend on what stands before and after it, at each of the three offsets."""
    forms = []
    for before, start in ((0, 0), (1, 2), (2, 3)):
        whole = base64.b64encode(b"x" * before + key)[start : (before + len(key)) * 8 // 6].decode()
        forms += [whole, whole.translate(str.maketrans("+/", "-_"))]
    return forms
