"""Wordings of questions about what happened in an English line, with what result, and why.

    "Verification succeeded for blk_7" -> What was the result of the verification for blk_7?

Does not handle: results that only several lines show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfinstruct.asking.clauses import be
from selfinstruct.asking.events import Event, is_whole, mention
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Phrase, Segment
from selfinstruct.asking.question import Draft

_OUTCOMES = frozenset(("succeed", "fail"))
#: Nouns for things that can succeed, besides those made from verbs (verification, payment).
_EVENTS = frozenset(
    (
        *("attempt", "backup", "build", "call", "check", "download", "handshake", "job", "login", "logout", "lookup"),
        *("operation", "query", "reload", "request", "restart", "run", "scan", "shutdown", "startup", "sync", "task"),
        *("test", "transfer", "update", "upload", "startup", "boot", "probe", "merge", "commit", "discovery"),
    )
)
_EVENT_ENDINGS = ("tion", "sion", "ment", "val", "ing", "ance")
#: Verbs of what went wrong, whose reason may follow.
_WRONG = frozenset(
    (
        *("abort", "ban", "block", "break", "cancel", "close", "crash", "delay", "deny", "disable", "discard", "drop"),
        *("disconnect", "evict", "exit", "expire", "fail", "forbid", "interrupt", "kill", "lose", "refuse", "reject"),
        *("remove", "retry", "shut", "shutdown", "skip", "stop", "suspend", "terminate", "time"),
    )
)
_WRONG_NOUNS = frozenset(
    (
        *("abort", "crash", "denial", "disconnect", "error", "exception", "exit", "failure", "problem", "rejection"),
        *("shutdown", "termination", "timeout", "warning"),
    )
)
_REASON = re.compile(r"\b(?:due to|because of|because|caused by|as a result of)\s+(?=\S)")
#: Verbs that leave no state behind.
_PASSING = frozenset(
    (
        *(
            "add",
            "ask",
            "call",
            "change",
            "find",
            "get",
            "give",
            "include",
            "log",
            "mention",
            "pass",
            "place",
            "read",
            "receive",
        ),
        *("report", "request", "return", "send", "serve", "set", "take", "use", "write", "expect", "make", "see"),
    )
)
#: Verbs that tell how a value came about, not what happened to it.
_SETTING = ("set", "give", "use", "expect")


def outcome_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about how the clauses of a line end."""
    for clause in line.clauses:
        event = Event(line, clause)
        if (
            event.is_usable
            and event.subject is not None
            and clause.form not in ("none", "acts")
            and event.base != "bear"
        ):
            yield from _state_questions(event, event.subject)
        yield from _reason_questions(event)


def _state_questions(event: Event, subject: Phrase) -> Iterator[Draft]:
    """Ask "What happened to block blk_7?" and "Is partition rdd_42_18 found?"."""
    clause = event.clause
    place = clause.state
    named = event.name + (event.rest(has_verb=False) if subject.value is None and not clause.patient_adjuncts else "")
    subject_end = subject.value.end if subject.value is not None else subject.words_end
    is_after = subject_end <= place[0]
    if clause.form == "done" and event.base not in _SETTING:
        if not clause.is_negated:
            yield Draft(f"what happened to {named}", *place, "happened", 1.5)
        if is_after and (clause.is_negated or event.base not in _PASSING):
            yield Draft(f"what is the status of {named}", *place, "status", 1.0)
    elif clause.form == "is":
        yield Draft(f"what is the status of {named}", *place, "status", 1.0)
    elif clause.form == "doing":
        yield Draft(f"what is happening to {named}", *place, "happened", 1.0)
    elif clause.form == "acted" and not clause.is_negated:
        yield from _acted_questions(event, subject, named)
    elif (
        clause.form == "acting"
        and (clause.patient is not None or is_whole(event))
        and "number" not in subject.words
        and subject.head.lower() not in _WRONG_NOUNS
    ):
        yield Draft(f"what is {event.name} doing", place[0], clause.end, "doing", 1.0)
        if clause.patient is None and clause.end == place[1]:
            yield Draft(f"what is the status of {event.name}", *place, "status", 1.0)
    elif clause.form == "failed":
        yield Draft(f"was {named} {event.tail.removeprefix('not be ')}", *place, "is-it", 0.5)
    if clause.is_negated and clause.form in ("done", "is"):
        verb = event.tail.removeprefix("not ")
        negation = (place[0], place[0] + len(event.line.text[slice(*place)].split()[0]))
        for aux in (be(subject, is_present=True), be(subject)):
            yield Draft(f"{aux} {named} {verb}", *place, "is-it", 1.0)
            yield Draft(f"{aux} {named} {verb}", *negation, "is-it-not", 1.0)


def _acted_questions(event: Event, subject: Phrase, named: str) -> Iterator[Draft]:
    place = event.clause.state
    if event.base not in _OUTCOMES:
        verb = event.clause.verb
        if verb is not None and verb.is_labile:
            yield Draft(f"what happened to {named}", *place, "happened", 1.5)
            if event.base not in _PASSING:
                yield Draft(f"what is the status of {named}", *place, "status", 1.0)
        elif event.base != "transition":
            yield Draft(f"what did {named} do", *place, "happened", 0.6)
            yield Draft(f"what happened to {named}", *place, "happened", 0.6)
        return
    yield Draft(f"what is the status of {named}", *place, "status", 1.0)
    head = subject.head.lower()
    if head in _EVENTS or head.endswith(_EVENT_ENDINGS):
        yield Draft(f"what was the result of {named}", *place, "result", 1.0)
        yield Draft(f"was {named} successful", *place, "is-it", 1.0)


def _reason_questions(event: Event) -> Iterator[Draft]:
    """Ask "Why was session 7 closed?"."""
    clause, subject = event.clause, event.subject
    is_stated = _REASON.search(event.line.text, clause.state[1]) is not None
    is_wrong = is_stated or event.base in _WRONG or clause.form == "failed" or clause.is_negated
    is_noun = subject is not None and subject.head.lower() in _WRONG_NOUNS
    if clause.form == "acts" or not (is_wrong or is_noun) or (place := _reason(event)) is None:
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
    yield Draft("what is the reason given", *place, "why", 0.3)


def _reason(event: Event) -> tuple[int, int] | None:
    """The place of the words that tell why: after "due to", or after a colon or a dash behind the clause."""
    text, clause = event.line.text, event.clause
    end = len(re.sub(r"[\s.]*(?:\[\w+\])?[\s.]*$", "", text))
    if (match := _REASON.search(text, clause.state[1])) is not None and match.end() < end:
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
