"""The audit of a run: what can be proved about it by other means than its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from selfinstruct.analysis.audit import Audit, DerivedFiles, audit_run
from selfinstruct.errors import InputError
from selfinstruct.journal import holder_of
from selfinstruct.preparation import prepared_from_journal
from selfinstruct.run_directory import CHECKSUMS_NAME, RECIPE_NAME, ROWS_NAME, SUMMARY_NAME, open_history

#: Two minutes on two cores, for log rows: all pairs of some 200,000 rows.
MAX_PAIRS = 20_000_000_000


def verify(
    directory: str | Path,
    *,
    max_pairs: int | None = None,
    watch: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Audit:
    """Audit a run: its journal, its files, where each row came from, every rule, and every pair of rows.

    Nothing is changed, and none of the indexes of the engine is used. Of a run with more than ``max_pairs`` pairs of
    rows (default: ``MAX_PAIRS``), a random sample of the rows is compared, each with every row before it. ``watch``
    gets the name of the claim that is being checked, and how much of it is done and to be done.

    Raises InputError if there is no such run or it is in progress, StorageError if its journal cannot be read at all.
    """
    if max_pairs is not None and max_pairs < 1:
        raise InputError("`max_pairs`: expected at least 1, got {max_pairs}", max_pairs=max_pairs)
    place = Path(directory)
    if (running := holder_of(place)) is not None:
        raise InputError(
            "{run}: the run is still in progress ({process})",
            run=directory,
            process=running.words,
            hint="Wait for its end, or stop it, and verify it then.",
        )
    files = DerivedFiles(place / ROWS_NAME, place / RECIPE_NAME, place / SUMMARY_NAME, place / CHECKSUMS_NAME)
    with open_history(place) as history:
        return audit_run(history, prepared_from_journal(history), files, max_pairs=max_pairs or MAX_PAIRS, watch=watch)
