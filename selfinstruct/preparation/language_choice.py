"""The language that a recipe with variants is run in: that of its passages, documents, seeds or lists.

Does not handle: languages other than English and Chinese; files that cannot be read, which are reported where they are
used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from selfinstruct.documents import find_documents, read_document
from selfinstruct.documents.document import is_pdf
from selfinstruct.errors import InputError
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import Language, Recipe
from selfinstruct.records import Row
from selfinstruct.rows import UTF_8, open_unpacked, read_rows

_HEAD = 1 << 16
_MOST_FILES = 8


def language_of(recipe: Recipe, passages: Sequence[str] = (), encoding: str = UTF_8) -> Language | None:
    """The language of the texts that a recipe uses: the files ``passages``, its documents, seeds, or lists.

    The first of these that it has decides; None if it has none that can be read. ``encoding`` is that of ``passages``.
    """
    documents = recipe.documents
    if passages:
        return language_of_files(passages, encoding)
    if recipe.passages is not None:
        return language_of_files(recipe.passages.files, recipe.passages.encoding)
    if documents is not None:
        read = _of_rows if documents.by == "row" else language_of_files
        return read(documents.files, documents.encoding)
    if recipe.seeds.file:
        return _of_rows([recipe.seeds.file], recipe.seeds.encoding)
    lists = [each for each in recipe.attributes.values() if each.file]
    return language_of_files([each.file for each in lists if each.file], lists[0].encoding if lists else UTF_8)


def language_of_files(names: Sequence[str], encoding: str = UTF_8) -> Language | None:
    """The language of text files; of PDFs only if there are no others. None if no file can be read."""
    try:
        files = [str(file) for file in find_documents(names)]
        heads = {file: head for file in files[:_MOST_FILES] if (head := _head(file, encoding))}
        texts = [head.decode("utf-8", "ignore") for head in heads.values() if not is_pdf(head)]
        if not texts:
            texts = [page.text for file in islice(heads, 1) for page in read_document(Path(file)).pages]
    except InputError:
        return None
    return _detected([{"text": text} for text in texts])


def _head(file: str, encoding: str) -> bytes:
    with open_unpacked(file, encoding) as opened:
        return opened.read(_HEAD)


def _of_rows(names: Sequence[str], encoding: str) -> Language | None:
    if "-" in names:
        return None  # standard input can be read only once
    try:
        return _detected(list(_rows(names, encoding)))
    except InputError:
        return None


def _rows(names: Sequence[str], encoding: str) -> Iterator[Row]:
    for file in find_documents(names)[:_MOST_FILES]:
        yield from read_rows(str(file), encoding=encoding).rows


def _detected(rows: Sequence[Row]) -> Language | None:
    return detect_language(rows) if rows else None
