"""A run as the library returns it: its directory, its summary, its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct.analysis.summary import Summary
from selfinstruct.errors import InputError
from selfinstruct.journal import History
from selfinstruct.records import Row
from selfinstruct.run_directory import SUMMARY_NAME

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its directory, and its summary as of the end of the call that returned it."""

    directory: Path
    summary: Summary

    def rows(self) -> Iterator[Row]:
        """Iterate over the rows in the order of ``rows.jsonl``, reading from the journal."""
        with History.open(self.directory) as history:
            for grown in history.final_rows():
                yield grown.row

    def to_pandas(self) -> pandas.DataFrame:
        """Return the accepted rows as a DataFrame of dtype object, with every value unchanged."""
        import pandas

        return pandas.DataFrame(list(self.rows()), dtype=object)

    def _repr_html_(self) -> str:
        """The run in a notebook: its categories, its first rows, its files."""
        from selfinstruct.render.notebook import run_html

        return run_html(self.summary, self.directory, list(islice(self.rows(), 5)))


def open_run(where: str | Path) -> Run:
    """Open a finished or interrupted run by its directory. Raises InputError if there is none."""
    path = Path(where) / SUMMARY_NAME
    try:
        summary = Summary.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "{where}: not a run directory", hint="A run directory contains summary.json.", where=where
        ) from error
    return Run(Path(where), summary)


def thresholds_of(run: Run) -> Mapping[str, float]:
    """Return the largest ROUGE-L F1 that was allowed in each category of a run."""
    return {name: category.max_rouge_l for name, category in run.summary.categories.items()}
