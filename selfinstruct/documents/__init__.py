r"""Reads documents (plain text, Markdown, HTML, PDF) and divides them into passages for prompts.

    files named by the recipe -> documents (pages of text) -> passages (spans of a page)

Does not handle: office files, scanned pages (no OCR), finding out an encoding, downloading, choosing the passages
of a prompt (``growth``).

>>> samples("one\n\n\ntwo")
[(0, 3), (6, 9)]
>>> Chunking(max_characters=12).spans("First one. Second one.")
[(0, 10), (11, 22)]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from selfinstruct.documents.samples import samples

if TYPE_CHECKING:
    from selfinstruct.documents.chunks import Chunking
    from selfinstruct.documents.document import Document, Page, Skipped, read_document
    from selfinstruct.documents.packed import PROSE, PackedPassages
    from selfinstruct.documents.passage_files import PassageReading, read_passage_files
    from selfinstruct.documents.passages import Passage, Reading, find_documents, read_documents
    from selfinstruct.documents.raw_text import raw_kind

# Imported on first use: most runs read no documents.
_HOMES = {
    "chunks": ("Chunking",),
    "document": ("Document", "Page", "Skipped", "read_document"),
    "packed": ("PROSE", "PackedPassages"),
    "passage_files": ("PassageReading", "read_passage_files"),
    "passages": ("Passage", "Reading", "find_documents", "read_documents"),
    "raw_text": ("raw_kind",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "PROSE",
    "Chunking",
    "Document",
    "PackedPassages",
    "Page",
    "Passage",
    "PassageReading",
    "Reading",
    "Skipped",
    "find_documents",
    "raw_kind",
    "read_document",
    "read_documents",
    "read_passage_files",
    "samples",
]


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    return value
