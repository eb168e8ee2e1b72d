"""Progress of work in stages: a live line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from selfinstruct.messages import Phrase, _, translated

if TYPE_CHECKING:
    from rich.console import Console

    from selfinstruct.engines import Cost, Progress

#: Seconds between two lines in a log or a pipe.
_INTERVAL = 10.0
_REFRESH_RATE = 8
_STAGES = {
    "read": Phrase("reading the rows"),
    "count": Phrase("counting tokens"),
    "merge": Phrase("adding up the counts"),
    "encode": Phrase("filing the rows"),
    "copies": Phrase("finding exact copies"),
    "join": Phrase("finding pairs"),
    "compare": Phrase("comparing pairs"),
    "write": Phrase("writing the rows"),
}


@contextlib.contextmanager
def show_engine(screen: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[Progress], None]]:
    """Context manager that yields a callback for the progress of an engine."""
    said, line, told = clock(), "", False

    def tell(progress: Progress) -> None:
        nonlocal told
        if progress.cost is not None and not told:
            told = True
            screen.print(cost_line(progress.cost), soft_wrap=True)

    if not screen.is_terminal or screen.is_dumb_terminal:

        def report(progress: Progress) -> None:
            nonlocal said
            tell(progress)
            if clock() - said >= _INTERVAL:
                said = clock()
                screen.print(progress_line(progress), soft_wrap=True)

        yield report
        return
    from rich.live import Live
    from rich.text import Text

    def watch(progress: Progress) -> None:
        nonlocal line
        tell(progress)
        line = f"  {progress_line(progress)}"

    with Live(
        get_renderable=lambda: Text(line, "bold", no_wrap=True),
        console=screen,
        refresh_per_second=_REFRESH_RATE,
        transient=True,
    ):
        yield watch


def cost_line(cost: Cost) -> str:
    """What to expect.

    >>> from selfinstruct.engines import Cost
    >>> cost_line(Cost(1_000_000, 600_000, 1_200_000_000, 3_000_000, 90.0))
    'expected of 1,000,000 rows: 1.2 GB of work files, 3,000,000 pairs to compare, 1 min 30 s of processor time'
    """
    from selfinstruct.render.text import format_duration, format_size, two_digits

    return _(
        "expected of {rows:,} rows: {size} of work files, {pairs:,} pairs to compare, {time} of processor time",
        rows=cost.rows,
        size=format_size(cost.size),
        pairs=two_digits(cost.pairs),
        time=format_duration(cost.seconds),
    )


def progress_line(progress: Progress) -> str:
    """What is being done, how many rows are decided on, and how much was written.

    >>> from selfinstruct.engines import Progress
    >>> progress_line(Progress("join", 3, 8, 2_500_000, 16_384, 100_000))
    'finding pairs 3/8 · 16,384 of 100,000 rows decided · 2.5 MB of work files'
    """
    from selfinstruct.render.text import format_size

    parts = [f"{translated(_STAGES[progress.stage])} {progress.done}/{progress.tasks}"]
    if progress.rows:
        parts.append(_("{settled:,} of {rows:,} rows decided", settled=progress.settled, rows=progress.rows))
    return " · ".join([*parts, _("{size} of work files", size=format_size(progress.size))])
