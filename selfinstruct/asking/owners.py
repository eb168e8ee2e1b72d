"""Owners: the things of an English line of which a slot may be called an attribute.

    "Received block blk_7 of size 671 from 10.0.0.1" -> the size is that of block blk_7, not of 10.0.0.1

Does not handle: ownership that only knowledge of the system shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfinstruct.asking import grammar
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import grammar_text
from selfinstruct.asking.slots import Slot

_IN_STATE = ("in", "at", "with")


def owners(line: Line, slot: Slot) -> list[str]:
    """Return the owners of a slot as a question mentions them; a second one is less sure.

    The thing right before it; what its clause is about; for a slot in brackets, what the clause before the bracket is
    about; or the only thing of the line.
    """
    if (slot.kind in ("time", "clock") and not slot.noun) or _is_dangling(line, slot):
        return []
    entities = [each for each in line.slots if each.is_entity and each is not slot and not each.is_keyed]
    if slot.preposition == "" and not slot.is_keyed:
        beside = [each for each in entities if each.segment == slot.segment and _is_beside(line, each, slot)]
        if beside:
            return [beside[0].mention]
    found = list(dict.fromkeys((*_stated(line, slot), *_subjects(line, slot), *_before_bracket(line, slot))))
    if not found and len(entities) == 1:
        found.append(entities[0].mention)
    if not found and slot.is_keyed and not entities:
        found += _phrase_before(line, slot)
    return found[:2]


def _is_dangling(line: Line, slot: Slot) -> bool:
    """Whether a slot is in brackets after a bare preposition, and belongs to what is not named: by (uid=0)."""
    before = line.segments[slot.segment - 1] if slot.segment > 0 else None
    return line.segments[slot.segment].depth > 0 and before is not None and before.chunks[-1].kind == "preposition"


def _is_beside(line: Line, before: Slot, slot: Slot) -> bool:
    """Whether a phrase with a value stands right before another: blk_7 size 671."""
    between = line.text[before.end : slot.start].lower().split()
    return before.end < slot.start and between == slot.noun.lower().split() != []


def _stated(line: Line, slot: Slot) -> Iterator[str]:
    """The phrase without a value that is in the state of the slot: worker in state 6."""
    for clause in line.clauses:
        phrase = clause.patient
        if clause.form not in ("none", "is") or phrase is None or phrase.value is not None or not phrase.is_sound:
            continue
        adjunct = next((each for each in clause.adjuncts if each.phrase is slot.phrase), None)
        if adjunct is not None and adjunct.preposition in _IN_STATE and grammar.is_name(phrase.head):
            yield grammar_text(phrase)


def _subjects(line: Line, slot: Slot) -> Iterator[str]:
    """What the clause around a slot is about."""
    for clause in line.clauses:
        if not clause.start <= slot.start < clause.end:
            continue
        for phrase in (clause.patient, clause.actor):
            if phrase is not None and phrase.value is not None and phrase.is_sound:
                owner = line.slot_at(phrase.value.start)
                if owner is not None and owner is not slot and owner.is_entity:
                    yield owner.mention


def _before_bracket(line: Line, slot: Slot) -> Sequence[str]:
    """What the clause before a bracket is about, for a slot in the bracket: task 28 in stage 9 (TID 7)."""
    position = slot.segment
    while position > 0 and line.segments[position].depth > 0:
        position -= 1
    if position in (slot.segment, -1):
        return ()
    segment = line.segments[position]
    if line.segments[slot.segment].start < segment.end:
        return ()
    clause = next((each for each in line.clauses if segment.start <= each.start < segment.end), None)
    if clause is None:
        return ()
    phrases = (clause.patient, clause.actor, *(each.phrase for each in clause.adjuncts))
    slots = [line.slot_at(phrase.value.start) for phrase in phrases if phrase is not None and phrase.value is not None]
    return [each.mention for each in slots if each is not None and each.is_entity]


def _phrase_before(line: Line, slot: Slot) -> list[str]:
    """The nearest phrase without a value before a record of keys: authentication failure; uid=0."""
    for position in range(slot.segment, -1, -1):
        segment = line.segments[position]
        phrase = segment.chunks[0].phrase
        following = line.segments[position + 1].mark if position + 1 < len(line.segments) else ""
        if (
            segment.depth
            or phrase is None
            or any(c.phrase is None or not c.phrase.is_keyed for c in segment.chunks[1:])
        ):
            if position < slot.segment:
                return []
            continue
        if phrase.value is not None or phrase.is_keyed or (following == "=" and len(segment.chunks) == 1):
            continue
        is_noun = grammar.is_name(phrase.head) or grammar.is_noun_like(phrase.head)
        return [grammar_text(phrase)] if phrase.is_sound and is_noun else []
    return []
