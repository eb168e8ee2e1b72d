"""HTML fragments for notebooks: a finished run, the findings of a check, a run in progress.

A fragment carries its own style sheet, follows the colours of the notebook's theme, and has no script. Does not handle:
displaying it, which is the notebook's part (``_repr_html_``) or that of ``notebook_progress``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from selfinstruct.analysis.summary import Summary
from selfinstruct.events import Snapshot
from selfinstruct.records import Row
from selfinstruct.render.chart import percent
from selfinstruct.render.html import own_text, render_template
from selfinstruct.render.progress import RateMeter, gave_up, held_back, totals
from selfinstruct.render.summary import headline, rejected_phrase, used_all_passages
from selfinstruct.render.text import counted, format_duration, format_number
from selfinstruct.text import value_text

_CATEGORIES, _FINDINGS, _ROWS, _FIELDS = 20, 50, 5, 8
_CHARACTERS = 300


class Line(NamedTuple):
    """A category with its bar; ``kind`` is a class of the style sheet."""

    name: str
    percent: float
    kind: str
    rows: str
    remark: str = ""


def run_html(summary: Summary, directory: str | os.PathLike[str], rows: Sequence[Row] = ()) -> str:
    """Return the HTML of a finished run in ``directory``, with the first of ``rows``."""
    categories = summary.categories
    some = rows[:_ROWS]
    fields = list(dict.fromkeys(name for row in some for name in row))[:_FIELDS]
    return _fragment(
        "run.html",
        done=summary.stopped == "done",
        headline=headline(summary),
        categories=tuple(_lines(summary)),
        more=format_number(max(len(categories) - _CATEGORIES, 0)),
        rejected=rejected_phrase(summary),
        notes=summary.notes,
        fields=fields,
        rows=[[_cut(value_text(row[name])) if name in row else "" for name in fields] for row in some],
        report=str(Path(directory) / "report.html"),
        directory=str(directory),
    )


def findings_html(found: Mapping[str, Any]) -> str:
    """Return the HTML of findings, given as the object that ``check --format json`` prints."""
    findings, measures = found["findings"], found["measures"]
    counts = [counted(measures[f"{kind}s"], kind) for kind in ("error", "warning") if measures[f"{kind}s"]]
    inferred = measures["recipe"] == "inferred"
    shown = [{**each, "message": _cut(each["message"])} for each in findings[:_FINDINGS]]
    return _fragment(
        "findings.html",
        rows=counted(measures["rows"], "row"),
        rules="inferred rules" if inferred else f"recipe {measures['recipe']}",
        verdict=" and ".join(counts) or "no findings",
        failed=bool(measures["errors"]),
        findings=shown,
        more=format_number(max(len(findings) - _FINDINGS, 0)),
    )


def progress_html(snapshot: Snapshot | None, meter: RateMeter, now: float) -> str:
    """Return the HTML of a run in progress, ``now`` in the seconds of the meter's clock."""
    if snapshot is None:
        waiting = f"waiting for the first reply · {format_duration(now - meter.begun)}"
        return _fragment("progress.html", categories=(), more="0", totals=waiting, remarks=(), row={})
    shown = list(snapshot.categories.items())
    if len(shown) > _CATEGORIES:
        shown.sort(key=lambda pair: pair[1].accepted >= pair[1].quota)
    lines = [
        Line(
            _cut(name),
            percent(c.accepted / c.quota if c.quota else 1.0),
            "short" if gave_up(c) else "grown",
            f"{c.accepted:,}/{c.quota:,}",
            "exhausted" if gave_up(c) else "",
        )
        for name, c in shown[:_CATEGORIES]
    ]
    remarks = [held_back(snapshot), *snapshot.notes[-1:]]
    row = {name: _cut(value_text(value)) for name, value in list((snapshot.last_row or {}).items())[:_FIELDS]}
    return _fragment(
        "progress.html",
        categories=lines,
        more=format_number(len(shown) - len(lines)),
        totals=totals(snapshot, meter, now),
        remarks=list(filter(None, remarks)),
        row=row,
    )


def _fragment(template: str, **values: Any) -> str:
    from markupsafe import Markup

    return render_template(template, style=Markup(own_text("notebook.css")), **values)  # the package's own file


def _lines(summary: Summary) -> Iterator[Line]:
    """A line for each category; where not all are shown, those short of rows come first."""
    everything = used_all_passages(summary)
    categories = list(summary.categories.items())
    if len(categories) > _CATEGORIES:
        categories.sort(key=lambda pair: pair[1].accepted >= pair[1].quota)
    for name, category in categories[:_CATEGORIES]:
        accepted, quota = category.accepted, category.quota
        full = everything or accepted >= quota
        share = percent(accepted / quota if quota and not everything else 1.0)
        count = format_number(accepted) if everything else f"{accepted:,}/{quota:,}"
        remark = "exhausted" if category.exhausted and not full else ""
        yield Line(_cut(name), share, "grown" if full else "short", count, remark)


def _cut(text: str) -> str:
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"
