"""The run directory: creating and locking it, and writing the files that are derived from the journal.

Does not handle: the content of the journal (``journal``), or the format of the reports (``render``).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct._version import __version__
from selfinstruct.analysis.summary import Summary
from selfinstruct.errors import InputError, StorageError
from selfinstruct.files import clear_parts, write_whole
from selfinstruct.journal import (
    JOURNAL_NAME,
    LOCK_NAME,
    History,
    Journal,
    Lock,
    RunMetadata,
    SeedRow,
    seeds_digest,
    write_rows,
)
from selfinstruct.messages import Phrase, joined
from selfinstruct.platform_support import sync_directory
from selfinstruct.preparation import Prepared
from selfinstruct.recipe import accept_unimported, frozen_changes, parse_recipe, to_toml
from selfinstruct.rows import to_json

if TYPE_CHECKING:
    from selfinstruct.analysis.evaluate import Evaluation
    from selfinstruct.analysis.report import Report

ROWS_NAME = "rows.jsonl"
RECIPE_NAME = "recipe.toml"
SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.html"
CARD_NAME = "README.md"
CROISSANT_NAME = "croissant.json"
HOLDOUT_NAME = "holdout.jsonl"
#: The SHA-256 of each file of the run, as `sha256sum --check` reads it.
CHECKSUMS_NAME = "SHA256SUMS"
_CHECKED = (ROWS_NAME, RECIPE_NAME, SUMMARY_NAME, REPORT_NAME, CARD_NAME, CROISSANT_NAME, HOLDOUT_NAME)
#: Written by ``evaluate``, not derived from the journal.
EVALUATION_NAME = "evaluation.json"
EVALUATION_PLOT_NAME = "evaluation.svg"
#: Errors of the disk, rather than of the chosen directory.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@contextlib.contextmanager
def lock_directory(where: Path) -> Iterator[None]:
    """Context manager that creates the directory of a run, if needed, and locks it against other processes.

    If no run was created in the block, the directory is removed again. Raises InputError if the directory cannot be
    used, StorageError if another process is writing it or the disk fails.
    """
    created = _create_directory(where)
    try:
        with Lock.acquire(where):
            try:
                clear_parts(where)
                yield
            finally:
                # Leave nothing behind without a run; remove the lock file while the lock is ours.
                if not is_run_directory(where):
                    with contextlib.suppress(OSError):
                        (where / LOCK_NAME).unlink(missing_ok=True)
    finally:
        _remove_empty(created)


def initial_metadata(where: Path, prepared: Prepared, seed: int) -> RunMetadata:
    """The metadata of a new run in ``where``. Raises RecipeError for a recipe that cannot be written as TOML."""
    recipe, digest = to_toml(prepared.recipe, {}, where), seeds_digest(prepared.seeds.rows)
    return RunMetadata(recipe, digest, seed, __version__, held_out=prepared.held_out)


def open_journal(where: Path, prepared: Prepared, metadata: RunMetadata) -> Journal | None:
    """Open the journal of a locked directory to resume its run; None if there is no run.

    Raises InputError if it belongs to another recipe, other seed rows or another random seed.
    """
    if not is_run_directory(where):
        return None
    journal = Journal.open(where)
    try:
        _require_same_settings(where, journal, prepared, metadata)
    except BaseException:
        journal.close()
        raise
    return journal


def create_journal(where: Path, prepared: Prepared, metadata: RunMetadata) -> Journal:
    """Create the journal of a new run in a locked directory."""
    return Journal.create(where, metadata, _seed_rows(prepared))


def import_writers() -> None:
    """Import what ``write_derived`` needs, and compile the report's templates: 0.2 s, while a run waits for replies."""
    for name in ("analysis.report", "render.card", "render.croissant", "render.evaluation", "render.report"):
        import_module(f"selfinstruct.{name}")
    import_module("selfinstruct.render.report").compile_templates()


