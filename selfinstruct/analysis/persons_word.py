"""A person's decisions while the replies of a run are judged again: each one applies where it was made.

Does not handle: demonstrations, which the recorded batches name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

from selfinstruct.growth import apply_change, compare_with
from selfinstruct.journal import BY_PERSON, Decisions, History
from selfinstruct.preparation import JudgingState
from selfinstruct.records import Judgement
from selfinstruct.rows import to_json

#: The call and the position of a candidate.
Place: TypeAlias = tuple[int, int]


class PersonsWord:
    """What a person decided about the candidates of a run, by their places."""

    def __init__(self, history: History) -> None:
        self._decisions = history.decisions
        self._due = deque(history.decisions.log)
        self._applied = Decisions()
        targets = dict.fromkeys(decision.target for decision in self._due)
        found = {target: outcome for target in targets if (outcome := history.outcome_of(target)) is not None}
        self._places: dict[int, Place] = {target: (each.call, each.position) for target, each in found.items()}
        self._targets = {place: target for target, place in self._places.items()}
        self._own_lines = {target: row.line for target in found if target > 0 and (row := history.row(target))}
        self._judged: dict[Place, str | None] = {}

    def note(self, place: Place, judgement: Judgement) -> None:
        """Remember how the checks judge a candidate that a person has decided about."""
        if place in self._targets:
            self._judged[place] = judgement.category if judgement.rejection is None else None

    def apply_before(self, call: int, judging: JudgingState) -> None:
        """Apply the decisions that were made before the batch of this call was judged."""
        while self._due and self._due[0].after_call < call:
            decision = self._due.popleft()
            change, place = self._applied.add(decision), self._places.get(decision.target)
            if change is not None and place is not None:
                apply_change(change, self._judged.get(place), judging.progress)
                compare_with(decision, judging.pool)

    def final(self, place: Place, judgement: Judgement) -> tuple[str, str]:
        """The reason why a candidate does not count, "" if it does; and then its row as a line of JSON.

        The line of a rejection that a person accepted is "": such rows come last.
        """
        target = self._targets.get(place)
        standing = None if target is None else self._decisions.of(target)
        refused = judgement.rejection.reason if judgement.rejection is not None else ""
        own = "" if judgement.candidate.row is None else to_json(judgement.candidate.row)
        if target is None or standing is None:
            return refused, own
        if not standing.counts:
            return refused or BY_PERSON, ""
        if target < 0:
            return "", ""
        return "", standing.line or (self._own_lines[target] if refused else own)

    @property
    def accepted_lines(self) -> Iterator[str]:
        """The rows of the rejections that a person accepted, in the order of the data set."""
        return (standing.line for _, standing in self._decisions.accepted_rejections if standing.line is not None)
