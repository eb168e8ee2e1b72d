"""Wordings of questions about who did what to what, from where and when, in an English line.

    "Received block blk_7 from 10.0.0.1" -> From which address was block blk_7 received?  Which block was received?

Does not handle: how it ended and why (see ``english_outcomes``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from selfinstruct.asking import grammar
from selfinstruct.asking.clauses import Adjunct, be
from selfinstruct.asking.events import ASKED, Event, is_mentionable, is_whole, mention
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Phrase
from selfinstruct.asking.question import Draft
from selfinstruct.mining.lexicon import words

_PLACE_NOUNS = frozenset(
    (
        *(
            "cache",
            "city",
            "cluster",
            "database",
            "directory",
            "disk",
            "file",
            "folder",
            "host",
            "log",
            "memory",
            "node",
        ),
        *("queue", "registry", "repository", "room", "scoreboard", "server", "storage", "table"),
    )
)
#: Adverbs that do not tell how.
_NO_MANNER = frozenset(("already", "currently", "only", "previously", "recently", "finally", "shortly", "immediately"))
#: Verbs that leave a thing in a form: stored as bytes.
_KEEPING = frozenset(("store", "save", "keep", "write", "encode", "serialize", "persist", "cache", "record", "export"))
#: Adverbs that tell where.
_PLACE_ADVERBS = frozenset(("locally", "remotely", "internally", "externally"))
#: After these, "what ... FROM" asks for a thing without a value.
_BARE = frozenset(("by", "as", "to", "from", "for", "through", "via", "into", "against", "with", "on"))


def event_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about what the clauses of a line name."""
    for clause in line.clauses:
        event = Event(line, clause)
        yield from _adjunct_questions(event)
        yield from _determiner_questions(event)
        yield from _subject_questions(event)
        yield from _actor_questions(event)
        yield from _time_questions(event)
        yield from _count_questions(event)
        yield from _manner_questions(event)


def _adjunct_questions(event: Event) -> Iterator[Draft]:
    """Ask "From which address was block blk_7 received?"."""
    if not event.is_usable or event.subject is None:
        return
    for adjunct in event.clause.adjuncts:
        if adjunct.preposition not in ASKED or not adjunct.phrase.is_sound or not event.is_only_preposition(adjunct):
            continue
        asked = f"{event.aux} {event.name} {event.tail}".rstrip()
        if event.clause.form in ("acting", "acts") and event.clause.patient is not None:
            asked += f" {mention(event.line, event.clause.patient)}"
        if adjunct.phrase.value is None:
            yield from _bare(event, adjunct, asked)
        elif adjunct.phrase.unit:
            yield from _measured(event, adjunct, asked)
        else:
            yield from _valued(event, adjunct, asked)


def _determiner_questions(event: Event) -> Iterator[Draft]:
    """Ask about what determines the subject: which block PacketResponder 1 is for."""
    subject = event.subject
    if not event.is_usable or subject is None or event.clause.form == "none":
        return
    asked = f"{be(subject, is_present=True)} {mention(event.line, subject)}"
    for adjunct in event.clause.patient_adjuncts:
        is_apt = adjunct.preposition in ("for", "from", "on", "in") and adjunct.phrase.is_sound
        slot = event.line.slot_at(adjunct.phrase.value.start) if adjunct.phrase.value is not None else None
        if not is_apt or slot is None or not slot.is_entity or not event.is_only_preposition(adjunct):
            continue
        for name in slot.names[:1]:
            yield Draft(f"which {name} {asked} {adjunct.preposition}", slot.start, slot.end, "which-adjunct", 1.0)


