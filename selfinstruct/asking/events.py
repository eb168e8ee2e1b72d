"""Events: a clause of an English line with the pieces that questions about it are made of.

    Received block blk_7 from 10.0.0.1 -> was | block blk_7 | received | from 10.0.0.1

A question about something else than the subject is: question word, auxiliary, subject, tail, rest.

Does not handle: the wordings themselves (see ``english_events`` and ``english_outcomes``).
"""

from __future__ import annotations

from selfinstruct.asking import grammar
from selfinstruct.asking.clauses import Adjunct, Clause, be
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import Phrase, grammar_text

#: Prepositions of adjuncts that are asked about and repeated.
ASKED = frozenset(
    ("from", "to", "for", "in", "at", "on", "with", "by", "through", "via", "against", "into", "as", "under", "over")
)
#: These belong to the verb alone: a question without the verb does not repeat them.
#: Heads of phrases that do nothing: "Error sending result" is no error that sends.
_TROUBLES = ("error", "exception", "failure", "problem", "timeout", "warning")
_OF_VERB = ("by", "to", "as", "into")


class Event:
    """A clause with its auxiliary, subject and tail; ``is_usable`` is whether a question can mention its subject."""

    def __init__(self, line: Line, clause: Clause) -> None:
        self.line, self.clause = line, clause
        self.base = clause.verb.base if clause.verb is not None else ""
        self.subject = clause.patient if clause.form in ("done", "doing", "failed", "is", "none") else clause.actor
        if clause.form == "failed" and clause.verb is not None and not clause.verb.is_transitive:
            self.subject = None
        self.aux, self.tail = self._pieces()
        is_error = clause.form == "acting" and self.subject is not None and self.subject.head.lower() in _TROUBLES
        is_code = clause.form == "none" and self.subject is not None and self.subject.name.isupper()
        self.is_usable = (
            is_mentionable(self.subject) and not is_error and not is_code and self.base not in ("get", "have")
        )

    def _pieces(self) -> tuple[str, str]:
        clause, subject, base = self.clause, self.subject, self.base
        done = grammar.participle(base) if base else ""
        written = self.line.text[clause.state[0] : clause.state[1]].lower().split()
        for word in written:
            verb = grammar.verb_of(word)
            if verb is not None and verb.base == base and verb.form == "ed":
                done = word  # cancelled, where the line spells it so
        state = self.line.text[clause.state[0] : clause.state[1]].lower()
        aux, tail = {
            "done": (be(subject), f"not {done}" if clause.is_negated else done),
            "doing": (be(subject, is_present=True), f"being {done}"),
            "failed": ("could", f"not be {done}"),
            "acted": ("did", f"not {base}" if clause.is_negated else base),
            "acting": (be(subject, is_present=True), grammar.gerund(base) if base else ""),
            "is": (be(subject, is_present=True), state),
            "none": (be(subject, is_present=True), ""),
            "acts": ("do" if be(subject) == "were" else "does", base),
        }[clause.form]
        particle = state.split()[-1] if base else ""
        return aux, f"{tail} {particle}" if particle in ("out", "up", "down", "off", "back") else tail

    @property
    def name(self) -> str:
        """The subject as a question mentions it, with what determines it before the verb ("of block blk_7")."""
        if self.subject is None:
            return ""
        text = mention(self.line, self.subject)
        first = self.clause.adjuncts[0] if self.clause.adjuncts else None
        is_patient = self.subject.value is None and self.subject is self.clause.patient
        if is_patient and first is not None and first.preposition == "of" and first.phrase.value is None:
            return f"{text} of {first.phrase.name}"
        if self.subject.value is None:
            for adjunct in self.clause.patient_adjuncts[:2]:
                if adjunct.preposition == "of" or adjunct.preposition in ASKED:
                    text += f" {adjunct.preposition} {mention(self.line, adjunct.phrase)}"
        return text

    def rest(self, *without: Adjunct, has_verb: bool = True) -> str:
        """The first adjunct that a question can repeat; ``has_verb`` is whether the question has the verb."""
        for each in self.clause.adjuncts:
            is_apt = each.preposition in ASKED and (has_verb or each.preposition not in _OF_VERB)
            if each not in without and is_apt and is_mentionable(each.phrase):
                return f" {each.preposition} {mention(self.line, each.phrase)}"
        return ""

    @property
    def predicate(self) -> str:
        """What is said of the subject as a question about it repeats it: "was received", "succeeded"."""
        if self.clause.form == "acting" and self.clause.patient is not None:
            return f"{self.aux} {self.tail} {mention(self.line, self.clause.patient)}"
        if self.clause.form in ("done", "doing", "failed", "acting", "is"):
            return f"{self.aux} {self.tail}"
        if self.clause.form == "acted" and not self.clause.is_negated:
            return self.line.text[self.clause.state[0] : self.clause.state[1]].lower()
        return ""

    def is_only_preposition(self, adjunct: Adjunct) -> bool:
        """Whether no other adjunct has the preposition of this one; measures (for 5 seconds) count apart."""
        both = (*self.clause.adjuncts, *self.clause.patient_adjuncts)
        if adjunct.phrase.unit:
            return sum(1 for each in both if each.phrase.unit) == 1
        return sum(1 for each in both if each.preposition == adjunct.preposition and not each.phrase.unit) == 1


def is_whole(event: Event) -> bool:
    """Whether a verb in -ing can stand without an object: terminating, but not launching."""
    verb = event.clause.verb
    return verb is None or not verb.is_transitive or verb.is_labile


def is_mentionable(phrase: Phrase | None) -> bool:
    """Whether a question can mention a phrase: it has a name, or words that are surely a noun phrase."""
    if phrase is None or not phrase.is_sound or phrase.unit or phrase.determiner.lower() == "no":
        return False
    if phrase.value is not None:
        return phrase.value.kind not in ("number", "version", "quoted", "time") or bool(phrase.words)
    return bool(phrase.words) and (
        grammar.is_noun_like(phrase.head)
        or grammar.is_name(phrase.head)
        or 2 <= len(phrase.words) < 5
        or phrase.head.istitle()
    )


def mention(line: Line, phrase: Phrase) -> str:
    """Return a phrase as a question mentions it."""
    if phrase.value is None:
        return grammar_text(phrase)
    slot = line.slot_at(phrase.value.start)
    if slot is not None and not phrase.unit and slot.noun:
        return f"{slot.noun} {slot.text}"
    return phrase.text if not phrase.is_keyed or slot is None else slot.text
