"""``manifest.json``: the files of an exported folder with their digests, and what they were made from.

The same export of the same run gives the same bytes: there is no date in it, and no path of the machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

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


def described(folder: Path, path: str, split: str | None = None, rows: int | None = None) -> ExportedFile:
    """Return a file of a folder with its size and its digest."""
    digest, size = sha256(), 0
    with (folder / path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return ExportedFile(path, size, digest.hexdigest(), split, rows)


def manifest(files: Sequence[ExportedFile], about: Mapping[str, Any]) -> str:
    """Return the manifest of these files; ``about`` is what they were made from."""
    listed = [{key: value for key, value in asdict(each).items() if value is not None} for each in files]
    whole = {"manifest_version": 1, "files": listed, **about, "selfinstruct": __version__}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def listed_files(folder: Path) -> list[str]:
    """Return the paths that a folder's manifest lists; none if it has no manifest that can be read."""
    try:
        files = json.loads((folder / MANIFEST_NAME).read_bytes())["files"]
        return [each["path"] for each in files if isinstance(each["path"], str)]
    except (OSError, ValueError, LookupError, TypeError):
        return []