def _valued(event: Event, adjunct: Adjunct, asked: str) -> Iterator[Draft]:
    value, preposition = adjunct.phrase.value, adjunct.preposition
    slot = event.line.slot_at(value.start) if value is not None else None
    if value is None or slot is None or slot.kind == "time":
        return
    if not slot.names and _is_count(event, adjunct):
        return
    place = (value.start, value.end)
    names = dict.fromkeys(name.removeprefix("source ").removeprefix("destination ") for name in slot.names[:2])
    rest = event.rest(adjunct) if event.subject is not None and event.subject.value is None else ""
    for rank, name in enumerate(names):
        weight = 1.0 - 0.4 * rank
        if grammar.is_plural(name) or preposition == "as":
            continue
        yield Draft(f"which {name} {asked} {preposition}", *place, "which-adjunct", weight)
        yield Draft(f"{preposition} which {name} {asked}", *place, "adjunct-which", weight)
        if rest and event.clause.form != "is":
            yield Draft(f"{preposition} which {name} {asked}{rest}", *place, "adjunct-which", weight)
        if event.clause.form not in ("none", "is"):
            yield Draft(f"what {name} {asked} {preposition}", *place, "which-adjunct", 0.5 * weight)
    if slot.is_place and preposition in ("from", "to", "in", "at", "on"):
        places = [each for each in event.clause.adjuncts if each.preposition in ("in", "at", "on")]
        if preposition in ("from", "to"):
            yield Draft(f"where {asked} {preposition}", *place, "where", 1.0)
        elif len(places) == 1:
            yield Draft(f"where {asked}", *place, "where", 1.0)
    subject = event.subject if event.clause.form == "doing" and event.base in ("change", "set") else None
    if preposition == "to" and not names and subject is not None:
        name = event.name if subject.value is not None else f"the {subject.name}"
        for tail in (event.tail, event.tail.removeprefix("being ")):
            yield Draft(f"what {event.aux} {name} {tail} to", *place, "what-adjunct", 1.0)
    if preposition in ("to", "at", "from", "with") and not names and event.clause.form in ("done", "acted"):
        yield Draft(f"what {asked} {preposition}", *place, "what-adjunct", 1.0)
        if event.base == "set" and preposition == "to":
            yield Draft(f"what is the value of {event.name}", *place, "slot-key", 1.0)
            yield Draft(f"what is {event.name}", *place, "slot-key", 0.5)
    if slot.is_person and event.clause.form != "acts":
        yield Draft(f"who {asked} {preposition}", *place, "who", 0.7)


def _is_count(event: Event, adjunct: Adjunct) -> bool:
    """Whether the phrase beside a number is what it counts: with 2 errors."""
    at = event.clause.adjuncts.index(adjunct) + 1
    beside = event.clause.adjuncts[at] if at < len(event.clause.adjuncts) else None
    return beside is not None and beside.preposition == "" and beside.phrase.value is None


def _bare(event: Event, adjunct: Adjunct, asked: str) -> Iterator[Draft]:
    phrase, preposition = adjunct.phrase, adjunct.preposition
    place = (phrase.words_start, phrase.words_end)
    if preposition == "as" and phrase.is_sound and phrase.words and event.clause.form in ("done", "doing"):
        yield from _forms(event, asked, place)
    if not is_mentionable(phrase) or phrase.head == "time":
        return
    if phrase.head.lower() in _PLACE_NOUNS and preposition in ("in", "on", "at") and event.clause.form != "none":
        yield Draft(f"where {asked}", *place, "where", 1.0)
    if event.base == "transition" and preposition in ("from", "to"):
        age = "previous" if preposition == "from" else "new"
        yield Draft(f"what state {asked} {preposition}", *place, "status", 1.0)
        yield Draft(f"what is the {age} state of {event.name}", *place, "status", 1.0)
    if preposition in _BARE and len(phrase.words) > 1 and phrase.words[0] in words("first-names"):
        yield Draft(f"who {asked} {preposition}", *place, "who", 1.0)
    elif preposition in _BARE:
        yield Draft(f"what {asked} {preposition}", *place, "what-adjunct", 1.0)
    if preposition == "by" and event.clause.form == "done" and _is_component(phrase.head):
        yield Draft(f"which component {event.tail} {event.name}", *place, "component", 0.7)