def write_derived(where: Path, history: History, prepared: Prepared, summary: Summary) -> Report:
    """Write all files that are derived from the journal, each atomically, and return the figures of the report.

    During a run only the rows counted in ``summary`` are written. If one file fails, the others are still written.
    Raises StorageError for the first failure.
    """
    from selfinstruct.analysis.report import build_report
    from selfinstruct.render.card import card
    from selfinstruct.render.evaluation import evaluation_svg
    from selfinstruct.render.report import report_page

    recipe = to_toml(prepared.recipe, prepared.reasons, where)
    shown = build_report(history, prepared, summary)
    evaluation = read_evaluation(where)
    plot = None if evaluation is None else evaluation_svg(evaluation).encode()
    page = report_page(shown, prepared, recipe, evaluation).encode()
    described = card(shown, prepared, ROWS_NAME, evaluation, EVALUATION_PLOT_NAME).encode()
    errors: list[StorageError] = []
    for write in (
        lambda: write_rows(history, where / ROWS_NAME, summary.accepted),
        lambda: write_whole(where / RECIPE_NAME, recipe.encode()),
        lambda: write_summary(where, summary),
        lambda: write_whole(where / REPORT_NAME, page),
        lambda: write_whole(where / CARD_NAME, described),
        lambda: None if plot is None else write_whole(where / EVALUATION_PLOT_NAME, plot),
        lambda: _write_croissant(where, history, prepared, summary),
        lambda: _write_held_out(where, prepared),
    ):
        try:
            write()
        except StorageError as error:
            errors.append(error)
    if errors:
        remedy = Phrase(
            "Every row is in {file}; to write the files again: selfinstruct report {run}",
            file=JOURNAL_NAME,
            run=shlex.quote(str(where)),
        )
        raise StorageError(errors[0].message, hint=joined([errors[0].hint, remedy], "\n")) from errors[0]
    _write_checksums(where, _recorded_checksum(where))
    return shown


def write_summary(where: Path, summary: Summary) -> None:
    """Write the file of the summary alone, atomically. Raises StorageError."""
    # A lone surrogate in the name of a category is written as a JSON escape.
    text = json.dumps(summary.to_dict(), ensure_ascii=False, indent=2) + "\n"
    write_whole(where / SUMMARY_NAME, text.encode("utf-8", "backslashreplace"))


def _write_croissant(where: Path, history: History, prepared: Prepared, summary: Summary) -> None:
    """Write the metadata of the rows, which must have been written."""
    from selfinstruct.render.croissant import croissant

    rows = where / ROWS_NAME
    digest = history.metadata().seeds_digest
    text = croissant(summary, prepared, ROWS_NAME, rows.stat().st_size if rows.exists() else 0, _sha256(rows), digest)
    write_whole(where / CROISSANT_NAME, text.encode())


def _write_held_out(where: Path, prepared: Prepared) -> None:
    """Write the held-out rows, if there are any, as a file to test with."""
    if prepared.held_out:
        lines = "".join(f"{to_json(row)}\n" for row in prepared.held_out)
        write_whole(where / HOLDOUT_NAME, lines.encode())


@contextlib.contextmanager
def journal_checksum(where: Path) -> Iterator[Callable[[], None]]:
    """Context manager around a session; the journal must be closed at its end, when its checksum is recorded.

    Yields a function to call before the journal is written: it removes the recorded checksums, so that a killed session
    leaves none that nobody could tell from current ones. If the session fails, its own error is reported.
    """
    begun = False

    def begin() -> None:
        nonlocal begun
        begun = True
        with contextlib.suppress(OSError):
            (where / CHECKSUMS_NAME).unlink(missing_ok=True)

    try:
        yield begin
    except BaseException:
        with contextlib.suppress(StorageError):
            _add_journal(where, begun)
        raise
    _add_journal(where, begun)


def _add_journal(where: Path, written: bool) -> None:
    """Record the checksum of a closed journal beside those of the derived files, if these are recorded."""
    journal, checksums, log = (where / name for name in (JOURNAL_NAME, CHECKSUMS_NAME, f"{JOURNAL_NAME}-wal"))
    # While another process reads, a part of the journal is in its log.
    if written and checksums.exists() and journal.exists() and not log.exists():
        _write_checksums(where, _sha256(journal))


def _write_checksums(where: Path, journal: str) -> None:
    """Write the checksums of the derived files, and that of the journal unless it is ""."""
    lines = [f"{_sha256(where / name)}  {name}\n" for name in _CHECKED if (where / name).exists()]
    lines += [f"{journal}  {JOURNAL_NAME}\n"] if journal else []
    write_whole(where / CHECKSUMS_NAME, "".join(lines).encode())


