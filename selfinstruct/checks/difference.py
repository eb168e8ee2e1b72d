"""``same``: a value that equals the field that it must differ from."""

from __future__ import annotations

from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import canonical, value_text


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a value equal to the field named by ``differs_from``, ignoring white space."""
    if constraints.differs_from is None:
        return None
    if _words(row[name]) != _words(row[constraints.differs_from]):
        return None
    return Rejection("same", f"{name} repeats {constraints.differs_from}")


def _words(value: JSON) -> list[str]:
    return canonical(value_text(value)).split()
