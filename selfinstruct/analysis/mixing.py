"""Real rows among grown ones: which of both are kept, so that none says what another says already; pure.

Real rows come first: a grown row that is a near-duplicate of one is left out, and so are real rows that repeat an
earlier one, or a seed. Then rows are drawn by their hashes, so that the same rows give the same mixture in any order.

Does not handle: near-duplicates among real rows, which are as they are.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from selfinstruct.analysis.selection import apportion
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.similarity import RowIndex
from selfinstruct.text import canonical


@dataclass(frozen=True, slots=True)
class Mixture:
    """The positions of the kept rows, ascending; how many were left out as copies, and grown ones for the ratio."""

    grown: Sequence[int]
    real: Sequence[int]
    repeated: int
    near: int
    surplus: int


def mix(
    grown: Sequence[Row],
    categories: Sequence[str],
    limits: Sequence[float],
    real: Sequence[Row],
    seeds: Sequence[Row],
    recipe: Recipe,
    *,
    ratio: float | None,
    key: Callable[[Row], bytes],
) -> Mixture:
    """Return the mixture; ``ratio`` is the share of real rows in it, None for all rows.

    ``categories`` and ``limits``, the largest F1 with a real row, are those of grown rows; ``key`` is a row's hash.
    Where real rows are too few for the ratio, grown rows are left out, of each category as many as its share.
    """
    known = {_same(row) for row in seeds}
    fresh = []
    for at, row in enumerate(real):
        same = _same(row)
        if same not in known:
            known.add(same)
            fresh.append(at)
    index = RowIndex(recipe.novelty, min_threshold=min(limits, default=1.0))
    index.add_all(real[at] for at in fresh)
    copies = {_same(real[at]) for at in fresh}
    new = [
        at
        for at, (row, limit) in enumerate(zip(grown, limits, strict=True))
        if _same(row) not in copies and index.nearest(row, limit) is None
    ]
    kept = new
    if ratio is not None:
        wanted = round(ratio / (1 - ratio) * len(new))
        if wanted > len(fresh):
            kept = _drawn(new, round(len(fresh) * (1 - ratio) / ratio), categories, lambda at: key(grown[at]))
            wanted = len(fresh)
        fresh = sorted(sorted(fresh, key=lambda at: key(real[at]))[:wanted])
    return Mixture(kept, fresh, len(real) - len(copies), len(grown) - len(new), len(new) - len(kept))


def _drawn(places: Sequence[int], count: int, categories: Sequence[str], key: Callable[[int], bytes]) -> list[int]:
    """As many of these places, of each category its share, chosen by their hashes."""
    members: dict[str, list[int]] = defaultdict(list)
    for at in places:
        members[categories[at]].append(at)
    sizes = Counter(categories[at] for at in places)
    parts = apportion(count, sizes, sizes)
    return sorted(at for name, own in members.items() for at in sorted(own, key=key)[: parts[name]])


def _same(row: Row) -> str:
    """A text that two rows have in common if their values are the same."""
    return canonical(json.dumps(row, ensure_ascii=False, sort_keys=True))
