"""A claim about a run, how much of it was proved, and what contradicts it; and the names of rows in problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from selfinstruct.messages import Phrase

#: Contradictions that a claim lists; it counts the others.
_LISTED = 20


def row_name(number: int) -> Phrase:
    """What a problem calls an accepted row."""
    return Phrase("row {number}", number=number)


def seed_name(number: int) -> Phrase:
    """What a problem calls a seed."""
    return Phrase("seed s{number}", number=number)


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about a run.

    ``statement`` says it in words, ``name`` is short. ``checked`` of ``total`` things (rows, pairs or files, which
    ``unit`` names) were looked at. ``broken`` of these contradict the statement: ``problems`` says how, for the first
    ones. ``detail`` is what else was measured, ``unproved`` why the rest was not looked at.
    """

    name: str
    statement: str
    unit: str
    checked: int
    total: int
    broken: int = 0
    problems: tuple[str, ...] = ()
    detail: str = ""
    unproved: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing contradicts the statement."""
        return not self.broken

    @classmethod
    def of(
        cls,
        name: str,
        statement: str,
        unit: str,
        checked: int,
        problems: Iterable[str],
        *,
        total: int | None = None,
        detail: str = "",
        unproved: str = "",
    ) -> Claim:
        """A claim that each of ``problems`` contradicts; it is about ``checked`` things unless ``total`` is given."""
        listed: list[str] = []
        broken = 0
        for problem in problems:
            broken += 1
            if len(listed) < _LISTED:
                listed.append(problem)
        whole = checked if total is None else total
        return cls(name, statement, unit, checked, whole, broken, tuple(listed), detail, unproved)

    def to_dict(self) -> dict[str, Any]:
        """The claim as plain JSON values."""
        names = ("name", "statement", "unit", "checked", "total", "broken", "detail", "unproved")
        return {"holds": self.holds, **{name: getattr(self, name) for name in names}, "problems": list(self.problems)}
