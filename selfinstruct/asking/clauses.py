"""Clauses of a line: what was done to what, from where, by whom.

    chunks of a segment -> subject, verb with its negation, object, adjuncts (preposition and phrase)

    "Received block blk_7 from 10.0.0.1"  -> receive, done: block blk_7; from: 10.0.0.1
    "session opened for user root"        -> open, done: session; for: user root
    "Verification succeeded for blk_7"    -> succeed, by itself: verification; for: blk_7
    "Cannot open channel to 2"            -> open, not possible, done: channel; to: 2

Does not handle: relative clauses, coordination, or a second verb in a segment (the chunks from it on are left out).

>>> from selfinstruct.asking.parser import parse
>>> [clause] = find_clauses("Received block blk_7 from 10.0.0.1", parse("Received block blk_7 from 10.0.0.1"))
>>> clause.verb.base, clause.patient.text, [(each.preposition, each.phrase.text) for each in clause.adjuncts]
('receive', 'block blk_7', [('from', '10.0.0.1')])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfinstruct.asking import grammar
from selfinstruct.asking.grammar import Verb
from selfinstruct.asking.phrases import Chunk, Phrase, Segment

#: Verbs that go with an infinitive and say that something was not possible.
_FAILING = frozenset(("fail", "unable"))


@dataclass(frozen=True, slots=True)
class Adjunct:
    """A phrase with the preposition before it; ``preposition`` is "" where two phrases stand side by side."""

    preposition: str
    phrase: Phrase
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """A verb or a state, and what belongs to it.

    ``patient`` is what something is done to or what is in a state, ``actor`` what does something. ``state`` is
    [start, end) of the words that tell what happened, with their negation (``not found``). ``form`` is one of:

        done    received               failed  failed to receive, cannot receive
        doing   receiving a block      acted   succeeded (by the actor itself)
        acting  leaving                acts    contains
        is      unknown (a state)      none    no verb: connection from 10.0.0.1
    """

    form: str
    verb: Verb | None
    state: tuple[int, int]
    is_negated: bool
    patient: Phrase | None
    actor: Phrase | None
    adjuncts: tuple[Adjunct, ...]
    start: int
    end: int
    patient_adjuncts: tuple[Adjunct, ...] = ()
    is_infinitive: bool = False


def find_clauses(text: str, segments: Sequence[Segment]) -> list[Clause]:
    """Return the clauses of a line, at most one a segment."""
    return [clause for segment in segments if (clause := _clause(segment.chunks)) is not None]


def _clause(chunks: Sequence[Chunk]) -> Clause | None:
    at = 0
    subject: Phrase | None = None
    before: list[Adjunct] = []
    start = chunks[0].start
    if (failed := _failed_phrase(chunks)) is not None:
        return failed
    if chunks[0].phrase is not None:
        subject = chunks[0].phrase
        at = 1
        following = chunks[1].phrase if len(chunks) > 1 else None
        if following is not None and subject.value is None and grammar.is_name(subject.head):
            subject, at = following, 2  # a function, and then what it says
        before, at = _adjuncts(chunks, at)
    modality, negation_start, state_start = "", -1, -1
    auxiliary, did_start = "", -1
    while at < len(chunks) and chunks[at].kind in ("auxiliary", "not", "adverb", "cannot", "modal", "to"):
        kind = chunks[at].kind
        if kind in ("not", "cannot"):
            negation_start = chunks[at].start
            modality = "cannot" if kind == "cannot" or modality in ("modal", "cannot") else modality
        elif kind == "modal":
            modality, state_start = "modal", chunks[at].start
        elif kind == "to" or chunks[at].text.lower() in ("will", "would"):
            return None
        elif kind == "auxiliary":
            auxiliary = chunks[at].text.lower()
            did_start = chunks[at].start
        at += 1
    if auxiliary in ("did", "does", "do"):
        if negation_start < 0:
            return None
        negation_start = did_start
    if at == len(chunks):
        return _verbless(subject, before, start, chunks) if negation_start < 0 else None
    chunk = chunks[at]
    if chunk.kind == "state" and subject is not None:
        adjuncts, end = _adjuncts(chunks, at + 1)
        first = negation_start if negation_start >= 0 else chunk.start
        return Clause(
            "is", None, (first, chunk.end), negation_start >= 0, subject, None, tuple(adjuncts), start,
            chunks[end - 1].end, tuple(before),
        )  # fmt: skip
    if chunk.kind != "verb" or chunk.verb is None:
        return None
    return _with_verb(chunks, at, subject, before, negation_start, state_start, modality)


def _failed_phrase(chunks: Sequence[Chunk]) -> Clause | None:
    """The clause of "Failed password for root": the password failed."""
    phrase = chunks[0].phrase
    if phrase is None or len(phrase.words) < 2 or phrase.value is not None or phrase.determiner:
        return None
    verb = grammar.verb_of(phrase.words[0])
    if verb is None or verb.form != "ed" or verb.is_transitive:
        return None
    adjuncts, end = _adjuncts(chunks, 1)
    length = len(chunks[0].text.split()[0])
    state = (phrase.words_start, phrase.words_start + length)
    rest = chunks[0].text[length:]
    start = phrase.words_start + length + len(rest) - len(rest.lstrip())
    actor = replace(phrase, words=phrase.words[1:], words_start=start)
    return Clause("acted", verb, state, False, None, actor, tuple(adjuncts), chunks[0].start, chunks[end - 1].end)


def _with_verb(
    chunks: Sequence[Chunk],
    at: int,
    subject: Phrase | None,
    before: list[Adjunct],
    negation_start: int,
    modal_start: int,
    modality: str,
) -> Clause | None:
    chunk = chunks[at]
    verb = chunk.verb
    if verb is None:
        return None
    start, state = chunks[0].start, (negation_start if negation_start >= 0 else chunk.start, chunk.end)
    is_failed, is_infinitive = modality == "cannot", False
    has_auxiliary = at > 0 and any(each.kind == "auxiliary" for each in chunks[:at])
    if modality == "modal" and negation_start < 0:
        return None
    if verb.base in _FAILING and at + 2 < len(chunks) and chunks[at + 1].kind == "to" and chunks[at + 2].verb:
        is_failed, is_infinitive, at = True, True, at + 2
        verb = chunks[at].verb or verb
        state = (state[0], chunk.end)
    elif is_failed:
        state = (modal_start if modal_start >= 0 else negation_start, chunk.end)
    at += 1
    while at < len(chunks) and chunks[at].kind == "adverb":
        at += 1
    if at < len(chunks) and chunks[at].kind == "to":
        return None
    target: Phrase | None = None
    if at < len(chunks) and chunks[at].phrase is not None and not _is_frequency(chunks[at].phrase):
        target = chunks[at].phrase
        at += 1
    adjuncts, end = _adjuncts(chunks, at)
    patient, actor = target, subject
    if not verb.is_transitive and target is not None:
        return None
    is_passive = has_auxiliary or _has_agent(adjuncts)
    form = _form_of(verb, target, subject, is_failed=is_failed, is_negated=negation_start >= 0, is_passive=is_passive)
    if form is None:
        return None
    if form == "done" and target is None:
        patient, actor = subject, None
    is_ours = patient is subject or (form in ("acted", "acting"))
    return Clause(
        form, verb, state, negation_start >= 0, patient, actor, tuple(adjuncts), start, chunks[end - 1].end,
        tuple(before) if is_ours else (), is_infinitive,
    )  # fmt: skip


def _form_of(
    verb: Verb, target: Phrase | None, subject: Phrase | None, *, is_failed: bool, is_negated: bool, is_passive: bool
) -> str | None:
    """The form of a clause, see ``Clause``; None if it cannot be decided."""
    if is_failed:
        return "failed"
    if verb.form == "ing":
        return "doing" if target is not None and subject is None else "acting"
    if verb.form == "base" and is_negated:
        return "done" if verb.is_transitive and target is not None else "acted"
    if verb.form in ("s", "base"):
        return "acts"
    if verb.form == "past":
        return None
    if not verb.is_transitive or (verb.is_labile and target is None and subject is not None and not is_passive):
        return "acted"
    return "done" if target is not None or subject is not None else None


def _has_agent(adjuncts: Sequence[Adjunct]) -> bool:
    return any(each.preposition == "by" for each in adjuncts)


def _is_frequency(phrase: Phrase | None) -> bool:
    """Whether a phrase tells how often: restarted 3 times."""
    return phrase is not None and phrase.unit.startswith("time")


def _verbless(subject: Phrase | None, adjuncts: list[Adjunct], start: int, chunks: Sequence[Chunk]) -> Clause | None:
    if subject is None or not any(each.preposition for each in adjuncts) or any(c.kind == "auxiliary" for c in chunks):
        return None
    return Clause("none", None, (start, start), False, subject, None, tuple(adjuncts), start, adjuncts[-1].end)


def _adjuncts(chunks: Sequence[Chunk], at: int) -> tuple[list[Adjunct], int]:
    """The adjuncts from ``at`` on, and the position behind them."""
    result: list[Adjunct] = []
    while at < len(chunks):
        chunk = chunks[at]
        if chunk.phrase is not None:
            result.append(Adjunct("", chunk.phrase, chunk.start, chunk.end))
            at += 1
        elif chunk.kind == "preposition" and at + 1 < len(chunks) and chunks[at + 1].phrase is not None:
            phrase = chunks[at + 1].phrase
            if phrase is not None:
                result.append(Adjunct(chunk.text.lower(), phrase, chunk.start, chunks[at + 1].end))
            at += 2
        elif chunk.kind == "adverb" and at > 0:
            at += 1
        else:
            break
    return result, at


def be(phrase: Phrase | None, is_present: bool = False) -> str:
    """Return the form of "be" that agrees with a phrase."""
    if phrase is not None and phrase.value is None and grammar.is_plural(phrase.head):
        return "are" if is_present else "were"
    return "is" if is_present else "was"
