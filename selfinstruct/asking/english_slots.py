"""Wordings of questions about the slots of an English line.

    671: size, of block blk_7  ->  What is the size of block blk_7?  How large is block blk_7?

Does not handle: questions about what happened (see ``english_events``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from selfinstruct.asking import grammar
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.lines import Line
from selfinstruct.asking.owners import owners
from selfinstruct.asking.phrases import grammar_text
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import Slot

_SIZES = ("size", "length")
_DURATIONS = ("duration", "timeout", "lifetime", "delay", "interval", "elapsed time", "time out", "latency")
#: Names that only the form of a value gives: no owner is known to have such a thing.
_FORMS = ("address", "host", "path", "file", "url", "email", "mac", "id")
#: Attributes that a person or an account can have.
_OF_PERSONS = ("address", "age", "balance", "email address", "level", "port", "role", "score", "ID")
_AMOUNTS = ("free", "available", "used")
_OF = ("", "of", "with", "in", "at")


def slot_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about the values of a line."""
    for slot in line.slots:
        if slot.segment < 0:
            yield from _header_questions(line, slot)
            continue
        if slot.names == ("protocol",) and not slot.noun:
            yield Draft("which protocol is used", slot.start, slot.end, "slot-name", 1.0)
            yield Draft("what is the protocol", slot.start, slot.end, "slot-name", 1.0)
            continue
        if slot.kind == "version" and slot.noun and slot.phrase is not None and slot.phrase.head.lower() != "version":
            owner = grammar_text(replace(slot.phrase, value=None))
            yield Draft(f"what is the version of {owner}", slot.start, slot.end, "slot-name", 1.5)
            continue
        yield from _named_questions(line, slot)
        yield from _mentioned(line, slot)
        yield from _associated(line, slot)
        yield from _counts(line, slot)


def _header_questions(line: Line, slot: Slot) -> Iterator[Draft]:
    place = (slot.start, slot.end)
    if slot.kind == "time":
        yield Draft("when was the message logged", *place, "when-header", 0.3)
        yield Draft("at what time was the message logged", *place, "when-header", 0.15)
        yield Draft("what is the timestamp of the message", *place, "when-header", 0.2)
    elif slot.kind in ("host", "component", "process", "thread"):
        yield Draft(f"which {slot.kind} logged the message", *place, slot.kind, 0.3)
        if slot.kind == "host":
            yield Draft("on which host was the message logged", *place, slot.kind, 0.2)
        elif line.is_only(slot, slot.kind):
            yield Draft(f"what is the {slot.kind}", *place, slot.kind, 0.2)
    elif slot.kind == "level":
        yield Draft("what is the log level of the message", *place, slot.kind, 0.3)
        yield Draft("what is the severity of the message", *place, slot.kind, 0.2)
    elif slot.kind == "process ID":
        process = next((each for each in line.slots if each.kind == "process"), None)
        if process is not None:
            yield Draft(f"what is the process ID of {process.text}", *place, "process-id", 0.5)
            yield Draft(f"what is the PID of {process.text}", *place, "process-id", 0.3)


