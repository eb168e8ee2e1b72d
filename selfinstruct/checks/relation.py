"""``relation``: values of a row that do not agree as the recipe's relations say."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from selfinstruct.recipe import Relation
from selfinstruct.records import Rejection, Row


def check(row: Row, relations: Sequence[Relation], names: Container[str] | None = None) -> Rejection | None:
    """Reject a row that violates one of ``relations``.

    With ``names``, only relations are checked whose fields are all among them.
    """
    for _, rejection in violations(row, relations, names):
        return rejection
    return None


def violations(
    row: Row, relations: Sequence[Relation], names: Container[str] | None = None
) -> Iterator[tuple[str, Rejection]]:
    """Yield the first field of each violated relation, and the rejection."""
    for relation in relations:
        fields = relation.fields
        if names is None or all(name in names and name in row for name in fields):
            message = relation.violation(row)
            if message is not None:
                yield fields[0], Rejection("relation", message)
