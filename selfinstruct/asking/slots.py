"""Slots of an English line: its values, each with the names by which a question can ask for it.

    "Received block blk_7 of size 671 from 10.0.0.1" ->
        blk_7: block    671: size    10.0.0.1: source address, address

A name comes from the phrase before the value, from its key, from the letters that an identifier begins with, or from
its form.

Does not handle: values without any name, which only a question about their verb can ask for.

>>> from selfinstruct.asking.headers import parse_header
>>> from selfinstruct.asking.parser import parse
>>> text = "Received block blk_7 of size 671 from 10.0.0.1"
>>> [(slot.text, slot.names) for slot in find_slots(text, parse_header(text), parse(text))]
[('blk_7', ('block',)), ('671', ('size',)), ('10.0.0.1', ('source address', 'address', 'IP address'))]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from selfinstruct.asking import grammar
from selfinstruct.asking.headers import Header
from selfinstruct.asking.lexicon import entries, flagged
from selfinstruct.asking.phrases import Chunk, Phrase, Segment

#: Nouns for values by their form, the best first.
_FORM_NOUNS = {
    "address": ("address", "IP address"),
    "host": ("host",),
    "path": ("path",),
    "file": ("file",),
    "url": ("URL",),
    "email": ("email address",),
    "mac": ("MAC address",),
    "time": ("time", "timestamp"),
    "year": ("year",),
}
_HEADER_NAMES = {
    "time": ("timestamp", "time"),
    "level": ("log level", "level", "severity"),
    "host": ("host", "hostname"),
    "process": ("process", "program"),
    "process ID": ("process ID", "PID"),
    "thread": ("thread",),
    "component": ("component",),
}
_PREFIX = re.compile(r"[A-Za-z]+(?=[-_]?\d|[-_]\w*\d)")
# A word with a version, such as ssh2: no identifier.
_SHORT_ID = re.compile(r"[A-Za-z]+\d{1,2}")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_PROTOCOLS = frozenset(entries("endings")["protocol"][0].split())
#: Heads that say nothing without the words before them.
_VAGUE = frozenset(("data", "information", "list", "name", "number", "system", "value", "count", "total"))
_NO_PLACES = frozenset(("connection", "error", "message", "packet", "query", "request", "response", "session"))
_PLACES = ("address", "host")
#: Verbs that bring something to the place after "to".
_MOVING = frozenset(
    [
        "send",
        "transfer",
        "connect",
        "forward",
        "replicate",
        "copy",
        "move",
        "route",
        "redirect",
        "deliver",
        "receive",
        "push",
        "upload",
        "transmit",
        "stream",
        "write",
        "submit",
        "ship",
        "migrate",
    ]
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A value at [start, end) code points.

    ``names`` are the best first; ``aliases`` all nouns that might mean it. ``noun`` is the words before it in the line.
    ``flags`` are those of ``nouns.txt``; ``segment`` is the position of its segment, -1 in the header.
    """

    start: int
    end: int
    text: str
    kind: str
    names: tuple[str, ...]
    aliases: frozenset[str]
    noun: str
    flags: str
    unit: str
    unit_end: int
    is_keyed: bool
    preposition: str
    phrase: Phrase | None
    segment: int

    @property
    def is_entity(self) -> bool:
        """Whether this is a thing of which other values can be attributes, not an attribute or a measure itself."""
        if self.unit or self.kind in ("time", "clock", "quoted") or self.segment < 0:
            return False
        if self.flags:
            return "a" not in self.flags
        if self.kind == "id" and _SHORT_ID.fullmatch(self.text):
            return False
        return self.kind in ("id", "hex", "uuid", "address", "host", "path", "url", "email", "mac", "file")

    @property
    def is_person(self) -> bool:
        """Whether this is a person or an account."""
        return "p" in self.flags

    @property
    def is_place(self) -> bool:
        """Whether this is an address, a host, or a place in a file system."""
        return self.kind in ("address", "host", "path", "url") and not self.is_person

    @property
    def mention(self) -> str:
        """The value as a question mentions it: with its noun, if the noun names a thing."""
        if self.noun and ((self.flags and self.flags != "a") or grammar.is_name(self.noun)) and not self.is_keyed:
            return f"{self.noun} {self.text}"
        return self.text


