"""The other ways in which a question may mention a thing of an English line.

    block blk_7 -> blk_7, the block blk_7     blk_7 -> block blk_7     invalid user anna -> user anna

Does not handle: pronouns, or things without a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selfinstruct.asking import grammar
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.lines import Line
from selfinstruct.asking.question import Draft
from selfinstruct.asking.slots import Slot

#: The share of the usual mention; the others have the rest.
_USUAL = 0.5
_PREFIXES = frozenset(nouns[0] for nouns in entries("prefixes").values())


def varied(line: Line, drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Yield each draft, and where it mentions a thing that can be mentioned otherwise, those as well."""
    mentions = [found for slot in line.slots if (found := _mentions(slot))]
    for draft in drafts:
        others = [_replaced(draft.text, usual, other) for usual, *rest in mentions for other in rest]
        others = [text for text in others if text != draft.text]
        if not others:
            yield draft
            continue
        yield draft._replace(weight=_USUAL * draft.weight)
        for text in others:
            yield draft._replace(text=text, weight=(1 - _USUAL) / len(others) * draft.weight)


def _replaced(text: str, usual: str, other: str) -> str:
    at = text.find(usual)
    end = at + len(usual)
    if at < 0 or (at and not text[at - 1].isspace()) or (end < len(text) and not text[end].isspace()):
        return text
    return f"{text[:at]}{other}{text[end:]}"


def _mentions(slot: Slot) -> tuple[str, ...]:
    """The usual mention of a thing, and others; none if there are no others."""
    if not slot.is_entity or slot.is_keyed:
        return ()
    first, _, noun = slot.noun.partition(" ")
    if noun and grammar.is_state(first):
        return f"{slot.noun} {slot.text}", f"{noun} {slot.text}"
    name = slot.names[0] if slot.names else ""
    if slot.kind != "id" or name not in _PREFIXES or not re.match("[A-Za-z]", slot.text):
        return ()
    if not slot.noun:
        return slot.text, f"{name} {slot.text}"
    return (f"{name} {slot.text}", slot.text, f"the {name} {slot.text}") if slot.noun == name else ()
