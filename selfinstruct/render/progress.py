"""A run under way: a bar a category, the totals, the row that was accepted last; or one plain line.

Does not handle: when to draw, or on what.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.records import Row
from selfinstruct.render.text import counted, format_duration, format_number, pad, printable, shorten
from selfinstruct.text import value_text

#: The rate is that of so many last seconds: it changes while a pool grows or an endpoint is busy.
_WINDOW = 20.0
_BAR_CELLS, _LEAST_BAR = 30, 14
_REJECTED, _EXHAUSTED = "rejected", "exhausted"
_NAME_CELLS, _LEAST_NAME = 56, 8
_FIELDS = 4
_ECHO = len("^C^C")
# What is drawn besides the categories: their heading, how many more, blank, totals, what holds calls back, the last
# note, blank, the last row's fields.
_OTHER_LINES = 7 + _FIELDS


@dataclass(slots=True)
class RateMeter:
    """How fast rows come; every time is in seconds of one clock, and ``begun`` is when the run began."""

    begun: float
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, accepted: int, now: float) -> None:
        """Take down how many rows there are now."""
        self._seen.append((now, accepted))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def rate(self, now: float) -> float:
        """Rows a second, lately; 0 while nothing can be said."""
        if len(self._seen) < 2:
            return 0.0
        (start, before), (_, after) = self._seen[0], self._seen[-1]
        return (after - before) / (now - start) if now > start else 0.0

    def left(self, missing: int, now: float) -> float | None:
        """The seconds that so many missing rows take at this rate, or None where nothing can be said."""
        rate = self.rate(now)
        return missing / rate if rate > 0 else None


def totals(snapshot: Snapshot, pace: RateMeter, now: float) -> str:
    """One line for the whole run: rows, rate, time left, what is in flight, what was lost."""
    wanted = sum(category.quota for category in snapshot.categories.values())
    parts = [f"{format_number(snapshot.accepted)} of {counted(wanted, 'row')}"]
    if rate := pace.rate(now):
        parts.append(f"{rate:,.0f} rows/s" if rate >= 9.5 else f"{rate:.1f} rows/s")
    missing = sum(c.quota - c.accepted for c in snapshot.categories.values() if not c.exhausted)
    left = pace.left(missing, now)
    if left is not None and missing:
        parts.append(f"{format_duration(max(left, 1))} left")
    else:
        parts.append(format_duration(now - pace.begun))
    if snapshot.in_flight:
        flying = f"{format_number(snapshot.in_flight)} in flight"
        # Batches that wait for their turn are not in flight.
        pace_ = snapshot.pace
        parts.append(flying if pace_ is None or pace_.unrestricted else f"{format_number(pace_.in_flight)} in flight")
    if rejected := sum(snapshot.rejected.values()):
        parts.append(f"{format_number(rejected)} rejected")
    if failed := sum(snapshot.failed.values()):
        parts.append(f"{format_number(failed)} failed")
    return " · ".join(parts)


def held_back(snapshot: Snapshot) -> str:
    """Why no more calls are in flight than there are, or ""."""
    pace = snapshot.pace
    if pace is None or pace.unrestricted:
        return ""
    return f"at most {format_number(pace.concurrency)} at once: {printable(pace.reason)}"


def board(snapshot: Snapshot | None, pace: RateMeter, now: float, width: int, height: int, *, ascii_only: bool) -> Text:
    """All that a terminal of ``width`` cells and ``height`` lines shows of a run; never more than fits."""
    if snapshot is None:
        return Text(
            f"  waiting for the first reply · {format_duration(now - pace.begun)}", no_wrap=True, overflow="crop"
        )
    text = Text(no_wrap=True, overflow="crop")
    shown = _chosen(snapshot, max(height - _OTHER_LINES - 1, 1))
    text.append_text(_bars(shown, width, ascii_only))
    if hidden := len(snapshot.categories) - len(shown):
        full = sum(1 for name, c in snapshot.categories.items() if name not in shown and c.accepted >= c.quota)
        text.append(f"  and {format_number(hidden)} more, {format_number(full)} of them full\n", "dim")
    # What a terminal echoes of Ctrl-C must not make a line of its own.
    room = width - _ECHO
    text.append(f"\n{shorten(f'  {totals(snapshot, pace, now)}', room)}\n", "bold")
    for said in (held_back(snapshot), printable(snapshot.notes[-1]) if snapshot.notes else ""):
        if said:
            text.append(f"{shorten(f'  {said}', room)}\n", "yellow")
    if snapshot.last_row is not None:
        text.append_text(_row(snapshot.last_row, room))
    text.rstrip()
    return text


def _chosen(snapshot: Snapshot, count: int) -> dict[str, CategoryCount]:
    """The categories to show, in their order: all, or those first that still grow."""
    categories = snapshot.categories
    if len(categories) <= count:
        return dict(categories)
    growing = [name for name, c in categories.items() if c.accepted < c.quota and not c.exhausted]
    short = [name for name, c in categories.items() if c.accepted < c.quota and c.exhausted]
    chosen = {*[*growing, *short, *categories][:count]} if len(growing) + len(short) >= count else {*growing, *short}
    chosen.update(name for name in list(categories)[: count - len(chosen)])
    return {name: c for name, c in categories.items() if name in chosen}


def _bars(categories: dict[str, CategoryCount], width: int, ascii_only: bool) -> Text:
    names = {name: printable(name) for name in categories}
    counts = {name: f"{c.accepted:,}/{c.quota:,}" for name, c in categories.items()}
    column = max(map(len, counts.values()))
    refused = max(len(_REJECTED), *(len(format_number(c.rejected)) for c in categories.values()))
    marked = any(map(gave_up, categories.values()))
    room = width - 1 - sum((2, 2, 2, column, 2, refused, 2 + len(_EXHAUSTED) if marked else 0))
    widest = min(max(map(cell_len, names.values())), _NAME_CELLS, max(room - _LEAST_BAR, _LEAST_NAME))
    cells = max(min(room - widest, _BAR_CELLS), 0)
    text = Text()
    text.append(f"  {'':{widest}}  {'':{cells}}  {'rows':>{column}}  {_REJECTED:>{refused}}\n", "dim")
    for name, category in categories.items():
        style = "green" if category.accepted >= category.quota else "yellow" if category.exhausted else "cyan"
        done, rest = _bar(category.accepted, category.quota, cells, ascii_only)
        text.append(f"  {pad(shorten(names[name], widest), widest)}  ")
        text.append(done, style).append(rest, "dim")
        text.append(f"  {counts[name]:>{column}}", style)
        text.append(f"  {format_number(category.rejected):>{refused}}", "dim")
        text.append(f"  {_EXHAUSTED}\n" if gave_up(category) else "\n", "yellow")
    return text


def gave_up(category: CategoryCount) -> bool:
    """Whether a category is exhausted short of its quota."""
    return category.exhausted and category.accepted < category.quota


def _bar(accepted: int, quota: int, cells: int, ascii_only: bool) -> tuple[str, str]:
    """The done and the open part of a bar; full only where the quota is met."""
    done = cells * min(accepted, quota) // quota if quota else cells
    heavy, light = ("#", "-") if ascii_only else ("━", "─")
    return heavy * done, light * (cells - done)


def _row(row: Row, width: int) -> Text:
    fields = {printable(name): value for name, value in list(row.items())[:_FIELDS]}
    widest = min(max(map(cell_len, fields)), 16)
    text = Text("\n")
    for name, value in fields.items():
        text.append(f"  {pad(shorten(name, widest), widest)}  ", "dim")
        text.append(shorten(printable(value_text(value)[: 4 * width]), width - widest - 4) + "\n")
    return text
