"""Which option of a request an error is about; pure.

An endpoint names it by the path of a parameter, by its name in the message, in snake case, camel case or as words, or
by what it stands for: a role, JSON mode, a keyword of the schema, streaming.

Does not handle: endpoints that name nothing (``preflight`` tries the options one by one).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from selfinstruct.backends.openai.error_body import ErrorBody

#: The option that stands for the system message, which is refused like one.
SYSTEM = "system"
STREAM = "stream"
RESPONSE_FORMAT = "response_format"
TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")
#: Parts of a request that cannot be left out.
REQUIRED = ("model", "messages", "prompt")
_ALIASES = {
    RESPONSE_FORMAT: r"json[ _-]?(?:schema|object|mode)|structured[ _-]outputs?|response[ _-]?schema|guided|grammar",
    "max_tokens": r"max(?:imum)?[ _-]?(?:output|new|completion)?[ _-]?tokens|num_predict",
    "max_completion_tokens": r"max(?:imum)?[ _-]?(?:output|new)?[ _-]?tokens",
}
_SYSTEM = re.compile(
    r"system['\"`]?[ _-]?(?:role|messages?|prompts?|instructions?)|\broles?\b[^.]{0,60}['\"` ]system\b"
    r"|['\"`]system['\"`] is not"
    r"|roles? must alternate|(?:only|supported|be)\b[^.]{0,30}\buser\b[^.]{0,20}\bassistant\b|developer[ _]instruction"
    r"|(?:system|系统) ?(?:角色|消息|提示词?|指令)|角色.{0,12}system",
    re.IGNORECASE,
)
_STREAM = re.compile(r"(?<![A-Za-z])(?:non-?)?stream(?:ing|ed)?(?![A-Za-z_])|流式", re.IGNORECASE)
#: Two options that exclude each other: the one named last is left out.
_EXCLUSIVE = re.compile(
    r"\bboth\b|at the same time|simultaneously|together with|mutually exclusive|同时", re.IGNORECASE
)
#: Words of an error with another status that is about the request all the same, and not about a failure.
_REFUSING = re.compile(
    r"not? (?:be )?(?:\w+ )?(?:support|allow|permit|enabl|implement|accept|set\b)|unsupported|doesn't support"
    r"|un(?:known|recogni[sz]ed|expected) (?:param|field|option|argument|role|key)|only supports?|must alternate"
    r"|extra (?:fields|inputs)|incompatible|failed to (?:parse|compile|initiali[sz]e)|不支持|无效|非法",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"[a-z]+[A-Z]")


def refused_option(error: ErrorBody, body: Mapping[str, Any], *, surely: bool = True) -> str:
    """The option of ``body`` that an error refuses, ``system`` or ``stream``; "" if it names none.

    Not ``surely``, the error's status is one of other errors too: its words must be those of a refusal.
    """
    if not surely and not _REFUSING.search(error.text):
        return ""
    options = [name for name in body if name not in REQUIRED]
    for part in re.split(r"[.\[\]/]+", error.param):
        named = next((name for name in options if re.fullmatch(_pattern(name), part, re.IGNORECASE)), None)
        if named is not None:
            return named
    text = f"{error.param} {error.text}"
    if has_system(body) and _SYSTEM.search(text):
        return SYSTEM
    named = _named(text, options)
    if named and named != STREAM:
        return named
    if _STREAM.search(text):
        return STREAM
    if RESPONSE_FORMAT in body and refused_keyword(text, body[RESPONSE_FORMAT]):
        return RESPONSE_FORMAT
    return ""


def has_system(body: Mapping[str, Any]) -> bool:
    """Whether a request has a system message."""
    messages = body.get("messages") or ()
    return any(message["role"] == "system" for message in messages)


def refused_keyword(text: str, response_format: Any) -> str:
    """The keyword of a request's JSON schema that an error is about: quoted, or one that is no common word."""
    named = dict.fromkeys(_keywords(response_format))
    return next(
        (
            word
            for word in named
            if re.search(rf"['\"`]{word}['\"`]" if not _CAMEL.match(word) else rf"\b{word}\b", text)
        ),
        "",
    )


def _keywords(schema: Any) -> Iterator[str]:
    """The keywords of a JSON schema that it can do without, innermost names of properties excluded."""
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        if key == "properties":
            for each in value.values():
                yield from _keywords(each)
            continue
        if key not in ("type", "name", "schema", "json_schema", "items"):
            yield key
        yield from _keywords(value)


def _named(text: str, options: list[str]) -> str:
    """The first option that the text names; of two that exclude each other, the last."""
    found: dict[str, int] = {}
    for name in options:
        match = re.search(_pattern(name), text, re.IGNORECASE)
        if match:
            found[name] = match.start()
    if not found:
        return ""
    exclusive = len(found) > 1 and _EXCLUSIVE.search(text)
    return max(found, key=lambda name: found[name]) if exclusive else min(found, key=lambda name: found[name])


def _pattern(name: str) -> str:
    """A pattern of the ways to write an option's name: ``top_p``, ``topP``, ``top p``, and its other names."""
    spelled = r"[ _-]?".join(map(re.escape, name.split("_")))
    alias = f"|{_ALIASES[name]}" if name in _ALIASES else ""
    return rf"(?<![A-Za-z])(?:{spelled}{alias})(?![A-Za-z])"
