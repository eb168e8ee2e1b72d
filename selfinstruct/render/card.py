"""The data-set card of a run: a README.md for people, with the metadata that the Hugging Face Hub reads.

The front matter is YAML, restricted to its JSON subset. Rows and names are data: they are shown as code, so that they
cannot be Markdown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from selfinstruct._version import __version__
from selfinstruct.analysis.report import Report
from selfinstruct.analysis.summary import Summary
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.render.description import (
    batch_conditions,
    field_source,
    join_words,
    shares_origin,
    source_lines,
    step_lines,
    unchecked_fields,
    unchecked_phrase,
)
from selfinstruct.render.evaluation import HEADINGS, evaluation_parts
from selfinstruct.render.summary import decisions_phrase, stop_phrase
from selfinstruct.render.text import counted, format_number, printable

if TYPE_CHECKING:
    from selfinstruct.analysis.evaluate import Evaluation

_CATEGORIES = 50
_WITHOUT_MODEL = {"imitator": "selfinstruct's embedded imitator", "templates": "templates only"}
#: Names of a span that answers a question about its context.
_ANSWERS = {"answer", "answers", "答案", "回答"}
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def card(
    report: Report, prepared: Prepared, rows_name: str, evaluation: Evaluation | None = None, plot_name: str = ""
) -> str:
    """Return the card; ``rows_name`` is the file with the rows next to it. The card always encodes as UTF-8.

    ``evaluation`` is that of the run, if there is one, and ``plot_name`` the file with its plot.
    """
    lines = [*_front(report, prepared, rows_name), "", *_body(report, prepared, rows_name)]
    if evaluation is not None:
        lines += _evaluation(evaluation, plot_name)
    return "\n".join([*lines, ""])


def _on(summary: Summary) -> str:
    """The date of the run, if it is known."""
    return f" on {summary.started[:10]}" if summary.started else ""


def _front(report: Report, prepared: Prepared, rows_name: str) -> Iterator[str]:
    rows = report.summary.accepted
    yield "---"
    yield f"license: unknown  # {_licence(prepared)}set it"
    yield f"language: [{row_language(prepared, [grown.row for grown in report.rows])}]"
    yield f"pretty_name: {json.dumps(printable(prepared.recipe.name), ensure_ascii=False)}"
    yield f"task_categories: [{_task(prepared.recipe)}]"
    yield f"size_categories: [{next((name for size, name in _SIZES if rows < size), 'n>1M')}]"
    yield "tags: [synthetic, selfinstruct]"
    yield "configs:"
    yield "- config_name: default"
    yield "  data_files:"
    yield "  - split: train"
    yield f"    path: {rows_name}"
    yield "---"


def _licence(prepared: Prepared) -> str:
    """A comment that names whose licence applies to the rows."""
    if prepared.seeds.rows:
        return "the licence of the seeds applies to rows grown from them; "
    if prepared.recipe.documents is not None or prepared.recipe.passages is not None:
        return "the licence of the documents applies to text taken from them; "
    return ""


def row_language(prepared: Prepared, rows: Sequence[Row] = ()) -> str:
    """The language code of the rows, or "" where it is unsure: Chinese is known by its characters, English by none."""
    return "zh" if detect_language(prepared.seeds.rows or rows) == "zh" else ""


def _task(recipe: Recipe) -> str:
    """The task category of the hub, or "": only where the shape of the rows is evidence of it."""
    if recipe.categories.by == "field":
        return "text-classification"
    answers = any(
        field.appears_in is not None and len(recipe.fields) > 2 and name.casefold() in _ANSWERS
        for name, field in recipe.fields.items()
    )
    return "question-answering" if answers else ""


def _body(report: Report, prepared: Prepared, rows_name: str) -> Iterator[str]:
    summary, recipe = report.summary, prepared.recipe
    author = _author(summary, prepared)
    yield from _opening(summary, prepared, author, rows_name)
    yield from _fields(recipe)
    yield from _relations(prepared)
    if report.rows:
        row = json.dumps(report.rows[0].row, ensure_ascii=False, indent=2)
        yield from ("", "A row:", "", *_fenced("\n".join(map(printable, row.split("\n")))))
    yield from _categories(report)
    yield from ("", "## How it was made", "")
    yield from _steps(prepared)
    if recipe.imitates:
        drawn = f", with {join_words(drawn)}" if (drawn := batch_conditions(prepared, _code)) else ""
        yield f"Every row was written by {author} from seeds and earlier rows as examples{drawn}."
        yield ""
    compared = "any seed or other row" if summary.seeds else "any other row"
    exception = " Rows made from the same row may be more similar." if shares_origin(recipe) else ""
    yield from _passage_notes(summary, recipe)
    seeds = "resemble the seeds and " if summary.seeds else ""
    synthetic = f"The rows are synthetic: they {seeds}need not be true."
    if recipe.passages is not None:
        synthetic = "The passages are in the rows word for word; questions and answers are synthetic."
    yield (
        f"Every row was checked against the rules above, and its ROUGE-L F1 with {compared} is at most the maximum of "
        f"its category.{exception} {format_number(sum(summary.rejected.values()))} of "
        f"{counted(summary.candidates, 'candidate')} were rejected. {synthetic}"
    )
    if summary.decisions.total:
        yield ""
        yield (
            f"{decisions_phrase(summary)}. Edited rows, and rejected candidates that the person accepted, count as the "
            "person left them, whatever the rules say."
        )
    yield from _rejected(summary)
    yield from _limits(prepared)
    yield ""
    yield (
        "`run.sqlite` contains every reply and every rejection, `recipe.toml` the rules, `report.html` charts and "
        f"samples, `SHA256SUMS` the digest of each file. Made with selfinstruct {__version__}; "
        "`selfinstruct verify` audits this directory."
    )


def _opening(summary: Summary, prepared: Prepared, author: str, rows_name: str) -> Iterator[str]:
    """The title, the task, how many rows there are and where they come from."""
    recipe = prepared.recipe
    yield f"# {_code(recipe.name)}"
    yield ""
    if recipe.task:
        yield f"{_code(recipe.task)}"
        yield ""
    first, *others = source_lines(prepared, _code) or ["the recipe's prompts"]
    sources = join_words([f"{first} written by a person" if summary.seeds else first, *others])
    yield (
        f"{counted(summary.accepted, 'synthetic row')} in `{rows_name}`, grown by {author} from {sources}"
        f"{_on(summary)}."
        f"{' The seeds are not among the rows.' if summary.seeds else ''}"
    )
    if summary.held_out:
        yield ""
        was = "was" if summary.held_out == 1 else "were"
        yield (
            f"{counted(summary.held_out, 'row')} of the seed file {was} held out, in `holdout.jsonl`, to test with. "
            "Nothing was grown from them, and the ROUGE-L F1 of each row with any of them is at most the maximum of "
            "its category."
        )
    if summary.stopped != "done":
        yield ""
        running = summary.stopped == "running"
        state = "is in progress" if running else f"stopped early: {stop_phrase(summary)}"
        yield f"{format_number(summary.requested_rows)} rows were requested; the run {state}."


def _fields(recipe: Recipe) -> Iterator[str]:
    """The table of fields, with the rules of each."""
    yield from ("", "## Fields", "", "| field | type | rules |", "|---|---|---|")
    for name, field in recipe.fields.items():
        rules = [_code(field.description)] if field.description else []
        rules += [source] if (source := field_source(recipe, name, _code)) else []
        rules += [f"a span of {_code(field.appears_in)}"] if field.appears_in else []
        rules += [f"numbers and ids must occur in {_code(field.identifiers_in)}"] if field.identifiers_in else []
        rules += ["another value in every row"] if field.unique else []
        rules += ["in some rows only"] if field.optional else []
        rules += [remark] if (remark := unchecked_phrase(recipe, name)) else []
        yield f"| {_code(name)} | {field.type} | {'; '.join(rules)} |"


def _rejected(summary: Summary) -> Iterator[str]:
    """How many candidates each check refused, and how many replies could not be used."""
    if summary.rejected or summary.failed:
        yield from ("", "| refused | reason | |", "|---|---|---:|")
        yield from (f"| candidates | `{name}` | {format_number(n)} |" for name, n in summary.rejected.items())
        yield from (f"| replies | `{name}` | {format_number(n)} |" for name, n in summary.failed.items())


def _limits(prepared: Prepared) -> Iterator[str]:
    """What the rows are not good for."""
    yield from ("", "## Limits", "")
    if prepared.seeds.rows:
        yield (
            f"- The rows vary {counted(len(prepared.seeds.rows), 'seed')}: what the seeds lack, the rows lack, and a "
            "bias of the seeds is theirs, too. `report.html` shows both distributions."
        )
    yield "- A check proves the form of a row, not that a statement about the world is true."
    yield "- Test on real rows, never on these. The licence of the sources and the terms of the model apply."


def _passage_notes(summary: Summary, recipe: Recipe) -> Iterator[str]:
    """What was read as passages, and what was left out."""
    notes = [note for note in summary.notes if note.startswith("passages")] if recipe.passages is not None else []
    for note in notes:
        yield f"- {_code(note)}"
    if notes:
        yield ""


def _relations(prepared: Prepared) -> Iterator[str]:
    """The relations that every row satisfies, and the fields of which nothing but type and length is checked."""
    recipe = prepared.recipe
    if recipe.relations:
        yield from ("", "Checked in every row:", "")
        for at, relation in enumerate(recipe.relations):
            yield f"- {_code(prepared.reasons.get(f'relations.{at}', '') or relation.describe())}"
    unchecked = [_code(name) for name in unchecked_fields(recipe)]
    if unchecked:
        yield from ("", f"Not checked: the content of {join_words(unchecked)}.")


def _steps(prepared: Prepared) -> Iterator[str]:
    """The inputs of a batch and its steps; none where rows are imitated."""
    recipe = prepared.recipe
    if recipe.imitates:
        return
    inputs = batch_conditions(prepared, _code)
    yield f"Each batch starts from {join_words(inputs)}." if inputs else "Each batch has these steps."
    yield ""
    for at, (name, words) in enumerate(step_lines(prepared, _code), 1):
        yield f"{at}. {_code(name)}: {words}."
    yield ""


def _author(summary: Summary, prepared: Prepared) -> str:
    """The author of the rows."""
    recipe = prepared.recipe
    if recipe.backend is not None:
        return f"the backend {_code(recipe.backend)}"
    # A run may have been resumed without its model, or with one.
    authors = [_WITHOUT_MODEL[name] for name in summary.models if name in _WITHOUT_MODEL]
    if models := model_names(summary, prepared):
        authors.append(f"the model{'s' if len(models) > 1 else ''} {', '.join(map(_code, models))}")
    return join_words(authors or [_WITHOUT_MODEL["imitator" if recipe.imitates or recipe.asks else "templates"]])


def model_names(summary: Summary, prepared: Prepared) -> list[str]:
    """The names of the models that wrote, without the addresses of their endpoints, which are private."""
    names = [name.partition(" at ")[0] for name in summary.models if name not in _WITHOUT_MODEL]
    return list(dict.fromkeys(names if summary.models else [model.name for model in prepared.recipe.all_models]))


def _categories(report: Report) -> Iterator[str]:
    categories = report.summary.growing
    yield from ("", "## Categories", "", "| category | rows | max ROUGE-L |", "|---|---:|---:|")
    for name, category in list(categories.items())[:_CATEGORIES]:
        yield f"| {_code(name)} | {format_number(category.accepted)} | {category.max_rouge_l:.4f} |"
    if len(categories) > _CATEGORIES:
        yield f"\nand {format_number(len(categories) - _CATEGORIES)} more, in `summary.json`."


def _evaluation(evaluation: Evaluation, plot_name: str) -> Iterator[str]:
    parts = evaluation_parts(evaluation)
    yield from ("", "## Does training on the rows help?", "", parts.verdict, "", f"![Scores by rows]({plot_name})", "")
    for table in parts.tables:
        yield from (f"{table.title}:", "", f"| {' | '.join(HEADINGS)} |", "|---|---:|---:|---:|---:|")
        for line in table.lines:
            yield f"| {' | '.join(line)} |"
        yield ""
    yield _code(parts.setting)


def _code(text: str) -> str:
    """Text from outside as a code span that it cannot leave, also in a table."""
    shown = printable(text).replace("|", "\\|")
    longest = max(map(len, re.findall("`+", shown)), default=0)
    tick = "`" * (longest + 1)
    space = " " if longest or shown != shown.strip() or not shown else ""
    return f"{tick}{space}{shown}{space}{tick}"


def _fenced(text: str) -> list[str]:
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    return [f"{'`' * (longest + 1)}json", text, "`" * (longest + 1)]
