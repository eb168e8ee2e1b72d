"""The figures of a run's report: histograms over a sample of its rows, example rows and rejections; no rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from selfinstruct.analysis.summary import Summary
from selfinstruct.journal import GrownRow, History, RefusedCandidate
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Novelty, Recipe
from selfinstruct.recipe.namings import OF_PASSAGES
from selfinstruct.records import Row
from selfinstruct.similarity import RowIndex
from selfinstruct.text import value_text

#: Rows in a report, and rejections for each reason.
_SHOWN, _EXAMPLES = 10, 3
#: Histograms are computed from a sample, so that a report takes as long for a million rows as for a thousand.
_SAMPLE, _PAIRS, _LEAST_SAMPLE = 300, 20_000, 20
_BINS = 20
_CHARTED_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two distributions over the same equal steps of ``step`` from ``low`` on: shares in [0, 1], each adding to 1.

    ``seeds`` is the distribution of the seed rows, ``grown`` that of the sampled rows; zeros without values.
    """

    low: float
    step: float
    seeds: tuple[float, ...]
    grown: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The data of a report besides the summary; its size is limited for any number of rows.

    ``rows`` are some accepted rows, of every category while there is room. ``refused`` has for each reason its first
    rejections. ``sampled`` is how many grown rows the histograms are drawn from. ``likeness`` is of the ROUGE-L F1
    of a row with its most similar seed (for a seed: with another seed), as in Self-Instruct's Figure 4 (Wang et al.
    2023, arXiv:2212.10560); without seeds, with the most similar of the other sampled rows. ``lengths`` are of the
    values of the text fields that are written, and not drawn or taken from a passage, in code points.
    """

    summary: Summary
    rows: Sequence[GrownRow]
    rejections: Mapping[str, Sequence[RefusedCandidate]]
    sample_size: int
    similarity: Histogram
    lengths: Mapping[str, Histogram]


def build_report(history: History, prepared: Prepared, summary: Summary) -> Report:
    """Return the report figures of a run, read from its journal in a time that does not depend on its rows."""
    seeds = prepared.seeds.rows
    size = max(min(_SAMPLE, _PAIRS // max(len(seeds), 1)), _LEAST_SAMPLE)
    sample = [grown for number in _evenly_spaced(summary.accepted, size) if (grown := history.row(number)) is not None]
    rows = [grown.row for grown in sample]
    texts = [name for name, field in prepared.recipe.fields.items() if field.type == "string"]
    texts = [name for name in texts if name in _written_fields(prepared.recipe)] or texts
    return Report(
        summary=summary,
        rows=_diverse(sample),
        rejections={reason: list(islice(history.rejections(reason), _EXAMPLES)) for reason in summary.rejected},
        sample_size=len(sample),
        similarity=_similarity_histogram(seeds, rows, prepared.recipe.novelty),
        lengths={name: _length_histogram(name, seeds, rows) for name in texts[:_CHARTED_FIELDS]},
    )


def _written_fields(recipe: Recipe) -> set[str]:
    """Return the fields whose values are neither drawn nor taken from a passage."""
    steps = {name for step in recipe.steps for name in step.writes}
    given = {*recipe.attributes, *(OF_PASSAGES if recipe.documents is not None else ())} - steps
    sources = {name: field.source or name for name, field in recipe.fields.items()}
    return {name for name, source in sources.items() if source.partition(".")[0] not in given}


def _evenly_spaced(total: int, count: int) -> list[int]:
    """Return at most ``count`` evenly spaced numbers of 1..``total``, starting with 1."""
    count = min(count, total)
    return [1 + place * total // count for place in range(count)]


def _diverse(sample: Sequence[GrownRow]) -> list[GrownRow]:
    """Choose rows to show, about the same number from each category."""
    by_category: dict[str, list[GrownRow]] = {}
    for grown in sample:
        by_category.setdefault(grown.category, []).append(grown)
    share, rest = divmod(_SHOWN, max(len(by_category), 1))
    chosen: list[GrownRow] = []
    for at, members in enumerate(list(by_category.values())[:_SHOWN]):
        chosen += [members[place - 1] for place in _evenly_spaced(len(members), share + (at < rest))]
    return chosen


def _similarity_histogram(seeds: Sequence[Row], grown: Sequence[Row], novelty: Novelty) -> Histogram:
    index = RowIndex(novelty)
    if not seeds:
        index.add_all(grown)
        others = [index.k_nearest(row, 2) for row in grown]
        return _histogram([], [found[1][1] for found in others if len(found) > 1], 0.0, 1.0 / _BINS, _BINS)
    index.add_all(seeds)
    compared = seeds[: max(_PAIRS // len(seeds), _LEAST_SAMPLE)]
    among = [near[1][1] for row in compared if len(near := index.k_nearest(row, 2)) > 1]
    scores = [index.k_nearest(row, 1)[0][1] for row in grown]
    return _histogram(among, scores, 0.0, 1.0 / _BINS, _BINS)


def _length_histogram(name: str, seeds: Sequence[Row], grown: Sequence[Row]) -> Histogram:
    own, theirs = ([len(value_text(row[name])) for row in rows if name in row] for rows in (seeds, grown))
    low, high = min(own + theirs, default=0), max(own + theirs, default=0)
    # Whole steps, so that every bar covers the same number of lengths.
    step = max(-(-(high - low + 1) // _BINS), 1)
    return _histogram(own, theirs, low, step, (high - low) // step + 1)


def _histogram(seeds: Sequence[float], grown: Sequence[float], low: float, step: float, bins: int) -> Histogram:
    return Histogram(low, step, _shares(seeds, low, step, bins), _shares(grown, low, step, bins))


def _shares(values: Sequence[float], low: float, step: float, bins: int) -> tuple[float, ...]:
    counts = [0] * bins
    for value in values:
        # A value that rounding moved below a border (0.7 / 0.05) belongs above it; the maximum belongs to the last bin.
        counts[min(int((value - low) / step + 1e-9), bins - 1)] += 1
    return tuple(count / len(values) if values else 0.0 for count in counts)
