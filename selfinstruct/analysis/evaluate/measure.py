"""The trainings of an evaluation: every condition, several times, with the same effort; then the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from selfinstruct.analysis.evaluate.conditions import Condition, conditions, schedule
from selfinstruct.analysis.evaluate.evaluation import Evaluation, Gain, Outcome, Scores
from selfinstruct.analysis.evaluate.roles import Roles
from selfinstruct.analysis.evaluate.separation import Separation
from selfinstruct.analysis.evaluate.statistics import Bootstrap
from selfinstruct.analysis.evaluate.templates import is_new
from selfinstruct.errors import InputError
from selfinstruct.readers import Example, Reader
from selfinstruct.similarity import NoveltyIndex
from selfinstruct.text import caseless

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

#: With fewer test rows nothing is reported.
LEAST_TEST_ROWS = 10
#: Each training sees this many times as many examples as the most rows of a condition, within limits.
_PASSES, _LEAST_UPDATES, _MOST_UPDATES = 4, 2000, 20_000


@dataclass(frozen=True, slots=True)
class EvaluationData:
    """The examples of each origin, and how many rows of it had no usable value."""

    seeds: Sequence[Example]
    grown: Sequence[Example]
    holdout: Sequence[Example]
    full: Sequence[Example] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure: the reader for each random seed, how many trainings of each condition, how many examples each.

    ``updates`` is None for a number that follows from the rows.
    """

    make_reader: Callable[[int], Reader]
    reader: str
    trainings: int
    updates: int | None
    seed: int


def measure(
    data: EvaluationData,
    roles: Roles,
    settings: Settings,
    holdout_name: str,
    watch: Callable[[int, int, str], None] = lambda done, total, name: None,
) -> Evaluation:
    """Train readers under every condition and ask them about the held-out rows.

    ``watch`` is called with the number of trainings done, of all of them, and the name of the next condition. Raises
    InputError if too few rows are left on one side.
    """
    _require_rows(data, roles, holdout_name)
    apart = Separation(data.holdout)
    removed: dict[str, dict[str, int]] = {}
    seeds, removed["seeds"] = apart.kept(data.seeds)
    grown, removed["grown"] = apart.kept(data.grown)
    full, removed["full"] = apart.kept(data.full)
    for name, rows in (("seed", seeds), ("grown row", grown)):
        if not rows:
            raise InputError(
                "{file}: every {name} is in it, or nearly",
                hint="Hold out rows that are not those the run was grown from.",
                file=holdout_name,
                name=name,
            )
    planned = list(conditions(seeds, grown, full, roles.task))
    sizes = {each.name: len(each.rows(settings.seed)) for each in planned}
    updates = settings.updates or min(max(_PASSES * max(sizes.values()), _LEAST_UPDATES), _MOST_UPDATES)
    right = _train_all(planned, data.holdout, settings, updates, watch)
    most = max((each for each in planned if each.family == "grown"), key=lambda each: sizes[each.name])
    for name, answers in _copied(most.rows(settings.seed), data.holdout).items():
        right[name] = _repeated(answers, data.holdout, settings.trainings)
        sizes[name] = sizes[most.name]
    new = is_new(data.holdout, [*seeds, *grown])
    return Evaluation(
        task=roles.task,
        fields={"question": [roles.question] if roles.question else [], "answer": [roles.answer]}
        | {"context": list(roles.contexts)},
        reader=settings.reader,
        holdout=holdout_name,
        updates=updates,
        trainings=settings.trainings,
        seed=settings.seed,
        rows={"seeds": len(seeds), "grown": len(grown), "full": len(full), "holdout": len(data.holdout)}
        | {"new": sum(new)},
        removed={origin: counts for origin, counts in removed.items() if counts},
        skipped={origin: count for origin, count in data.skipped.items() if count},
        outcomes=tuple(_outcomes(planned, right, sizes, new, settings.seed)),
    )


def _require_rows(data: EvaluationData, roles: Roles, holdout_name: str) -> None:
    """Raise InputError unless there are rows of each origin."""
    if not data.seeds or not data.grown:
        what = "seed" if not data.seeds else "grown row"
        raise InputError(
            "no {what} has a value in {fields}",
            hint="Here {roles}.",
            what=what,
            fields=", ".join(roles.fields),
            roles=roles.words,
        )
    if len(data.holdout) < LEAST_TEST_ROWS:
        raise InputError(
            "{file}: {holdout} rows with a value in {fields}; expected at least {least}",
            hint="Here {roles}.",
            file=holdout_name,
            holdout=len(data.holdout),
            fields=", ".join(roles.fields),
            least=LEAST_TEST_ROWS,
            roles=roles.words,
        )


def _train_all(
    planned: Sequence[Condition],
    test: Sequence[Example],
    settings: Settings,
    updates: int,
    watch: Callable[[int, int, str], None],
) -> dict[str, NDArray[numpy.float64]]:
    """Whether each test row is answered, by condition: a line for each training."""
    import numpy as np

    right = {}
    total = len(planned) * settings.trainings
    for at, condition in enumerate(planned):
        lines = []
        for turn in range(settings.trainings):
            watch(at * settings.trainings + turn, total, condition.name)
            seed = settings.seed + turn
            reader = settings.make_reader(seed)
            reader.fit(schedule(condition.rows(seed), updates, Random(f"order {seed}")))
            lines.append([is_right(reader.predict(row.question, row.context).answer, row) for row in test])
        right[condition.name] = np.array(lines, float)
    watch(total, total, "")
    return right


def is_right(answer: str, row: Example) -> bool:
    """Whether an answer is that of a row: the same text, letter case and outer white space aside."""
    return caseless(answer) == caseless(row.answer)


def _copied(training: Sequence[Example], test: Sequence[Example]) -> dict[str, list[str]]:
    """The answers without any reader: that of the most similar training row, and the most frequent one."""
    index = NoveltyIndex()
    index.add_all(f"{row.question}\n{row.context}" for row in training)
    nearest = [index.k_nearest(f"{row.question}\n{row.context}", 1)[0][0] for row in test]
    majority = Counter(row.answer for row in training).most_common(1)[0][0]
    return {"nearest": [training[at].answer for at in nearest], "majority": [majority] * len(test)}


def _repeated(answers: Sequence[str], test: Sequence[Example], trainings: int) -> NDArray[numpy.float64]:
    import numpy as np

    line = [is_right(answer, row) for answer, row in zip(answers, test, strict=True)]
    return np.array([line] * trainings, float)


def _outcomes(
    planned: Sequence[Condition],
    right: Mapping[str, NDArray[numpy.float64]],
    sizes: Mapping[str, int],
    new: Sequence[bool],
    seed: int,
) -> list[Outcome]:
    import numpy as np

    trainings, rows = next(iter(right.values())).shape
    chosen = np.flatnonzero(new)
    on_all = Bootstrap(trainings, rows, seed=seed)
    on_new = Bootstrap(trainings, len(chosen), seed=seed) if len(chosen) >= LEAST_TEST_ROWS else None

    def scores(values: NDArray[numpy.float64]) -> Scores:
        return Scores(on_all.mean(values), None if on_new is None else on_new.mean(values[:, chosen]))

    families = {each.name: (each.family, each.over) for each in planned}
    outcomes = []
    for name, values in right.items():
        family, over = families.get(name, (name, ()))
        gains = tuple(Gain(other, scores(values - right[other])) for other in over)
        outcomes.append(Outcome(name, family, sizes[name], scores(values), gains))
    return outcomes
