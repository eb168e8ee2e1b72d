"""How similar the rows are to their nearest neighbours: ROUGE-L F1 with seeds, and with each other.

As in Self-Instruct's Figure 4 (Wang et al. 2023, arXiv:2212.10560).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfinstruct.analysis.report.histogram import BINS, Histogram, Spread, histogram, spread
from selfinstruct.recipe import Novelty
from selfinstruct.records import Row
from selfinstruct.similarity import RowIndex

#: The approximate number of pairs compared for each chart, so that a report of a million rows takes no longer.
_PAIRS, _LEAST = 150_000, 20
_SEED_PAIRS, _MOST = 20_000, 300


@dataclass(frozen=True, slots=True)
class Similarity:
    """ROUGE-L F1 of rows with the nearest other row.

    ``histogram`` and ``grown`` are of ``compared`` grown rows, each with its nearest of ``among`` rows. ``seeds`` are
    of seeds, each with its nearest other seed.
    """

    histogram: Histogram
    grown: Spread | None
    seeds: Spread | None
    compared: int
    among: int


def with_seeds(seeds: Sequence[Row], grown: Sequence[Row], novelty: Novelty) -> Similarity:
    """Compare grown rows, as many as time allows, with every seed; there must be seeds."""
    index = RowIndex(novelty)
    index.add_all(seeds)
    few = grown[: max(min(_SEED_PAIRS // len(seeds), _MOST), _LEAST)]
    scores = [index.k_nearest(row, 1)[0][1] for row in few]
    return _similarity(_among(index, seeds), scores, len(few), len(seeds))


def among_grown(seeds: Sequence[Row], grown: Sequence[Row], novelty: Novelty) -> Similarity:
    """Compare grown rows, as many as time allows, with each other."""
    index, own = RowIndex(novelty), RowIndex(novelty)
    own.add_all(seeds)
    index.add_all(grown)
    few = grown[: max(min(_PAIRS // max(len(grown), 1), _MOST), _LEAST)]
    scores = [near[1][1] for row in few if len(near := index.k_nearest(row, 2)) > 1]
    return _similarity(_among(own, seeds), scores, len(few), len(grown))


def _among(index: RowIndex, seeds: Sequence[Row]) -> list[float]:
    """The score of each of some seeds with its nearest other seed."""
    few = seeds[: max(min(_SEED_PAIRS // max(len(seeds), 1), _MOST), _LEAST)]
    return [near[1][1] for row in few if len(near := index.k_nearest(row, 2)) > 1]


def _similarity(seeds: Sequence[float], grown: Sequence[float], compared: int, among: int) -> Similarity:
    shares = histogram(seeds, grown, 0.0, 1.0 / BINS, BINS)
    return Similarity(shares, spread(grown), spread(seeds), compared, among)
