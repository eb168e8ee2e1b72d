"""``same``: a value that repeats the field that it must differ from."""

from __future__ import annotations

from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row
from selfinstruct.text import value_text


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Refuse a value with the text of the field named by ``differs_from``, white space aside."""
    if constraints.differs_from is None:
        return None
    if value_text(row[name]).split() != value_text(row[constraints.differs_from]).split():
        return None
    return Rejection("same", f"{name} repeats {constraints.differs_from}")
