"""A part of a run as its journal shows it: what it has grown and spent, and what it gave up.

Does not handle: growing it (``worker``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from selfinstruct import run_directory
from selfinstruct.api.connect import spent_so_far
from selfinstruct.backends import Spending
from selfinstruct.journal import CalledBatch, History
from selfinstruct.recipe import Recipe

#: The folder of the parts in a run directory.
FOLDER = "parts"


@dataclass(frozen=True, slots=True)
class Part:
    """What a part has so far: accepted rows by category, the categories that it gave up, and what was paid for it.

    ``prices`` and ``preflights`` are as in the metadata of a run, ``remarks`` its notes. ``has_open_batches`` is
    whether replies of it may wait for others.
    """

    accepted: Mapping[str, int] = field(default_factory=dict)
    exhausted: frozenset[str] = frozenset()
    spent: Spending = Spending()  # noqa: RUF009 - frozen
    prices: Mapping[str, Sequence[float]] = field(default_factory=dict)
    preflights: Mapping[str, Sequence[int]] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    has_open_batches: bool = False

    @classmethod
    def read(cls, place: Path, recipe: Recipe) -> Part:
        """The part in this directory; an empty one if it was not begun."""
        if not run_directory.is_run_directory(place):
            return cls()
        with History.open(place) as history:
            metadata, categories = history.metadata(), history.state().categories
            return cls(
                {name: each.accepted for name, each in categories.items()},
                metadata.exhausted,
                spent_so_far(history, recipe.all_models),
                metadata.prices,
                metadata.preflights,
                metadata.remarks,
                bool(history.open_batches()),
            )

    def with_batches(self, batches: Iterable[CalledBatch]) -> Part:
        """This part with the rows and requests of some batches more; a row counts in the category of its batch."""
        accepted, requests = Counter(self.accepted), self.spent.requests
        for called in batches:
            accepted[called.batch.category] += len(called.rows)
            requests += sum(came.tries for _, came in called.calls)
        return replace(self, accepted=accepted, spent=replace(self.spent, requests=requests))

    def misses(self, quotas: Mapping[str, int]) -> bool:
        """Whether there is something to do to meet these quotas."""
        return self.has_open_batches or any(self.accepted.get(name, 0) < quota for name, quota in quotas.items())


def place_of(where: Path, part: int) -> Path:
    """The directory of a part, which counts from 0, of the run in ``where``."""
    return where / FOLDER / str(part)
