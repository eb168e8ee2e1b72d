"""Wordings of questions about what a phrase and a colon announce in an English line.

    "Progress of task_7 is : 0.5"          -> What is the progress of task_7?
    "error : connection timed out"         -> What is the error?
    "Initializing the generator: succeeded" -> What was the result of initializing the generator?

Does not handle: keys right before their values (see ``slots``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from selfinstruct.asking import grammar
from selfinstruct.asking.events import is_mentionable
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.lines import Line
from selfinstruct.asking.owners import owners
from selfinstruct.asking.phrases import Chunk, Phrase, Segment
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import counted_after

#: Heads of phrases that tell something after a colon.
_TELLING = frozenset(
    ("error", "report", "message", "warning", "notification", "exception", "reason", "cause", "diagnostics")
)


def label_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about values, sentences and states after a colon."""
    for before, after in pairwise(line.segments):
        if after.mark in (":", "=") and not after.depth and not before.depth:
            yield from _value(line, before, after)
        if after.mark == ":" and not after.depth:
            yield from _sentence(line, before, after)
        yield from _state(before, after)
    for segment in line.segments:
        yield from _copula(segment)
        yield from _taken(segment)
        yield from _counted(segment)
        yield from _meanwhile(line, segment)


def _value(line: Line, before: Segment, after: Segment) -> Iterator[Draft]:
    first, value = before.chunks[0].phrase, after.chunks[0].phrase
    if first is None or first.value is not None or not first.is_sound or not first.words:
        return
    last = before.chunks[-1].phrase
    if last is not None and last.value is None and "." in last.head and (last is not first or len(last.words) > 1):
        return  # what logs the value, and not what it is: NameSystem.allocateBlock
    if value is None or value.value is None or value.words or len(after.chunks) != 1:
        return
    if value.value.start - before.end < 2 and before.chunks[-1].phrase is not None and before.chunks[-1].phrase.value:
        return  # one name with a colon in it
    place, unit_end = (value.value.start, value.value.end), value.unit_end
    chunks = before.chunks[1:]
    if chunks and chunks[-1].kind == "auxiliary":
        chunks = chunks[:-1]
    if any(chunk.kind not in ("phrase", "preposition", "verb") for chunk in chunks):
        return
    tail = _written(chunks)
    verbs = [at for at, chunk in enumerate(chunks) if chunk.kind == "verb"]
    verb = chunks[0].verb if verbs == [0] else None
    if verb is not None and verb.form == "ed" and verb.is_transitive:
        yield Draft(f"which {first.name} was {tail}", *place, "slot-name", 2.0, unit_end)
        yield Draft(f"what is the {first.name} {tail}", *place, "slot-name", 1.0, unit_end)
        slot = line.slot_at(value.value.start)
        for owner in owners(line, slot) if slot is not None else ():
            yield Draft(f"what is the {first.name} for {owner}", *place, "slot-name", 1.0, unit_end)
    elif not verbs and not grammar.is_plural(first.head):
        yield Draft(f"what is the {first.name} {tail}".rstrip(), *place, "slot-name", 2.0, unit_end)
        counted = chunks[1].phrase if len(chunks) > 1 and chunks[0].text.lower() == "of" else None
        if counted is not None and first.head == "number" and grammar.is_plural(counted.head):
            text = " ".join(filter(None, (counted.name, _written(chunks[2:]))))
            yield Draft(f"how many {text} are there", *place, "how-many", 1.5)


def _copula(segment: Segment) -> Iterator[Draft]:
    """Ask about "Disk usage on /dev/sda1 is 91%"."""
    if len(segment.chunks) < 3:
        return
    *subject, copula, last = segment.chunks
    first, value = subject[0].phrase, last.phrase
    if copula.kind != "auxiliary" or copula.text.lower() not in ("is", "was") or value is None or value.value is None:
        return
    if first is None or first.value is not None or not is_mentionable(first) or value.words:
        return
    if any(chunk.kind not in ("phrase", "preposition") for chunk in subject):
        return
    text = f"what {copula.text.lower()} the {first.name} {_written(subject[1:])}".rstrip()
    yield Draft(text, value.value.start, value.value.end, "slot-name", 2.0, value.unit_end)


def _counted(segment: Segment) -> Iterator[Draft]:
    """Ask about "PAM 5 more authentication failures"."""
    for at, chunk in enumerate(segment.chunks):
        counted, number = counted_after(segment.chunks, at), chunk.phrase
        if counted is None or number is None or number.value is None:
            continue
        place = (number.value.start, number.value.end)
        more = "more " if segment.chunks[at + 1].text.lower() == "more" else ""
        for text in dict.fromkeys((f"{more}{counted.name}", counted.name)):
            yield Draft(f"how many {text} are there", *place, "how-many", 1.0)


