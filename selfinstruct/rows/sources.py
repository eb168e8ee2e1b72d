"""What a user names as a row file, opened: a file, standard input, a folder of shards, a glob, a saved data set, a URL.

A folder's files are its shards: rows of the same fields, read as one file in the order of their names. Hidden files,
files that begin with ``_``, README and LICENSE are no shards, and folders in it are not entered. A folder that the
hub's ``datasets`` library saved is read in the order that its ``state.json`` names.

Does not handle: the content of a file (``reader``).
"""

from __future__ import annotations

import contextlib
import glob
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.remote import files_in, is_remote, matching, open_remote, shown
from selfinstruct.rows.compressed import peekable, unpacked
from selfinstruct.rows.encoding import UTF_8, as_utf8
from selfinstruct.rows.reader import RowStream, open_rows
from selfinstruct.rows.record import Record

#: What to do about a path that does not exist.
CHECK_PATH = Phrase("Check the path; it is relative to the working directory.")
_NAME_A_FOLDER = Phrase("Name a row file, or the folder that has row files itself: folders in it are not entered.")
_WILDCARDS = "*?["
_NO_SHARD = ("readme", "license", "licence", "dataset_info.json", "dataset_infos.json", "state.json")


def open_row_file(path: str | Path, *, hint: str = CHECK_PATH) -> contextlib.AbstractContextManager[BinaryIO]:
    """The file at ``path``, open for reading; ``-`` is standard input, which is left open.

    Raises:
        RowError: the file cannot be opened; ``hint`` is used where it does not exist.
    """
    if str(path) == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    if is_remote(path):
        return open_remote(str(path))
    try:
        return Path(path).open("rb")
    except FileNotFoundError as exc:
        raise RowError(str(path), "no such file", hint=hint) from exc
    except IsADirectoryError as exc:
        raise RowError(str(path), "a directory, not a file", hint="Name a file in it.") from exc
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise RowError(
            str(path), "cannot read: {reason}", hint="Check the path and its permissions.", reason=reason
        ) from exc
    except ValueError as exc:  # a NUL character
        raise RowError(repr(str(path)), "invalid file name", hint=hint) from exc


@contextlib.contextmanager
def open_unpacked(path: str | Path, encoding: str = UTF_8, *, mark: bytes | None = None) -> Iterator[io.BufferedReader]:
    """Yield the content of a file, unpacked if it is compressed, as UTF-8; ``mark`` is as for ``as_utf8``.

    Raises RowError if it cannot be read, or, while reading, if it is not in this encoding.
    """
    with open_row_file(path) as file:
        yield as_utf8(unpacked(peekable(file), file_name(path)), file_name(path), encoding, mark=mark)


def file_name(path: str | Path) -> str:
    """The name of a row file in messages."""
    if is_remote(path):
        return shown(str(path))
    return "<stdin>" if str(path) == "-" else str(path)


def find_shards(path: str | Path) -> list[str] | None:
    """Return the files of a folder or a glob, in order; None for one file, which may not exist.

    Raises:
        RowError: the folder has no files, or is several splits; or nothing matches the glob.
    """
    name = str(path)
    if is_remote(path):
        return _remote_shards(name)
    try:
        folder = Path(name)
        if folder.is_dir():
            return _saved(folder) or _files(folder)
        if name == "-" or folder.exists() or not any(mark in name for mark in _WILDCARDS):
            return None
    except (OSError, ValueError):  # not a possible path: opening it reports why
        return None
    found = sorted(each for each in glob.glob(name, recursive=True) if Path(each).is_file())  # noqa: PTH207  absolute patterns
    if not found:
        raise RowError(name, "no file matches", hint=CHECK_PATH)
    return found


@contextlib.contextmanager
def open_source(
    path: str | Path, *, by_line: bool = False, hint: str = CHECK_PATH, encoding: str = UTF_8
) -> Iterator[RowStream]:
    """Yield the rows of a file, or of all shards of a folder or a glob, one after the other; see ``open_rows``.

    The records of shards have the name of their file. With ``by_line``, their bytes end with a line end, so that they
    can be copied one after the other.

    Raises:
        RowError: as ``open_rows``; the path cannot be read; or the fields or the format of a shard differ from the
            first.
    """
    shards = find_shards(path)
    if shards is None:
        with open_row_file(path, hint=hint) as file:
            yield open_rows(file, file_name(path), by_line=by_line, encoding=encoding)
        return
    with open_row_file(shards[0]) as file:
        first = open_rows(file, file_name(shards[0]), by_line=by_line, encoding=encoding)
        if len(shards) > 1:
            first.notes.insert(0, note_on_shards(shards))
        yield replace(first, records=_chained(first, shards, by_line=by_line, encoding=encoding))


