"""A run in progress: a bar for each category, the totals, the row accepted last; or one plain line.

Does not handle: when to draw, or where.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.events import CategoryCount, JobProgress, Snapshot
from selfinstruct.messages import Phrase, _, translated
from selfinstruct.records import Row
from selfinstruct.render.text import counted, format_duration, format_number, pad, pad_left, printable, shorten, span
from selfinstruct.text import value_text

#: The rate is measured over this many last seconds: it changes as the pool grows or the endpoint gets busy.
_WINDOW = 20.0
_BAR_CELLS, _LEAST_BAR = 30, 14
_NAME_CELLS, _LEAST_NAME = 56, 8
_FIELDS = 4
_ECHO = len("^C^C")
_STATES: dict[str, str] = {
    "uploading": Phrase("uploading"),
    "validating": Phrase("validating"),
    "in_progress": Phrase("in progress"),
    "finalizing": Phrase("finalizing"),
    "cancelling": Phrase("cancelling"),
    "downloading": Phrase("downloading"),
}
# Lines besides the categories: heading, how many more, blank, totals, the limit on calls, the last note, blank, and the
# fields of the last row.
_OTHER_LINES = 7 + _FIELDS


@dataclass(slots=True)
class RateMeter:
    """The rate of accepted rows; times are in seconds of one clock, ``begun`` is the start of the run."""

    begun: float
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, accepted: int, now: float) -> None:
        """Record the number of accepted rows."""
        self._seen.append((now, accepted))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def rate(self, now: float) -> float:
        """Recent rows per second; 0 while unknown."""
        if len(self._seen) < 2:
            return 0.0
        (start, before), (_, after) = self._seen[0], self._seen[-1]
        return (after - before) / (now - start) if now > start else 0.0

    def left(self, missing: int, now: float) -> float | None:
        """Seconds until ``missing`` rows are accepted at this rate; None while unknown."""
        rate = self.rate(now)
        return missing / rate if rate > 0 else None


def totals(snapshot: Snapshot, pace: RateMeter, now: float) -> str:
    """One line for the whole run: rows, rate, time left, requests in flight, rejections, failures."""
    wanted = sum(category.quota for category in snapshot.categories.values())
    parts = [_("{accepted:,} of {rows}", accepted=snapshot.accepted, rows=counted(wanted, "row"))]
    if rate := pace.rate(now):
        parts.append(_("{rate:,.0f} rows/s", rate=rate) if rate >= 9.5 else _("{rate:.1f} rows/s", rate=rate))
    missing = sum(c.quota - c.accepted for c in snapshot.categories.values() if not c.exhausted)
    left = pace.left(missing, now)
    if left is not None and missing:
        parts.append(_("{time} left", time=format_duration(max(left, 1))))
    else:
        parts.append(translated(format_duration(now - pace.begun)))
    if snapshot.tokens_left is not None:
        parts.append(_("{tokens} tokens left", tokens=span(snapshot.tokens_left)))
    if snapshot.in_flight:
        # Batches that wait for a free slot are not in flight.
        limit = snapshot.pace
        flying = snapshot.in_flight if limit is None or limit.unrestricted else limit.in_flight
        parts.append(_("{count:,} in flight", count=flying))
    if rejected := sum(snapshot.rejected.values()):
        parts.append(_("{count:,} rejected", count=rejected))
    if failed := sum(snapshot.failed.values()):
        parts.append(_("{count:,} failed", count=failed))
    return " · ".join(parts)


def held_back(snapshot: Snapshot) -> str:
    """What batch jobs are doing, or why the number of calls in flight is limited, or ""."""
    pace = snapshot.pace
    if pace is not None and pace.batch is not None:
        return _jobs(pace.batch)
    if pace is None or pace.unrestricted:
        return ""
    why = printable(translated(pace.reason))
    return _("at most {count:,} at once: {why}", count=pace.concurrency, why=why)


def _jobs(progress: JobProgress) -> str:
    """The batch jobs that are awaited: their state, how far they are, and for how long they have been awaited."""
    parts = [
        _(
            "{jobs}: {state}",
            jobs=counted(progress.jobs, "batch job"),
            state=_STATES.get(progress.state, progress.state),
        )
    ]
    if progress.state in ("in_progress", "cancelling"):
        requests = counted(progress.total, "request")
        parts.append(_("{done:,} of {requests} done", done=progress.done, requests=requests))
    waited = translated(format_duration(progress.seconds))
    return " · ".join([*parts, _("waiting for {time}", time=waited)])


def board(snapshot: Snapshot | None, pace: RateMeter, now: float, width: int, height: int, *, ascii_only: bool) -> Text:
    """The live display of a run, for a terminal of ``width`` cells and ``height`` lines; it always fits."""
    if snapshot is None:
        waited = translated(format_duration(now - pace.begun))
        return Text(f"  {_('waiting for the first reply')} · {waited}", no_wrap=True, overflow="crop")
    text = Text(no_wrap=True, overflow="crop")
    shown = _chosen(snapshot, max(height - _OTHER_LINES - 1, 1))
    text.append_text(_bars(shown, width, ascii_only))
    if hidden := len(snapshot.categories) - len(shown):
        full = sum(1 for name, c in snapshot.categories.items() if name not in shown and c.accepted >= c.quota)
        text.append(f"  {_('and {hidden:,} more, {full:,} full', hidden=hidden, full=full)}\n", "dim")
    # Leave room for the ^C that a terminal echoes, so that it does not wrap.
    room = width - _ECHO
    text.append(f"\n{shorten(f'  {totals(snapshot, pace, now)}', room)}\n", "bold")
    for said in (held_back(snapshot), printable(translated(snapshot.notes[-1])) if snapshot.notes else ""):
        if said:
            text.append(f"{shorten(f'  {said}', room)}\n", "yellow")
    if snapshot.last_row is not None:
        text.append_text(_row(snapshot.last_row, room))
    text.rstrip()
    return text


def _chosen(snapshot: Snapshot, count: int) -> dict[str, CategoryCount]:
    """The categories to show, in their order: all that fit, those still growing first."""
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
    column = max(cell_len(_("rows")), *map(len, counts.values()))
    rejected, exhausted = _("rejected"), _("exhausted")
    refused = max(cell_len(rejected), *(len(format_number(c.rejected)) for c in categories.values()))
    marked = any(map(gave_up, categories.values()))
    room = width - 1 - sum((2, 2, 2, column, 2, refused, 2 + cell_len(exhausted) if marked else 0))
    widest = min(max(map(cell_len, names.values())), _NAME_CELLS, max(room - _LEAST_BAR, _LEAST_NAME))
    cells = max(min(room - widest, _BAR_CELLS), 0)
    text = Text()
    heading = f"{pad_left(_('rows'), column)}  {pad_left(rejected, refused)}"
    text.append(f"  {'':{widest}}  {'':{cells}}  {heading}\n", "dim")
    for name, category in categories.items():
        style = "green" if category.accepted >= category.quota else "yellow" if category.exhausted else "cyan"
        done, rest = _bar(category.accepted, category.quota, cells, ascii_only)
        text.append(f"  {pad(shorten(names[name], widest), widest)}  ")
        text.append(done, style).append(rest, "dim")
        text.append(f"  {counts[name]:>{column}}", style)
        text.append(f"  {format_number(category.rejected):>{refused}}", "dim")
        text.append(f"  {exhausted}\n" if gave_up(category) else "\n", "yellow")
    return text


def gave_up(category: CategoryCount) -> bool:
    """Whether a category is exhausted short of its quota."""
    return category.exhausted and category.accepted < category.quota


def _bar(accepted: int, quota: int, cells: int, ascii_only: bool) -> tuple[str, str]:
    """The filled and the empty part of a bar; full only where the quota is met."""
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
