"""Finds and reads the documents that a recipe names, and divides them into passages."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.documents.document import Skipped, read_document
from selfinstruct.documents.samples import Span
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase, joined
from selfinstruct.rows.encoding import UTF_8


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document and its location.

    ``document`` is the file as named in the recipe, with ``/`` between directories. ``page`` counts from 1 and is None
    if the format has no pages. ``text`` is exactly the code points [``start``, ``end``) of the extracted text of the
    page (of the document if it has no pages).
    """

    document: str
    page: int | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The passages of all documents, in the order of documents, pages and offsets, and the skipped pages.

    ``pages`` is the number of pages read (a document without pages counts as one).
    """

    passages: tuple[Passage, ...]
    documents: tuple[str, ...]
    pages: int
    skipped: tuple[Skipped, ...]


def read_documents(
    names: Sequence[str], split: Callable[[str], Iterable[Span]], *, base: str | Path = ".", encoding: str = UTF_8
) -> Reading:
    """Read the passages of files, directories and globs; ``names`` are relative to ``base``.

    ``split`` returns the passages of a text as spans: ``samples``, or ``Chunking.spans``. A passage never extends
    beyond its page.

    Raises:
        InputError: a name matches no file, a file cannot be read (see ``read_document``), or there are no passages.
    """
    documents = find_documents(names, base=base)
    passages: list[Passage] = []
    skipped: list[Skipped] = []
    pages = 0
    for name in documents:
        document = read_document(Path(base, name), name, encoding)
        skipped += document.skipped
        pages += len(document.pages)
        for page in document.pages:
            spans = split(page.text)
            passages += (Passage(name, page.number, start, end, page.text[start:end]) for start, end in spans)
    if not passages:
        reasons = [
            Phrase("{where}: {problem}", where=page.location, problem=Phrase(page.reason)) for page in skipped[:3]
        ]
        if len(skipped) > 3:
            reasons.append(Phrase("and {count:,} more", count=len(skipped) - 3))
        none = Phrase.counting("no text in {count} document", "no text in {count} documents", len(documents))
        message = Phrase("{where}: {problem}", where=joined(names), problem=joined([none, *reasons], "; "))
        raise InputError(message, hint="Name documents that contain text; run scanned pages through OCR first.")
    return Reading(tuple(passages), tuple(documents), pages, tuple(skipped))


def find_documents(names: Sequence[str], *, base: str | Path = ".") -> list[str]:
    """Return the matching files, without repetition, relative to ``base`` unless a name is absolute.

    A directory stands for all files in it, recursively, and a glob (``*``, ``?``, ``[...]``, ``**``) for the files that
    match, both in the order of their paths. Hidden files are excluded unless named.

    Raises:
        InputError: a name matches no file.
    """
    found: dict[str, None] = {}
    for name in names:
        path = Path(base, name)
        if path.is_dir():
            files = _files_in(name, base)
            problem, hint = "the directory contains no files", "Add documents to it, or name another one."
        elif path.exists():
            files, problem, hint = [Path(name).as_posix()], "", ""
        else:
            pattern = name if glob.has_magic(name) else ""
            matches = glob.glob(pattern, root_dir=base, recursive=True)  # noqa: PTH207 - a name may be absolute
            files = sorted(Path(match).as_posix() for match in matches if Path(base, match).is_file())
            problem, hint = (
                "no such file",
                Phrase("Check the name; it is relative to {base}.", base=Path(base).absolute()),
            )
            if glob.has_magic(name):
                problem = "no file matches"
        if not files:
            raise InputError(Phrase("{name}: {problem}", name=name, problem=problem), hint=hint)
        found.update(dict.fromkeys(files))
    return list(found)


def _files_in(name: str, base: str | Path) -> list[str]:
    files: list[str] = []
    for folder, folders, inside in os.walk(Path(base, name)):
        folders[:] = [each for each in folders if not each.startswith(".")]
        within = Path(name, Path(folder).relative_to(Path(base, name)))
        files += (within.joinpath(each).as_posix() for each in inside if not each.startswith("."))
    return sorted(files)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