def _named_questions(line: Line, slot: Slot) -> Iterator[Draft]:
    """Ask "What is the NAME of OWNER?"."""
    kind = "slot-key" if slot.is_keyed else "slot-name"
    place, unit_end = (slot.start, slot.end), slot.unit_end
    is_attribute = _is_attribute(slot)
    # Where the line is about something, a question that does not say so is asked less.
    share = 0.2 if any(each.is_entity and each is not slot for each in line.slots) else 0.5
    if slot.noun.lower() == "id" and any(each.kind in ("id", "hex") and each is not slot for each in line.slots):
        return  # whose ID, the question would not tell
    for rank, name in enumerate(_names(line, slot)):
        weight = 1.0 if rank == 0 else 0.6
        is_program_name = grammar.is_name(name) and " " not in name and not name.isupper()
        is_by_form = not slot.noun and not name.startswith(("source ", "destination ")) and slot.kind in _FORMS
        may_own = is_attribute and not _is_verb(name) and not is_by_form and (slot.is_keyed or not slot.is_person)
        for sure, owner in enumerate(owners(line, slot) if may_own else ()):
            if not _fits(line, slot, name, owner):
                continue
            if grammar.is_plural(name) and not is_program_name:
                if slot.kind == "number" and sure == 0:
                    yield Draft(f"how many {name} are there for {owner}", *place, "how-many", weight)
                continue
            if sure == 0 and (slot.preposition in _OF or " " in name):
                yield Draft(f"what is the {name} of {owner}", *place, kind, 2 * weight, unit_end)
            yield Draft(f"what is the {name} for {owner}", *place, kind, 0.7 * weight, unit_end)
            if name in _SIZES and slot.unit != "%" and sure == 0 and not owner.endswith("()"):
                yield Draft(f"how large is {owner}", *place, "how-large", weight, unit_end)
                yield Draft(f"how big is {owner}", *place, "how-large", 0.5 * weight, unit_end)
                yield Draft(f"what size is {owner}", *place, "how-large", 0.4 * weight, unit_end)
            if name in _DURATIONS and name != "timeout" and sure == 0:
                yield Draft(f"how long is the {name} of {owner}", *place, "how-long", weight, unit_end)
        if is_program_name and not slot.is_keyed and not slot.is_entity and slot.kind == "number":
            yield Draft(f"what is the value of {name}", *place, "slot-key", weight, unit_end)
            yield Draft(f"what value does {name} have", *place, "slot-key", 0.5 * weight, unit_end)
        elif is_attribute and not _is_verb(name):
            be = "are" if grammar.is_plural(name) and not is_program_name else "is"
            text = f"what is {name}" if slot.is_keyed and is_program_name else f"what {be} the {name}"
            if be == "is" or slot.kind != "number":
                yield Draft(text, *place, kind, share * weight, unit_end)
        if slot.kind == "number" and grammar.is_plural(name) and not is_program_name and slot.is_keyed:
            yield Draft(f"how many {name} are there", *place, "how-many", weight)
        if slot.is_keyed and rank == 0 and slot.noun and " " not in slot.noun and not grammar.is_adjective(slot.noun):
            yield Draft(f"what is the value of {slot.noun}", *place, kind, 0.5, unit_end)


def _is_verb(name: str) -> bool:
    """Whether a key is a verb or a preposition and no noun, so that "the" cannot stand before it."""
    verb = grammar.verb_of(name)
    if name.lower() in grammar.PREPOSITIONS:
        return True
    return verb is not None and verb.form in ("base", "s") and grammar.noun_flags(name) is None


def _names(line: Line, slot: Slot) -> list[str]:
    return [name for name in slot.names if line.is_only(slot, name) and name.split()[-1].lower() != "value"]


def _is_attribute(slot: Slot) -> bool:
    """Whether one can ask for "the NAME" of a slot, and not only which thing it is."""
    return not slot.is_entity or slot.is_keyed or (bool(slot.noun) and slot.names[:1] != (slot.noun,)) or slot.is_place


def _mentioned(line: Line, slot: Slot) -> Iterator[Draft]:
    """Ask which thing the line is about, and which is as an adjective before it tells: invalid user anna."""
    yield from _qualified(line, slot)
    names = _names(line, slot)
    if not names or _is_attribute(slot):
        is_owned = slot.is_place and slot.noun and slot.names[:1] != (slot.noun,) and not slot.is_keyed
        if is_owned and slot.phrase is not None and names:
            owner = grammar_text(replace(slot.phrase, value=None))
            yield Draft(f"what is the {names[-1]} of {owner}", slot.start, slot.end, "slot-name", 1.0)
        return
    yield Draft(f"which {names[0]} is mentioned in the message", slot.start, slot.end, "mentioned", 0.3)
    if slot.is_person:
        what = "ID" if slot.kind in ("number", "hex", "uuid") else "name"
        yield Draft(f"what is the {what} of the {names[0]}", slot.start, slot.end, "slot-name", 0.8)
    if slot.kind in ("id", "hex", "uuid", "number") and not slot.is_person:
        yield Draft(f"what is the ID of the {names[0]}", slot.start, slot.end, "slot-name", 0.5)


