"""What a user names as rows to check, read: files, rows in memory, and folders.

The row files of a folder are shards of one data set if they have the same fields, and otherwise a data set each. Files
that hold no rows are passed over, with a note; a row file that cannot be read is an error.

Does not handle: folders in a folder; the formats (``rows``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.preparation.source import Source
from selfinstruct.rows import UTF_8, RowFile, find_shards, read_rows, rows_from_objects

_ROW_FILES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather")
_PACKED = (".gz", ".bz2", ".xz", ".zip")
#: Endings of files that people keep beside rows.
_OTHER_FILES_WORDS = (
    ".md .txt .rst .toml .yaml .yml .cfg .ini .py .ipynb .sh .html .htm .css .js .pdf .png .jpg .jpeg .svg "
    ".gif .log .lock .sqlite .db .docx .xlsx .crc .sha256 .license"
)
_OTHER_FILES = frozenset(_OTHER_FILES_WORDS.split())
_WRITTEN_BESIDE = ("dataset_info.json", "dataset_infos.json", "state.json", "package.json")


def read_sources(sources: Sequence[Source], apart: Sequence[Source] = (), encoding: str = UTF_8) -> Iterator[RowFile]:
    """The data sets to check, in the order given; files that are also ``apart`` are passed over in folders.

    Raises RowError if a file cannot be read, or if a folder has no row files.
    """
    known = {os.path.realpath(each) for each in apart if isinstance(each, str | Path)}
    for source in sources:
        if isinstance(source, str | Path) and Path(source).is_dir() and not _is_saved(Path(source)):
            yield from _folder(Path(source), known, encoding)
        else:
            yield read_any(source, encoding)


def read_any(source: Source, encoding: str = UTF_8) -> RowFile:
    """The rows of a source; a row with other fields than the first is a finding, not an error."""
    if isinstance(source, str | Path):
        return read_rows(source, uniform=False, encoding=encoding)
    return rows_from_objects(source, "rows", uniform=False)


def _is_saved(folder: Path) -> bool:
    """Whether a folder is one that the hub's ``datasets`` library saved, or a run."""
    return any((folder / name).exists() for name in ("state.json", "dataset_dict.json", "run.sqlite"))


def _folder(folder: Path, known: set[str], encoding: str) -> Iterator[RowFile]:
    files: list[RowFile] = []
    passed_over: list[str] = []
    for path, is_named in _entries(folder, known):
        file = None if is_named is None else _row_file(path, encoding, is_named=is_named)
        if file is None:
            passed_over.append(_shown(path))
        else:
            files.append(file)
    fields = [frozenset(file.fields) for file in files]
    groups, notes = arrange_folder(str(folder), fields, [file.path for file in files], passed_over)
    if len(set(fields)) == 1:
        files = [_joined(str(folder), [files[at] for at in group]) for group in groups]
    yield replace(files[0], notes=(*notes, *files[0].notes))
    yield from files[1:]


def folder_files(source: str, apart: Collection[str]) -> list[tuple[str, Path, bool | None]] | None:
    """The entries of a folder of row files, in order: the name, the path, and whether it is named like a row file.

    None for one that is passed over in any case, such as those ``apart``, and for a source that is no such folder.
    """
    folder = Path(source)
    if not folder.is_dir() or _is_saved(folder):
        return None
    return [(_shown(path), path, is_named) for path, is_named in _entries(folder, apart)]


def arrange_folder(
    folder: str, fields: Sequence[frozenset[str]], names: Sequence[str], passed_over: Sequence[str]
) -> tuple[list[list[int]], list[Phrase]]:
    """The files of a folder, with these fields and names, as data sets; and the notes on this.

    Raises RowError if there are none.
    """
    if not fields:
        find_shards(folder)  # raises, with the reason, for a folder without files
        raise RowError(folder, "no row files in this folder", hint="Name the files that hold rows.")
    notes = (
        [Phrase("passed over in {folder}: {files}", folder=folder, files=", ".join(passed_over))] if passed_over else []
    )
    if len(set(fields)) == 1:
        if len(fields) > 1:
            notes.append(
                Phrase(
                    "read {count:,} files with the same fields as one: {first} to {last}",
                    count=len(fields),
                    first=names[0],
                    last=names[-1],
                )
            )
        return [[*range(len(fields))]], notes
    notes.append(
        Phrase(
            "checked {count:,} files with different fields one by one, in {folder}", count=len(fields), folder=folder
        )
    )
    return [[at] for at in range(len(fields))], notes


def _entries(folder: Path, apart: Collection[str]) -> Iterator[tuple[Path, bool | None]]:
    """What a folder contains but hidden files; None for what is not read."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise RowError(str(folder), "cannot read: {reason}", hint="Check its permissions.", reason=reason) from exc
    for path in paths:
        if path.name[0] not in "._":
            yield path, None if os.path.realpath(path) in apart else _is_named(path)


def _shown(path: Path) -> str:
    return path.name + "/" * path.is_dir()


def _is_named(path: Path) -> bool | None:
    """Whether a file is named like one of rows; None for one that is named like something else, or is no file."""
    name = path.name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    is_named = any(ending in name for ending in _ROW_FILES)
    other = name.startswith(("readme", "license", "licence")) or name in _WRITTEN_BESIDE
    return None if not path.is_file() or other or (not is_named and Path(name).suffix in _OTHER_FILES) else is_named


def _row_file(path: Path, encoding: str, *, is_named: bool) -> RowFile | None:
    """The rows of a file in a folder, or None if it is no row file.

    Raises RowError for a broken one: a gate that passed over it would be open.
    """
    try:
        file = read_any(path, encoding)
    except RowError:
        if is_named:
            raise
        return None
    return None if len(file.rows) == 1 and file.rows[0].get("kind") == BASELINE_KIND else file


#: What a baseline says of itself, so that it is not taken for rows.
BASELINE_KIND = "selfinstruct baseline"


def _joined(name: str, files: Iterable[RowFile]) -> RowFile:
    """Several files as one."""
    files = list(files)
    return RowFile(
        name,
        files[0].format,
        [row for file in files for row in file.rows],
        [line for file in files for line in file.lines],
        files[0].fields,
        [file.path for file in files for _ in file.rows],
        tuple(note for file in files for note in file.notes),
    )
