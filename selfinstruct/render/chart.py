"""The geometry of histograms, bars and growth curves, for the SVG in ``templates/_charts.html``.

Does not handle: colours, which the style sheet has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from selfinstruct.analysis.report import Histogram

_WIDTH, _WIDE, _HEIGHT, _BASE, _TOP = 320, 660, 136, 110, 10


class Column(NamedTuple):
    """One step of a histogram: its left edge and width, the top and height of its bar, and its figures in words."""

    left: float
    width: float
    top: float
    height: float
    words: str


class Tick(NamedTuple):
    """One label of the horizontal axis; ``anchor`` is start, middle or end."""

    x: float
    anchor: str
    words: str


class Chart(NamedTuple):
    """A histogram to draw: bars for the grown rows, and a stepped ``outline`` for the seeds ("" without seeds)."""

    title: str
    caption: str
    label: str
    columns: tuple[Column, ...]
    outline: str
    ticks: tuple[Tick, ...]
    width: int = _WIDTH
    height: int = _HEIGHT
    base: int = _BASE
    top: int = _TOP


def chart(histogram: Histogram, title: str, caption: str, label: str, *, decimals: int = 0) -> Chart:
    """Lay out a histogram. ``label`` describes it to a screen reader; figures are rounded to ``decimals`` places."""
    count = len(histogram.grown)
    most = max(*histogram.grown, *histogram.seeds, 1e-9)
    cell = _WIDTH / count
    seeded = any(histogram.seeds)
    unit = 0 if decimals else 1  # a step of whole numbers ends one before the next begins
    columns, steps = [], [f"M0 {_BASE}"]
    for at, (grown, seeds) in enumerate(zip(histogram.grown, histogram.seeds, strict=True)):
        low = histogram.low + at * histogram.step
        high = low + histogram.step - unit
        span = f"{low:.{decimals}f}" if high == low else f"{low:.{decimals}f} to {high:.{decimals}f}"
        beside = f", {seeds:.0%} of the seeds" if seeded else ""
        height = (_BASE - _TOP) * grown / most
        words = f"{span}: {grown:.0%} of the grown rows{beside}"
        columns.append(Column(at * cell, cell, _BASE - height, height, words))
        steps.append(f"V{_BASE - (_BASE - _TOP) * seeds / most:.2f}H{(at + 1) * cell:.2f}")
    outline = "".join([*steps, f"V{_BASE}"]) if seeded else ""
    ends = [(0, "start", histogram.low), (count, "end", histogram.low + count * histogram.step - unit)]
    if count % 2 == 0:
        ends.insert(1, (count // 2, "middle", histogram.low + count // 2 * histogram.step))
    ticks = tuple(Tick(at * cell, anchor, f"{value:,.{decimals}f}") for at, anchor, value in ends)
    return Chart(title, caption, label, tuple(columns), outline, ticks)


def percent(share: float) -> float:
    """A share as a percentage within [0, 100], for the length of a bar."""
    return 100 * min(max(share, 0.0), 1.0)


class Curve(NamedTuple):
    """A growing count to draw: the ``line`` and the area below it, and the ``limit`` that it could have followed."""

    line: str
    area: str
    limit: str
    label: str
    right: str
    top_words: str
    width: int = _WIDE
    height: int = _HEIGHT
    base: int = _BASE
    top: int = _TOP


def curve(along: Sequence[int], counts: Sequence[int], label: str, limit: bool = True) -> Curve:
    """Lay out ``counts`` over ``along``, both growing from 0. With ``limit``, also the line on which both are equal."""
    right, most = max(along[-1], 1), max(counts[-1], 1)
    points = [
        f"{_WIDE * x / right:.1f} {_BASE - (_BASE - _TOP) * y / most:.1f}" for x, y in zip(along, counts, strict=True)
    ]
    line = "M" + "L".join(points)
    # Where all is accepted, the line of equal numbers ends at the top before the right edge.
    end = f"{_WIDE * min(most / right, 1.0):.1f} {_TOP}"
    return Curve(
        line,
        f"{line}L{_WIDE} {_BASE}L0 {_BASE}Z",
        f"M0 {_BASE}L{end}" if limit else "",
        label,
        f"{right:,}",
        f"{most:,}",
    )
