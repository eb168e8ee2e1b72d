"""``selfinstruct probe``: ask a model what it knows before growing rows for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from selfinstruct.cli.columns import parse_columns
from selfinstruct.cli.console import console, print_error, print_json, width_of
from selfinstruct.cli.progress import show_count
from selfinstruct.messages import Phrase, _, translated

if TYPE_CHECKING:
    from selfinstruct.analysis.knowledge import Knowledge

STOPPED_SHORT = 4


def probe(
    source: Annotated[
        str, typer.Argument(metavar="SEEDS|RECIPE", help="Seed rows, a recipe file, or a built-in recipe.")
    ],
    columns: Annotated[
        str | None,
        typer.Option(metavar="ROLE=FIELD,...", help="Fields that ask and answer: user=FIELD,assistant=FIELD."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = None,
    questions: Annotated[int, typer.Option(metavar="N", help="Maximum number of questions.")] = 100,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model [default: the first one that the endpoint lists].")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="openai|MODULE:FACTORY", help="Backend that answers [default: the model].")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Maximum number of concurrent requests [default: 16].")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(metavar="USD", help="Maximum cost of the probe, at the recipe's prices.")
    ] = None,
    max_requests: Annotated[int | None, typer.Option(metavar="N", help="Maximum number of requests.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Maximum number of tokens, input and output.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of the choice of questions.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> int:
    """Put the questions of seed rows to a model, without context, and say how much it knows already.

    An answer is known if it is the expected one, contains it (if it is short), or has a ROUGE-L F1 of at least 0.5.
    Exit code 4 if a limit, or a failed call, left questions unanswered.
    """
    from selfinstruct import api

    with show_count(console(), _("answered")) as watch:
        found = api.probe(
            source,
            columns=parse_columns(columns),
            encoding=encoding,
            questions=questions,
            model=model,
            base_url=base_url,
            backend=backend,
            concurrency=concurrency,
            budget=budget,
            max_requests=max_requests,
            max_tokens=max_tokens,
            seed=seed,
            watch=lambda done, total: watch(total, done),
        )
    return _finish(found, min(found.questions, questions), as_json=json)


def _finish(found: Knowledge, requested: int, *, as_json: bool) -> int:
    """Print the result, and return the exit code."""
    from selfinstruct.render.probe import probe_text

    if as_json:
        print_json(found.to_dict())
    else:
        screen = console(sys.stdout)
        screen.print(probe_text(found, width_of(screen)), soft_wrap=True, end="")
    unanswered = requested - len(found.answers)
    if unanswered and as_json:
        left = Phrase.counting("{count} question was not answered", "{count} questions were not answered", unanswered)
        print_error(translated(left))
    return STOPPED_SHORT if unanswered else 0
