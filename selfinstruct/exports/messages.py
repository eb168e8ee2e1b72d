r"""Chat messages for OpenAI fine-tuning, TRL, LLaMA-Factory and Axolotl: ``{"messages": [...]}`` on each line.

A row becomes a chat by the roles of its fields, where the user names them; else by the first of these shapes that fits:
``messages`` as they are; ``conversations`` of ShareGPT, whose speakers get the names of roles; an instruction and its
output, with an input or a context that the instruction does not contain; a question and its answer, with the text it is
about; a content and its summary; a text of turns that begin with a speaker (``C:`` and ``A:``, ``User:`` and
``Assistant:``).

Does not handle: other speaker names; system messages that are not in the row.

>>> turns("C: It hums.\nSince when?\nA: Send it in.")
[{'role': 'user', 'content': 'It hums.\nSince when?'}, {'role': 'assistant', 'content': 'Send it in.'}]
"""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports.rows import ExportRows
from selfinstruct.preparation import roles_by_name
from selfinstruct.recipe import Roles
from selfinstruct.records import Row
from selfinstruct.text import value_text

_SPEAKERS = {
    **dict.fromkeys(("c", "u", "user", "customer", "human", "client", "q", "用户", "客户"), "user"),
    **dict.fromkeys(("a", "assistant", "agent", "bot", "ai", "助手", "客服"), "assistant"),
    "system": "system",
}
_ROLES = {"human": "user", "gpt": "assistant", **dict.fromkeys(("user", "assistant", "system", "tool"), "")}
_TURN = re.compile(rf"^({'|'.join(_SPEAKERS)})[ \t]*[:：][ \t]*", re.IGNORECASE | re.MULTILINE)
#: A context that the user's own text contains is not repeated.
_CONTEXT_NAMES = ("context", "上下文")


def turns(text: str) -> list[dict[str, str]] | None:
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


def chat(row: Row, roles: Roles | None = None, fallback: Roles | None = None) -> list[dict[str, Any]] | None:
    """Return the messages of a row by ``roles``; without them by its shape, or by ``fallback``; None if none fits."""
    if roles is not None:
        return _said(row, roles)
    messages = row.get("messages")
    if isinstance(messages, list) and all(isinstance(each, dict) and "role" in each for each in messages):
        return messages
    if (shared := _sharegpt(row)) is not None:
        return shared
    named = roles_by_name(tuple(name for name, value in row.items() if value not in (None, "")))
    if named is not None:
        return _said(row, named)
    # After the names: the context of a question may be a dialogue.
    texts = (value for value in row.values() if isinstance(value, str))
    spoken = next((messages for text in texts if (messages := turns(text))), None)
    return spoken or (None if fallback is None else _said(row, fallback))


def _said(row: Row, roles: Roles) -> list[dict[str, Any]] | None:
    """One message of the user and one of the assistant; None if a row lacks either."""
    user, answer = _text(row, roles.user), _text(row, roles.assistant)
    if not user or not answer:
        return None
    before, after = (_text(row, name) for name in (roles.context, roles.input))
    if roles.context.lower() in _CONTEXT_NAMES and before in user:
        before = ""
    if roles.input.lower() in _CONTEXT_NAMES and after in user:
        after = ""
    content = "\n\n".join(filter(None, (before, user, after)))
    return [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]


def _sharegpt(row: Row) -> list[dict[str, Any]] | None:
    """The messages of ``conversations``, after the text of ``system`` if the row has one; None for other rows."""
    shared = row.get("conversations")
    if not isinstance(shared, list) or not shared:
        return None
    if not all(isinstance(each, dict) and each.get("from") in _ROLES and "value" in each for each in shared):
        return None
    messages = [{"role": _ROLES[each["from"]] or each["from"], "content": each["value"]} for each in shared]
    system = row.get("system")
    if isinstance(system, str) and system and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system})
    return messages


def write_messages(
    items: ExportRows, file: BinaryIO, *, roles: Roles | None = None, fallback: Roles | None = None
) -> tuple[int, str]:
    """Write each row as ``{"messages": [...]}``, with the arguments of ``chat``; return their number.

    Raises InputError for a row that is not a chat.
    """
    count = 0
    for item in items.each:
        messages = chat(item.row, roles, fallback)
        if messages is None:
            raise _not_a_chat(item.row, count + 1, roles)
        line = json.dumps({"messages": messages}, ensure_ascii=False)
        file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        count += 1
    return count, ""


def _not_a_chat(row: Row, number: int, roles: Roles | None) -> InputError:
    if roles is not None:
        name = roles.user if not _text(row, roles.user) else roles.assistant
        message = f"`format=messages`: row {number} has no text in {name}; its fields are {', '.join(row)}"
        return InputError(message, hint="Name other fields of user and assistant: `columns`, or [roles] in the recipe.")
    return InputError(
        f"`format=messages`: row {number} is not a chat; its fields are {', '.join(row)}",
        hint="Name the fields that the user and the assistant say: `columns`, or [roles] in the recipe. Without them, "
        "rows need messages or conversations, instruction and output, question and answer, content and summary, or a "
        "text of turns (User: ..., Assistant: ...).",
    )


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else value_text(value)