def _forms(event: Event, asked: str, place: tuple[int, int]) -> Iterator[Draft]:
    """Ask about "stored as bytes": "In what form was block blk_7 stored?"."""
    yield Draft(f"what {asked} as", *place, "what-adjunct", 1.0)
    yield Draft(f"as what {asked}", *place, "what-adjunct", 0.4)
    yield Draft(f"{event.name} {event.aux} {event.tail} as what", *place, "what-adjunct", 0.4)
    if event.base in _KEEPING:
        yield Draft(f"in what form {asked}", *place, "how-manner", 1.0)
        yield Draft(f"in which form {asked}", *place, "how-manner", 0.4)


def _manner_questions(event: Event) -> Iterator[Draft]:
    """Ask "How did the process exit?" of "exited abnormally"."""
    clause = event.clause
    if not event.is_usable or clause.form not in ("done", "acted"):
        return
    segment = next((each for each in event.line.segments if each.start <= clause.start <= each.end), None)
    for chunk in segment.chunks if segment is not None else ():
        is_manner = (
            chunk.kind == "adverb" and chunk.text.lower().endswith("ly") and chunk.text.lower() not in _NO_MANNER
        )
        if is_manner and chunk.start > clause.state[0]:
            is_place = chunk.text.lower() in _PLACE_ADVERBS
            text = f"{'where' if is_place else 'how'} {event.aux} {event.name} {event.tail}"
            yield Draft(text, chunk.start, chunk.end, "where" if is_place else "how-manner", 1.0)
            return


def _counted_things(event: Event) -> Iterator[Draft]:
    """Ask "How many remote fetches were started?" of "Started 3 remote fetches", and "With how many errors ..."."""
    clause = event.clause
    phrases = [("", clause.patient)] if clause.form in ("done", "doing") and clause.patient is not None else []
    phrases += [(each.preposition, each.phrase) for each in clause.adjuncts]
    for (preposition, number), (beside, counted) in pairwise(phrases):
        value = number.value
        if (
            value is None
            or value.kind != "number"
            or number.words
            or number.unit
            or beside
            or counted.value is not None
        ):
            continue
        if not counted.is_sound or counted.determiner or not grammar.is_plural(counted.head):
            continue
        if number is clause.patient and event.base != "get":
            aux = "are" if clause.form == "doing" else "were"
            text = f"how many {counted.name} {aux} {event.tail}"
            yield Draft(text, value.start, value.end, "how-many", 1.5)
        elif preposition in ("with", "in", "after", "by", "for", "to") and event.is_usable:
            text = f"{preposition} how many {counted.name} {event.aux} {event.name} {event.tail}"
            yield Draft(text.rstrip(), value.start, value.end, "how-many", 1.0)


def _measured(event: Event, adjunct: Adjunct, asked: str) -> Iterator[Draft]:
    value, preposition = adjunct.phrase.value, adjunct.preposition
    if value is None or adjunct.phrase.words or preposition not in ("for", "in", "with", "by", "to", "from"):
        return
    if preposition in ("to", "from"):
        yield Draft(f"what {asked} {preposition}", value.start, value.end, "what-adjunct", 1.0, adjunct.phrase.unit_end)
        return
    unit, measured = entries("units")[adjunct.phrase.unit]
    yield Draft(f"{preposition} how many {unit} {asked}", value.start, value.end, "how-many", 1.5)
    if measured == "duration" and preposition == "for":
        for start in ("for how long", "how long"):
            yield Draft(f"{start} {asked}", value.start, value.end, "how-long", 1.0, adjunct.phrase.unit_end)


