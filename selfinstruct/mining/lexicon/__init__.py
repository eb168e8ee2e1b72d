"""Word lists: plausible values for generated rows.

Each list is a text file beside this one: UTF-8, one entry per line; lines that start with ``#`` are comments.
Does not handle: weights, tags, or user-supplied lists (see ``selfinstruct.rows``).

>>> words("zh-trigrams")[:3]
('乾', '坤', '震')
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

# Not importlib.resources: importing it takes longer (45 ms) than reading all the lists.
_FOLDER = Path(__file__).parent
_OR = " | "


@cache
def names() -> tuple[str, ...]:
    """The names of all word lists, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.txt")))


@cache
def words(name: str) -> tuple[str, ...]:
    """The entries of one list, in the order of its file; the file is read on the first call.

    Raises:
        LookupError: no list has that name.
    """
    # Names are looked up, not joined to a path, so that "../x" cannot leave the package.
    if name not in names():
        raise LookupError(f"no such word list: {name!r}; expected one of: {', '.join(names())}")
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))


@cache
def groups(language: str) -> tuple[tuple[str, ...], ...]:
    """Groups of interchangeable phrases; ``language`` is ``en`` or ``zh``.

    Raises:
        LookupError: there is no list for that language.
    """
    return tuple(tuple(line.split(_OR)) for line in words(f"interchangeable.{language}"))
