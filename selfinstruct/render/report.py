"""The report page of a run: one HTML file that needs no other file and no network.

A content security policy allows the page its own style sheet and its own script, by their digests, and nothing else.
Without the script the page lacks only the browsing of rows. Does not handle: escaping, which ``html`` does for every
value; measuring, which is ``analysis.report``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from selfinstruct._version import __version__
from selfinstruct.analysis.report import Report
from selfinstruct.analysis.summary import Summary
from selfinstruct.journal import RefusedCandidate
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.render.card import model_names
from selfinstruct.render.chart import Curve, percent
from selfinstruct.render.description import novelty_phrase, shares_origin, source_phrase, step_lines, writer_phrase
from selfinstruct.render.evaluation import evaluation_parts
from selfinstruct.render.html import compile_template, digest, json_text, markup, own_text, render_template
from selfinstruct.render.report_figures import (
    growth_curve,
    rule_lines,
    share_cards,
    similarity_charts,
    sparklines,
    templates_phrase,
    text_cards,
    uncommon_fields,
)
from selfinstruct.render.report_rows import cut as _cut
from selfinstruct.render.report_rows import pool_name, rows_data, sample
from selfinstruct.render.summary import MEANINGS, decisions_phrase, finished_phrase, stop_phrase, used_all_passages
from selfinstruct.render.text import counted, format_duration, format_money, format_number

if TYPE_CHECKING:
    from selfinstruct.analysis.evaluate import Evaluation

#: At most this many categories are listed, those that are short of rows first.
_CATEGORIES = 200
#: With more categories than this, their growth is not drawn one by one.
_SPARKLINES = 24
# The page, and what it imports.
_TEMPLATES = ("report.html", "_charts.html", "_score_plot.html")


class Figure(NamedTuple):
    """One number of the head of the page, with a remark below it ("" for none)."""

    name: str
    value: str
    remark: str = ""


class CategoryLine(NamedTuple):
    """One line of the table of categories; ``percent`` is the length of its bar."""

    name: str
    full: bool
    exhausted: bool
    percent: float
    rows: str
    label: str
    max_rouge_l: float
    growth: Curve | None


class ModelLine(NamedTuple):
    """What one model did: its requests, tokens and rows, and the tokens and the cost of an accepted row."""

    name: str
    requests: str
    rows: str
    tokens: str
    tokens_per_row: str
    cost_per_row: str


class Example(NamedTuple):
    """A rejected candidate: its name for ``show``, its category, the reason in words, and its text."""

    name: str
    category: str
    message: str
    text: str


class Reason(NamedTuple):
    """Why candidates were rejected: the slug, its meaning, how many, and some of them."""

    slug: str
    meaning: str
    number: str
    percent: float
    examples: tuple[Example, ...]


def compile_templates() -> None:
    """Compile the templates of the page, which are kept, so that the first page takes less time."""
    for name in _TEMPLATES:
        compile_template(name)


def report_page(report: Report, prepared: Prepared, recipe_toml: str, evaluation: Evaluation | None = None) -> str:
    """Return the whole page, with the evaluation of the run if there is one; it always encodes as UTF-8."""
    style, script = own_text("report.css"), own_text("report.js")
    summary = report.summary
    categories = _categories(report)
    return (
        render_template(
            _TEMPLATES[0],
            style=markup(style),
            style_digest=digest(style),
            script=markup(script),
            script_digest=digest(script),
            rows_data=markup(json_text(rows_data(report.browsed, prepared))),
            version=__version__,
            name=prepared.recipe.name,
            task=prepared.recipe.task,
            rows=format_number(summary.accepted),
            lead=_lead(summary, prepared),
            done=summary.stopped == "done",
            figures=tuple(_figures(summary)),
            categories=categories[:_CATEGORIES],
            more_categories=format_number(len(categories) - _CATEGORIES) if len(categories) > _CATEGORIES else "",
            seeded=summary.seeds > 0,
            compared=novelty_phrase(prepared.recipe, str),
            shares_origin=shares_origin(prepared.recipe),
            growth=growth_curve(report),
            charts=tuple(similarity_charts(report)) if report.sample_size else (),
            shares=tuple(share_cards(report)) if report.sample_size else (),
            uncommon=uncommon_fields(report),
            templates=templates_phrase(report),
            texts=tuple(text_cards(report)) if report.sample_size else (),
            sampled=_sampled(report),
            rules=tuple(rule_lines(report)),
            unattributed=_unattributed(report),
            models=tuple(_models(summary)),
            evaluation=None if evaluation is None else evaluation_parts(evaluation),
            reasons=tuple(_reasons(report)),
            samples=tuple(sample(grown, prepared.recipe) for grown in report.rows),
            author=_author(summary, prepared),
            sources=source_phrase(prepared),
            seed=summary.seed,
            steps=tuple(step_lines(prepared)),
            notes=summary.notes,
            recipe_toml=recipe_toml,
        )
        + "\n"
    )


def _lead(summary: Summary, prepared: Prepared) -> str:
    grown = f"{counted(summary.accepted, 'row')} grown from {source_phrase(prepared)}"
    took = format_duration(summary.seconds)
    if summary.stopped == "done":
        return f"{grown} in {took}: {finished_phrase(summary)}.{_by_person(summary)}"
    wanted = format_number(summary.requested_rows)
    if summary.stopped == "running":
        return f"{grown} in {took}, of {wanted} requested. The run is still in progress.{_by_person(summary)}"
    stopped = f"The run stopped early: {stop_phrase(summary)}."
    return f"{grown} in {took}, of {wanted} requested. {stopped}{_by_person(summary)}"


def _by_person(summary: Summary) -> str:
    """How many rows a person judged, as a sentence after others."""
    return f" {decisions_phrase(summary)}." if summary.decisions.total else ""


def _figures(summary: Summary) -> Iterator[Figure]:
    candidates, rejected = summary.candidates, sum(summary.rejected.values())
    most = "at most " if used_all_passages(summary) else ""
    yield Figure("Rows", format_number(summary.accepted), f"of {most}{format_number(summary.requested_rows)}")
    categories = summary.growing.values()
    full = sum(1 for category in categories if category.accepted >= category.quota)
    remark = "all full" if full == len(categories) else "" if most else f"{format_number(full)} full"
    yield Figure("Categories", format_number(len(categories)), remark)
    share = f"{100 * rejected / candidates:.1f} %" if candidates else "0 %"
    yield Figure("Rejected", share, f"{format_number(rejected)} of {counted(candidates, 'candidate')}")
    failed = sum(summary.failed.values())
    yield Figure("Requests", format_number(summary.requests), f"{format_number(failed)} unusable" if failed else "")
    tokens = summary.tokens
    about = "about " if tokens.estimated else ""
    if total := tokens.input + tokens.output:
        split = f"{format_number(tokens.input)} in, {format_number(tokens.output)} out"
        yield Figure("Tokens", f"{about}{format_number(total)}", split)
        if summary.accepted:
            yield Figure("Tokens per row", f"{about}{format_number(round(total / summary.accepted))}", "accepted rows")
    if summary.cost:
        each = f"{format_money(summary.cost_per_row)} per row" if summary.cost_per_row else ""
        yield Figure("Cost", f"{about}{format_money(summary.cost)}", each)


def _categories(report: Report) -> list[CategoryLine]:
    """A line for each category, in the recipe's order; where not all are listed, those short of rows come first."""
    lines, summary = [], report.summary
    curves = sparklines(report) if len(summary.growing) <= _SPARKLINES else {}
    for name, category in summary.growing.items():
        accepted = category.accepted
        quota = accepted if used_all_passages(summary) else category.quota
        full = accepted >= quota
        lines.append(
            CategoryLine(
                name=_cut(name),
                full=full,
                exhausted=category.exhausted and not full,
                percent=percent(accepted / quota if quota else 1.0),
                rows=format_number(accepted) if full else f"{format_number(accepted)} / {format_number(quota)}",
                label=f"{accepted} of {quota}",
                max_rouge_l=category.max_rouge_l,
                growth=curves.get(name),
            )
        )
    return sorted(lines, key=lambda line: line.full) if len(lines) > _CATEGORIES else lines


