"""Word lists: plausible values for whoever has to make some up.

Each list is a text file beside this one: UTF-8, one entry a line, ``#`` at the start of a line begins a comment.
Does not handle: weights, tags, or lists from elsewhere (those are row files, see ``selfinstruct.rows``).

>>> words("zh-trigrams")[:3]
('乾', '坤', '震')
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

# Not importlib.resources: it takes longer to import (45 ms) than all the lists to read.
_FOLDER = Path(__file__).parent
_OR = " | "


@cache
def names() -> tuple[str, ...]:
    """The names of all word lists, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.txt")))


@cache
def words(name: str) -> tuple[str, ...]:
    """The entries of one list, in the order of its file; the file is read at the first call.

    Raises:
        LookupError: there is no list of that name.
    """
    # Names are looked up rather than joined to a path, so that "../x" is no way out of the package.
    if name not in names():
        raise LookupError(f"no word list is named {name!r}; there are: {', '.join(names())}")
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))


@cache
def groups(language: str) -> tuple[tuple[str, ...], ...]:
    """Groups of phrases of which any may stand for any other of its group; ``language`` is ``en`` or ``zh``.

    Raises:
        LookupError: there is no such list for that language.
    """
    return tuple(tuple(line.split(_OR)) for line in words(f"interchangeable.{language}"))
