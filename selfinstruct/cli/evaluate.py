"""``selfinstruct evaluate``: measure whether training on grown rows helps."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json
from selfinstruct.cli.progress import show_trainings


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or a file of grown rows.")],
    holdout: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Human rows to test on [default: those that the run has held out]."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="FILE", help="The seeds of the rows [default: those of the run].")
    ] = None,
    full: Annotated[str | None, typer.Option(metavar="FILE", help="A full human training set, as the ceiling.")] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = "utf-8",
    reader: Annotated[
        str | None, typer.Option(metavar="MODULE:FACTORY", help="A reader of your own [default: embedded].")
    ] = None,
    trainings: Annotated[int, typer.Option(metavar="N", help="Trainings of each condition, at least 5.")] = 5,
    updates: Annotated[
        int | None, typer.Option(metavar="N", help="Examples seen in each training [default: 2,000 to 20,000].")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of the first training.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> int:
    """Train a reader with and without the grown rows, and compare its answers to held-out human rows.

    Conditions: the seeds; with digits swapped in them; with 1, 10 and 100 grown rows per seed; wrong answers. Training
    rows that are close to a test row are left out. The result is also shown in the report and the card of the run.
    """
    from selfinstruct import api
    from selfinstruct.render.evaluation import evaluation_text

    with show_trainings(console()) as watch:
        done = api.evaluate(
            run,
            holdout,
            seeds=seeds,
            full=full,
            encoding=encoding,
            reader=reader,
            trainings=trainings,
            updates=updates,
            seed=seed,
            watch=watch,
        )
    if json:
        print_json(done.to_dict())
        return 0
    console(sys.stdout).print(evaluation_text(done), soft_wrap=True, end="")
    return 0
