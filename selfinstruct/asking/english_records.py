"""Wordings of questions about an event and the record of keys that follows it in an English line.

    "authentication failure; rhost=10.0.0.7 user=anna" -> Which user failed the authentication from 10.0.0.7?

Does not handle: single keys (see ``english_slots``), and events that are told as a sentence (see ``english_events``).
"""

from __future__ import annotations

from collections.abc import Iterator

from selfinstruct.asking import grammar
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Phrase, grammar_text
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import Slot

_WHO = frozenset(("user", "username", "account", "login", "usr", "acct"))
_FROM = frozenset(("rhost", "src", "source", "ip", "addr", "address", "client", "host", "remote"))
_FAILURES = frozenset(("failure", "failures"))


def record_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about who did what a line names before its record of keys, and from where."""
    keyed = [slot for slot in line.slots if slot.is_keyed]
    users = [slot for slot in keyed if slot.noun.lower() in _WHO]
    places = [slot for slot in keyed if slot.noun.lower() in _FROM and slot.kind in ("address", "host")]
    event = _event(line, keyed[0]) if keyed else None
    if event is None or len(keyed) < 2:
        return
    named, is_many = _with_the(event), grammar.is_plural(event.head)
    user = users[0] if len(users) == 1 else None
    place = places[0] if len(places) == 1 else None
    if user is not None:
        yield from _user_questions(event, named, user, place)
    if place is not None:
        spot = (place.start, place.end)
        for owner in (named, *([f"{named} for user {user.text}"] if user is not None else ())):
            yield Draft(f"where did {owner} come from", *spot, "where", 1.0)
            yield Draft(f"which address {'are' if is_many else 'is'} {owner} from", *spot, "which-adjunct", 0.7)


def _user_questions(event: Phrase, named: str, user: Slot, place: Slot | None) -> Iterator[Draft]:
    spot = (user.start, user.end)
    sources = ("", *([f" from {place.text}"] if place is not None else ()))
    action = " ".join(event.words[:-1])
    for source in sources:
        weight = 1.0 if source else 0.4
        be = "are" if grammar.is_plural(event.head) else "is"
        yield Draft(f"which user {be} {named}{source} for", *spot, "which-adjunct", 0.3 * weight)
        yield Draft(f"what is the user of {named}{source}", *spot, "slot-key", weight)
        if event.head.lower() in _FAILURES and action:
            yield Draft(f"which user failed the {action}{source}", *spot, "which-subject", 1.5 * weight)
            yield Draft(f"who failed the {action}{source}", *spot, "who", weight)
            yield Draft(f"whose {action} failed{source}", *spot, "who", weight)


def _event(line: Line, first: Slot) -> Phrase | None:
    """The phrase without a value before the first key that names an event: authentication failure."""
    for position in range(first.segment, -1, -1):
        for chunk in reversed(line.segments[position].chunks):
            phrase = chunk.phrase
            if chunk.end >= first.start or line.segments[position].depth:
                continue
            if chunk.kind == "verb" or phrase is None or phrase.value is not None:
                return None
            if phrase.is_sound and len(phrase.words) > 1 and grammar.is_noun_like(phrase.head.lower().rstrip("s")):
                return phrase
            if not _is_empty_key(line, position, chunk.end):
                return None
    return None


def _is_empty_key(line: Line, position: int, end: int) -> bool:
    """Whether a phrase is a key without a value: logname=."""
    following = line.segments[position + 1] if position + 1 < len(line.segments) else None
    return line.text[end : end + 1] == "=" or (following is not None and following.mark == "=")


def _with_the(event: Phrase) -> str:
    """An event as a question mentions it: with "the", as the line tells which it is."""
    return f"the {event.name}" if grammar.is_plural(event.head) else grammar_text(event)
