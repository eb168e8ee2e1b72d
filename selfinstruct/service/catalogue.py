"""The runs of a service: the subdirectories of its root that have a journal, whoever made them.

An id from a request is only ever looked up in the listing of the root, never joined to a path.
"""

from __future__ import annotations

import threading
from pathlib import Path

from selfinstruct.errors import StorageError
from selfinstruct.run_directory import is_run_directory
from selfinstruct.service.models import Run
from selfinstruct.service.state import read_run, stamp_of


class Catalogue:
    """Lists and reads the runs below ``root``; its methods may block, and may be called from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, tuple[tuple[object, ...], Run]] = {}
        self._lock = threading.Lock()

    def directories(self) -> dict[str, Path]:
        """The directories of all runs by their ids."""
        try:
            found = [each for each in self.root.iterdir() if not each.name.startswith(".")]
        except FileNotFoundError:
            return {}
        return {each.name: each for each in found if each.is_dir() and is_run_directory(each)}

    def find(self, run: str) -> Path | None:
        """The directory of a run, or None if there is no such run."""
        return self.directories().get(run)

    def read(self, directory: Path) -> Run:
        """The figures of a run, read again only if it may have changed. Raises StorageError."""
        stamp = stamp_of(directory)
        with self._lock:
            known = self._known.get(directory.name)
        if known is not None and known[0] == stamp:
            return known[1]
        run = read_run(directory)
        with self._lock:
            self._known[directory.name] = (stamp, run)
        return run

    def all(self) -> list[Run]:
        """Every run that can be read, the newest first."""
        runs = []
        for directory in self.directories().values():
            try:
                runs.append(self.read(directory))
            except StorageError:
                continue  # damaged, or removed meanwhile; reading it alone says which
        return sorted(runs, key=lambda run: (run.created, run.id), reverse=True)
