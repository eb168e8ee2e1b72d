"""A reply's text -> candidates, or the reason why there are none; pure, and linear in the length of any text.

In this order: the standard decoder on each value in turn (a list, a list under any key, JSON Lines, one object); the
same from each brace that begins an object, whatever stands between (prose, fences, list numbers, a torn row); then
`reader` on an object that the decoder refuses; then, where there is no JSON at all, lines labelled with the fields'
names. Reasoning is cut off before anything but a wholly clean reply is read.

No string value is invented or changed: what cannot be read without a guess becomes a candidate without a row, and is
refused with its problem. Does not handle: tables, CSV, columns in place of rows, and keys that were translated (the
row then has unknown keys, and the schema check says so).

>>> parse('1. {"answer": "28.0"}', ["Answer"]).candidates[0].row
{'Answer': '28.0'}
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from selfinstruct.records import Candidate
from selfinstruct.replies.labelled import labelled_rows
from selfinstruct.replies.names import field_names
from selfinstruct.replies.walk import Walk

_REASONING_END = re.compile(
    r"</(?:think|thinking|reasoning|thought)>|\[/THINK\]|<\|channel\|>final<\|message\|>", re.IGNORECASE
)
_REASONING_START = re.compile(r"<(?:think|thinking|reasoning|thought)>|\[THINK\]|<\|channel\|>analysis", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:i['’]?m|i am) (?:sorry|unable|not able)\b|\bi (?:can['’]?t|cannot|won['’]?t|must decline|apologi[sz]e)\b"
    r"|\bas an ai\b|\bsorry\b|抱歉|对不起|我(?:不能|无法)",
    re.IGNORECASE,
)
# What is left of {"rows": []}, in a fence or not: nothing.
_NO_CONTENT = re.compile(r'```\w*|"[^"\\\n]{0,80}+"\s*+:|null|[\s,;{}\[\]\ufeff]++')


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one reply's text came to.

    ``candidates`` are in the order of the text; those without a row say why in ``problem``: ``torn`` (the text ended
    inside), ``not-an-object``, ``guessed`` (where a string ends is in doubt), ``number`` (NaN, an infinity, too many
    digits), ``nested`` (deeper than 64), ``surrogate`` (half a character, which UTF-8 cannot hold), ``broken``, or
    ``unread`` (the rest of a reply that has far too many pieces). ``failure`` is "" where there is a candidate, else
    ``empty``, ``refusal``, ``filtered``, ``truncated`` or ``malformed``, and ``message`` says it to a person.
    ``notes`` counts what was put right on the way: ``reasoning`` (cut off), ``repaired`` and ``labelled`` rows, rows
    with ``renamed`` keys.
    """

    candidates: tuple[Candidate, ...]
    failure: str = ""
    message: str = ""
    notes: tuple[tuple[str, int], ...] = ()


def parse_reply(text: str, fields: Sequence[str], *, finish_reason: str = "stop") -> Parsed:
    """Read the rows out of a reply.

    ``fields`` are the recipe's field names in order; a key that differs from one in case, blanks, - or _ alone
    is taken for it. A row's known keys come first, in the recipe's order, and unknown ones after. ``finish_reason``
    is the endpoint's word. Never raises for any text.
    """
    names = field_names(tuple(fields))
    text = _decode_twice_encoded(text)
    walk = Walk(text, names)
    walk.run()
    notes = walk.notes
    if not walk.clean and (answer := strip_reasoning(text)) != text:
        walk = Walk(answer, names)
        walk.run()
        notes = walk.notes
        notes["reasoning"] += 1
        text = answer
    pieces = walk.candidates
    if not pieces and not walk.clean:
        pieces = labelled_rows(text, names, truncated=finish_reason == "length")
        notes["labelled"] += len(pieces)
    counted = tuple((slug, n) for slug, n in sorted(notes.items()) if n)
    if pieces:
        return Parsed(tuple(pieces), notes=counted)
    failure, message = _why_no_rows(text, finish_reason)
    return Parsed((), failure, message, counted)


def _decode_twice_encoded(text: str) -> str:
    """The text itself, or what it says where all of it is one JSON string (a reply that was encoded twice)."""
    if text[:1] == '"':
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return text
        return str(value)
    return text


def strip_reasoning(text: str) -> str:
    """A reply without its reasoning: the text after the last end of reasoning, and before any that is left open."""
    answer = text[max((tag.end() for tag in _REASONING_END.finditer(text)), default=0) :]
    opened = _REASONING_START.search(answer)
    return answer[: opened.start()] if opened else answer


def _why_no_rows(text: str, finish_reason: str) -> tuple[str, str]:
    """Why there is no row in ``text``, as a slug and as words."""
    shown = f"it begins {text.strip()[:200]!r}"
    if finish_reason == "content_filter":
        return "filtered", "the endpoint's content filter held the reply back"
    if finish_reason == "refusal" or _REFUSAL.search(text, 0, 300):
        return "refusal", f"the model refused: {shown}"
    if finish_reason == "length":
        return "truncated", "the reply reached the token limit before its first whole row"
    if not _NO_CONTENT.sub("", text):
        return "empty", "the reply has no rows"
    return "malformed", f"no row can be read from the reply; {shown}"
