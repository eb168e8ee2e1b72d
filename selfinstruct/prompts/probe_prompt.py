"""The prompt of a probe: a question, without context or examples, in the language of the question."""

from __future__ import annotations

from selfinstruct.recipe import Language
from selfinstruct.records import Message

_SHORT: dict[Language, str] = {
    "en": "Answer the question with the answer alone, in a few words. If you do not know it, say that you do not know.",
    "zh": "请回答问题，只写答案本身，不要解释。不知道就说不知道。",
}
_FULL: dict[Language, str] = {
    "en": "Answer in one paragraph, from what you know. If you do not know, say that you do not know.",
    "zh": "请根据你所知道的，用一段话回答。不知道就说不知道。",
}


def probe_messages(question: str, language: Language, *, short: bool) -> tuple[Message, ...]:
    """Return the messages that put a question; ``short`` asks for the answer alone."""
    return Message("system", (_SHORT if short else _FULL)[language]), Message("user", question)