def _sampled(report: Report) -> str:
    """What the figures of values were computed from."""
    if report.sample_size == report.summary.accepted:
        return f"All {counted(report.sample_size, 'row')}" if report.sample_size > 1 else "The only row"
    return f"A sample of {counted(report.sample_size, 'row')}"


def _reasons(report: Report) -> Iterator[Reason]:
    """The reasons for rejections, the most frequent first."""
    rejected, seeds = report.summary.rejected, report.summary.seeds
    for slug, count in sorted(rejected.items(), key=lambda pair: -pair[1]):
        examples = tuple(_example(refused, seeds) for refused in report.rejections.get(slug, ()))
        share = percent(count / report.summary.candidates)
        yield Reason(slug, MEANINGS.get(slug, ""), format_number(count), share, examples)


def _example(refused: RefusedCandidate, seeds: int) -> Example:
    near = ""
    if refused.nearest is not None:
        near = f" · {pool_name(refused.nearest, seeds)}"
    category = _cut(refused.category) or "no category"
    return Example(f"x{refused.id}", category, f"{_cut(refused.message)}{near}", _cut(refused.text))


def _models(summary: Summary) -> Iterator[ModelLine]:
    """A line for each model where tokens were spent."""
    for name, bill in summary.models.items():
        total = bill.tokens.input + bill.tokens.output
        if total:
            each = format_number(round(total / bill.accepted)) if bill.accepted else ""
            cost = "" if bill.cost_per_row is None else format_money(bill.cost_per_row)
            yield ModelLine(
                _cut(name),
                format_number(bill.requests),
                format_number(bill.accepted),
                format_number(total),
                each,
                cost,
            )


def _unattributed(report: Report) -> str:
    """A sentence on rejections of which the relation is not known, or ""."""
    count = report.rules.unattributed
    return f"Of {counted(count, 'rejection')} the relation is not known: the journal was read in part." if count else ""


def _author(summary: Summary, prepared: Prepared) -> str:
    if prepared.recipe.backend is None and model_names(summary, prepared):
        return f"the model{'s' if len(summary.models) > 1 else ''} {summary.model}"
    return writer_phrase(prepared)