def _subject_questions(event: Event) -> Iterator[Draft]:
    """Ask "Which block was received from 10.0.0.1?"."""
    subject, predicate, clause = event.subject, event.predicate, event.clause
    if (
        subject is None
        or not predicate
        or not event.is_usable
        or not subject.is_sound
        or subject.determiner.lower() == "no"
        or subject.unit
    ):
        return
    if sum(1 for each in event.line.clauses if each.verb and each.verb.base == event.base) > 1:
        return
    rest = event.rest() if clause.form != "is" else ""
    if event.base == "fail" and rest.startswith(" from "):
        rest = ""  # not the source failed
    if clause.form == "is" and predicate.endswith(" close"):
        return  # "is close" would mean nearby
    if clause.form == "acting" and clause.patient is None and not is_whole(event):
        return
    if subject.value is None:
        if is_mentionable(subject) and all(each.preposition == "of" for each in clause.patient_adjuncts):
            if event.base == "bear":
                yield Draft(f"who {predicate}{rest}", subject.words_start, subject.words_end, "who", 1.0)
                return
            predicate = re.sub("^(were|are) ", lambda be: {"were": "was ", "are": "is "}[be[1]], predicate)
            weight = 0.3 if clause.form == "is" else 1.0
            ends = [_end_with_of(event, subject), *(each.end for each in clause.patient_adjuncts)]
            place = (subject.words_start, max(ends))
            yield Draft(f"what {predicate}{rest}", *place, "what-subject", weight)
        return
    slot = event.line.slot_at(subject.value.start)
    if slot is None or (slot.kind == "number" and not slot.names):
        return
    if clause.form == "is" and slot.flags == "a" and grammar.is_name(slot.noun):
        return
    place = (slot.start, slot.end)
    if slot.is_person:
        yield Draft(f"who {predicate}{rest}", *place, "who", 0.8)
    for name in slot.names[:1]:
        short = name.removeprefix("source ").removeprefix("destination ")
        if slot.noun and short != slot.noun and slot.is_place:
            continue  # the address of a request, not a request, was received
        yield Draft(f"which {short} {predicate}{rest}", *place, "which-subject", 1.5)
        yield Draft(f"what {short} {predicate}{rest}", *place, "which-subject", 0.4)
    if not slot.names and clause.form != "is":
        yield Draft(f"what {predicate}{rest}", *place, "what-subject", 0.7)


def _end_with_of(event: Event, subject: Phrase) -> int:
    """Where a phrase ends, with the "of" phrase that belongs to it: end of stream exception."""
    first = event.clause.adjuncts[0] if event.clause.adjuncts else None
    is_part = first is not None and first.preposition == "of" and subject is event.clause.patient
    return first.end if first is not None and is_part and first.phrase.value is None else subject.words_end


def _actor_questions(event: Event) -> Iterator[Draft]:
    """Ask "Which component received block blk_7?" and "What is the worker leaving?"."""
    clause, actor, patient = event.clause, event.clause.actor, event.clause.patient
    if clause.form in ("acting", "acts") and is_mentionable(patient) and event.is_usable and patient is not None:
        place = (patient.words_start, patient.words_end)
        if patient.value is not None:
            place = (patient.value.start, patient.value.end)
        yield Draft(f"what {event.aux} {event.name} {event.tail}", *place, "what-object", 1.0)
    if clause.form != "done" or clause.is_negated or patient is None or not is_mentionable(patient):
        return
    if clause.verb is None or clause.verb.form != "ed":
        return
    past = event.line.text[clause.state[0] : clause.state[1]].lower()
    if actor is not None and not grammar.is_past(past.split()[0]):
        return
    if actor is not None and actor.value is None and actor.words and grammar.is_name(actor.head):
        noun = "function" if actor.head.endswith("()") else "component"
        text = f"{f'which {noun}' if _is_component(actor.head) else 'what'} {past} {mention(event.line, patient)}"
        yield Draft(text, actor.words_start, actor.words_end, "component", 1.0)
    elif actor is not None and actor.value is not None and actor.is_sound:
        yield from _valued_actor(event, actor, patient, past)
    elif actor is None and patient is not _leading(event) and grammar.is_past(past.split()[0]):
        component = next((slot for slot in event.line.slots if slot.kind == "component"), None)
        if component is not None:
            yield Draft(f"which component {past} {event.name}", component.start, component.end, "component", 1.0)


