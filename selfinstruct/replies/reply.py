"""Parses the text of a reply into candidates, or the reason why there are none; pure, in linear time.

Tries in this order: the standard decoder on each value (a list, a list under any key, JSON Lines, one object), also
with other text in between (prose, fences, list numbers, a truncated row); ``reader`` on objects that the decoder
rejects; and, if there is no JSON at all, lines labelled with field names. Reasoning is removed first, unless the whole
reply is valid JSON.

No string value is invented or changed: text that cannot be read without a guess becomes a candidate without a row,
with its problem. Does not handle: tables, CSV, columns instead of rows, translated keys (the row then has unknown keys,
which the schema check reports).

>>> parse('1. {"answer": "28.0"}', ["Answer"]).candidates[0].row
{'Answer': '28.0'}
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from selfinstruct.records import Candidate
from selfinstruct.replies.ending import Ending, ending_of
from selfinstruct.replies.labelled import labelled_rows
from selfinstruct.replies.markers import answer_span, first_turn, strip_control_tokens
from selfinstruct.replies.names import field_names
from selfinstruct.replies.walk import Walk

_REFUSAL = re.compile(
    r"\b(?:i['’]?m|i am) (?:sorry|unable|not able)\b|\bi (?:can['’]?t|cannot|won['’]?t|must decline|apologi[sz]e)\b"
    r"|\bas an ai\b|\bsorry\b|抱歉|对不起|我(?:不能|无法)",
    re.IGNORECASE,
)
# A key of JSON that was escaped as HTML; the entities of `html.escape`, the ampersand last.
_ESCAPED_KEY = re.compile(r"[{｛]\s*&quot;|&quot;\s*[{｛\[]")
_ENTITIES = (("&quot;", '"'), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_BARE_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
# Matches the tokens of a reply without content, such as {"rows": []} in a fence.
_NO_CONTENT = re.compile(r'```\w*|"[^"\\\n]{0,80}+"\s*+:|null|[\s,;{}\[\]\ufeff]++')


@dataclass(frozen=True, slots=True)
class Parsed:
    """The result of parsing one reply.

    ``candidates`` are in the order of the text. The ``problem`` of a candidate without a row is ``torn`` (the text ends
    inside it), ``not-an-object``, ``guessed`` (the end of a string is ambiguous), ``number`` (NaN, infinity, too many
    digits), ``nested`` (deeper than 64 levels), ``surrogate`` (a lone surrogate, which UTF-8 cannot encode),
    ``broken``, or ``unread`` (the rest of a reply with far too many values). ``failure`` is "" if there is a candidate,
    else ``empty``, ``refusal``, ``filtered``, ``truncated`` or ``malformed``; ``message`` describes it for people.
    ``notes`` counts corrections: ``reasoning`` or tokens in front (removed), strings of JSON that were ``opened``,
    ``repaired`` and ``labelled`` rows, rows with ``renamed`` keys, and rows with a key that is ``repeated`` with
    another value.
    """

    candidates: tuple[Candidate, ...]
    failure: str = ""
    message: str = ""
    notes: tuple[tuple[str, int], ...] = ()


def parse_reply(text: str, fields: Sequence[str], *, finish_reason: str = "stop", kept: Collection[str] = ()) -> Parsed:
    """Parse the rows of a reply.

    ``fields`` are the recipe's field names in order; a key that differs from a field only in case, blanks, - or _ is
    renamed to it. Known keys of a row come first, in the recipe's order, then unknown ones. ``finish_reason`` is that
    of the endpoint. ``kept`` are the names of markers that are data (``marker_names``). Never raises, for any text.
    """
    names = field_names(tuple(fields))
    ending = ending_of(finish_reason)
    text = _decode_twice_encoded(strip_control_tokens(text, kept, only_last=True))
    walk = Walk(text, names)
    walk.run()
    notes = walk.notes
    if not walk.clean and (answer := _answer(text, walk.spans, kept, is_cut=ending != "whole")) != text:
        walk = Walk(answer, names)
        walk.run()
        notes = walk.notes
        notes["reasoning"] += 1
        text = answer
    candidates = walk.candidates
    if not candidates and not walk.clean:
        text = first_turn(text, kept)
        candidates = labelled_rows(text, names, truncated=ending != "whole")
        notes["labelled"] += len(candidates)
    counted = tuple((slug, n) for slug, n in sorted(notes.items()) if n)
    if candidates:
        return Parsed(tuple(candidates), notes=counted)
    failure, message = _why_no_rows(text, ending)
    return Parsed((), failure, message, counted)


def _answer(text: str, rows: Sequence[tuple[int, int]], kept: Collection[str], *, is_cut: bool) -> str:
    """Return the part of a reply that is no reasoning, or the whole of it."""
    start, stop = answer_span(text, rows, kept, is_cut=is_cut)
    return strip_control_tokens(text[start:stop], kept)


def _decode_twice_encoded(text: str) -> str:
    """Return the text, decoded once if it was encoded twice.

    It is then one JSON string, or the inside of one, with no quote that is not escaped; or HTML, without a quote.
    """
    quote = text.find('"')
    if quote < 0:
        return _unescape_html(text) if _ESCAPED_KEY.search(text) else text
    inside = quote > 0 and text[quote - 1] == "\\" and not _BARE_QUOTE.search(text)
    if quote > 0 and not inside:
        return text
    try:
        return str(json.loads(f'"{text}"' if inside else text, strict=False))
    except (ValueError, RecursionError):
        return text


def _unescape_html(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def _why_no_rows(text: str, ending: Ending) -> tuple[str, str]:
    """Return the reason why ``text`` contains no row, as a slug and a message."""
    shown = repr(text.strip()[:200])
    if ending == "filtered":
        return "filtered", "the endpoint's content filter blocked the reply"
    if ending == "refused" or _REFUSAL.search(text, 0, 300):
        return "refusal", f"the model refused; the reply begins {shown}"
    if ending == "truncated":
        return "truncated", "the reply reached the token limit before its first complete row"
    if not _NO_CONTENT.sub("", text):
        return "empty", "the reply has no rows"
    return "malformed", f"the reply contains no readable row; it begins {shown}"
