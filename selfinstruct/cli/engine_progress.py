"""Progress of work in stages: a live line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from selfinstruct.cli.progress import show_line
from selfinstruct.messages import Phrase, _, translated

if TYPE_CHECKING:
    from rich.console import Console

    from selfinstruct.engines import Cost, Progress

_STAGES = {
    "read": Phrase("reading the rows"),
    "label": Phrase("counting labels"),
    "describe": Phrase("describing the rows"),
    "match": Phrase("finding equal rows"),
    "count": Phrase("counting tokens"),
    "merge": Phrase("adding up the counts"),
    "encode": Phrase("filing the rows"),
    "copies": Phrase("finding exact copies"),
    "join": Phrase("finding pairs"),
    "compare": Phrase("comparing pairs"),
    "examine": Phrase("examining the rows"),
    "write": Phrase("writing the rows"),
    "place": Phrase("putting the files together"),
    "remove": Phrase("removing the checkpoints"),
}
#: Ratio of the most to the fewest pairs from which on both are shown.
_WIDE = 1.5


@contextlib.contextmanager
def show_engine(screen: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[Progress], None]]:
    """Context manager that yields a callback for the progress of an engine."""
    told = False
    with show_line(screen, clock) as show:

        def watch(progress: Progress) -> None:
            nonlocal told
            if progress.cost is not None and not told:
                told = True
                screen.print(cost_line(progress.cost), soft_wrap=True)
            show(progress_line(progress))

        yield watch


def cost_line(cost: Cost) -> str:
    """What to expect.

    >>> from selfinstruct.engines import Cost
    >>> cost_line(Cost(1_000_000, 600_000, 1_200_000_000, 3_000_000, 2_700_000, 3_300_000, 90.0))
    'expected of 1,000,000 rows: 1.2 GB of work files, 3,000,000 pairs to compare, 1 min 30 s of processor time'
    >>> cost_line(Cost(100_000, 90_000, 1_200_000_000, 300_000, 130_000, 540_000, 90.0))
    'expected of 100,000 rows: 1.2 GB of work files, 130,000 to 540,000 pairs to compare, 1 min 30 s of processor time'
    """
    from selfinstruct.render.text import format_duration, format_size, two_digits

    size, time, pairs = format_size(cost.size), format_duration(cost.seconds), two_digits(cost.pairs)
    if cost.most_pairs < _WIDE * cost.fewest_pairs:
        return _(
            "expected of {rows:,} rows: {size} of work files, {pairs:,} pairs to compare, {time} of processor time",
            rows=cost.rows,
            size=size,
            pairs=pairs,
            time=time,
        )
    return _(
        "expected of {rows:,} rows: {size} of work files, {fewest:,} to {most:,} pairs to compare, {time} of processor "
        "time",
        rows=cost.rows,
        size=size,
        fewest=two_digits(cost.fewest_pairs),
        most=two_digits(cost.most_pairs),
        time=time,
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