def _valued_actor(event: Event, actor: Phrase, patient: Phrase, past: str) -> Iterator[Draft]:
    """Ask "Which user uploaded file a.pdf?" and "What did user anna upload?"."""
    slot = event.line.slot_at(actor.value.start) if actor.value is not None else None
    if slot is None:
        return
    for name in slot.names[:1]:
        yield Draft(f"which {name} {past} {mention(event.line, patient)}", slot.start, slot.end, "which-subject", 1.5)
    if slot.is_person or slot.kind in ("address", "host"):
        weight = 1.0 if slot.is_person else 0.7
        yield Draft(f"who {past} {mention(event.line, patient)}", slot.start, slot.end, "who", weight)
    place = (patient.words_start, patient.words_end)
    if patient.value is not None:
        place = (patient.value.start, patient.value.end)
    if slot.names or slot.noun:
        yield Draft(f"what did {mention(event.line, actor)} {event.base}", *place, "what-object", 0.7)


def _is_component(word: str) -> bool:
    """Whether a name is written like a program's: ContainerManager, net.Server, find_child()."""
    return re.search(r"[a-z][A-Z]|\w\.\w|_|\(\)", word) is not None


def _leading(event: Event) -> Phrase | None:
    """The phrase that the segment begins with: then the verb does not tell what the program did."""
    segment = next((each for each in event.line.segments if each.chunks[0].start == event.clause.start), None)
    return segment.chunks[0].phrase if segment is not None else None


def _time_questions(event: Event) -> Iterator[Draft]:
    """Ask "When was block blk_7 received?"."""
    times = [each for each in event.line.slots if each.kind == "time"]
    if not event.is_usable or event.subject is None or len(times) != 1:
        return
    place = (times[0].start, times[0].end)
    timed = [each for each in event.clause.adjuncts if each.phrase.value and each.phrase.value.start == times[0].start]
    named = event.name + (event.rest(*timed) if event.subject.value is None else "")
    if event.clause.form == "none":
        if timed and event.subject.value is None:
            yield Draft(f"when did {named} occur", *place, "when", 1.0)
            yield Draft(f"what is the time of {named}", *place, "when", 1.0)
    elif event.clause.form in ("acted", "done"):
        asked = f"{event.aux} {event.name} {event.tail}{named[len(event.name) :]}"
        weight = 1.0 if timed else 0.6
        yield Draft(f"when {asked}", *place, "when", weight)
        if ":" in times[0].text or " " in times[0].text:
            yield Draft(f"at what time {asked}", *place, "when", weight)


def _count_questions(event: Event) -> Iterator[Draft]:
    """Ask "How many bytes were sent?", and about the same measure in brackets: 1600 bytes (1.6 KB) sent."""
    subject = event.subject
    yield from _counted_things(event)
    for adjunct in event.clause.adjuncts:
        value = adjunct.phrase.value
        if adjunct.phrase.unit.startswith("time") and value is not None and event.is_usable:
            yield Draft(
                f"how many times {event.aux} {event.name} {event.tail}", value.start, value.end, "how-many", 1.5
            )
    if subject is None or subject.value is None or not subject.unit or event.clause.form not in ("done", "acted"):
        return
    if subject.words:
        return
    slots = event.line.slots
    counted = [slot for slot in slots if slot.start == subject.value.start]
    for slot in slots:
        segment = event.line.segments[slot.segment] if slot.segment >= 0 else None
        if slot.unit and segment is not None and segment.mark == "(" and 0 < slot.start - subject.unit_end < 4:
            counted.append(slot)
    owner = next((each for each in slots if each.is_entity and each.segment == 0), None)
    rest = event.rest()
    if not rest and owner is not None and len(event.line.segments) > 1:
        rest = f" for {owner.mention}"
    for slot in counted:
        unit, _ = entries("units")[slot.unit]
        predicate = f"were {event.tail}" if event.clause.form == "done" else event.predicate
        yield Draft(f"how many {unit} {predicate}", slot.start, slot.end, "how-many", 1.0)
        if rest:
            yield Draft(f"how many {unit} {predicate}{rest}", slot.start, slot.end, "how-many", 1.0)
