"""Measures of a run: numbers only, read from its journal; how they look is for ``render``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from itertools import islice
from typing import Any, Self, TypeVar

from selfinstruct.backends import cost
from selfinstruct.journal import GrownRow, History, RefusedCandidate, Spent
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Novelty, Price, Recipe
from selfinstruct.recipe.namings import OF_PASSAGES
from selfinstruct.records import Row, Usage
from selfinstruct.similarity.row_index import RowIndex
from selfinstruct.text import value_text

T = TypeVar("T")

#: A report shows so many rows, and so many rejections of each reason.
_SHOWN, _EXAMPLES = 10, 3
#: Its charts are drawn from a sample: the same work for a thousand rows and for a million.
_SAMPLE, _PAIRS, _LEAST_SAMPLE = 300, 20_000, 20
_BINS = 20
_CHARTED_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Bill:
    """What some rows cost: requests, tokens, and money in the currency of the recipe's prices.

    ``cost`` is None where a price is unknown, ``cost_per_row`` also where no row was accepted.
    """

    requests: int
    tokens: Usage
    cost: float | None
    cost_per_row: float | None
    accepted: int

    def to_dict(self) -> dict[str, Any]:
        """The bill as it stands in ``summary.json``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``; raises KeyError or TypeError where ``data`` is no such object."""
        return _from_dict(cls, {**data, "tokens": Usage(**data["tokens"])})


@dataclass(frozen=True, slots=True)
class CategorySummary(Bill):
    """One category of a run: its bill, its quota, and the threshold that its rows were held to.

    ``drifted`` counts accepted rows that came when another category was requested. ``exhausted`` is set where the
    category stopped short of its quota. ``max_rouge_l`` is the largest ROUGE-L F1 that was allowed, in [0, 1].
    """

    quota: int
    drifted: int
    exhausted: bool
    max_rouge_l: float

    def to_dict(self) -> dict[str, Any]:
        """The category as it stands in ``summary.json``."""
        own = ("quota", "drifted", "exhausted", "max_rouge_l")
        return {name: getattr(self, name) for name in own} | Bill.to_dict(self)


@dataclass(frozen=True, slots=True)
class Summary(Bill):
    """The figures of a run; ``to_dict`` is the object of ``summary.json`` and of ``run --json``.

    ``rejected`` and ``failed`` count by reason. ``max_rouge_l`` is the largest threshold of all categories.
    ``cost`` is None where no prices are known; tokens and cost of a category are those of the batches that requested
    it, and what belongs to none (the preflight) is in the totals alone. ``models`` has the same by model.
    ``stopped`` is ``done``, ``exhausted``, ``budget``, ``interrupted``, ``endpoint``, ``storage`` or ``running``.
    ``conserved`` is whether every candidate was either accepted or rejected. ``notes`` lists adjustments made to
    prompts and models. ``seed`` is the random seed, ``seconds`` the time spent in all sessions of the run.
    """

    name: str
    requested_rows: int
    seeds: int
    candidates: int
    rejected: Mapping[str, int]
    failed: Mapping[str, int]
    categories: Mapping[str, CategorySummary]
    models: Mapping[str, Bill]
    max_rouge_l: float
    model: str
    seed: int | None
    stopped: str
    seconds: float
    conserved: bool
    notes: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """The object of ``summary.json``: plain dicts, lists, strings and numbers."""
        before = ("name", "requested_rows", "seeds", "candidates", "rejected", "failed")
        after = ("max_rouge_l", "model", "seed", "stopped", "seconds", "conserved", "notes")
        return {
            **{name: getattr(self, name) for name in before},
            "categories": {name: category.to_dict() for name, category in self.categories.items()},
            **Bill.to_dict(self),
            "models": {name: bill.to_dict() for name, bill in self.models.items()},
            **{name: getattr(self, name) for name in after},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``; raises KeyError or TypeError where ``data`` is no such object."""
        nested = {
            "tokens": Usage(**data["tokens"]),
            "categories": {name: CategorySummary.from_dict(each) for name, each in data["categories"].items()},
            "models": {name: Bill.from_dict(each) for name, each in data["models"].items()},
        }
        return _from_dict(cls, {**data, **nested})


