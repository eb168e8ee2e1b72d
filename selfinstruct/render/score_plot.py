"""The geometry of the plot of scores against training rows, for the SVG in ``templates/_score_plot.html``.

The number of rows is on a logarithmic axis, since what doubles the rows matters, not what adds ten. A band is the 95 %
interval of a line.

Does not handle: colours, which the style sheet has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from selfinstruct.analysis.evaluate import Evaluation, Outcome


_LEFT, _RIGHT, _TOP, _BASE = 44, 560, 12, 208
_WIDTH, _HEIGHT = 660, 246


class Mark(NamedTuple):
    """A measured point, and its figures in words."""

    x: float
    y: float
    words: str


class Line(NamedTuple):
    """The points of a family of conditions: its style, its name and where that is written, a path and a band."""

    kind: str
    name: str
    name_y: float
    path: str
    band: str
    marks: tuple[Mark, ...]


class Rule(NamedTuple):
    """A label of an axis, at a place along it."""

    at: float
    words: str


class ScorePlot(NamedTuple):
    """A plot to draw."""

    label: str
    lines: tuple[Line, ...]
    columns: tuple[Rule, ...]
    rows: tuple[Rule, ...]
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    base: int = _BASE
    width: int = _WIDTH
    height: int = _HEIGHT


def score_plot(done: Evaluation) -> ScorePlot:
    """Lay out the scores of the grown rows, of digit swapping and of the full human rows, all from the seeds on."""
    seeds = [each for each in done.outcomes if each.family == "seeds"]
    families = [
        ("grown", "grown rows", [*seeds, *(each for each in done.outcomes if each.family == "grown")]),
        ("digits", "digit swapping", [*seeds, *(each for each in done.outcomes if each.family == "digits")]),
        ("full", "human rows", [each for each in done.outcomes if each.family == "full"]),
    ]
    families = [each for each in families if each[2]]
    counts = sorted({each.rows for _, _, outcomes in families for each in outcomes})
    low, high = math.log(max(counts[0], 1)), math.log(max(counts[-1], 2))

    def x(rows: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (math.log(max(rows, 1)) - low) / max(high - low, 1e-9)

    names = _spread([_y(outcomes[-1].scores.all.value) for _, _, outcomes in families])
    lines = tuple(
        _line(kind, name, [(x(each.rows), each) for each in outcomes], at)
        for (kind, name, outcomes), at in zip(families, names, strict=True)
    )
    columns = tuple(Rule(x(count), f"{count:,}") for count in _apart(counts, x))
    rows = tuple(Rule(_y(share / 4), f"{25 * share} %") for share in range(5))
    return ScorePlot("Exact answers by the number of training rows", lines, columns, rows)


def _line(kind: str, name: str, points: Sequence[tuple[float, Outcome]], name_y: float) -> Line:
    marks = []
    for x, each in points:
        score = each.scores.all
        share = f"{100 * score.value:.1f} % [{100 * score.low:.1f}, {100 * score.high:.1f}]"
        words = f"{each.name}: {share} with {each.rows:,} rows"
        marks.append(Mark(x, _y(score.value), words))
    path = "L".join(f"{mark.x:.1f} {mark.y:.1f}" for mark in marks)
    if len(points) == 1:  # a point has no band: its line is the interval
        x, alone = points[0]
        path = f"{x:.1f} {_y(alone.scores.all.high):.1f}V{_y(alone.scores.all.low):.1f}"
    upper = [f"{x:.1f} {_y(each.scores.all.high):.1f}" for x, each in points]
    lower = [f"{x:.1f} {_y(each.scores.all.low):.1f}" for x, each in reversed(points)]
    return Line(kind, name, name_y, f"M{path}", f"M{'L'.join([*upper, *lower])}Z", tuple(marks))


def _y(share: float) -> float:
    return _BASE - (_BASE - _TOP) * share


def _spread(places: Sequence[float], least: float = 14.0) -> list[float]:
    """The places, moved down where they are closer to each other than ``least``."""
    moved = list(places)
    last = -math.inf
    for at in sorted(range(len(places)), key=lambda at: places[at]):
        moved[at] = last = max(places[at], last + least)
    return moved


def _apart(counts: Sequence[int], x: Callable[[int], float], least: float = 44.0) -> list[int]:
    """The counts whose labels have room beside each other, the last one always."""
    chosen: list[int] = []
    for count in reversed(counts):
        if not chosen or x(chosen[-1]) - x(count) >= least:
            chosen.append(count)
    return chosen[::-1]