def find_slots(
    text: str, header: Header, segments: Sequence[Segment], nouns: Mapping[str, str] = MappingProxyType({})
) -> list[Slot]:
    """Return the slots of a line from left to right; ``nouns`` are those of words that are known to be values."""
    slots = [
        Slot(
            field.start, field.end, field.text, "time" if field.name == "time" else field.name,
            _HEADER_NAMES[field.name], frozenset(_HEADER_NAMES[field.name]), "", "a", "", 0, False, "", None, -1,
        )
        for field in header.fields
    ]  # fmt: skip
    labels = _labels(segments)
    for position, segment in enumerate(segments):
        verb = preposition = ""
        before: Phrase | None = None
        for at, chunk in enumerate(segment.chunks):
            if chunk.kind == "verb" and chunk.verb is not None:
                verb = chunk.verb.base
            if chunk.phrase is not None and chunk.phrase.value is not None:
                phrase = chunk.phrase
                if counted_after(segment.chunks, at) is not None:
                    phrase = replace(phrase, words=())
                if preposition == "of" and not phrase.words and before is not None and _is_measure(before, phrase):
                    phrase = replace(phrase, words=before.words)
                if (label := labels.get(chunk.end)) is not None:
                    phrase = replace(label, value=phrase.value, is_keyed=True)
                noun = nouns.get(chunk.phrase.value.text, "") if chunk.phrase.value.kind == "word" else ""
                slots.append(_slot(phrase, preposition, verb, position, noun))
            elif chunk.phrase is not None and chunk.phrase.name in _PROTOCOLS and chunk.text == chunk.phrase.name:
                slots.append(_protocol(chunk, position))
            before = chunk.phrase or before
            preposition = chunk.text.lower() if chunk.kind == "preposition" else ""
    return slots


def counted_after(chunks: Sequence[Chunk], at: int) -> Phrase | None:
    """The things that a number counts although another name stands before it: PAM 5 more authentication failures."""
    number = chunks[at].phrase
    if number is None or number.value is None or number.value.kind != "number" or number.is_keyed or number.unit:
        return None
    if not number.words or not number.head.isupper() or grammar.noun_flags(number.head) is not None:
        return None
    following = [each for each in chunks[at + 1 : at + 3] if each.text.lower() != "more"]
    counted = following[0].phrase if following else None
    if counted is None or counted.value is not None or counted.determiner or not counted.is_sound:
        return None
    return counted if grammar.is_plural(counted.head) else None


def _protocol(chunk: Chunk, position: int) -> Slot:
    """The slot of a protocol, which is known by its name alone."""
    names = ("protocol",)
    return Slot(
        chunk.start, chunk.end, chunk.text, "protocol", names, frozenset(names), "", "a", "", 0, False, "",
        chunk.phrase, position,
    )  # fmt: skip


def _labels(segments: Sequence[Segment]) -> dict[int, Phrase]:
    """The names in brackets after values, by the ends of the values: 1 (n.leader), 0x7 (n.zxid); at least two."""
    labels = {}
    for before, after in pairwise(segments):
        label = after.chunks[0].phrase
        last = before.chunks[-1]
        is_next = (
            after.mark == "(" and last.phrase is not None and last.phrase.value is not None and not last.phrase.unit
        )
        if (
            is_next
            and len(after.chunks) == 1
            and label is not None
            and label.value is None
            and after.start <= last.end + 2
        ):
            labels[last.end] = label
    return labels if len(labels) > 1 else {}


def _is_measure(before: Phrase, phrase: Phrase) -> bool:
    """Whether a bare number after "of" is the measure of the phrase before it: a timeout of 10 ms."""
    is_number = phrase.value is not None and phrase.value.kind == "number"
    return is_number and before.value is None and before.is_sound and "a" in (grammar.noun_flags(before.head) or "")


