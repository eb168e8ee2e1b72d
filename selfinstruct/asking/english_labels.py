"""Wordings of questions about what a phrase and a colon announce in an English line.

    "Progress of task_7 is : 0.5"          -> What is the progress of task_7?
    "error : connection timed out"         -> What is the error?
    "Initializing the generator: succeeded" -> What was the result of initializing the generator?

Does not handle: keys right before their values (see ``slots``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from selfinstruct.asking import grammar
from selfinstruct.asking.lines import Line
from selfinstruct.asking.owners import owners
from selfinstruct.asking.phrases import Chunk, Phrase, Segment
from selfinstruct.asking.question import Draft

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


def _value(line: Line, before: Segment, after: Segment) -> Iterator[Draft]:
    first, value = before.chunks[0].phrase, after.chunks[0].phrase
    if first is None or first.value is not None or not first.is_sound or not first.words:
        return
    if value is None or value.value is None or value.words or len(after.chunks) != 1:
        return
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


def _written(chunks: Sequence[Chunk]) -> str:
    return " ".join(chunk.phrase.text if chunk.phrase is not None else chunk.text.lower() for chunk in chunks)


def _sentence(line: Line, before: Segment, after: Segment) -> Iterator[Draft]:
    phrases = [chunk.phrase for chunk in before.chunks if chunk.phrase is not None]
    told = next((each for each in phrases if each.value is None and each.head.lower() in _TELLING), None)
    end = len(line.text.rstrip().rstrip("."))
    if told is None or not told.is_sound or any(chunk.kind == "verb" for chunk in before.chunks):
        return
    rest = line.text[after.start : end]
    if len(rest.split()) < 2 or "=" in rest:
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
    if not is_state or phrase is None or not phrase.is_sound or phrase.is_keyed or phrase.unit:
        return
    verb = before.chunks[0].verb if len(before.chunks) == 2 else None
    if len(before.chunks) == 1 and after.mark != ".":
        yield Draft(f"what is the status of {phrase.text}", chunk.start, chunk.end, "status", 1.0)
    elif verb is not None and verb.form == "ing":
        text = f"what was the result of {before.chunks[0].text.lower()} {phrase.text}"
        yield Draft(text, chunk.start, chunk.end, "result", 1.0)