def note_on_shards(shards: Sequence[str]) -> Phrase:
    """The note that several files are read as one."""
    first, last = file_name(shards[0]), file_name(shards[-1])
    return Phrase("read {count:,} files as one: {first} to {last}", count=len(shards), first=first, last=last)


def _chained(first: RowStream, shards: list[str], *, by_line: bool, encoding: str) -> Iterator[Record]:
    yield from _named(first, shards[0])
    for shard in shards[1:]:
        with open_row_file(shard) as file:
            stream = open_rows(file, file_name(shard), by_line=by_line, encoding=encoding)
            _refuse_other(stream, file_name(shard), first, file_name(shards[0]), by_line=by_line)
            yield from _named(stream, shard)
            first.notes.extend(note for note in stream.notes if note not in first.notes)


@contextlib.contextmanager
def open_shard(shards: Sequence[str], at: int, *, by_line: bool = False, encoding: str = UTF_8) -> Iterator[RowStream]:
    """Yield the rows of one of the shards that ``open_source`` reads one after the other.

    Raises RowError as ``open_source`` does.
    """
    with open_row_file(shards[0]) as file, contextlib.ExitStack() as stack:
        stream = first = open_rows(file, file_name(shards[0]), by_line=by_line, encoding=encoding)
        if at:
            own = stack.enter_context(open_row_file(shards[at]))
            stream = open_rows(own, file_name(shards[at]), by_line=by_line, encoding=encoding)
            _refuse_other(stream, file_name(shards[at]), first, file_name(shards[0]), by_line=by_line)
        yield replace(stream, records=_named(stream, shards[at]))


def _refuse_other(stream: RowStream, shard: str, first: RowStream, first_shard: str, *, by_line: bool) -> None:
    """Refuse a shard that is unlike the first one."""
    if by_line and (stream.format, stream.header) != (first.format, first.header):
        problem = (
            Phrase("{format} with another header", format=stream.format)
            if stream.format == first.format
            else stream.format
        )
        raise RowError(
            shard,
            "{problem}, unlike {shard}",
            hint="Shards must have one format and header.",
            problem=problem,
            shard=first_shard,
        )
    if set(stream.fields) != set(first.fields) and stream.format in ("csv", "tsv", "parquet", "arrow"):
        listed = ", ".join(stream.fields)
        hint = Phrase("Shards must have the same fields: {fields}.", fields=", ".join(first.fields))
        raise RowError(
            shard, Phrase("fields differ from {shard}: {listed}", shard=first_shard, listed=listed), hint=hint
        )


def _named(stream: RowStream, shard: str) -> Iterator[Record]:
    name = file_name(shard)
    for record in stream.records:
        raw = record.raw if not record.raw or record.raw.endswith(b"\n") else record.raw + b"\n"
        yield record._replace(raw=raw, file=name)


def _files(folder: Path) -> list[str]:
    if (folder / "run.sqlite").exists():
        raise RowError(str(folder), "a run directory, not a folder of row files", hint="Name rows.jsonl in it.")
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_file() and _is_shard(each.name))
    except OSError as exc:
        raise RowError(
            str(folder), "cannot read: {strerror}", hint="Check its permissions.", strerror=exc.strerror or exc
        ) from exc
    if not names:
        raise RowError(str(folder), "no row files in this folder", hint=_NAME_A_FOLDER)
    return [str(folder / name) for name in names]


def _remote_shards(url: str) -> list[str] | None:
    matched = matching(url)
    if matched is not None:
        if not matched:
            raise RowError(shown(url), "no file matches", hint="Check the address.")
        return matched
    found = files_in(url)
    if found is None:
        return None
    shards = [each for each in found if _is_shard(each.rpartition("/")[2])]
    if not shards:
        raise RowError(shown(url), "no row files in this folder", hint=_NAME_A_FOLDER)
    return shards


def _is_shard(name: str) -> bool:
    return name[0] not in "._" and not name.lower().startswith(_NO_SHARD) and not name.lower().endswith((".md", ".crc"))


def _saved(folder: Path) -> list[str]:
    """The files of a data set that ``datasets`` saved, of its only split; none for another folder."""
    splits = _json(folder / "dataset_dict.json").get("splits")
    if isinstance(splits, list) and splits and all(isinstance(split, str) for split in splits):
        if len(splits) > 1:
            problem = Phrase("a saved data set with several splits: {splits}", splits=", ".join(splits))
            raise RowError(str(folder), problem, hint=Phrase("Name one of them: {folder}", folder=folder / splits[0]))
        folder = folder / splits[0]
    listed = _json(folder / "state.json").get("_data_files")
    if not isinstance(listed, list):
        return []
    return [str(folder / each["filename"]) for each in listed if isinstance(each, dict) and "filename" in each]


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
