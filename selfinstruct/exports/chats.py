r"""Rows as chats: what the system, the user and the assistant say in a row.

A row becomes a chat by the roles of its fields, where the user names them; else by the first of these shapes that fits:
``messages`` as they are; ``conversations`` of ShareGPT, whose speakers get the names of roles; an instruction and its
output, with an input or a context that the instruction does not contain; a question and its answer, with the text it is
about; a content and its summary; a text of turns that begin with a speaker (``C:`` and ``A:``, ``User:`` and
``Assistant:``). A field ``system`` is the system message, a ``history`` of pairs the turns before.

Does not handle: other speaker names; writing the chats (``messages`` and the formats beside it).

>>> turns("C: It hums.\nSince when?\nA: Send it in.")
[{'role': 'user', 'content': 'It hums.\nSince when?'}, {'role': 'assistant', 'content': 'Send it in.'}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from selfinstruct.errors import InputError
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.messages import Phrase
from selfinstruct.preparation import roles_by_name
from selfinstruct.recipe import Roles
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: One message of a chat: ``role`` and ``content``, perhaps with tool calls.
Message: TypeAlias = dict[str, Any]

_SPEAKERS = {
    **dict.fromkeys(("c", "u", "user", "customer", "human", "client", "q", "用户", "客户"), "user"),
    **dict.fromkeys(("a", "assistant", "agent", "bot", "ai", "助手", "客服"), "assistant"),
    "system": "system",
}
_ROLES = {"human": "user", "gpt": "assistant", **dict.fromkeys(("user", "assistant", "system", "tool"), "")}
_TURN = re.compile(rf"^({'|'.join(_SPEAKERS)})[ \t]*[:：][ \t]*", re.IGNORECASE | re.MULTILINE)
#: A context that the user's own text contains is not repeated.
_CONTEXT_NAMES = ("context", "上下文")


class Said(NamedTuple):
    """What is said in a row of one exchange: the texts of its roles, "" for those that it lacks."""

    system: str
    context: str
    user: str
    input: str
    assistant: str

    @property
    def question(self) -> str:
        """The user's whole message."""
        return "\n\n".join(filter(None, (self.context, self.user, self.input)))


@dataclass(frozen=True, slots=True)
class Exchanges:
    """A chat as its system message and pairs of what the user and the assistant say in turn.

    ``unanswered`` is whether the chat ended with another message of the user, which is left out.
    """

    system: str
    pairs: Sequence[tuple[str, str]]
    unanswered: bool = False


def turns(text: str) -> list[Message] | None:
    """Return the messages of a text whose turns begin with a speaker; None for any other text."""
    found = list(_TURN.finditer(text))
    if not found or text[: found[0].start()].strip():
        return None
    ends = [*(turn.start() for turn in found[1:]), len(text)]
    messages = [
        {"role": _SPEAKERS[turn[1].lower()], "content": text[turn.end() : end].strip()}
        for turn, end in zip(found, ends, strict=True)
    ]
    return messages if {"user", "assistant"} <= {each["role"] for each in messages} else None


def chat(row: Row, roles: Roles | None = None, fallback: Roles | None = None) -> list[Message] | None:
    """Return the messages of a row by ``roles``; without them by its shape, or by ``fallback``; None if none fits."""
    if roles is not None:
        return _messages(row, roles)
    messages = row.get("messages")
    if isinstance(messages, list) and all(isinstance(each, dict) and "role" in each for each in messages):
        return _with_system(row, messages)
    if (shared := _sharegpt(row)) is not None:
        return _with_system(row, shared)
    if (named := _named_roles(row)) is not None:
        return _messages(row, named)
    # After the names: the context of a question may be a dialogue.
    texts = (value for value in row.values() if isinstance(value, str))
    spoken = next((messages for text in texts if (messages := turns(text))), None)
    return spoken or (None if fallback is None else _messages(row, fallback))


def said(row: Row, roles: Roles | None = None, fallback: Roles | None = None) -> Said | None:
    """Return the texts of a row of one exchange, chosen as by ``chat``; None for a row that is messages, or none."""
    if roles is None:
        if "messages" in row or "conversations" in row:
            return None
        roles = _named_roles(row) or fallback
    return None if roles is None else _said(row, roles)


def chats(items: ExportRows, settings: Settings) -> Iterator[tuple[Row, list[Message]]]:
    """Yield each row with its messages. Raises InputError for a row that is not a chat."""
    for number, item in enumerate(items.each, 1):
        row = item.row
        messages = chat(row, settings.roles, settings.fallback)
        if messages is None:
            raise _not_a_chat(row, number, settings)
        yield row, messages