def _from_dict(cls: type[T], data: Mapping[str, Any]) -> T:
    """An instance from the keys that it has fields for; later versions may add keys."""
    return cls(**{field.name: data[field.name] for field in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two distributions over the same equal steps of ``step`` from ``low`` on: shares in [0, 1], each adding to 1.

    ``seeds`` are those of the seed rows, ``grown`` those of the sampled grown rows; one that has no values is zeros.
    """

    low: float
    step: float
    seeds: tuple[float, ...]
    grown: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a page about a run shows besides its summary; all of it bounded, whatever the number of rows.

    ``rows`` are some accepted rows, of every category while there is room. ``refused`` has for each reason its first
    rejections. ``sampled`` is how many grown rows the histograms are drawn from. ``likeness`` is of the ROUGE-L F1
    of a row with its most similar seed (for a seed: with another seed), as in Self-Instruct's Figure 4 (Wang et al.
    2023, arXiv:2212.10560); without seeds, with the most similar of the other sampled rows. ``lengths`` are of the
    values of the text fields that are written, and not drawn or taken from a passage, in code points.
    """

    summary: Summary
    rows: Sequence[GrownRow]
    refused: Mapping[str, Sequence[RefusedCandidate]]
    sampled: int
    likeness: Histogram
    lengths: Mapping[str, Histogram]


def summarise(history: History, prepared: Prepared) -> Summary:
    """The summary of a run as recorded in its journal.

    ``stopped`` is the recorded reason; only the caller knows whether the run is still going on.
    """
    state, metadata = history.state(), history.metadata()
    prices = metadata.prices
    categories = {}
    for name, quota in prepared.quotas.items():
        counts = state.categories.get(name)
        accepted = counts.accepted if counts else 0
        categories[name] = CategorySummary(
            quota=quota,
            drifted=counts.accepted - counts.hits if counts else 0,
            exhausted=name in state.exhausted,
            max_rouge_l=prepared.thresholds[name],
            **_bill([spent for spent in state.spent if spent.category == name], prices, accepted),
        )
    by_model = {name: [spent for spent in state.spent if spent.model == name] for name in _models(state.spent)}
    return Summary(
        name=prepared.recipe.name,
        requested_rows=sum(prepared.quotas.values()),
        seeds=state.seeds,
        candidates=state.candidates,
        rejected=state.rejected,
        failed=state.failed,
        categories=categories,
        **_bill(state.spent, prices, state.accepted),
        models={name: Bill(**_bill(spent, prices, history.written_by(name))) for name, spent in by_model.items()},
        max_rouge_l=max(prepared.thresholds.values()),
        model=", ".join(by_model) or ", ".join(model.name for model in prepared.recipe.all_models) or "imitator",
        seed=metadata.seed,
        stopped=metadata.stopped,
        seconds=round(metadata.seconds, 3),
        conserved=state.conserved,
        notes=list(metadata.remarks),
    )


def cost_of(spent: Sequence[Spent], prices: Mapping[str, Sequence[float]]) -> tuple[Decimal, bool]:
    """The money that these took, and whether the price of every token is known."""
    money, known = Decimal(0), True
    for each in spent:
        if not each.tokens.input and not each.tokens.output:
            continue
        if each.model in prices:
            given, got = prices[each.model]
            money += cost(each.tokens, Price(input=given, output=got))
        else:
            known = False
    return money, known


def _bill(spent: Sequence[Spent], prices: Mapping[str, Sequence[float]], accepted: int) -> dict[str, Any]:
    """Requests, tokens and cost, in all and for an accepted row."""
    tokens = sum((each.tokens for each in spent), Usage())
    money, known = cost_of(spent, prices)
    return {
        "requests": sum(each.requests for each in spent),
        "tokens": tokens,
        "cost": float(money) if known else None,
        "cost_per_row": float(money / accepted) if known and accepted else None,
        "accepted": accepted,
    }


def _models(spent: Sequence[Spent]) -> list[str]:
    """The names of the models, in the order of their first call; calls of no known model are left out."""
    return list(dict.fromkeys(each.model for each in spent if each.model))


def build_report(history: History, prepared: Prepared, summary: Summary) -> Report:
    """The report of a run, read from its journal in a time that does not grow with its rows."""
    seeds = prepared.seeds.rows
    size = max(min(_SAMPLE, _PAIRS // max(len(seeds), 1)), _LEAST_SAMPLE)
    sample = [grown for number in _spread(summary.accepted, size) if (grown := history.row(number)) is not None]
    rows = [grown.row for grown in sample]
    texts = [name for name, field in prepared.recipe.fields.items() if field.type == "string"]
    texts = [name for name in texts if name in _written(prepared.recipe)] or texts
    return Report(
        summary=summary,
        rows=_varied(sample),
        refused={reason: list(islice(history.rejections(reason), _EXAMPLES)) for reason in summary.rejected},
        sampled=len(sample),
        likeness=_likeness(seeds, rows, prepared.recipe.novelty),
        lengths={name: _lengths(name, seeds, rows) for name in texts[:_CHARTED_FIELDS]},
    )


def _written(recipe: Recipe) -> set[str]:
    """The fields whose values are neither drawn nor taken from a passage."""
    steps = {name for step in recipe.steps for name in step.writes}
    given = {*recipe.attributes, *(OF_PASSAGES if recipe.documents is not None else ())} - steps
    sources = {name: field.source or name for name, field in recipe.fields.items()}
    return {name for name, source in sources.items() if source.partition(".")[0] not in given}


def _spread(total: int, count: int) -> list[int]:
    """At most ``count`` of the numbers 1..``total``, evenly spread, the first among them."""
    count = min(count, total)
    return [1 + place * total // count for place in range(count)]


def _varied(sample: Sequence[GrownRow]) -> list[GrownRow]:
    """Rows to show: one of each category in turn, until there are enough."""
    by_category: dict[str, list[GrownRow]] = {}
    for grown in sample:
        by_category.setdefault(grown.category, []).append(grown)
    share, rest = divmod(_SHOWN, max(len(by_category), 1))
    chosen: list[GrownRow] = []
    for at, members in enumerate(list(by_category.values())[:_SHOWN]):
        chosen += [members[place - 1] for place in _spread(len(members), share + (at < rest))]
    return chosen


def _likeness(seeds: Sequence[Row], grown: Sequence[Row], novelty: Novelty) -> Histogram:
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


def _lengths(name: str, seeds: Sequence[Row], grown: Sequence[Row]) -> Histogram:
    own, theirs = ([len(value_text(row[name])) for row in rows if name in row] for rows in (seeds, grown))
    low, high = min(own + theirs, default=0), max(own + theirs, default=0)
    # Whole steps, so that no bar holds more lengths than its neighbour.
    step = max(-(-(high - low + 1) // _BINS), 1)
    return _histogram(own, theirs, low, step, (high - low) // step + 1)


def _histogram(seeds: Sequence[float], grown: Sequence[float], low: float, step: float, bins: int) -> Histogram:
    return Histogram(low, step, _shares(seeds, low, step, bins), _shares(grown, low, step, bins))


def _shares(values: Sequence[float], low: float, step: float, bins: int) -> tuple[float, ...]:
    counts = [0] * bins
    for value in values:
        # A value on a border that rounding moved below it (0.7 / 0.05) belongs above; the top belongs to the last.
        counts[min(int((value - low) / step + 1e-9), bins - 1)] += 1
    return tuple(count / len(values) if values else 0.0 for count in counts)
