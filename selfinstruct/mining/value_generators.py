"""Which generator draws the values of a place: by the kind of what stands there, and by what the rows show.

Does not handle: ids, durations, numbers with check digits, and values that do not vary.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfinstruct.mining.code_generators import HexGenerator
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.generators import EmailGenerator, PhoneGenerator, address_generator, chinese_number_generator
from selfinstruct.mining.leaf_texts import is_plain_number
from selfinstruct.mining.lexicon import words as listed_words
from selfinstruct.mining.number_generators import (
    Generator,
    are_identifiers,
    are_years,
    number_generator,
    range_generator,
    year_generator,
)
from selfinstruct.mining.number_roles import BOUNDS, ID, OPEN
from selfinstruct.mining.numerals import ascii_digits
from selfinstruct.mining.vocabulary import Vocabulary


def value_generator(entity: Entity, seen: Sequence[str], salt: int, vocabulary: Vocabulary) -> Generator:
    """Return the generator of values for the place of an entity in which the rows show the values ``seen``."""
    kind = entity.kind
    if kind in ("number", "port", "year"):
        seen = list(map(ascii_digits, seen))
    if kind == "number" and are_years(seen):
        return range_generator(seen, salt)
    if kind == "number" and entity.is_whole and not entity.unit and all(map(is_plain_number, seen)):
        return range_generator(seen, salt)
    if kind == "number" and entity.role not in OPEN and entity.unit != "age" and not are_identifiers(seen):
        return range_generator(seen, salt, BOUNDS.get(entity.role))
    if kind in ("number", "port"):
        is_counted = entity.is_counted and entity.role != ID  # broadcast_3 free: the word counts nothing
        return number_generator(seen, salt, unit=entity.unit, port=kind == "port", counted=is_counted)
    if kind == "year":
        return year_generator(seen, salt)
    if kind == "email":
        return EmailGenerator(listed_words("user-names"), salt)
    if kind == "phone":
        return PhoneGenerator(tuple(seen))
    if kind == "ipv4":
        return address_generator(seen)
    if kind == "zhnumber":
        return chinese_number_generator(seen, salt, unit=entity.unit)
    if kind in ("uuid", "mac", "ipv6", "hex"):
        return HexGenerator(kind, tuple(seen))
    return vocabulary.generator(kind, seen, salt)
