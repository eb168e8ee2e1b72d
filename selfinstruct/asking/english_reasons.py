"""Wordings of questions about why something happened in an English line.

    "Login failed for user anna: account is locked"     -> Why did the login fail for user anna?
    "Received disconnect from 10.0.0.7: 11: Bye Bye"    -> What is the code of the disconnect from 10.0.0.7?
    "Disconnecting: Too many failures for user anna"    -> Why was user anna disconnected?

Does not handle: reasons that are not stated, or stated before what happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from selfinstruct.asking import grammar
from selfinstruct.asking.events import Event, mention
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Segment
from selfinstruct.asking.question import Draft

#: Verbs of what went wrong, whose reason may follow.
_WRONG = frozenset(
    (
        *("abort", "ban", "block", "break", "cancel", "close", "crash", "delay", "deny", "disable", "discard", "drop"),
        *("disconnect", "evict", "exit", "expire", "fail", "forbid", "interrupt", "kill", "lose", "refuse", "reject"),
        *("remove", "retry", "shut", "shutdown", "skip", "stop", "suspend", "terminate", "time"),
    )
)
#: Nouns for what went wrong.
WRONG_NOUNS = frozenset(
    (
        *("abort", "crash", "denial", "disconnect", "error", "exception", "exit", "failure", "problem", "rejection"),
        *("shutdown", "termination", "timeout", "warning"),
    )
)
_REASON = re.compile(r"\b(?:due to|because of|because|caused by|as a result of)\s+(?=\S)")


def reason_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about why what a line tells happened."""
    for clause in line.clauses:
        event = Event(line, clause)
        yield from _reason_questions(event)
        yield from _code_questions(event)
    for before, after in pairwise(line.segments):
        yield from _doing_questions(line, before, after)


def _reason_questions(event: Event) -> Iterator[Draft]:
    """Ask "Why was session 7 closed?"."""
    clause, subject = event.clause, event.subject
    is_stated = _REASON.search(event.line.text, clause.state[1]) is not None
    is_wrong = is_stated or event.base in _WRONG or clause.form == "failed" or clause.is_negated
    is_noun = subject is not None and subject.head.lower() in WRONG_NOUNS
    is_doing = clause.form == "acting" and subject is None  # asked about below
    if clause.form == "acts" or is_doing or not (is_wrong or is_noun) or (place := _reason(event)) is None:
        return
    if event.is_usable and subject is not None:
        rest = event.rest() if subject.value is None else ""
        if is_wrong:
            yield Draft(f"why {event.aux} {event.name} {event.tail}{rest}", *place, "why", 2.0)
            yield Draft(f"for what reason {event.aux} {event.name} {event.tail}{rest}", *place, "why", 0.5)
        sender = next((each.phrase for each in clause.adjuncts if each.preposition == "from"), None)
        if subject.head.lower() in ("disconnect", "crash", "exit", "abort") and sender is not None and sender.value:
            yield Draft(f"why did {mention(event.line, sender)} {subject.head.lower()}", *place, "why", 2.0)
        if is_noun:
            yield Draft(f"what is the reason for {event.name}{rest}", *place, "why", 1.5)
            yield Draft(f"what is the reason of {event.name}{rest}", *place, "why", 0.7)
    yield Draft("what is the reason given", *place, "why", 0.3)


def _reason(event: Event) -> tuple[int, int] | None:
    """The place of the words that tell why: after "due to", or after a colon or a dash behind the clause."""
    text, clause = event.line.text, event.clause
    end = len(re.sub(r"[\s.]*(?:\[\w+\])?[\s.]*$", "", text))
    match = _REASON.search(text, clause.state[1])
    if match is not None and match.end() < end and text.find(": ", clause.end, match.start()) < 0:
        return match.end(), end
    segments = event.line.segments
    position = next((at for at, each in enumerate(segments) if each.start <= clause.start <= each.end), len(segments))
    following = [each for each in segments[position + 1 :] if each.depth == 0 and not _is_number(each)]
    if not following or following[0].mark not in (":", "-") or following[0].start <= clause.end:
        return None
    start = following[0].chunks[0].start
    between, reason = text[clause.end : following[0].start], text[start:end]
    if re.search(r"[;.]\s", between) or len(reason.split()) < 2 or re.search(r"[=:]", reason):
        return None
    return start, end


def _is_number(segment: Segment) -> bool:
    """Whether a segment is a bare number, such as the code before a reason: 11: Bye Bye."""
    phrase = segment.chunks[0].phrase
    is_bare = phrase is not None and not phrase.words and phrase.value is not None
    return len(segment.chunks) == 1 and is_bare and segment.chunks[0].text.isdigit()


def _code_questions(event: Event) -> Iterator[Draft]:
    """Ask about the number between the colons of "disconnect from 10.0.0.7: 11: Bye Bye"."""
    clause, subject = event.clause, event.subject
    if not event.is_usable or subject is None or subject.head.lower() not in WRONG_NOUNS:
        return
    segments = event.line.segments
    for before, code, reason in zip(segments, segments[1:], segments[2:], strict=False):
        if not (code.mark == reason.mark == ":" and before.start <= clause.start <= before.end and _is_number(code)):
            continue
        place = (code.chunks[0].start, code.chunks[0].end)
        rest = event.rest() if subject.value is None else ""
        for name in ("code", "reason code"):
            for preposition in ("of", "for"):
                yield Draft(f"what is the {name} {preposition} {event.name}{rest}", *place, "code", 0.7)


def _doing_questions(line: Line, before: Segment, after: Segment) -> Iterator[Draft]:
    """Ask about "Disconnecting: Too many failures for user anna": why it is done, and to whom."""
    verb = before.chunks[0].verb
    if verb is None or verb.form != "ing" or verb.base not in _WRONG or len(before.chunks) > 1:
        return
    if after.mark != ":" or after.depth or any(each.kind == "verb" for each in after.chunks):
        return
    place, doing = (after.chunks[0].start, max(each.end for each in after.chunks)), before.chunks[0].text.lower()
    slot = None
    if len(after.chunks) > 2 and after.chunks[-2].text == "for":
        named = after.chunks[-1].phrase
        slot = line.slot_at(named.value.start) if named is not None and named.value is not None else None
        if slot is not None and (slot.is_person or slot.kind == "word"):
            place = (place[0], after.chunks[-3].end)
        else:
            slot = None
    yield Draft(f"what is the reason for {doing}", *place, "why", 1.0)
    yield Draft(f"what is the reason given for {doing}", *place, "why", 0.5)
    process = next((each for each in line.slots if each.kind == "process"), None)
    if process is not None:
        yield Draft(f"why is {process.text} {doing}", *place, "why", 1.0)
    if slot is None or not verb.is_transitive:
        return
    done = grammar.participle(verb.base)
    for whom in (f"user {slot.text}", slot.text, "the user"):
        yield Draft(f"why is {whom} {done}", *place, "why", 1.0)
        yield Draft(f"why was {whom} {done}", *place, "why", 0.5)
    yield Draft(f"which user is being {done}", slot.start, slot.end, "which-subject", 1.0)
    yield Draft(f"who is being {done}", slot.start, slot.end, "who", 0.7)