def _taken(segment: Segment) -> Iterator[Draft]:
    """Ask about "Reading variable 9 took 12 ms"."""
    at = next((at for at, chunk in enumerate(segment.chunks) if chunk.verb and chunk.verb.base == "take"), 0)
    value = segment.chunks[at + 1].phrase if 0 < at < len(segment.chunks) - 1 else None
    before = segment.chunks[:at]
    if value is None or value.value is None or not value.unit or value.words:
        return
    unit, measured = entries("units")[value.unit]
    is_doing = before[0].verb is not None and before[0].verb.form == "ing"
    phrases = [chunk.phrase for chunk in before if chunk.phrase is not None]
    rest = before[1:] if is_doing else before
    if measured != "duration" or not phrases or not all(is_mentionable(phrase) for phrase in phrases):
        return
    if any(chunk.kind not in ("phrase", "preposition") for chunk in rest):
        return
    text = f"{before[0].text.lower()} {_written(rest)}" if is_doing else _written(rest)
    yield Draft(f"how many {unit} did {text} take", value.value.start, value.value.end, "how-many", 1.5)
    yield Draft(f"how long did {text} take", value.value.start, value.value.end, "how-long", 1.5, value.unit_end)


def _meanwhile(line: Line, segment: Segment) -> Iterator[Draft]:
    """Ask about "Interrupted while waiting for message on queue"."""
    if len(segment.chunks) < 4:
        return
    first, link, doing, *rest = segment.chunks
    is_participle = first.verb is not None and first.verb.form == "ed" and doing.verb is not None
    if not is_participle or link.text.lower() != "while" or doing.verb is None or doing.verb.form != "ing":
        return
    tail = (
        line.text[link.start : rest[-1].end].lower()
        if rest[-1].phrase is None
        else line.text[link.start : rest[-1].end]
    )
    yield Draft(f"what happened {tail}", first.start, first.end, "happened", 1.5)
    awaited = rest[1].phrase if len(rest) > 1 and rest[0].kind == "preposition" else None
    if awaited is not None and awaited.value is None and is_mentionable(awaited):
        more = _written(rest[2:]) if all(chunk.kind in ("phrase", "preposition") for chunk in rest) else ""
        done = grammar.participle(doing.verb.base)
        text = f"what was being {done} {rest[0].text.lower()} {more}".rstrip()
        yield Draft(text, awaited.words_start, awaited.words_end, "what-object", 1.0)


def _written(chunks: Sequence[Chunk]) -> str:
    return " ".join(chunk.phrase.text if chunk.phrase is not None else chunk.text.lower() for chunk in chunks)


def _sentence(line: Line, before: Segment, after: Segment) -> Iterator[Draft]:
    phrases = [chunk.phrase for chunk in before.chunks if chunk.phrase is not None]
    told = next((each for each in phrases if each.value is None and each.head.lower() in _TELLING), None)
    end = len(re.sub(r"[\s.]*(?:\[\w+\])?[\s.]*$", "", line.text))
    if told is None or not told.is_sound or any(chunk.kind == "verb" for chunk in before.chunks):
        return
    rest = line.text[after.start : end]
    if len(re.findall(r"[^\W\d_]{2,}", rest)) < 2 or "=" in rest:
        return
    start = after.chunks[0].start
    owner = _owner(phrases, told)
    yield Draft(f"what is the {told.name}{owner and f' of {owner}'}", start, end, "message", 1.0)
    if not owner:
        tail = line.text[told.words_end : before.end].strip() if len(before.chunks) == 3 else ""
        yield Draft(" ".join(filter(None, (f"what does the {told.name}", tail, "say"))), start, end, "message", 1.0)


def _owner(phrases: Sequence[Phrase], told: Phrase) -> str:
    first = phrases[0]
    return first.text if first is not told and first.value is not None else ""


def _state(before: Segment, after: Segment) -> Iterator[Draft]:
    chunk, phrase = after.chunks[0], before.chunks[-1].phrase
    if after.mark not in (":", ".", "-") or len(after.chunks) != 1 or len(before.chunks) > 2 or before.depth:
        return
    is_state = chunk.kind == "state" or (chunk.verb is not None and chunk.verb.form in ("ed", "ing"))
    if not is_state or phrase is None or not is_mentionable(phrase) or phrase.is_keyed:
        return
    verb = before.chunks[0].verb if len(before.chunks) == 2 else None
    if len(before.chunks) == 1 and after.mark != ".":
        yield Draft(f"what is the status of {phrase.text}", chunk.start, chunk.end, "status", 1.0)
    elif verb is not None and verb.form == "ing":
        text = f"what was the result of {before.chunks[0].text.lower()} {phrase.text}"
        yield Draft(text, chunk.start, chunk.end, "result", 1.0)
