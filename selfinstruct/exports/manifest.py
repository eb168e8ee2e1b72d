"""``manifest.json``: the files of an exported folder with their digests, and what they were made from.

The same export of the same run gives the same bytes: there is no date in it, and no path of the machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from selfinstruct._version import __version__

MANIFEST_NAME = "manifest.json"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export: its path in the folder, its size in bytes, its digest, and for data its split and rows."""

    path: str
    bytes: int
    sha256: str
    split: str | None = None
    rows: int | None = None


class ManifestFile(TypedDict):
    """A file of an exported folder.

    ``path`` is its path in the folder, ``bytes`` its size, ``sha256`` its digest in hexadecimal digits. A file of data
    also has its ``split`` and its number of ``rows``.
    """

    path: str
    bytes: int
    sha256: str
    split: NotRequired[str]
    rows: NotRequired[int]


class Origin(TypedDict):
    """What an export was made from: the keys of ``Manifest`` that are about the run."""

    run: str
    recipe_sha256: str
    seeds_sha256: str
    export: Mapping[str, Any]


class Manifest(Origin):
    """The files of an exported folder, and what they were made from.

    ``manifest_version`` is the version of this format. ``files`` are the other files of the folder. ``run`` is the name
    of the recipe of the run. ``recipe_sha256`` and ``seeds_sha256`` are the digests of the recipe and of the seeds.
    ``export`` has the options of the export that differ from their defaults. ``selfinstruct`` is the version of the
    program.
    """

    manifest_version: int
    files: list[ManifestFile]
    selfinstruct: str


def described(folder: Path, path: str, split: str | None = None, rows: int | None = None) -> ExportedFile:
    """Return a file of a folder with its size and its digest."""
    digest, size = sha256(), 0
    with (folder / path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return ExportedFile(path, size, digest.hexdigest(), split, rows)


def manifest(files: Sequence[ExportedFile], about: Origin) -> str:
    """Return the manifest of these files; ``about`` is what they were made from."""
    whole: Manifest = {
        "manifest_version": 1,
        "files": [_listed(each) for each in files],
        **about,
        "selfinstruct": __version__,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _listed(file: ExportedFile) -> ManifestFile:
    listed: ManifestFile = {"path": file.path, "bytes": file.bytes, "sha256": file.sha256}
    if file.split is not None:
        listed["split"] = file.split
    if file.rows is not None:
        listed["rows"] = file.rows
    return listed


def listed_files(folder: Path) -> list[str]:
    """Return the paths that a folder's manifest lists; none if it has no manifest that can be read."""
    try:
        files = json.loads((folder / MANIFEST_NAME).read_bytes())["files"]
        return [each["path"] for each in files if isinstance(each["path"], str)]
    except (OSError, ValueError, LookupError, TypeError):
        return []
