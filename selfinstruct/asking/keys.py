"""Keys and their values among the tokens of a line: ``uid=0``, ``Old: 10.0.0.1``, ``child #4``.

Does not handle: which words before the mark belong to the key (see ``parser``).

>>> from selfinstruct.asking.tokens import tokenize
>>> line = "logname= uid=0"
>>> tokens = tokenize(line)
>>> keyed_value(line, tokens, 1, lambda at: False), keyed_value(line, tokens, 3, lambda at: True)[0].text
(None, '0')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from selfinstruct.asking import grammar
from selfinstruct.asking.tokens import Token

#: Marks that join words and their value.
JOINERS = frozenset(("#", ":", "="))
_SHORT_ID = re.compile(r"[A-Za-z]+\d{1,2}")
_RUN = re.compile(r"[^\s,;()\[\]{}<>\"']+")


def is_key(tokens: Sequence[Token], at: int, marks: Sequence[str] = ("=", ":")) -> bool:
    """Whether the mark of a key follows the token at a position."""
    return at + 1 < len(tokens) and tokens[at + 1].text in marks


def is_tight_key(tokens: Sequence[Token], at: int) -> bool:
    """Whether a colon without spaces around it follows: such a key is one word."""
    if not is_key(tokens, at, (":",)) or at + 2 >= len(tokens):
        return False
    key, mark, value = tokens[at : at + 3]
    return key.end == mark.start and mark.end == value.start


def keyed_value(
    text: str, tokens: Sequence[Token], mark_at: int, has_value: Callable[[int], bool]
) -> tuple[Token, int] | None:
    """Return the value after the mark at a position, and the position behind it; None if there is none.

    ``has_value`` tells whether the token at a position is a value by its form.
    """
    mark, at = tokens[mark_at], mark_at + 1
    if at >= len(tokens):
        return None
    key, value = tokens[mark_at - 1], tokens[at]
    if mark.text == "#":
        return (value, at + 1) if has_value(at) else None
    if mark.text == ":" and len(key.text) == 1 and key.text.isupper():
        return None  # volume D: 12 GB
    if mark.text == ":" and key.kind == "code" and text[mark.end : mark.end + 1] == " ":
        return None  # a program and what it says
    if is_key(tokens, at, ("=",)) and value.kind != "quoted":
        return None  # the next key: the value is empty
    if not has_value(at):
        return _constant(text, tokens, mark_at)
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if _SHORT_ID.fullmatch(value.text) and following is not None and following.kind == "word" and mark.text == ":":
        return None  # a modifier: CPU: L2 cache
    if text[value.start - 1] == "[" and value.kind == "number":
        return None  # a time since the start: kernel: [12.345]
    if mark.text == "=" and value.kind != "quoted" and (whole := _whole(text, value)) is not None:
        return whole, next((i for i in range(at, len(tokens)) if tokens[i].start >= whole.end), len(tokens))
    is_list = value.kind == "number" and at + 1 < len(tokens) and tokens[at + 1].kind == "number"
    return None if is_list else (value, at + 1)


def _whole(text: str, value: Token) -> Token | None:
    """The value up to the next space or mark, where it is more than a token: ``1514##7024##548``."""
    run = _RUN.match(text, value.start)
    end = len(run[0].rstrip(".")) + value.start if run is not None else value.end
    if end <= value.end or re.search(r"[A-Za-z]", text[value.end : end]):
        return None
    return Token(value.start, end, "word", text[value.start : end])


def _constant(text: str, tokens: Sequence[Token], mark_at: int) -> tuple[Token, int] | None:
    """The word after a mark that is a value although it is no value by its form: ``tty=ssh``, ``type: ABORT``."""
    key, mark, value = tokens[mark_at - 1 : mark_at + 2]
    at = mark_at + 2
    following = tokens[at] if at < len(tokens) else None
    if value.kind not in ("word", "code"):
        return None
    is_tight = value.start == mark.end and (mark.text == "=" or mark.start == key.end)
    ends = following is None or following.kind == "mark" or (is_tight and following.start > value.end)
    is_shouted = value.text.isupper() and len(value.text) > 1
    if not ends or not (mark.text == "=" or is_shouted or (is_tight and grammar.is_name(value.text))):
        return None
    end = value.end
    if not any(token.text == "=" for token in tokens[at:]):
        while at < len(tokens) and tokens[at].kind == "word" and tokens[at].text.istitle() and value.text[:1].isupper():
            end = tokens[at].end  # a name of several words: vendor=Oracle Corporation
            at += 1
    return Token(value.start, end, "word", text[value.start : end]), at
