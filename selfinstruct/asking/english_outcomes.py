"""Wordings of questions about what happened in an English line, and with what result.

    "Verification succeeded for blk_7" -> What was the result of the verification for blk_7?

Does not handle: why it happened (see ``english_reasons``), results that only several lines show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfinstruct.asking.clauses import be
from selfinstruct.asking.english_reasons import WRONG_NOUNS
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
_NEGATION = re.compile(r"\b(?:not|never)\b", re.IGNORECASE)
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
    for segment in line.segments:
        yield from _late_outcome(line, segment)


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
        and subject.head.lower() not in WRONG_NOUNS
    ):
        yield Draft(f"what is {event.name} doing", place[0], clause.end, "doing", 1.0)
        if clause.patient is None and clause.end == place[1]:
            yield Draft(f"what is the status of {event.name}", *place, "status", 1.0)
    elif clause.form == "failed":
        yield from _both(event, f"{be(subject)} {named} {event.tail.removeprefix('not be ')}", 0.5)
        yield from _both(event, f"could {named} {event.tail.removeprefix('not ')}", 0.5)
    if clause.is_negated and clause.form in ("done", "is"):
        yield from _negated_questions(event, named)


def _negated_questions(event: Event, named: str) -> Iterator[Draft]:
    """Ask "Is partition rdd_42_18 found?" and "Was the identification string received from 10.0.0.1?"."""
    subject = event.subject
    verb = event.tail.removeprefix("not ")
    wordings = [f"{named} {verb}"]
    if subject is not None and subject.value is None and event.clause.form == "done":
        wordings.append(f"{event.name} {verb}{event.rest()}")
    for wording in dict.fromkeys(wordings):
        for aux in (be(subject, is_present=True), be(subject)):
            yield from _both(event, f"{aux} {wording}", 1.0)


def _both(event: Event, text: str, weight: float) -> Iterator[Draft]:
    """A question that is answered by a negation, with its verb or alone, as the style has it."""
    start, end = event.clause.state
    yield Draft(text, start, end, "is-it", weight)
    if (word := _NEGATION.search(event.line.text, start, end)) is not None:
        yield Draft(text, *word.span(), "is-it-not", weight)


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
    if head == "password":
        yield Draft(f"what is the result of {named}", *place, "result", 0.5)
    if head in _EVENTS or head.endswith(_EVENT_ENDINGS):
        yield Draft(f"what was the result of {named}", *place, "result", 1.0)
        yield Draft(f"was {named} successful", *place, "is-it", 1.0)


def _late_outcome(line: Line, segment: Segment) -> Iterator[Draft]:
    """Ask about the outcome behind what is done, and for whom: mapping checking getaddrinfo for a.com failed."""
    *before, last = segment.chunks
    doing = next((at for at, each in enumerate(before) if each.verb is not None), -1)
    link = next((at for at, each in enumerate(before) if each.kind == "preposition"), -1)
    if last.verb is None or last.verb.base not in _OUTCOMES or last.verb.form != "ed" or not 0 < doing < link:
        return
    verb, parties = before[doing].verb, [each.phrase for each in before[link + 1 :]]
    is_plain = all(each.phrase is not None for each in before[:doing]) and all(each is not None for each in parties)
    if verb is None or verb.form != "ing" or not is_plain or not parties or parties[0] is None:
        return
    what = " ".join(each.text for each in before[: doing + 1]).lower()
    done = line.text[before[doing].end : before[link].start].strip()
    for asked in dict.fromkeys((what, f"{what} {done}".rstrip())):
        text = f"{asked} {before[link].text} {mention(line, parties[0])}"
        for aux in ("is", "was"):
            yield Draft(f"what {aux} the result of {text}", last.start, last.end, "result", 1.0)
