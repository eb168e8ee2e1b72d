"""Which rows go to which split: groups of rows that must stay together are assigned whole; pure.

Within each stratum (category) the groups stand in the order of their keys, which are hashes, and are cut there at the
shares. So a row that is added later moves only a few rows near the cuts. What a cut leaves over in one stratum is made
up for in the next, so that the shares hold overall even where strata have few groups. Groups that are large beside the
smallest split come first, the largest to the split that lacks most; the last ones go to splits that are still empty.

Does not handle: what belongs together (``split_groups``).

>>> groups = [Group(1, "a", bytes([key])) for key in range(10)]
>>> assign(groups, {"train": 0.8, "test": 0.2}).count("test")
2
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: A group with more rows than this part of the smallest split is placed before the others.
_LARGE = 0.25


class Group(NamedTuple):
    """Rows that must stay together: their number, their stratum, and a key that orders them by chance."""

    rows: int
    stratum: str
    key: bytes


def assign(groups: Sequence[Group], shares: Mapping[str, float]) -> list[str]:
    """Return the split of each group; ``shares`` are positive and sum to 1."""
    total = sum(group.rows for group in groups)
    lacking = {split: share * total for split, share in shares.items()}
    large = _LARGE * min(lacking.values(), default=0.0)
    assigned = [""] * len(groups)
    for at in sorted(range(len(groups)), key=lambda at: (-groups[at].rows, groups[at].key)):
        if groups[at].rows > max(large, 1):
            empty = [split for split in shares if split not in assigned]
            open_to = empty if assigned.count("") <= len(empty) else lacking
            assigned[at] = max(open_to, key=lacking.__getitem__)
            lacking[assigned[at]] -= groups[at].rows
    strata: dict[str, list[int]] = defaultdict(list)
    for at, split in enumerate(assigned):
        if not split:
            strata[groups[at].stratum].append(at)
    wanted = {split: max(rows, 0.0) for split, rows in lacking.items()}
    whole = sum(wanted.values())
    carried = dict.fromkeys(shares, 0.0)
    for stratum in sorted(strata):
        members = sorted(strata[stratum], key=lambda at: groups[at].key)
        rows = sum(groups[at].rows for at in members)
        due = {split: carried[split] + rows * wanted[split] / whole for split in shares}
        for at, split in zip(members, _cut([groups[at].rows for at in members], due), strict=True):
            assigned[at] = split
            due[split] -= groups[at].rows
        carried = due
    return assigned


def _cut(sizes: Sequence[int], due: Mapping[str, float]) -> list[str]:
    """The split of each of some groups in their order: where its middle lies on the line of what is due."""
    ends, end = [], 0.0
    for split, rows in due.items():
        end += max(rows, 0.0)
        ends.append((end, split))
    splits, start = [], 0
    scale = end / max(sum(sizes), 1)
    for size in sizes:
        middle = scale * (start + size / 2)
        splits.append(next((split for end, split in ends if middle < end), ends[-1][1]))
        start += size
    return splits