def _qualified(line: Line, slot: Slot) -> Iterator[Draft]:
    phrase = slot.phrase
    if phrase is None or phrase.is_keyed or len(phrase.words) < 2 or not phrase.is_sound or phrase.unit:
        return
    state, noun = phrase.words[0].lower(), " ".join(phrase.words[1:])
    thing = (slot.start, slot.end)
    if grammar.is_state(state) and slot.is_entity:
        place = (phrase.words_start, phrase.words_start + len(state))
        yield Draft(f"what is the status of {noun} {slot.text}", *place, "status", 1.0)
        yield Draft(f"which {noun} is {state}", *thing, "which-subject", 1.0)
        yield Draft(f"what {noun} is {state}", *thing, "which-subject", 0.4)
    elif (verb := grammar.verb_of(state)) is not None and verb.form == "ed" and verb.is_transitive and slot.is_entity:
        yield Draft(f"which {noun} was {state}", *thing, "which-subject", 1.0)
        yield Draft(f"what {noun} was {state}", *thing, "which-subject", 0.4)


def _associated(line: Line, slot: Slot) -> Iterator[Draft]:
    """Ask "Which client is session 0x14 associated with?"."""
    if not slot.is_entity or slot.is_keyed or not slot.names:
        return
    name = slot.names[-1] if slot.is_place else slot.names[0]
    others = [each for each in line.slots if each.is_entity and each is not slot and not each.is_keyed]
    if len(others) == 1 and line.is_only(slot, name) and slot.segment == others[0].segment:
        text = f"which {name} is {others[0].mention} associated with"
        yield Draft(text, slot.start, slot.end, "associated", 0.4)


def _fits(line: Line, slot: Slot, name: str, owner: str) -> bool:
    """Whether an owner can have an attribute: an address has no size and no source, a person no index."""
    if _is_place(line, owner):
        return name not in _SIZES and not name.startswith(("source ", "destination "))
    return slot.is_keyed or name.startswith("source ") or name in _OF_PERSONS or not _is_person(line, owner)


def _is_place(line: Line, owner: str) -> bool:
    """Whether an owner is an address or a host, which has no size."""
    return any(slot.kind in ("address", "host") and slot.mention == owner for slot in line.slots)


def _is_person(line: Line, owner: str) -> bool:
    return any(slot.is_person and slot.mention == owner for slot in line.slots)


def _counts(line: Line, slot: Slot) -> Iterator[Draft]:
    """Ask "How many UNIT": the unit is in the question, not in the answer."""
    if not slot.unit or slot.phrase is None:
        return
    unit, measured = entries("units")[slot.unit]
    place, noun = (slot.start, slot.end), slot.phrase.name
    if noun in _AMOUNTS:
        for owner in owners(line, slot):
            yield Draft(f"how many {unit} are {noun} for {owner}", *place, "how-many", 1.0)
            yield Draft(f"how many {unit} is {owner} {noun}", *place, "how-many", 1.0)
            if measured == "size":
                yield Draft(f"what is the {noun} size of {owner}", *place, "slot-name", 1.0, slot.unit_end)
                yield Draft(f"what is the {noun} space for {owner}", *place, "slot-name", 0.5, slot.unit_end)
        yield Draft(f"how many {unit} are {noun}", *place, "how-many", 1.0)
        if measured == "size":
            yield Draft(f"how much space is {noun}", *place, "how-many", 0.5, slot.unit_end)
            yield Draft(f"what is the {noun} size", *place, "slot-name", 0.3, slot.unit_end)
    elif slot.noun and line.is_only(slot, slot.noun):
        be = "are" if grammar.is_plural(noun) else "is"
        noun = noun if grammar.is_name(noun) and " " not in noun else f"the {noun}"
        yield Draft(f"how many {unit} {be} {noun}", *place, "how-many", 1.0)
        if measured == "duration":
            yield Draft(f"how long {be} {noun}", *place, "how-long", 1.0, slot.unit_end)
