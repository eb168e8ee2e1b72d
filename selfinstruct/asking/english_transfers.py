"""Wordings of questions about where something comes from, where it goes to, and who sends it to whom.

    "Received block blk_7 from 10.0.0.1"       -> Where did block blk_7 come from?  Who sent block blk_7?
    "Receiving block blk_7 src: a1 dest: a2"   -> Which address does block blk_7 go to?
    "Did not receive an answer from 10.0.0.1"  -> Who did not send an answer?

Does not handle: prepositions as such (see ``english_events``), or keys as such (see ``english_slots``).
"""

from __future__ import annotations

from collections.abc import Iterator

from selfinstruct.asking import grammar
from selfinstruct.asking.clauses import be
from selfinstruct.asking.events import Event, is_mentionable, mention
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Phrase
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import Slot

_SOURCES = ("src", "source")
_DESTINATIONS = ("dest", "dst", "destination", "target")
_RECEIVING = ("receive", "get", "fetch", "read", "download")
#: Verbs whose object moves to the place after "to"; those of ``_GIVING`` also have a receiver: who was it sent to?
_MOVING = ("copy", "move", "route", "redirect", "replicate", "migrate", "upload", "write")
_GIVING = ("send", "serve", "transfer", "forward", "deliver", "transmit", "submit", "ship", "give", "return")
#: Nouns of what somebody does alone, with the past of the verb.
_DEEDS = {
    "disconnect": "disconnected", "disconnection": "disconnected", "login": "logged in", "logout": "logged out",
}  # fmt: skip


def transfer_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about what moves in the clauses of a line, and from where to where."""
    for clause in line.clauses:
        event = Event(line, clause)
        if event.subject is None or not is_mentionable(event.subject) or clause.form not in ("done", "doing"):
            continue
        places = {each.preposition: each.phrase for each in clause.adjuncts if each.preposition in ("from", "to")}
        if event.base in _RECEIVING and (sender := _party(line, places.get("from"))) is not None:
            yield from _sender(event, event.subject, sender)
        if event.base in (*_MOVING, *_GIVING) and (receiver := _party(line, places.get("to"))) is not None:
            yield from _receiver(event, event.subject, receiver)
        if event.base in (*_RECEIVING, *_MOVING, *_GIVING):
            yield from _keyed(event, event.subject)


def _party(line: Line, phrase: Phrase | None) -> Slot | None:
    """The person, account, address or host that a phrase names; None if it names none."""
    slot = line.slot_at(phrase.value.start) if phrase is not None and phrase.value is not None else None
    if slot is None or slot.is_keyed:
        return None
    return slot if slot.is_person or slot.kind in ("address", "host") else None


def _sender(event: Event, thing: Phrase, sender: Slot) -> Iterator[Draft]:
    place = (sender.start, sender.end)
    if event.clause.is_negated:
        if thing.value is None and not grammar.is_plural(thing.head):
            noun = grammar.with_article(thing.name)
            yield Draft(f"who did not send {noun}", *place, "who", 1.5)
            yield Draft(f"from whom was no {thing.name} {grammar.participle(event.base)}", *place, "who", 0.7)
        return
    named = mention(event.line, thing)
    if (done := _DEEDS.get(thing.head.lower())) is not None:
        yield Draft(f"who {done}", *place, "who", 1.0)
        return
    if event.base == "receive":
        yield Draft(f"who sent {named}", *place, "who", 0.7)
    if sender.is_place:
        yield Draft(f"where {_come(event)} {named} come from", *place, "where", 0.7)


def _come(event: Event) -> str:
    is_many = be(event.subject) == "were"
    return ("do" if is_many else "does") if event.clause.form == "doing" else "did"


def _receiver(event: Event, thing: Phrase, receiver: Slot) -> Iterator[Draft]:
    place, named = (receiver.start, receiver.end), mention(event.line, thing)
    yield Draft(f"who {event.aux} {named} {event.tail} to", *place, "who", 1.0)
    if event.clause.is_negated:
        return
    if event.base in _GIVING:
        yield Draft(f"to whom {event.aux} {named} {event.tail}", *place, "who", 0.5)
        yield Draft(f"who was {named} {grammar.participle(event.base)} to", *place, "who", 0.5)
    if receiver.is_place:
        yield Draft(f"where {_come(event)} {named} go to", *place, "where", 0.4)


def _keyed(event: Event, thing: Phrase) -> Iterator[Draft]:
    """Ask about the source and the destination of a thing that a line gives as keys."""
    if event.clause.is_negated:
        return
    named, come = mention(event.line, thing), _come(event)
    be_now = be(thing, is_present=event.clause.form == "doing")
    for slot in event.line.slots:
        key = slot.noun.lower()
        if not slot.is_keyed or not slot.is_place or not slot.names:
            continue
        place, noun = (slot.start, slot.end), slot.names[0].split()[-1]
        if key in _SOURCES:
            yield Draft(f"where {come} {named} come from", *place, "where", 1.0)
            yield Draft(f"which {noun} {come} {named} come from", *place, "which-adjunct", 1.5)
            if event.base in _RECEIVING:
                done = grammar.participle(event.base)
                yield Draft(f"where {be_now} {named} {done} from", *place, "where", 1.0)
                yield Draft(f"from which {noun} {be_now} {named} {done}", *place, "adjunct-which", 1.0)
        elif key in _DESTINATIONS:
            yield Draft(f"where {come} {named} go", *place, "where", 0.7)
            yield Draft(f"where {come} {named} go to", *place, "where", 1.0)
            yield Draft(f"which {noun} {come} {named} go to", *place, "which-adjunct", 1.5)
            yield Draft(f"to which {noun} {come} {named} go", *place, "adjunct-which", 1.0)
            if event.base not in _RECEIVING:
                yield Draft(f"where {be_now} {named} {grammar.participle(event.base)} to", *place, "where", 1.0)
