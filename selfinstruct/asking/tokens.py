"""Tokens of a line: values of known forms, words, and punctuation marks.

    "Accepted password for root from /10.0.0.7:5001" -> word word word word word address

Does not handle: which words are values (see ``templates``), or word boundaries in Chinese (see ``chinese``).

>>> [(each.kind, each.text) for each in tokenize("block blk_-7 (5.6KB) at /10.0.0.7:50010")][1:6]
[('id', 'blk_-7'), ('mark', '('), ('number', '5.6'), ('word', 'KB'), ('mark', ')')]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.moments import TIME
from selfinstruct.text import UNSPACED

#: Kinds of tokens that are values by their form.
VALUES = frozenset(
    ["time", "url", "email", "uuid", "mac", "address", "path", "file", "host", "hex", "number", "version", "id"]
)

_OCTETS = r"\d{1,3}(?:\.\d{1,3}){3}"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_$-]*[A-Za-z0-9_])?"
_UNITS = "|".join(sorted((re.escape(unit) for unit in entries("units") if unit.isalpha()), key=len, reverse=True))
_CHARACTER = rf"(?:[\w$](?<![{UNSPACED}]))"
_NOT_WORD = rf"(?![^\W{UNSPACED}])"
_NUMBER = r"(?:<(?=\d+\s))?[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?"
_FORMS = (
    ("time", rf"(?<![\w.:/-]){TIME}(?![\d:/-]|\.\d)"),
    ("url", r"[a-z][a-z0-9+.-]*://[^\s\"'<>\[\](){},;]*[\w/]"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("uuid", r"(?<!\w)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?!\w)"),
    ("mac", r"(?<![\w:])[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![\w:])"),
    ("address", rf"(?:(?<![\w.-]){_LABEL}(?:\.{_LABEL})*/)?(?<![\d.]){_OCTETS}(?![\w-]|\.\w)(?::\d{{1,5}}(?!\d))?"),
    (
        "path",
        r"(?<![\w.\])])(?:~|\.{1,2})?(?:/(?!\d+\.\d+\.\d+\.\d+)[\w.$@%+~=*-]*[\w*-])+/?|(?<!\w)[A-Z]:\\[^\s\"',;]+",
    ),
    ("host", rf"(?<![\w.]){_LABEL}(?:[.-]{_LABEL})+:\d{{2,5}}(?!\w|\.\w)"),
    ("dotted", rf"(?<![\w.])(?!{_NUMBER}(?:{_UNITS}){_NOT_WORD}){_LABEL}(?:\.{_LABEL})+(?:\(\))?"),
    ("hex", r"(?<!\w)0x[0-9a-fA-F]+(?!\w)"),
    ("clock", r"(?<![\w:.])\d{1,3}:\d\d(?::\d\d)?(?![\w:])"),
    (
        "number",
        rf"(?<![^\W{UNSPACED}])(?<!\.)[-+]?\d+(?:,\d{{3}})*(?:\.\d+)?(?:[eE][-+]?\d+)?(?=(?:{_UNITS})?{_NOT_WORD})(?!\.\d)",
    ),
    ("function", r"[A-Za-z_]\w*\(\)"),
    ("word", rf"{_CHARACTER}+(?:[-'*+]{_CHARACTER}+)*(?:\(s\))?"),
    ("han", rf"[{UNSPACED}]+"),
    ("mark", r"[^\w\s]"),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS))
_FILES = frozenset(entries("endings")["file"][0].split())
_TOP_DOMAINS = frozenset(entries("endings")["host"][0].split())
_CODE = re.compile(r"[A-Z]|^(?:org|com|java|javax|net|io|android|sun|scala)\.")
_QUOTES = {'"': '"', "'": "'", "`": "'", "“": "”"}
_BRACKETS = {"[": "]", "{": "}", "<": ">"}
_VERSION = re.compile(r"v\d+(?:\.\d+)*")
_LONG_NUMBER = re.compile(r"\d{5}")
_DIGIT = re.compile(r"\d")


# A number and the key after it, written without a space: 7163Calories:153367.
_GLUED = re.compile(r"\d+[A-Z][a-z]{2,}")


class Token(NamedTuple):
    """A token at [start, end) code points; kinds are ``VALUES``, clock, code, word, glued, han and mark."""

    start: int
    end: int
    kind: str
    text: str

    @property
    def is_value(self) -> bool:
        """Whether the form alone shows that this is a value."""
        return self.kind in VALUES


def tokenize(text: str, start: int = 0) -> list[Token]:
    """Return the tokens of ``text`` from ``start`` on, without white space."""
    result = []
    for match in _TOKEN.finditer(text, start):
        kind, value = match.lastgroup or "mark", match[0]
        if kind in ("dotted", "word") and _VERSION.fullmatch(value):
            kind = "version"
        elif kind == "dotted":
            kind = _dotted_kind(value)
        elif kind == "word" and _DIGIT.search(value):
            kind = "glued" if _GLUED.fullmatch(value) else "id"
        elif kind == "function" or (kind == "host" and value.partition(":")[0].rpartition(".")[2] in _FILES):
            kind = "code"
        elif kind == "host" and not re.search("[A-Za-z]", value):
            kind = "id"
        result.append(Token(match.start(), match.end(), kind, value))
    return result


def _dotted_kind(value: str) -> str:
    parts = value.removesuffix("()").split(".")
    if value.endswith("()"):
        return "code"
    if all(part.isdigit() for part in parts):
        return "version" if len(parts) > 2 else "number"
    if parts[-1].lower() in _FILES:
        return "file"
    if parts[-1].lower() in _TOP_DOMAINS and not value.startswith(("org.", "com.", "java", "net.")):
        return "host"
    if _LONG_NUMBER.search(value) or (_DIGIT.search(value) and not _CODE.search(value)):
        return "host" if len(parts) > 2 and "_" not in value and not _LONG_NUMBER.search(value) else "id"
    return "code"


def joined(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with those between quotation marks joined, and without brackets around a single value."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        closing = _QUOTES.get(token.text) if token.kind == "mark" else None
        if closing and (at == 0 or tokens[at - 1].end < token.start or tokens[at - 1].text in "([{<=:,"):
            end = next((i for i in range(at + 1, len(tokens)) if tokens[i].text == closing), None)
            if end is not None and end > at + 1:
                inside = text[token.end : tokens[end].start].strip()
                begin = text.find(inside, token.end)
                is_key = end + 1 < len(tokens) and tokens[end + 1].text == ":"
                kind = tokens[at + 1].kind if end == at + 2 and (tokens[at + 1].is_value or is_key) else "quoted"
                result.append(Token(begin, begin + len(inside), kind, inside))
                at = end + 1
                continue
        bracket = _BRACKETS.get(token.text)
        if (
            bracket
            and at + 2 < len(tokens)
            and tokens[at + 2].text == bracket
            and (tokens[at + 1].is_value or tokens[at + 1].kind == "clock")
        ):
            result.append(tokens[at + 1])
            at += 3
            continue
        if token.text == "/" and at + 1 < len(tokens) and tokens[at + 1].kind in ("address", "host"):
            at += 1
            continue
        result.append(token)
        at += 1
    return result
