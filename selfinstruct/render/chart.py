"""Histograms as inline SVG, without script and without style attributes: classes are coloured by the page.

Does not handle: anything but two distributions over the same steps.
"""

from __future__ import annotations

from selfinstruct.analysis.metrics import Histogram

_WIDTH, _HEIGHT, _BASE, _TOP = 320, 132, 108, 10


def histogram_svg(histogram: Histogram, label: str, *, decimals: int = 0) -> str:
    """Bars for the grown rows, a stepped outline for the seeds where there are any, the ends of the axis in figures.

    ``label`` is read aloud instead of the picture; it must be escaped already.
    """
    count = len(histogram.grown)
    most = max(*histogram.grown, *histogram.seeds, 1e-9)
    cell = _WIDTH / count
    bars, steps = [], [f"M0 {_BASE}"]
    seeded = any(histogram.seeds)
    for at, (grown, seeds) in enumerate(zip(histogram.grown, histogram.seeds, strict=True)):
        left = at * cell
        low = histogram.low + at * histogram.step
        span = f"{low:.{decimals}f} to {low + histogram.step - (0 if decimals else 1):.{decimals}f}"
        beside = f", {seeds:.0%} of the seeds" if seeded else ""
        title = f"<title>{span}: {grown:.0%} of the grown rows{beside}</title>"
        height = (_BASE - _TOP) * grown / most
        bars.append(
            f'<rect class="grown" x="{left + 1:.2f}" y="{_BASE - height:.2f}" width="{cell - 2:.2f}" '
            f'height="{height:.2f}" rx="1"></rect>'
            f'<rect class="hover" x="{left:.2f}" y="{_TOP}" width="{cell:.2f}" height="{_BASE - _TOP}">{title}</rect>'
        )
        top = _BASE - (_BASE - _TOP) * seeds / most
        steps.append(f"V{top:.2f}H{left + cell:.2f}")
    steps.append(f"V{_BASE}")
    outline = f'<path class="seeds" d="{"".join(steps)}"></path>' if seeded else ""
    last = histogram.low + count * histogram.step - (0 if decimals else 1)
    ends = [(0, "start", histogram.low), (count, "end", last)]
    if count % 2 == 0:
        ends.insert(1, (count // 2, "middle", histogram.low + count // 2 * histogram.step))
    ticks = "".join(
        f'<text x="{at * cell:.0f}" y="{_BASE + 16}" text-anchor="{anchor}">{value:,.{decimals}f}</text>'
        for at, anchor, value in ends
    )
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<path class="axis" d="M0 {_BASE}.5H{_WIDTH}"></path>{"".join(bars)}{outline}{ticks}</svg>'
    )


def bar_svg(share: float, kind: str, label: str) -> str:
    """One horizontal bar: ``share`` in [0, 1] of the room there is; ``kind`` is a class of the page."""
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        f'<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'<rect class="track" width="100" height="8"></rect><rect class="{kind}" width="{width:.2f}" height="8"></rect>'
        "</svg>"
    )
