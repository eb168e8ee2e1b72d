"""Ids inside lists: of the items of a row, and the leaves that refer to them.

Ids that count the items of each row (1, 2, 3 in every row) stay as they are, and so do references to them. Ids that are
unique over all rows get new values, which their references follow.

Does not handle: ids without a digit.

>>> rows = [{"items": [{"id": f"it-{n}"}, {"id": f"it-{n + 1}"}], "main": f"it-{n + 1}"} for n in (1, 3, 5)]
>>> ids = NestedIds(rows)
>>> sorted(ids.unique), ids.references
([('items', -1, 'id')], {('main',): ('items', -1, 'id')})
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from selfinstruct.mining.leaf_texts import any_position, leaf_texts
from selfinstruct.mining.unique_fields import is_id_name, ranges_alike
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

_LEAST_ROWS = 2
_WORD = re.compile(r"\S{1,64}")


class NestedIds:
    """The ids inside lists of a set of rows, by path with any position of a list.

    ``unique`` are unique over all rows, ``local`` within each row alone; ``references`` maps the paths of leaves whose
    values are always among these ids of their row to the path of the ids. ``most`` is the largest number of unique
    ids in a row.
    """

    def __init__(self, rows: Sequence[Row], fixed: Collection[str] = ()) -> None:
        shown = [_by_pattern(leaf_texts(row, fixed)) for row in rows]
        patterns = Counter(pattern for texts in shown for pattern in texts)
        ids = [
            pattern
            for pattern, count in patterns.items()
            if -1 in pattern
            and count >= _LEAST_ROWS
            and (_are_counted(pattern, shown) or (is_id_name(pattern) and _are_apart(pattern, shown)))
        ]
        every = {pattern: [text for texts in shown for text in texts.get(pattern, ())] for pattern in ids}
        self.unique = frozenset(
            pattern
            for pattern in ids
            if len(set(every[pattern])) == len(every[pattern]) and ranges_alike(every[pattern])
        )
        self.local = frozenset(ids) - self.unique
        self.most = max((sum(len(texts.get(pattern, ())) for pattern in self.unique) for texts in shown), default=0)
        self.references = {
            pattern: target
            for pattern in patterns
            if pattern not in every
            for target in [_referred(pattern, ids, shown)]
            if target is not None
        }

    def is_kept(self, path: Path) -> bool:
        """Whether the leaf at this path is a local id, or refers to one."""
        pattern = any_position(path)
        return pattern in self.local or self.references.get(pattern) in self.local

    def id_of(self, path: Path) -> Path | None:
        """The path of the unique ids to which the leaf at this path belongs or refers; None if there are none."""
        pattern = any_position(path)
        target = pattern if pattern in self.unique else self.references.get(pattern)
        return target if target in self.unique else None


def _by_pattern(texts: dict[Path, str]) -> dict[Path, list[str]]:
    found: dict[Path, list[str]] = defaultdict(list)
    for path, text in texts.items():
        found[any_position(path)].append(text)
    return found


def _are_apart(pattern: Path, shown: Sequence[dict[Path, list[str]]]) -> bool:
    """Whether the values are words with a digit that differ within each row, of which some has several."""
    values = [texts[pattern] for texts in shown if pattern in texts]
    words = all(_WORD.fullmatch(text) and any(map(str.isdigit, text)) for texts in values for text in texts)
    return words and all(len(set(texts)) == len(texts) for texts in values) and any(len(texts) > 1 for texts in values)


def _are_counted(pattern: Path, shown: Sequence[dict[Path, list[str]]]) -> bool:
    """Whether the values number the items of each row, from 0 or from 1."""
    values = [texts[pattern] for texts in shown if pattern in texts]
    starts = (all(texts == [str(first + at) for at in range(len(texts))] for texts in values) for first in (0, 1))
    return any(starts) and any(len(texts) > 1 for texts in values)


def _referred(pattern: Path, ids: Sequence[Path], shown: Sequence[dict[Path, list[str]]]) -> Path | None:
    """The ids that all values of a path are among, in at least two rows with different places among them."""
    for target in ids:
        having = [texts for texts in shown if pattern in texts]
        inside = all(set(texts[pattern]) <= set(texts.get(target, ())) for texts in having)
        choices = sum(len(texts.get(target, ())) > 1 for texts in having)
        if inside and len(having) >= _LEAST_ROWS and choices:
            return target
    return None
