"""Python objects of a few known classes as files of the work directory.

Only these classes are ever read, so that a work directory of somebody else runs no code.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from selfinstruct.engines.dedup.work import load, save

_KNOWN = {
    "array": {"_array_reconstructor", "array"},
    "collections": {"Counter"},
    "selfinstruct.analysis.findings": {"Finding"},
    "selfinstruct.analysis.gate.examining": {"Alike", "Link", "Part"},
    "selfinstruct.analysis.gate.figures": {"Figures"},
    "selfinstruct.analysis.gate.found": {"Found"},
    "selfinstruct.analysis.gate.kinds": {"Sums"},
    "selfinstruct.analysis.gate.leaks": {"Contexts"},
    "selfinstruct.analysis.gate.outliers": {"Outliers"},
    "selfinstruct.analysis.gate.placeholders": {"Placeholders"},
    "selfinstruct.messages": {"Phrase"},
    "selfinstruct.readers.reader": {"Prediction"},
    "selfinstruct.recipe.methods": {"Verify"},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name not in _KNOWN.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is not expected in a work directory")
        return super().find_class(module, name)


def keep(path: Path, value: object) -> int:
    """Write an object, and return the bytes of the file."""
    return save(path, kept=np.frombuffer(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL), np.uint8))


def kept(path: Path) -> Any:
    """The object that was written."""
    return _Reader(io.BytesIO(load(path, "kept").tobytes())).load()