def exchanges(messages: Sequence[Message], number: int, settings: Settings) -> Exchanges:
    """Return a chat as pairs, as formats need that know no other order.

    Raises InputError if the messages of row ``number`` do not alternate, beginning with the user, or are not text.
    """
    system: Any = ""
    spoken = list(messages)
    if spoken and spoken[0]["role"] == "system":
        system = spoken.pop(0).get("content")
    unanswered = bool(spoken) and spoken[-1]["role"] == "user"
    if unanswered:
        spoken.pop()
    asked, answered = spoken[::2], spoken[1::2]
    problem = ""
    if not all(isinstance(text, str) for text in (system, *(each.get("content") for each in spoken))):
        problem = Phrase("has a message that is not text")
    elif not answered or [each["role"] for each in spoken] != ["user", "assistant"] * len(answered):
        problem = Phrase("is not a chat in which the user begins and the assistant answers in turn")
    if problem:
        raise InputError(
            "`format={format}`: row {number} {problem}",
            hint="Export it as chat messages: `format=messages`.",
            format=settings.format,
            number=number,
            problem=problem,
        )
    pairs = [(one["content"], other["content"]) for one, other in zip(asked, answered, strict=True)]
    return Exchanges(system, pairs, unanswered)


def unanswered_note(count: int) -> str:
    """The note on chats whose last message has no answer, and was left out."""
    if not count:
        return ""
    return Phrase.counting(
        "{count:,} chat ends with a message of the user; it has no answer and was left out",
        "{count:,} chats end with a message of the user; it has no answer and was left out",
        count,
    )


def _named_roles(row: Row) -> Roles | None:
    return roles_by_name(tuple(name for name, value in row.items() if value not in (None, "")))


def _messages(row: Row, roles: Roles) -> list[Message] | None:
    """The messages of one exchange, after those of a history; None if a row lacks the user's or the assistant's."""
    texts = _said(row, roles)
    if texts is None:
        return None
    said_before = row.get("history")
    pairs = said_before if isinstance(said_before, list) and all(map(_is_pair, said_before)) else []
    history = [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    system = [{"role": "system", "content": texts.system}] if texts.system else []
    last = [{"role": "user", "content": texts.question}, {"role": "assistant", "content": texts.assistant}]
    return [*system, *history, *last]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(text, str) for text in value)


def _said(row: Row, roles: Roles) -> Said | None:
    user, answer = text_of(row, roles.user), text_of(row, roles.assistant)
    if not user or not answer:
        return None
    before, after = (text_of(row, name) for name in (roles.context, roles.input))
    if roles.context.lower() in _CONTEXT_NAMES and before in user:
        before = ""
    if roles.input.lower() in _CONTEXT_NAMES and after in user:
        after = ""
    return Said(text_of(row, roles.system), before, user, after, answer)


def _with_system(row: Row, messages: list[Message]) -> list[Message]:
    """The messages, after the text of ``system`` if the row has one."""
    system = row.get("system")
    if isinstance(system, str) and system and messages and messages[0]["role"] != "system":
        return [{"role": "system", "content": system}, *messages]
    return messages


def _sharegpt(row: Row) -> list[Message] | None:
    """The messages of ``conversations``; None for other rows."""
    shared = row.get("conversations")
    if not isinstance(shared, list) or not shared:
        return None
    if not all(isinstance(each, dict) and each.get("from") in _ROLES and "value" in each for each in shared):
        return None
    return [{"role": _ROLES[each["from"]] or each["from"], "content": each["value"]} for each in shared]


def _not_a_chat(row: Row, number: int, settings: Settings) -> InputError:
    fields, roles = ", ".join(row), settings.roles
    if roles is not None:
        return InputError(
            "`format={format}`: row {number} has no text in {name}; its fields are {fields}",
            hint="Name other fields of user and assistant: `columns`, or [roles] in the recipe.",
            format=settings.format,
            number=number,
            name=roles.user if not text_of(row, roles.user) else roles.assistant,
            fields=fields,
        )
    return InputError(
        "`format={format}`: row {number} is not a chat; its fields are {fields}",
        hint="Name the fields that the user and the assistant say: `columns`, or [roles] in the recipe. Without them, "
        "rows need messages or conversations, instruction and output, question and answer, content and summary, or a "
        "text of turns (User: ..., Assistant: ...).",
        format=settings.format,
        number=number,
        fields=fields,
    )


def text_of(row: Row, name: str) -> str:
    """Return the text of a field, "" if the row lacks it."""
    value = row.get(name)
    return "" if value is None else value_text(value)
