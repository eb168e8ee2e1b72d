"""The files of this machine that an assistant may name: those in one folder.

Does not handle: reading or writing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selfinstruct.assistant.client import RefusedError


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """The files in ``folder`` and in the folders in it; links are followed before the place is judged."""

    folder: Path

    def existing(self, name: str) -> Path:
        """The file called ``name``, relative to the folder. Raises RefusedError if it may not be read or is none."""
        path = self._inside(name)
        if not path.is_file():
            raise RefusedError(f"{name}: no such file in {self.folder}")
        return path

    def new(self, name: str) -> Path:
        """The path of a file to create. Raises RefusedError if it already exists or may not be written."""
        path = self._inside(name)
        if path.exists():
            raise RefusedError(f"{name}: already exists\nHint: Choose another name.")
        if not path.parent.is_dir():
            raise RefusedError(f"{name}: its folder does not exist in {self.folder}")
        return path

    def _inside(self, name: str) -> Path:
        try:
            path = (self.folder / name).resolve()
        except (OSError, ValueError) as error:  # a loop of links, a NUL
            raise RefusedError(f"{name!r}: not a path") from error
        if not path.is_relative_to(self.folder.resolve()):
            raise RefusedError(f"{name}: outside {self.folder}\nHint: Name a file in that folder.")
        return path
