"""Phrases of an English line: noun phrases with their values, and the verbs, prepositions and states between them.

    "Closed socket connection for client /10.0.0.7:5001" ->
        verb "Closed", phrase "socket connection", preposition "for", phrase "client" with the value 10.0.0.7:5001

Does not handle: finding them (see ``parser``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from selfinstruct.asking import grammar
from selfinstruct.asking.grammar import Verb
from selfinstruct.asking.tokens import Token


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: a determiner, words, a value; each may be absent, but not both words and value.

    ``words`` are as a question writes them; their place in the line is [``words_start``, ``words_end``). ``unit`` is
    the unit after a number, as written. ``is_keyed`` marks a value after ``=`` or ``:``. ``is_sound`` is false where
    the words may be no noun phrase.
    """

    words: tuple[str, ...] = ()
    words_start: int = 0
    words_end: int = 0
    determiner: str = ""
    value: Token | None = None
    unit: str = ""
    unit_end: int = 0
    is_keyed: bool = False
    is_sound: bool = True

    @property
    def name(self) -> str:
        """The words in one string."""
        return " ".join(self.words)

    @property
    def head(self) -> str:
        """The last word, which the others modify; "" without words."""
        return self.words[-1] if self.words else ""

    @property
    def text(self) -> str:
        """The phrase as it is written in a question."""
        if self.value is None:
            return grammar_text(self)
        return " ".join((*self.words, self.value.text)) + (f" {self.unit}" if self.unit else "")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a segment.

    Kinds are phrase, verb, preposition, not, auxiliary, modal, cannot, state, adverb, to, and stop (anything else).
    """

    kind: str
    start: int
    end: int
    text: str
    verb: Verb | None = None
    phrase: Phrase | None = None


@dataclass(slots=True)
class Segment:
    """The chunks between two punctuation marks: ``mark`` is the one before them; ``depth`` counts the open brackets."""

    mark: str
    start: int
    end: int
    depth: int
    chunks: list[Chunk] = field(default_factory=list)


def grammar_text(phrase: Phrase) -> str:
    """Return a phrase without a value as a question writes it: with "the", unless it is a name or a plural."""
    head = phrase.head
    if phrase.determiner.lower() in ("no", "any", "its", "my", "our", "their") or not head:
        return " ".join(filter(None, (phrase.determiner, phrase.name)))
    bare = grammar.is_name(head) or head.istitle() or (grammar.is_plural(head) and not phrase.determiner)
    return phrase.name if bare or "m" in (grammar.noun_flags(head) or "") else f"the {phrase.name}"


#: Names that keep their capital at the beginning of a line.
_PROPER = frozenset(
    [
        "Java",
        "Kerberos",
        "Linux",
        "Windows",
        "Python",
        "Oracle",
        "Docker",
        "Google",
        "Amazon",
        "Microsoft",
        "Apache",
        "Spark",
        "Hadoop",
    ]
)


def written_words(
    words: Sequence[str], is_first: bool, is_shouted: bool = False, value: Token | None = None
) -> tuple[str, ...]:
    """Return words as a question writes them: ordinary English words small, names as they are.

    ``is_first`` is whether they begin a segment: then a capital is no sign of a name if small words follow.
    ``is_shouted`` is whether all of the line is in capitals.
    """
    words = [word.removesuffix("(s)") for word in words]
    follows = words[1].islower() if len(words) > 1 else value is not None and value.kind in ("number", "id")
    small = is_first and follows and bool(words) and words[0] not in _PROPER
    return tuple(
        word.lower()
        if at == 0 and small and word.istitle()
        else _written(word, is_first or len(words) == 1, is_shouted)
        for at, word in enumerate(words)
    )


def _written(word: str, is_first: bool, is_shouted: bool) -> str:
    if word.islower() or not ((word.istitle() and is_first) or (word.isupper() and is_shouted)):
        return word
    if grammar.is_noun_like(word) or grammar.is_adjective(word) or grammar.verb_of(word) is not None:
        return word.lower()
    return word


def is_program_name(word: str) -> bool:
    """Whether a word is written like a function: initPrivacy."""
    return word[:1].islower() and grammar.is_name(word) and "_" not in word and "-" not in word and "." not in word


def is_sound(words: Sequence[Token], is_keyed: bool, value: Token | None) -> bool:
    """Whether words are surely a noun phrase: none is a verb in its base form that is not a noun as well."""
    if not words or (is_keyed and len(words) == 1):
        return True
    *modifiers, head = words
    if any(len(word.text) < 2 for word in words) or len(words) > 6:
        return False
    if len(words) == 1 and head.text.isupper():
        return True
    if grammar.is_adjective(head.text) and grammar.noun_flags(head.text) is None:
        return False
    first = words[0].text
    if first.endswith("ing") and not grammar.is_noun_like(first) and not grammar.is_name(first):
        return False
    for word in (*modifiers, head):
        verb = grammar.verb_of(word.text) if word.kind == "word" else None
        if verb is not None and verb.form in ("base", "s") and grammar.noun_flags(word.text) is None:
            if word is head or value is not None or grammar.noun_flags(head.text) is None:
                return False
            return len(words) > 2 or "e" in (grammar.noun_flags(head.text) or "")
    verb = grammar.verb_of(head.text)
    return verb is None or grammar.noun_flags(head.text) is not None or grammar.is_name(head.text)
