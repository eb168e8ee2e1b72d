"""English word classes and inflection for questions.

    a word of a line -> its verb and form, or whether it is a noun, an adjective, a preposition...
    a verb -> its base, participle, form in -ing

Does not handle: words of several classes in context (see ``phrases``), other languages.

>>> verb_of("Received")
Verb(base='receive', form='ed', is_transitive=True, is_labile=False)
>>> verb_of("writing").base, gerund("stop"), participle("write")
('write', 'stopping', 'written')
>>> with_article("block"), with_article("address"), is_plural("bytes"), is_plural("address")
('a block', 'an address', True, False)
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from selfinstruct.asking.lexicon import entries, flagged
from selfinstruct.mining.lexicon.inflections import forms


def _class(name: str) -> frozenset[str]:
    return frozenset(entries("function-words")[name][0].split())


PREPOSITIONS = _class("prepositions")
DETERMINERS = _class("determiners")
AUXILIARIES = _class("auxiliaries")
MODALS = _class("modals")
NEGATED = _class("negated auxiliaries")
NEGATIONS = frozenset(("not", "never", "no"))
CONJUNCTIONS = _class("conjunctions and pronouns")
_ADVERBS = _class("adverbs")
_NO_ADVERBS = _class("no adverbs")
_NOUN_ENDINGS = ("tion", "sion", "ment", "ness", "ity", "ance", "ence", "ship", "ure", "age", "ism", "ist", "ogy")
_SIMPLE = re.compile(r"[A-Z]?[a-z]+(?:[-'][a-z]+)*")
_CAMEL_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SINGULAR_IN_S = ("ss", "us", "is", "ics", "news", "ous", "alias", "canvas", "bias", "atlas", "gas", "chaos", "macos")


class Verb(NamedTuple):
    """A verb in a form: ``base``, ``s``, ``ed`` (participle, mostly also past), ``past`` (no participle) or ``ing``.

    ``is_labile`` marks a transitive verb whose object can also do it by itself: the server started.
    """

    base: str
    form: str
    is_transitive: bool
    is_labile: bool = False


@cache
def _verbs() -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for base, flags in flagged("verbs").items():
        is_transitive, is_labile = "t" in flags, "l" in flags
        irregular = entries("verbs").get(f"{base} {flags}", ())
        found.setdefault(base, Verb(base, "base", is_transitive, is_labile))
        for form in sorted(forms(base) - {base}):
            if form.endswith("ing"):
                found[form] = Verb(base, "ing", is_transitive, is_labile)
            elif form.endswith("s"):
                found.setdefault(form, Verb(base, "s", is_transitive, is_labile))
            elif not irregular:
                found[form] = Verb(base, "ed", is_transitive, is_labile)
        for form in irregular:
            if form != base:
                is_participle = form == irregular[-1]
                found[form] = Verb(base, "ed" if is_participle else "past", is_transitive, is_labile)
    return found


@cache
def verb_of(word: str) -> Verb | None:
    """Return the verb of which a word is a form, or None; a form that is also a base (``found``) is taken as a form."""
    return _verbs().get(word.lower())


@cache
def _irregular() -> dict[str, tuple[str, ...]]:
    return {key.rpartition(" ")[0]: value for key, value in entries("verbs").items() if value}


@cache
def participle(base: str) -> str:
    """Return the past participle of a listed verb."""
    verb, _, particle = base.partition(" ")
    if particle:
        return f"{participle(verb)} {particle}"
    if base in _irregular():
        return _irregular()[base][-1]
    return min((form for form in forms(base) if form.endswith("ed") and form != base), default=f"{base}ed", key=len)


@cache
def gerund(base: str) -> str:
    """Return the form in -ing of a listed verb."""
    verb, _, particle = base.partition(" ")
    if particle:
        return f"{gerund(verb)} {particle}"
    found = sorted(form for form in forms(base) if form.endswith("ing") and form != base)
    return min(found, default=f"{base}ing", key=len)


def is_past(form: str) -> bool:
    """Whether a participle is also the past of its verb, so that it can stand without "was": received, not given."""
    verb = verb_of(form)
    return verb is not None and (verb.base not in _irregular() or form.lower() == _irregular()[verb.base][0])


def noun_flags(word: str) -> str | None:
    """Return the flags of a listed noun (singular or plural, see ``nouns.txt``), or None if it is not listed."""
    nouns, lower = flagged("nouns"), word.lower()
    if lower in nouns:
        return nouns[lower]
    for ending, singular in (("ies", "y"), ("es", ""), ("s", "")):
        if lower.endswith(ending) and lower[: -len(ending)] + singular in nouns:
            return nouns[lower[: -len(ending)] + singular]
    return None


def is_noun_like(word: str) -> bool:
    """Whether a word is a listed noun or ends as only nouns do."""
    return noun_flags(word) is not None or word.lower().endswith(_NOUN_ENDINGS)


def is_adjective(word: str) -> bool:
    """Whether a word is a listed adjective."""
    return word.lower() in flagged("adjectives")


def is_state(word: str) -> bool:
    """Whether a word is an adjective that states what a thing is like now (open, unknown)."""
    return "s" in flagged("adjectives").get(word.lower(), "")


def is_adverb(word: str) -> bool:
    """Whether a word is an adverb."""
    lower = word.lower()
    return lower in _ADVERBS or (lower.endswith("ly") and len(lower) > 4 and lower not in _NO_ADVERBS)


def is_closed_class(word: str) -> bool:
    """Whether a word is a preposition, an article, an auxiliary, a conjunction or a negation."""
    lower = word.lower()
    return any(
        lower in words for words in (PREPOSITIONS, DETERMINERS, AUXILIARIES, MODALS, NEGATED, NEGATIONS, CONJUNCTIONS)
    )


def is_plural(noun: str) -> bool:
    """Whether a noun is a plural, by its ending unless the singular is listed with it."""
    lower = noun.lower()
    if lower in flagged("nouns") and lower not in ("calories", "steps", "cores", "retries"):
        return False
    return lower.endswith(("s", "(s)")) and not lower.endswith(_SINGULAR_IN_S) and len(lower) > 3


def with_article(noun: str) -> str:
    """Return a noun phrase with "a" or "an"."""
    return f"{'an' if re.match('(?:[aeio]|u(?!n[ia]|s[eu]|ti))', noun.lower()) else 'a'} {noun}"


def is_name(word: str) -> bool:
    """Whether a word is written like a name of a program (``SendWorker``, ``RM``, ``dfs.DataNode``)."""
    return _SIMPLE.fullmatch(word) is None


def split_key(key: str) -> str:
    """Return a key in words: ``totalAltitude`` is total altitude, ``max_retries`` max retries; "" if not possible."""
    if "." in key or "$" in key:
        return ""
    parts = [part for piece in re.split(r"[_\- ]+", key) for part in _CAMEL_PART.findall(piece)]
    if not parts or sum(map(len, parts)) < len(re.sub(r"[_\- ]", "", key)) or any(len(p) < 2 for p in parts):
        return ""
    if (verb := verb_of(parts[0])) is not None and verb.form == "base" and noun_flags(parts[0]) is None:
        return ""
    if parts[0].lower() in PREPOSITIONS:
        return ""
    known = {short: long[0] for short, long in entries("abbreviations").items()}
    return " ".join(known.get(p.lower(), p if p.isupper() and len(parts) > 1 else p.lower()) for p in parts)
