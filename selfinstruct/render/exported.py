"""The splits of an export, as lines for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from selfinstruct.messages import translated
from selfinstruct.render.text import counted, pad, printable


def split_text(rows: Mapping[str, int]) -> str:
    """Return a line for each split: its name, its number of rows, and their share of all rows."""
    names = [printable(name) for name in rows]
    counts = [translated(counted(each, "row")) for each in rows.values()]
    wide, long, total = max(map(len, names)), max(map(len, counts)), max(sum(rows.values()), 1)
    return "\n".join(
        f"  {pad(name, wide)}  {' ' * (long - len(count))}{count}  {each / total:6.1%}"
        for name, count, each in zip(names, counts, rows.values(), strict=True)
    )
