"""Progress of a run: a live display on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from selfinstruct.messages import _, translated

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from selfinstruct.events import Snapshot
    from selfinstruct.records import Row

#: Seconds between two lines in a log or a pipe.
_INTERVAL = 10.0
_REFRESH_RATE = 8
#: Accepted rows that a terminal shows as they come, so that a mistake is seen early.
_FIRST_ROWS = 3


@contextlib.contextmanager
def show_progress(screen: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[Snapshot], None]]:
    """Context manager that yields a callback for progress snapshots and clears the live display on exit."""
    if screen.is_terminal and not screen.is_dumb_terminal:
        with _board(screen, clock) as watch:
            yield watch
    else:
        yield _lines(screen, clock)


@contextlib.contextmanager
def _board(screen: Console, clock: Callable[[], float]) -> Iterator[Callable[[Snapshot], None]]:
    from rich.live import Live

    from selfinstruct.render.progress import RateMeter, board
    from selfinstruct.render.text import printable, shorten
    from selfinstruct.rows import to_json

    pace = RateMeter(clock())
    latest: Snapshot | None = None
    shown: list[Row] = []

    def draw() -> Text:
        plain = screen.options.ascii_only
        return board(latest, pace, clock(), screen.width, screen.height, ascii_only=plain)

    def watch(snapshot: Snapshot) -> None:
        nonlocal latest
        latest = snapshot
        pace.note(snapshot.accepted, clock())
        row = snapshot.last_row
        if row is not None and len(shown) < _FIRST_ROWS and row not in shown:
            shown.append(row)
            screen.print(shorten(printable(to_json(row)), screen.width), soft_wrap=True)

    # Rich draws in its own thread, so that the clock advances while replies are awaited.
    with Live(
        get_renderable=draw,
        console=screen,
        refresh_per_second=_REFRESH_RATE,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield watch


def _lines(screen: Console, clock: Callable[[], float]) -> Callable[[Snapshot], None]:
    from selfinstruct.render.progress import RateMeter, held_back, totals
    from selfinstruct.render.text import printable

    pace = RateMeter(clock())
    said = clock()
    noted = 0

    def watch(snapshot: Snapshot) -> None:
        nonlocal said, noted
        now = clock()
        pace.note(snapshot.accepted, now)
        for note in snapshot.notes[noted:]:
            screen.print(printable(translated(note)), soft_wrap=True)
        noted = max(noted, len(snapshot.notes))
        if now - said >= _INTERVAL:
            said = now
            held = held_back(snapshot)
            screen.print(totals(snapshot, pace, now) + (f" · {held}" if held else ""), soft_wrap=True)

    return watch


@contextlib.contextmanager
def show_count(
    screen: Console, what: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int], None]]:
    """Context manager that yields a callback ``(rows, count)``: how many rows were read, how many of them are ``what``.

    Shown on a terminal only.
    """
    if not screen.is_terminal or screen.is_dumb_terminal:
        yield lambda rows, count: None
        return
    from rich.live import Live
    from rich.text import Text

    from selfinstruct.render.text import counted, format_number

    begun = clock()
    rows = count = 0

    def draw() -> Text:
        rate = _("{rate:,.0f} rows/s", rate=rows / max(clock() - begun, 0.1))
        read = translated(counted(rows, "row"))
        return Text(f"  {read} · {format_number(count)} {what} · {rate}", "bold", no_wrap=True)

    def watch(done: int, of_those: int) -> None:
        nonlocal rows, count
        rows, count = done, of_those

    with Live(get_renderable=draw, console=screen, refresh_per_second=_REFRESH_RATE, transient=True):
        yield watch


@contextlib.contextmanager
def show_trainings(
    screen: Console, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int, str], None]]:
    """Context manager that yields a callback ``(done, total, name)``: trainings done, and what the next one is of.

    A live line on a terminal, a plain line every few seconds elsewhere.
    """
    from selfinstruct.render.text import counted, format_duration

    begun = clock()

    def words(done: int, total: int, name: str) -> str:
        left = (clock() - begun) / done * (total - done) if done else 0.0
        parts = [_("{done} of {trainings} done", done=done, trainings=counted(total, "training"))]
        if done and left:
            parts.append(_("about {time} left", time=format_duration(left)))
        return " · ".join([*parts, *([name] if name else [])])

    with show_line(screen, clock) as show:
        yield lambda done, total, name: show(words(done, total, name))


@contextlib.contextmanager
def show_line(screen: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[str], None]]:
    """Context manager that yields a callback for a line that changes: live on a terminal.

    Elsewhere the line is printed, every few seconds.
    """
    line, said = "", clock()
    if not screen.is_terminal or screen.is_dumb_terminal:

        def report(text: str) -> None:
            nonlocal said
            if clock() - said >= _INTERVAL:
                said = clock()
                screen.print(text, soft_wrap=True)

        yield report
        return
    from rich.live import Live
    from rich.text import Text

    def watch(text: str) -> None:
        nonlocal line
        line = f"  {text}"

    with Live(
        get_renderable=lambda: Text(line, "bold", no_wrap=True),
        console=screen,
        refresh_per_second=_REFRESH_RATE,
        transient=True,
    ):
        yield watch


@contextlib.contextmanager
def show_stages(screen: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Context manager that yields a callback ``(name, done, total)``: what is being done, and how much of it.

    Shown on a terminal only.
    """
    if not screen.is_terminal or screen.is_dumb_terminal:
        yield lambda name, done, total: None
        return
    with show_line(screen) as show:
        yield lambda name, done, total: show(name + (f" {done / total:4.0%}" if total > 1 else ""))
