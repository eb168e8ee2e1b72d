r"""``encoding`` and ``control``: texts damaged by a wrong decoding, and characters that no reader sees.

    cafÃ©, â€œquotedâ€\x9d, ä¸\xadæ–‡    UTF-8 that was read as Windows-1252 or Latin-1
    锟斤拷, �                         bytes that were no UTF-8, and a lone half of a surrogate pair
    \x1b[31m, \x00                    control characters and terminal escapes; U+202E and others that turn the text
    round

Does not handle: other mistaken encodings; white space, which is content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase

# Bytes 80 to BF as Windows-1252 shows them; those that it lacks are C1 controls there.
_CONTINUATION = bytes(range(0x80, 0xC0)).decode("cp1252", "replace").replace("\ufffd", "")
_CONTINUATION = rf"[\x80-\xbf{re.escape(_CONTINUATION)}]"
# Two bytes after an upper-case letter such as É may be a French quotation mark, so one such pair must begin with Â or
# Ã.
_MISREAD = re.compile(
    rf"[\xc2\xc3]{_CONTINUATION}|(?:[\xc4-\xdf]{_CONTINUATION}){{2,}}"
    rf"|[\xe0-\xef]{_CONTINUATION}{{2}}|[\xf0-\xf4]{_CONTINUATION}{{3}}"
)
_LOST = re.compile("\ufffd|[\ud800-\udfff]|锟斤拷")
_CONTROL = re.compile("\x1b\\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNSEEN = re.compile("[\x80-\x9f\u202a-\u202e\u2066-\u2069\ufeff\u200b\u2060]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_AROUND = 12


def may_be_in(text: str) -> bool:
    """Whether a text is worth a closer look; ASCII text hardly ever is."""
    return not text.isascii() or _CONTROL.search(text) is not None


def find(name: str, text: str) -> Iterator[Found]:
    """What is damaged or unseen in the text of a field: at most one finding of each kind, at its first place."""
    unseen = _CONTROL.search(text)
    if not text.isascii():
        if (lost := _LOST.search(text)) is not None:
            message = Phrase(
                "{field} contains a lone surrogate: bytes were lost in decoding"
                if "\ud800" <= lost[0] <= "\udfff"
                else "{field} contains a replacement character: bytes were lost in decoding",
                field=name,
            )
            yield _found("encoding", name, text, lost, message)
        elif (misread := _first_misread(text)) is not None:
            match, right = misread
            message = Phrase(
                "{field} contains {wrong}, which is {right} read in another encoding than UTF-8",
                field=name,
                wrong=match[0],
                right=right,
            )
            yield _found("encoding", name, text, match, message)
        elif unseen is None:
            unseen = _UNSEEN.search(text)
            if unseen is not None and ord(unseen[0]) > 0x200B and _RIGHT_TO_LEFT.search(text):
                unseen = None
    if unseen is not None:
        message = Phrase(
            "{field} contains a terminal escape"
            if unseen[0][0] == "\x1b"
            else "{field} contains an invisible character, U+{code:04X}",
            field=name,
            code=ord(unseen[0][0]),
        )
        yield _found("control", name, text, unseen, message)


def _first_misread(text: str) -> tuple[re.Match[str], str] | None:
    """The first run that is UTF-8 once its characters are bytes again, and what it should be."""
    for match in _MISREAD.finditer(text):
        data = b"".join(_byte(character) for character in match[0])
        try:
            return match, data.decode("utf-8")
        except UnicodeDecodeError:
            continue
    return None


def _byte(character: str) -> bytes:
    return character.encode("latin-1") if character < "\u0100" else character.encode("cp1252")


def _found(reason: str, name: str, text: str, match: re.Match[str], message: str) -> Found:
    start, end = match.span()
    around = text[max(0, start - _AROUND) : end + _AROUND]
    return Found(reason, name, message, {"span": [start, end], "value": around})
