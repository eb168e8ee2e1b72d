"""A person's decisions on the rows of a run: what each one says, and what all of them together leave standing.

A decision is about a grown row, or about a rejection. It is never changed: the last one on a row counts, and ``undo``
takes the last one back. ``accept`` and ``reject`` decide whether a row counts; ``edit`` gives it new values, which it
keeps when it is accepted later.

Does not handle: storage (``writer``, ``inbox``); what a decision means for quotas (``growth``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

#: What a person may decide.
Action: TypeAlias = Literal["accept", "reject", "edit", "undo"]
ACTIONS: tuple[str, ...] = get_args(Action)
#: The reason of a row that the checks accepted and a person rejected.
BY_PERSON = "person"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a person.

    ``key`` identifies it, so that it is never recorded twice. ``target`` is the number of a grown row, or minus the id
    of a rejection. ``at`` is the time in UTC (ISO 8601). ``line`` is the row as one line of JSON where the decision
    gives one: an edited row, or the row of an accepted rejection; ``spans_line`` and ``category`` are those of this
    row. ``after_call`` is the id of the last reply that had been judged. ``id`` is 0 until the journal has it.
    """

    key: str
    target: int
    action: Action
    reason: str = ""
    person: str = ""
    at: str = ""
    line: str | None = None
    spans_line: str = "{}"
    category: str = ""
    after_call: int = 0
    id: int = 0

    @property
    def name(self) -> str:
        """The name of the row: ``12``, or ``x17`` for a rejection."""
        return row_name(self.target)


class Standing(NamedTuple):
    """What a person's decisions leave of one row.

    ``action`` is ``reject`` for a row that does not count, ``edit`` for one with a person's values, else ``accept``.
    ``line``, ``spans_line`` and ``category`` are None, "{}" and "" where the values are those that the run recorded.
    ``last`` is the decision that counts.
    """

    action: str
    line: str | None
    spans_line: str
    category: str
    last: Decision

    @property
    def counts(self) -> bool:
        """Whether the row is one of the data set."""
        return self.action != "reject"


class Change(NamedTuple):
    """A decision, with what stood before and after it; None where no decision stands."""

    decision: Decision
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """The numbers of rows and rejections that a person ``accepted`` unchanged, ``rejected``, and ``edited``."""

    accepted: int = 0
    rejected: int = 0
    edited: int = 0

    @property
    def total(self) -> int:
        """How many rows and rejections a person has judged."""
        return self.accepted + self.rejected + self.edited


class Decisions:
    """All decisions on a run, and what they leave standing."""

    def __init__(self, made: Iterable[Decision] = ()) -> None:
        #: Every decision, in order.
        self.log: list[Decision] = []
        self._standing: dict[int, Standing] = {}
        self._open: dict[int, list[Decision]] = {}  # by target: those that were not taken back
        self._keys: set[str] = set()
        self._accepted: dict[int, None] = {}  # the rejections that count, in the order in which they came to count
        self._rejected = 0  # grown rows that do not count
        for decision in made:
            self.add(decision)

    def add(self, decision: Decision) -> Change | None:
        """Add a decision, and return what it changes; None for one that is known already."""
        if decision.key in self._keys:
            return None
        self._keys.add(decision.key)
        self.log.append(decision)
        target, before = decision.target, self._standing.get(decision.target)
        made = self._open.setdefault(target, [])
        if decision.action != "undo":
            made.append(decision)
        elif made:
            made.pop()
        after = _standing(made)
        if after is None:
            self._standing.pop(target, None)
        else:
            self._standing[target] = after
        if target > 0:
            self._rejected += _is_out(after) - _is_out(before)
        elif after is None or not after.counts:
            self._accepted.pop(target, None)
        else:
            self._accepted.setdefault(target)
        return Change(decision, before, after)

    def of(self, target: int) -> Standing | None:
        """What stands of one row or rejection, or None."""
        return self._standing.get(target)

    def on(self, target: int) -> list[Decision]:
        """All decisions on one row or rejection, in order."""
        return [decision for decision in self.log if decision.target == target]

    def knows(self, key: str) -> bool:
        """Whether a decision with this key is among them."""
        return key in self._keys

    @property
    def standing(self) -> Mapping[int, Standing]:
        """What stands, by target."""
        return self._standing

    @property
    def accepted_rejections(self) -> Iterator[tuple[int, Standing]]:
        """The rejections that count, in the order in which a person accepted them."""
        return ((target, self._standing[target]) for target in self._accepted)

    @property
    def counts(self) -> DecisionCounts:
        """How many rows and rejections stand accepted, rejected and edited."""
        actions = [each.action for each in self._standing.values()]
        return DecisionCounts(actions.count("accept"), actions.count("reject"), actions.count("edit"))

    def recorded_rows(self, counted: int) -> int:
        """How many rows the run itself has accepted, if ``counted`` rows count."""
        return counted + self._rejected - len(self._accepted)


def row_name(target: int) -> str:
    """The name of a grown row or, for a negative number, of a rejection."""
    return f"x{-target}" if target < 0 else str(target)


def _standing(made: Sequence[Decision]) -> Standing | None:
    if not made:
        return None
    edited = next((each for each in reversed(made) if each.action == "edit"), None)
    values = edited or next((each for each in reversed(made) if each.line is not None), None)
    action = "reject" if made[-1].action == "reject" else "edit" if edited else "accept"
    if values is None:
        return Standing(action, None, "{}", "", made[-1])
    return Standing(action, values.line, values.spans_line, values.category, made[-1])


def _is_out(standing: Standing | None) -> bool:
    return standing is not None and not standing.counts
