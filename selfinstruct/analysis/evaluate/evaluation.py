"""The result of an evaluation: scores by condition, with intervals, and what is gained over the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean share of exact answers, or a difference of two.

    ``low`` and ``high`` are the ends of the 95 % interval of its ``value``.
    """

    value: float
    low: float
    high: float

    @property
    def is_measurable(self) -> bool:
        """Whether a difference is one: whether its interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Scores:
    """A figure over ``all`` test rows, and over the ``new`` ones: their template is in no training row.

    ``new`` is None if these are too few.
    """

    all: Interval
    new: Interval | None


@dataclass(frozen=True, slots=True)
class Gain:
    """The gain of a condition over another one, ``over``.

    ``scores`` are the differences, paired by training and test row.
    """

    over: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reader scores under one condition, ``name``: its ``scores``, and its ``gains`` over other conditions.

    ``family`` is ``seeds``, ``digits``, ``grown``, ``shuffled``, ``full``, ``full+grown``, ``nearest`` or
    ``majority``; ``rows`` is the number of rows in training.
    """

    name: str
    family: str
    rows: int
    scores: Scores
    gains: Sequence[Gain] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What training on grown rows brings.

    ``task`` is ``span`` or ``label``. ``fields`` maps each role to its fields. ``reader`` is the model that was
    trained, ``holdout`` names the rows that it was tested on, ``seed`` is the random seed. ``outcomes`` has what it
    scored under each condition. ``rows`` counts the rows that are used, ``removed`` those that were too close to a test
    row, by origin and reason, ``skipped`` those without a usable value. ``updates`` is the number of examples that each
    training sees, ``trainings`` how many there were of each condition.
    """

    task: str
    fields: Mapping[str, Sequence[str]]
    reader: str
    holdout: str
    updates: int
    trainings: int
    seed: int
    rows: Mapping[str, int]
    removed: Mapping[str, Mapping[str, int]]
    skipped: Mapping[str, int]
    outcomes: Sequence[Outcome]

    def outcome(self, name: str) -> Outcome | None:
        """Return the outcome of a condition, None if it was not measured."""
        return next((each for each in self.outcomes if each.name == name), None)

    @property
    def grown(self) -> Outcome | None:
        """The outcome of the most grown rows."""
        return max((each for each in self.outcomes if each.family == "grown"), key=lambda each: each.rows, default=None)

    @property
    def gap_closed(self) -> float | None:
        """How much of the gap between the seeds and the full human rows the grown rows close; None without a gap."""
        seeds, full, grown = self.outcome("seeds"), self.outcome("full"), self.grown
        if seeds is None or full is None or grown is None:
            return None
        gap = full.scores.all.value - seeds.scores.all.value
        return (grown.scores.all.value - seeds.scores.all.value) / gap if gap > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as JSON; ``from_dict`` is the inverse."""
        return {**asdict(self), "gap_closed": self.gap_closed}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Evaluation:
        """Read an evaluation from its JSON. Raises KeyError, TypeError or ValueError if it is not one."""
        known = {name: value[name] for name in cls.__slots__ if name != "outcomes"}
        return cls(**known, outcomes=tuple(_outcome(each) for each in value["outcomes"]))


def _outcome(value: Mapping[str, Any]) -> Outcome:
    gains = tuple(Gain(str(each["over"]), _scores(each["scores"])) for each in value["gains"])
    return Outcome(str(value["name"]), str(value["family"]), int(value["rows"]), _scores(value["scores"]), gains)


def _scores(value: Mapping[str, Any]) -> Scores:
    return Scores(_interval(value["all"]), None if value["new"] is None else _interval(value["new"]))


def _interval(value: Mapping[str, Any]) -> Interval:
    return Interval(float(value["value"]), float(value["low"]), float(value["high"]))
