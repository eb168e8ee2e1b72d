"""Wordings of questions about parts of values, and about two names of one thing, in an English line.

    "driver: spark://Scheduler@10.0.0.7:5001" -> What is the address of the driver?  What is the port of the driver?
    "mail.example.com [10.0.0.7]"             -> What is the IP address of mail.example.com?

Does not handle: parts of paths, names in brackets that are no host and address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from selfinstruct.asking import grammar
from selfinstruct.asking.events import Event
from selfinstruct.asking.lines import Line
from selfinstruct.asking.phrases import grammar_text
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import Slot

_AUTHORITY = re.compile(r"://(?:[^\s/@]+@)?(?P<address>(?P<host>[\w.-]*\w):(?P<port>\d{2,5}))(?![\w.])")
_HOST = re.compile(r"[A-Za-z0-9_-]*[A-Za-z][\w-]*(?:\.[\w-]+)+")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def part_questions(line: Line) -> Iterator[Draft]:
    """Yield the questions about the host and the port in a URL, and about a host and its address side by side."""
    for slot in line.slots:
        if slot.kind == "url":
            yield from _url_parts(line, slot)
    for clause in line.clauses:
        yield from _possessed(Event(line, clause))
    for before, after in pairwise(line.slots):
        if after.start - before.end <= 2 and line.text[before.end : after.start].strip() in ("[", "(", "/"):
            yield from _same(line, before, after)


def _possessed(event: Event) -> Iterator[Draft]:
    """Ask about "is added to invalidSet of node1:50": "Whose invalidSet was it added to?"."""
    if not event.is_usable or event.clause.form not in ("done", "acted"):
        return
    for adjunct, of in pairwise(event.clause.adjuncts):
        thing, value = adjunct.phrase, of.phrase.value
        slot = event.line.slot_at(value.start) if value is not None else None
        if of.preposition != "of" or thing.value is not None or not thing.is_sound or slot is None or not thing.words:
            continue
        if adjunct.preposition not in ("to", "from", "in", "into", "on") or not (slot.is_entity or slot.is_person):
            continue
        place, asked = (slot.start, slot.end), f"{event.aux} {event.name} {event.tail}"
        yield Draft(f"whose {thing.name} {asked} {adjunct.preposition}", *place, "who", 1.0)
        yield Draft(f"{adjunct.preposition} whose {thing.name} {asked}", *place, "who", 0.4)
        noun = grammar.split_key(thing.head).split()[-1:] if grammar.is_name(thing.head) else []
        if noun and grammar.is_noun_like(noun[0]):
            place = (thing.words_start, thing.words_end)
            yield Draft(f"which {noun[0]} {asked} {adjunct.preposition}", *place, "which-adjunct", 1.0)


def _url_parts(line: Line, slot: Slot) -> Iterator[Draft]:
    match = _AUTHORITY.search(slot.text)
    if match is None or slot.phrase is None or not slot.phrase.words or not slot.phrase.is_sound:
        return
    owner = grammar_text(slot.phrase) if slot.phrase.head.lower() not in ("url", "uri", "address") else "the URL"
    for part, weight in (("address", 2.0), ("host", 1.0), ("port", 1.0)):
        start, end = slot.start + match.start(part), slot.start + match.end(part)
        yield Draft(f"what is the {part} of {owner}", start, end, "part", weight, is_part=True)


def _same(line: Line, before: Slot, after: Slot) -> Iterator[Draft]:
    """Ask for the one by the other, where one is a host and the other one its address."""
    host, ip = (before, after) if _IP.fullmatch(after.text) else (after, before)
    if not _IP.fullmatch(ip.text) or not _HOST.fullmatch(host.text) or host.kind not in ("host", "code", "id", "word"):
        return
    for name, weight in (("IP address", 1.0), ("IP", 1.0), ("address", 0.7)):
        yield Draft(f"what is the {name} of {host.text}", ip.start, ip.end, "slot-name", weight)
    yield Draft(f"which address does {host.text} have", ip.start, ip.end, "slot-name", 0.4)
    for name, weight in (("host name", 1.0), ("hostname", 0.7), ("host", 0.7)):
        yield Draft(f"what is the {name} of {ip.text}", host.start, host.end, "slot-name", weight)
    yield Draft(f"which host has the address {ip.text}", host.start, host.end, "which-subject", 0.7)