def _recorded_checksum(where: Path) -> str:
    """The checksum of the journal that its last session recorded, or ""."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in (where / CHECKSUMS_NAME).read_text(encoding="utf-8").splitlines():
            if line.endswith(f"  {JOURNAL_NAME}"):
                return line.partition(" ")[0]
    return ""


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(
            "{path}: cannot read: {strerror}", hint="Run the same command again.", path=path, strerror=error.strerror
        ) from error


def read_evaluation(where: Path) -> Evaluation | None:
    """Return the last evaluation of the run; None if there is none, or none that this version can read."""
    try:
        written = json.loads((where / EVALUATION_NAME).read_text(encoding="utf-8"))
        from selfinstruct.analysis.evaluate import Evaluation  # few runs have one, and readers are slow to import

        return Evaluation.from_dict(written)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_run_directory(where: str | Path) -> bool:
    """Return whether ``where`` contains a journal, as far as it can be accessed."""
    try:
        return (Path(where) / JOURNAL_NAME).exists()
    except OSError:  # a parent that cannot be searched, or a name that is too long
        return False


def open_history(where: str | Path) -> History:
    """Open the journal of a run for reading. Raises InputError if there is none."""
    if not is_run_directory(where):
        raise InputError(
            "{where}: not a run directory",
            hint="A run directory contains {file}.",
            where=where,
            file=JOURNAL_NAME,
        )
    return History.open(Path(where))


def _create_directory(where: Path) -> list[Path]:
    """Create the directory, if needed, and return the created directories, the innermost first."""
    missing: list[Path] = []
    try:
        if where.is_dir():
            if not is_run_directory(where) and any(not p.name.startswith("run.") for p in where.iterdir()):
                raise InputError(
                    "{where}: contains other files and no run",
                    hint="Set `out` to an empty or a new directory.",
                    where=where,
                )
            return missing
        missing = [folder for folder in (where, *where.parents) if not folder.exists()]
        where.mkdir(parents=True, exist_ok=True)  # another process may create it at the same time
        for folder in missing:  # a journal is only as safe as its directory entries
            sync_directory(folder.parent)
    except OSError as error:
        _remove_empty(missing)
        message = Phrase(
            "{where}: cannot use it as the output directory: {strerror}", where=where, strerror=error.strerror
        )
        if error.errno in _DISK_ERRORS:
            raise StorageError(message, hint="Free some space, or set `out` to a directory on another disk.") from error
        raise InputError(message, hint="Set `out` to a directory that you can write to.") from error
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove those of the created directories that are empty."""
    for folder in folders:
        with contextlib.suppress(OSError):  # usually it contains a run by now
            folder.rmdir()


def _require_same_settings(where: Path, journal: Journal, prepared: Prepared, metadata: RunMetadata) -> None:
    recorded = journal.history.metadata()
    old = parse_recipe(recorded.recipe, f"{where}/{JOURNAL_NAME}: recipe", where, importer=accept_unimported)
    changed = [key for key in frozen_changes(old, prepared.recipe) if key != "seeds.file"]
    if recorded.seeds_digest != metadata.seeds_digest:
        changed.append(Phrase("the seed rows"))
    if list(recorded.held_out) != list(metadata.held_out):
        changed.append(Phrase("the held-out rows"))
    if recorded.seed != metadata.seed:
        changed.append(Phrase("`seed` (the run has {seed})", seed=recorded.seed))
    if changed:
        run = shlex.quote(str(where))
        raise InputError(
            "{where}: this run has other settings: {changed}",
            hint="Set `out` to another directory; or judge the recorded replies by this recipe: "
            "selfinstruct rejudge {run} --recipe FILE\n"
            "Or continue the run with its own settings: selfinstruct run {recipe} --out {run}",
            where=where,
            changed=joined(changed),
            run=run,
            recipe=shlex.quote(str(where / RECIPE_NAME)),
        )


def _seed_rows(prepared: Prepared) -> list[SeedRow]:
    seeds = prepared.seeds
    return [SeedRow(row, prepared.categories.of(row), line) for row, line in zip(seeds.rows, seeds.lines, strict=True)]
