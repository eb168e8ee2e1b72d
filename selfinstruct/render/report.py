"""The report page of a run: one HTML file that needs nothing else, no script, no network.

Rows are data from a model or a stranger: every value is escaped, characters without a look of their own are
written as their escapes, and a content security policy forbids the page everything but its own style sheet.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from selfinstruct._version import __version__
from selfinstruct.analysis.metrics import Report
from selfinstruct.analysis.summary import Summary
from selfinstruct.journal import GrownRow, RefusedCandidate
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.render.chart import bar_svg, histogram_svg
from selfinstruct.render.description import novelty_phrase, shares_origin, source_phrase, step_lines, writer_phrase
from selfinstruct.render.style import STYLE
from selfinstruct.render.summary import MEANINGS, all_there, used_up, why_short
from selfinstruct.render.text import counted, format_duration, format_money, format_number, printable
from selfinstruct.text import value_text

#: Of more categories only so many are listed, those that miss rows first.
_CATEGORIES = 200
#: A value or a reply may be long; so much of it is shown.
_CHARACTERS = 2000


def report_page(report: Report, prepared: Prepared, recipe_toml: str) -> str:
    """The whole page; it always encodes as UTF-8."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    name = _text(prepared.recipe.name)
    body = "\n".join(
        part for section in (_head, _categories, _charts, _rejected, _rows) for part in section(report, prepared)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{name}: {format_number(report.summary.accepted)} rows</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n{_origin(report.summary, prepared, recipe_toml)}\n"
        f"<footer>selfinstruct {escape(__version__)}</footer>\n</main>\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    """Text from outside as HTML text: lines kept, everything else of no look of its own escaped, cut where long."""
    return _whole(text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…")


def _whole(text: str) -> str:
    return escape("\n".join(map(printable, text.split("\n"))))


def _head(report: Report, prepared: Prepared) -> Iterator[str]:
    summary = report.summary
    done = summary.stopped == "done"
    grown = f"{counted(summary.accepted, 'row')} grown from {source_phrase(prepared)}"
    if done:
        lead = f"{grown} in {format_duration(summary.seconds)}, {all_there(summary)}."
    else:
        wanted = format_number(summary.requested_rows)
        why = "It is still running" if summary.stopped == "running" else f"It stopped short: {why_short(summary)}"
        lead = f"{grown} in {format_duration(summary.seconds)}, of {wanted} wanted. {why}."
    yield f'<header>\n<p class="kind">Data set grown by selfinstruct</p>\n<h1>{_text(prepared.recipe.name)}</h1>'
    if prepared.recipe.task:
        yield f"<p>{_text(prepared.recipe.task)}</p>"
    yield f'<p class="lead{"" if done else " short"}">{escape(lead)}</p>\n<dl class="figures">'
    for term, value, more in _figures(summary):
        small = f"<small>{escape(more)}</small>" if more else ""
        yield f"<div><dt>{term}</dt><dd>{escape(value)}{small}</dd></div>"
    yield "</dl>\n</header>"


def _figures(summary: Summary) -> Iterator[tuple[str, str, str]]:
    candidates, rejected = summary.candidates, sum(summary.rejected.values())
    most = "at most " if used_up(summary) else ""
    yield "Rows", format_number(summary.accepted), f"of {most}{format_number(summary.requested_rows)}"
    categories = summary.categories.values()
    full = sum(1 for category in categories if category.accepted >= category.quota)
    filled = "all full" if full == len(categories) else "" if most else f"{format_number(full)} full"
    yield "Categories", format_number(len(categories)), filled
    share = f"{rejected / candidates:.1%}" if candidates else "0 %"
    yield (
        "Rejected",
        share.replace("%", " %").replace("  ", " "),
        f"{format_number(rejected)} of {format_number(candidates)}",
    )
    failed = sum(summary.failed.values())
    yield "Requests", format_number(summary.requests), f"{format_number(failed)} of no use" if failed else ""
    tokens = summary.tokens
    if total := tokens.input + tokens.output:
        yield "Tokens", f"{'about ' if tokens.estimated else ''}{format_number(total)}", ""
    if summary.cost:
        each = f"{format_money(summary.cost_per_row)} a row" if summary.cost_per_row else ""
        yield "Cost", f"{'about ' if tokens.estimated else ''}{format_money(summary.cost)}", each


def _categories(report: Report, prepared: Prepared) -> Iterator[str]:
    categories = report.summary.categories
    names = list(categories)
    if len(names) > _CATEGORIES:
        names.sort(key=lambda name: categories[name].accepted >= categories[name].quota)
    yield (
        '<section>\n<h2>Categories</h2>\n<table>\n<thead><tr><th>Category</th><th class="wide"></th>'
        '<th class="number">Rows</th><th class="number">Largest ROUGE-L</th></tr></thead>\n<tbody>'
    )
    for name in names[:_CATEGORIES]:
        category = categories[name]
        accepted = category.accepted
        quota = accepted if used_up(report.summary) else category.quota
        full = accepted >= quota
        tag = ' <span class="tag">exhausted</span>' if category.exhausted and not full else ""
        bar = bar_svg(accepted / quota if quota else 1.0, "grown" if full else "short", f"{accepted} of {quota}")
        count = format_number(accepted) if full else f"{format_number(accepted)} / {format_number(quota)}"
        yield (
            f'<tr><td class="name">{_text(name)}{tag}</td><td class="wide">{bar}</td>'
            f'<td class="number">{count}</td><td class="number">{category.max_rouge_l:.4f}</td></tr>'
        )
    yield "</tbody>\n</table>"
    if len(names) > _CATEGORIES:
        yield f'<p class="soft">and {format_number(len(names) - _CATEGORIES)} more, in summary.json</p>'
    which = ", seed or grown," if report.summary.seeds else ""
    but = " Rows that were made of the same one may be more alike." if shares_origin(prepared.recipe) else ""
    yield (
        f'<p class="soft">No row is more like its nearest neighbour{which} than its category\'s largest '
        f"ROUGE-L F1 of {novelty_phrase(prepared.recipe, _text)}.{but}</p>\n</section>"
    )


def _charts(report: Report, prepared: Prepared) -> Iterator[str]:
    if not report.sample_size:
        return
    among = "all" if report.sample_size == report.summary.accepted else "a sample of"
    seeded = report.summary.seeds > 0
    key = (
        '<svg class="key" viewBox="0 0 16 10"><rect width="16" height="10" rx="1"></rect></svg>grown'
        '<svg class="key" viewBox="0 0 16 10"><path d="M0 5H16"></path></svg>seeds'
    )
    yield (
        "<section>\n<h2>Likeness and length</h2>\n"
        f'<p class="soft">Of {among} {counted(report.sample_size, "grown row")}{key if seeded else ""}</p>\n'
        '<div class="charts">'
    )
    to, nearest = ("the seeds", "seed") if seeded else ("one another", "other row")
    chart = histogram_svg(report.similarity, f"ROUGE-L with the most similar {nearest}", decimals=2)
    caption = f"<figcaption>ROUGE-L F1 with the nearest {nearest}</figcaption>"
    yield f"<figure>\n<h3>Likeness to {to}</h3>\n{chart}\n{caption}\n</figure>"
    for name, histogram in report.lengths.items():
        chart = histogram_svg(histogram, f"Length of {_text(name)}")
        yield f"<figure>\n<h3>Length of {_text(name)}</h3>\n{chart}\n<figcaption>characters</figcaption>\n</figure>"
    yield "</div>\n</section>"


def _rejected(report: Report, prepared: Prepared) -> Iterator[str]:
    rejected = report.summary.rejected
    yield "<section>\n<h2>Rejected candidates</h2>"
    if not rejected:
        yield "<p>None.</p>"
    for reason, count in sorted(rejected.items(), key=lambda pair: -pair[1]):
        bar = bar_svg(count / report.summary.candidates, "bad", str(count))
        number = f'<span class="number">{format_number(count)}</span>'
        yield f'<div class="reason"><span>{_text(reason)}</span>{bar}{number}</div>'
        yield f"<details><summary>{escape(MEANINGS.get(reason, ''))}</summary>"
        for refused in report.rejections.get(reason, ()):
            yield _refusal(refused, report.summary.seeds)
        yield "</details>"
    yield "</section>"


def _refusal(refused: RefusedCandidate, seeds: int) -> str:
    near = ""
    if refused.nearest is not None:
        other = f"seed s{refused.nearest}" if refused.nearest <= seeds else f"row {refused.nearest - seeds}"
        near = f" · {other}"
    return (
        f"<article><header>x{refused.id} · {_text(refused.category) or 'no category'}</header>"
        f"<p>{_text(refused.message)}{near}</p><pre>{_text(refused.text)}</pre></article>"
    )


def _rows(report: Report, prepared: Prepared) -> Iterator[str]:
    if not report.rows:
        return
    yield f"<section>\n<h2>{'Some' if len(report.rows) > 1 else 'One'} of the rows</h2>"
    for grown in report.rows:
        header = f"<header>row {grown.number} · {_text(grown.category)}</header>"
        yield f"<article>{header}{_fields(grown, prepared)}</article>"
    yield "</section>"


def _fields(grown: GrownRow, prepared: Prepared) -> str:
    """A row's fields, with the places marked that its grounded values were taken from."""
    marks: dict[str, list[tuple[int, int]]] = {}
    for name, span in grown.spans.items():
        context = prepared.recipe.fields[name].appears_in
        if context is not None:
            marks.setdefault(context, []).append(span)
    items = []
    for name, value in grown.row.items():
        shown = _marked(value, marks[name]) if name in marks and isinstance(value, str) else _text(value_text(value))
        items.append(f"<dt>{_text(name)}</dt><dd>{shown}</dd>")
    return f'<dl class="fields">{"".join(items)}</dl>'


def _marked(value: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        if start >= at and end <= _CHARACTERS:
            parts.append(f"{_text(value[at:start])}<mark>{_text(value[start:end])}</mark>")
            at = end
    return "".join([*parts, _text(value[at:])])


def _origin(summary: Summary, prepared: Prepared, recipe_toml: str) -> str:
    by = writer_phrase(prepared)
    if prepared.recipe.all_models and prepared.recipe.backend is None:
        by = f"the model{'s' if len(summary.models) > 1 else ''} {summary.model}"
    done = "".join(f"<dt>{_text(name)}</dt><dd>{_text(words)}</dd>" for name, words in step_lines(prepared))
    steps = f'<dl class="fields">{done}</dl>' if done else ""
    remarks = "".join(f"<li>{_text(note)}</li>" for note in summary.notes)
    return (
        f"<section>\n<h2>How it was made</h2>\n<p>Written by {_text(by)} from {_text(source_phrase(prepared))}, with "
        f"the run's seed {_text(str(summary.seed))}. Every prompt's plan, every reply and every rejection is in "
        "<code>run.sqlite</code>; <code>selfinstruct show</code> tells where a row came from, by its number here, and "
        "why a candidate was rejected, by its x and number.</p>\n"
        f"{steps}{f'<ul>{remarks}</ul>' if remarks else ''}"
        f"<details><summary>The recipe</summary><pre>{_whole(recipe_toml)}</pre></details>\n</section>"
    )
