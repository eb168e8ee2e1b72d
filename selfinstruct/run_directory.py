"""The run directory: whose it is, and the files in it that are derived from the journal.

Does not handle: what the journal holds (``journal``), or how the files look (``render``).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from selfinstruct._version import __version__
from selfinstruct.analysis.metrics import build_report
from selfinstruct.analysis.summary import Summary
from selfinstruct.errors import InputError, StorageError
from selfinstruct.files import clear_parts, write_whole
from selfinstruct.journal import History, Journal, RunMetadata, SeedRow, write_rows
from selfinstruct.journal.database import JOURNAL_NAME
from selfinstruct.journal.lock import LOCK_NAME, Lock
from selfinstruct.platform_support import sync_directory
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import accept_unimported, frozen_changes, parse_recipe, to_toml
from selfinstruct.records import Row
from selfinstruct.render.card import card
from selfinstruct.render.report import report_page

ROWS_NAME = "rows.jsonl"
RECIPE_NAME = "recipe.toml"
SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.html"
CARD_NAME = "README.md"
#: What the disk has to answer for, and not whoever named the directory.
_FAILING = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@contextlib.contextmanager
def lock_directory(where: Path) -> Iterator[None]:
    """A directory for a run, made where there is none, locked against other processes while the block lasts.

    What was made goes again where no run was begun in the block. Raises InputError where the directory cannot be
    one of a run, StorageError where another process is writing it or the disk refuses.
    """
    made = _make(where)
    try:
        with Lock.acquire(where):
            try:
                clear_parts(where)
                yield
            finally:
                # Where no run was begun nothing stays; the lock's file goes while it is ours.
                if not is_run_directory(where):
                    with contextlib.suppress(OSError):
                        (where / LOCK_NAME).unlink(missing_ok=True)
    finally:
        _unmake(made)


def initial_metadata(where: Path, prepared: Prepared, seed: int) -> RunMetadata:
    """The metadata of a new run in ``where``. Raises RecipeError for a recipe that cannot be written as TOML."""
    return RunMetadata(to_toml(prepared.recipe, {}, where), seeds_digest(prepared.seeds.rows), seed, __version__)


def seeds_digest(seeds: Sequence[Row]) -> str:
    """What tells the seed rows of one run from those of another."""
    return hashlib.sha256(json.dumps(seeds, sort_keys=True).encode()).hexdigest()


def open_journal(where: Path, prepared: Prepared, metadata: RunMetadata) -> Journal | None:
    """The journal of a held directory, open to go on with, or None where no run was begun there.

    Raises InputError if it belongs to another recipe, other seed rows or another random seed.
    """
    if not is_run_directory(where):
        return None
    journal = Journal.open(where)
    try:
        _same_run(where, journal, prepared, metadata)
    except BaseException:
        journal.close()
        raise
    return journal


def create_journal(where: Path, prepared: Prepared, metadata: RunMetadata) -> Journal:
    """The journal of a new run in a held directory."""
    return Journal.create(where, metadata, _seeds(prepared))


def write_derived(where: Path, history: History, prepared: Prepared, summary: Summary) -> None:
    """Write everything that follows from the journal, each file whole.

    Of a run that goes on, the rows that ``summary`` counts. One that the disk refuses does not keep back the others.
    Raises StorageError for the first of them.
    """
    recipe = to_toml(prepared.recipe, prepared.reasons, where)
    # Half of a character in a category's name is written as its escape, which JSON reads again.
    text = json.dumps(summary.to_dict(), ensure_ascii=False, indent=2) + "\n"
    shown = build_report(history, prepared, summary)
    refused: list[StorageError] = []
    for write in (
        lambda: write_rows(history, where / ROWS_NAME, summary.accepted),
        lambda: write_whole(where / RECIPE_NAME, recipe.encode()),
        lambda: write_whole(where / SUMMARY_NAME, text.encode("utf-8", "backslashreplace")),
        lambda: write_whole(where / REPORT_NAME, report_page(shown, prepared, recipe).encode()),
        lambda: write_whole(where / CARD_NAME, card(shown, prepared, ROWS_NAME).encode()),
    ):
        try:
            write()
        except StorageError as error:
            refused.append(error)
    if refused:
        kept = f"Every row is in {JOURNAL_NAME}; once that is mended: selfinstruct report {shlex.quote(str(where))}"
        raise StorageError(refused[0].message, hint=f"{refused[0].hint}\n{kept}") from refused[0]


def is_run_directory(where: str | Path) -> bool:
    """Whether there is a journal in ``where``, as far as can be seen."""
    try:
        return (Path(where) / JOURNAL_NAME).exists()
    except OSError:  # a folder on the way that may not be searched, a name that is too long
        return False


def open_history(where: str | Path) -> History:
    """The journal of a run, open for reading. Raises InputError where there is none."""
    if not is_run_directory(where):
        raise InputError(f"{where}: not a run directory", hint=f"A run directory contains {JOURNAL_NAME}.")
    return History.open(Path(where))


def _make(where: Path) -> list[Path]:
    """Create the directory where there is none; what was created, the innermost first."""
    missing: list[Path] = []
    try:
        if where.is_dir():
            if not is_run_directory(where) and any(not p.name.startswith("run.") for p in where.iterdir()):
                raise InputError(
                    f"{where}: contains other files and no run", hint="Set `out` to an empty or a new directory."
                )
            return missing
        missing = [folder for folder in (where, *where.parents) if not folder.exists()]
        where.mkdir(parents=True, exist_ok=True)  # another process may make it at this moment
        for folder in missing:  # a journal is only as safe as the names that lead to it
            sync_directory(folder.parent)
    except OSError as error:
        _unmake(missing)
        said = f"{where}: cannot use it as the output directory: {error.strerror}"
        if error.errno in _FAILING:
            raise StorageError(said, hint="Free some space, or set `out` to a directory on another disk.") from error
        raise InputError(said, hint="Set `out` to a directory that you can write to.") from error
    return missing


def _unmake(folders: Sequence[Path]) -> None:
    """Remove the folders that were made for a run, those that hold nothing."""
    for folder in folders:
        with contextlib.suppress(OSError):  # that it holds a run by now is the common case
            folder.rmdir()


def _same_run(where: Path, journal: Journal, prepared: Prepared, metadata: RunMetadata) -> None:
    recorded = journal.history.metadata()
    old = parse_recipe(recorded.recipe, f"{where}/{JOURNAL_NAME}: recipe", where, importer=accept_unimported)
    changed = [key for key in frozen_changes(old, prepared.recipe) if key != "seeds.file"]
    if recorded.seeds_digest != metadata.seeds_digest:
        changed.append("the seed rows")
    if recorded.seed != metadata.seed:
        changed.append(f"`seed` (the run has {recorded.seed})")
    if changed:
        run = shlex.quote(str(where))
        raise InputError(
            f"{where}: this run has other settings: {', '.join(changed)}",
            hint="Set `out` to another directory; or judge the recorded replies by this recipe: "
            f"selfinstruct rejudge {run} --recipe FILE\nOr continue the run with its own settings: selfinstruct run "
            f"{shlex.quote(str(where / RECIPE_NAME))} --out {run}",
        )


def _seeds(prepared: Prepared) -> list[SeedRow]:
    seeds = prepared.seeds
    return [SeedRow(row, prepared.categories.of(row), line) for row, line in zip(seeds.rows, seeds.lines, strict=True)]
