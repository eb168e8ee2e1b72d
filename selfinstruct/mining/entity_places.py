"""Places of entities: what equal ones have in common, which are free, and texts without what stands there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence

from selfinstruct.mining.entities import Entity


def place_of(entity: Entity) -> Hashable:
    """What equal entities have in common that stand in the same kind of place."""
    return entity.kind, entity.key, entity.unit


def outside(shaped: Sequence[Entity], words: Sequence[Entity]) -> list[Entity]:
    """The entities of ``shaped`` that overlap with none of ``words``."""
    if not words:
        return list(shaped)
    ordered = sorted(words, key=lambda entity: entity.start)
    starts = [entity.start for entity in ordered]
    free = []
    for each in shaped:
        at = bisect_left(starts, each.end)
        if at == 0 or ordered[at - 1].end <= each.start:
            free.append(each)
    return free


def masked_text(text: str, entities: Sequence[Entity]) -> str:
    """``text`` with the kind of each entity in its place: equal for two texts that differ in values alone."""
    parts, at = [], 0
    for entity in entities:
        parts += [text[at : entity.start], f"<{entity.kind}0>"]
        at = entity.end
    return "".join([*parts, text[at:]])