def _slot(phrase: Phrase, preposition: str, verb: str, position: int, noun: str) -> Slot:
    value = phrase.value
    if value is None:
        raise ValueError("a slot needs a value")
    if value.kind == "number" and preposition in ("in", "since", "until") and not phrase.words and not phrase.unit:
        value = value._replace(kind="time") if _YEAR.fullmatch(value.text) else value
    prefix = _prefix_noun(value.text) if value.kind == "id" else noun
    if _is_mere_label(phrase, value.kind, prefix):
        phrase = replace(phrase, is_sound=False)
    is_year = value.kind == "time" and value.text.isdigit() and len(value.text) == 4
    names = tuple(
        dict.fromkeys(_names(phrase, "year" if is_year else value.kind, value.text, preposition, verb, prefix))
    )
    nouns = {name.lower() for name in names} | {name.split()[-1].lower() for name in names}
    nouns |= {word.lower() for word in phrase.words[-1:]} | ({prefix} if prefix else set())
    if value.kind in _PLACES:
        nouns |= {"address", "host", "source", "destination"} if not phrase.is_keyed else {"address", "host"}
    nouns |= set(_FORM_NOUNS.get(value.kind, ()))
    head = phrase.head
    flags = grammar.noun_flags(head) if head else None
    if flags is None:
        flags = flagged("nouns").get(prefix.split()[-1] if prefix else "", "")
    if value.kind == "number" and head and grammar.is_plural(head) and not phrase.is_keyed:
        flags = "a"
    if head and grammar.is_name(head) and not flags:
        is_thing = value.kind in ("id", "hex") or (value.kind == "number" and head[0].isupper() and not head.isupper())
        flags = "e" if is_thing and not phrase.is_keyed else "a"
    return Slot(
        value.start, value.end, value.text, value.kind, names, frozenset(nouns), phrase.name if phrase.is_sound else "",
        flags, phrase.unit, phrase.unit_end, phrase.is_keyed, preposition, phrase, position,
    )  # fmt: skip


def _is_mere_label(phrase: Phrase, kind: str, prefix: str) -> bool:
    """Whether the word before a value is a constant that names the event and not the value: ATTEMPT_START task_7."""
    head = phrase.head
    is_constant = bool(head) and head.isupper() and len(head) > 3 and grammar.noun_flags(head) is None
    return is_constant and not phrase.is_keyed and (bool(prefix) or kind in _FORM_NOUNS)


def _is_request(phrase: Phrase, kind: str) -> bool:
    """Whether a place follows a noun that is no place: the address of a request, not a request."""
    return kind in _PLACES and not phrase.is_keyed and phrase.head.lower() in _NO_PLACES


def _prefix_noun(value: str) -> str:
    match = _PREFIX.match(value)
    return entries("prefixes").get(match[0].lower(), ("",))[0] if match else ""


def _names(phrase: Phrase, kind: str, value: str, preposition: str, verb: str, prefix: str) -> Iterator[str]:
    words = phrase.words
    forms = _FORM_NOUNS.get(kind, ())
    is_several = kind == "number" and not phrase.is_keyed and bool(words) and grammar.is_plural(words[-1])
    is_odd = kind in _FORM_NOUNS and bool(words) and grammar.is_plural(words[-1]) and not phrase.is_keyed
    if is_several:
        return  # floors 4 and 5
    if words and phrase.is_sound and not is_odd and not _is_request(phrase, kind):
        yield from _label_names(words, phrase.is_keyed, forms)
    elif value in _PROTOCOLS:
        yield "protocol"
    elif prefix:
        yield prefix
    elif forms:
        if kind in _PLACES:
            if preposition == "from":
                yield f"source {forms[0]}"
            elif preposition == "to" and verb in _MOVING:
                yield f"destination {forms[0]}"
        yield from forms[:1]
        if kind == "address" and ":" not in value and "/" not in value:
            yield forms[1]


def _label_names(words: Sequence[str], is_keyed: bool, forms: Sequence[str]) -> Iterator[str]:
    head, name = words[-1], " ".join(words)
    known = entries("abbreviations").get(head.lower())
    if grammar.is_adjective(head) and grammar.noun_flags(head) is None:
        if forms and len(words) == 1:
            yield f"{head} {'address' if forms[0] == 'host' else forms[0]}"
        return
    if known and (is_keyed or head.lower() in ("id", "ip")):
        long = known[0]
        if long.isupper():
            yield " ".join((*words[:-1], long))
            return
        if head.lower() in ("src", "source", "dest", "dst", "destination") and forms:
            yield f"{long} {forms[0]}"
            yield long
        elif long.lower() != head.lower():
            yield long
        yield name
        return
    if head.lower() in ("source", "destination") and forms:
        yield f"{head.lower()} {forms[0]}"
    yield name
    if name.lower() == "port":
        yield "port number"
    if head.isupper() and head.endswith("ID") and 2 < len(head) < 5:
        yield "ID"
    if len(words) > 1 and grammar.noun_flags(head) is not None and head.lower() not in _VAGUE:
        yield head
    elif (
        len(words) == 1
        and is_keyed
        and grammar.is_name(head)
        and " " in (split := grammar.split_key(head))
        and not grammar.is_plural(split)
    ):
        yield split
