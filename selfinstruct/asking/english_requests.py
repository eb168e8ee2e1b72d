"""Wordings of questions about requests and about what happened during something else, in an English line.

    "ask node1:50 to replicate blk_7 to node2:50"  -> Who was asked to replicate blk_7?
    "Got exception while serving blk_7 to 10.0.0.1" -> Which block was being served to 10.0.0.1?

Does not handle: requests whose verb stands far from the one who is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfinstruct.asking import grammar
from selfinstruct.asking.events import mention
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Chunk, Phrase, Segment
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import Slot

#: Verbs after which somebody is to do something.
_ASKING = frozenset(("ask", "tell", "order", "request", "instruct", "command", "notify", "allow", "force", "require"))
_PLACES = ("to", "from", "in", "on", "at")


def request_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about who is asked to do what, and about what happened while something was done."""
    for position, segment in enumerate(line.segments):
        for at, chunk in enumerate(segment.chunks):
            if chunk.kind == "to":
                yield from _request(line, segment.chunks, at)
            elif chunk.text.lower() in ("while", "when") and at:
                yield from _incident(line, position, at)


def _request(line: Line, chunks: Sequence[Chunk], at: int) -> Iterator[Draft]:
    """``at`` is the position of "to" before the infinitive."""
    if at == 0 or at + 2 >= len(chunks):
        return
    asked, doing, done = chunks[at - 1].phrase, chunks[at + 1].verb, chunks[at + 2].phrase
    slot = _slot(line, asked)
    if slot is None or asked is None or doing is None or done is None or not doing.is_transitive:
        return
    verb = _asking_verb(chunks, at - 1, asked)
    thing = _slot(line, done)
    if verb not in _ASKING or thing is None or not done.is_sound:
        return
    named, asking, place = mention(line, done), grammar.participle(verb), (slot.start, slot.end)
    noun = {"address": "address", "host": "host"}.get(slot.kind, slot.names[0] if slot.names else "")
    for be in ("is", "was"):
        yield Draft(f"who {be} {asking} to {doing.base} {named}", *place, "who", 0.7)
        if noun:
            yield Draft(f"which {noun} {be} {asking} to {doing.base} {named}", *place, "which-subject", 0.7)
        for name in thing.names[:1]:
            text = f"which {name} {be} {slot.text} {asking} to {doing.base}"
            yield Draft(text, thing.start, thing.end, "which-object", 0.7)
    verb_place = (chunks[at + 1].start, chunks[at + 1].end)
    yield Draft(f"what is {slot.text} {asking} to do with {named}", *verb_place, "happened", 0.5)
    yield from _places(line, chunks[at + 3 :], f"{named} {grammar.participle(doing.base)}", is_infinitive=True)


def _asking_verb(chunks: Sequence[Chunk], at: int, asked: Phrase) -> str:
    """The verb before the one who is asked, which may have been taken for a part of the phrase."""
    before = chunks[at - 1].verb if at else None
    if before is not None:
        return before.base
    verb = grammar.verb_of(asked.words[0]) if asked.words else None
    return verb.base if verb is not None else ""


def _places(line: Line, chunks: Sequence[Chunk], done: str, *, is_infinitive: bool = False) -> Iterator[Draft]:
    """Ask about the place after a preposition: "Where is blk_7 replicated to?"."""
    if len(chunks) < 2 or chunks[0].kind != "preposition" or chunks[0].text.lower() not in _PLACES:
        return
    slot, preposition = _slot(line, chunks[1].phrase), chunks[0].text.lower()
    if slot is None or not (slot.is_place or slot.is_person or slot.names):
        return
    place = (slot.start, slot.end)
    named, _, participle = done.rpartition(" ")
    wordings = [f"was {named} being {participle}"]
    if is_infinitive:
        wordings = [f"is {done}", f"is {named} to be {participle}"]
    for wording in wordings:
        if slot.is_place and preposition in ("to", "from"):
            yield Draft(f"where {wording} {preposition}", *place, "where", 0.7)
            yield Draft(f"who {wording} {preposition}", *place, "who", 0.3)
        for name in slot.names[:1]:
            yield Draft(f"which {name} {wording} {preposition}", *place, "which-adjunct", 0.7)
            yield Draft(f"{preposition} which {name} {wording}", *place, "adjunct-which", 0.4)


def _incident(line: Line, position: int, at: int) -> Iterator[Draft]:
    """Ask about "Got exception while serving blk_7 to 10.0.0.1"; ``at`` is the position of "while"."""
    chunks = line.segments[position].chunks
    doing = chunks[at + 1].verb if at + 2 < len(chunks) else None
    if doing is None or doing.form != "ing" or not doing.is_transitive:
        return
    done = chunks[at + 2].phrase
    thing = _slot(line, done)
    if done is None or thing is None or not done.is_sound:
        return
    named, participle = mention(line, done), grammar.participle(doing.base)
    tail = f"{doing.base} {named}"
    rest = _rest(line, chunks[at + 3 :])
    for name in thing.names[:1]:
        for ending in dict.fromkeys(("", rest)):
            text = f"which {name} was being {participle}{ending}"
            yield Draft(text, thing.start, thing.end, "which-subject", 1.0)
            yield Draft(f"what {text.removeprefix('which ')}", thing.start, thing.end, "which-subject", 0.4)
    yield from _places(line, chunks[at + 3 :], f"{named} {participle}")
    trouble = chunks[at - 1].phrase
    got = chunks[at - 2].verb if at >= 2 else None
    if trouble is None or trouble.value is not None or not trouble.words or (got is not None and got.base != "get"):
        return
    meanwhile = f"{chunks[at].text.lower()} {grammar.gerund(doing.base)} {named}"
    place = (trouble.words_start, trouble.words_end)
    yield Draft(f"what occurred {meanwhile}", *place, "happened", 0.7)
    yield Draft(f"what happened {meanwhile}", *place, "happened", 0.7)
    actor = _actor(line, position, chunks, at)
    if got is not None and actor is not None:
        yield Draft(f"what did {actor.mention} get {meanwhile}", *place, "what-object", 1.0)
        with_article = grammar.with_article(trouble.name)
        yield Draft(f"who got {with_article} {meanwhile}", actor.start, actor.end, "who", 0.7)
        yield Draft(f"what did {actor.mention} {tail.split()[0]}", thing.start, thing.end, "what-object", 0.3)


def _rest(line: Line, chunks: Sequence[Chunk]) -> str:
    if len(chunks) < 2 or chunks[0].text.lower() not in _PLACES or _slot(line, chunks[1].phrase) is None:
        return ""
    phrase = chunks[1].phrase
    return f" {chunks[0].text.lower()} {mention(line, phrase)}" if phrase is not None and phrase.is_sound else ""


def _actor(line: Line, position: int, chunks: Sequence[Chunk], at: int) -> Slot | None:
    """The thing before the verb, or alone before the colon in front of it: node1:50: Got exception."""
    if at >= 3 and chunks[at - 3].phrase is not None:
        return _slot(line, chunks[at - 3].phrase)
    before: Segment | None = line.segments[position - 1] if position and at == 2 else None
    if before is None or len(before.chunks) != 1 or line.segments[position].mark != ":":
        return None
    slot = _slot(line, before.chunks[0].phrase)
    return slot if slot is not None and slot.is_entity else None


def _slot(line: Line, phrase: Phrase | None) -> Slot | None:
    return line.slot_at(phrase.value.start) if phrase is not None and phrase.value is not None else None
