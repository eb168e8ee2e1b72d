"""``same``: a value that repeats the field that it must differ from, as a whole or in most of its words."""

from __future__ import annotations

from rapidfuzz.distance import LCSseq

from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import canonical, tokens, value_text


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a value equal to the field named by ``differs_from``, ignoring white space.

    With ``differs_by``, reject one of whose tokens fewer than this share are missing from the longest subsequence that
    it has in common with that field.
    """
    if constraints.differs_from is None:
        return None
    value, other = row[name], row[constraints.differs_from]
    if _words(value) == _words(other):
        return Rejection(
            "same", Phrase("{name} repeats {differs_from}", name=name, differs_from=constraints.differs_from)
        )
    if constraints.differs_by is None:
        return None
    own = tokens(value_text(value))
    common = LCSseq.similarity(own, tokens(value_text(other)))
    if not own or len(own) - common >= constraints.differs_by * len(own):
        return None
    message = Phrase(
        "{common} of {own} words of {name} occur in {differs_from} in the same order",
        common=common,
        own=len(own),
        name=name,
        differs_from=constraints.differs_from,
    )
    return Rejection("same", message)


def _words(value: JSON) -> list[str]:
    return canonical(value_text(value)).split()
