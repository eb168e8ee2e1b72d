"""The summary of a run: counts, tokens and cost, in all, by category and by model, read from its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from decimal import Decimal
from typing import Any, Self, TypeVar

from selfinstruct.backends import cost
from selfinstruct.growth import FIRST_TRAINING
from selfinstruct.journal import BY_PERSON, DecisionCounts, History, Spent
from selfinstruct.messages import Phrase
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Price
from selfinstruct.records import Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of some rows: requests, tokens, and money in the currency of the recipe's prices.

    ``requests`` counts the calls, ``tokens`` those that were billed. ``cost`` is None if a price is unknown,
    ``cost_per_row`` also if no row was accepted. ``accepted`` is the number of accepted rows.
    """

    requests: int
    tokens: Usage
    cost: float | None
    cost_per_row: float | None
    accepted: int

    def to_dict(self) -> dict[str, Any]:
        """The bill in ``summary.json``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``; raises KeyError or TypeError if ``data`` is not such an object."""
        return _from_dict(cls, {**data, "tokens": Usage(**data["tokens"])})


@dataclass(frozen=True, slots=True)
class CategorySummary(Bill):
    """One category of a run: its bill, its quota and its threshold.

    ``quota`` is the number of rows to accept. ``drifted`` counts accepted rows that were generated for another
    category. ``exhausted`` is set if the category stopped short of its quota. ``max_rouge_l`` is the largest ROUGE-L F1
    that was allowed, in [0, 1].
    """

    quota: int
    drifted: int
    exhausted: bool
    max_rouge_l: float

    def to_dict(self) -> dict[str, Any]:
        """The category in ``summary.json``."""
        own = ("quota", "drifted", "exhausted", "max_rouge_l")
        return {name: getattr(self, name) for name in own} | Bill.to_dict(self)


@dataclass(frozen=True, slots=True)
class Summary(Bill):
    """The figures of a run; ``to_dict`` is the object of ``summary.json`` and of ``run --json``.

    ``name`` is that of the recipe. ``requested_rows`` is the sum of all quotas, ``seeds`` the number of seed rows that
    were grown from, ``candidates`` that of the rows in all replies. ``rejected`` counts candidates by reason,
    ``failed`` calls and replies. ``categories`` has the figures of each category, ``model`` says what wrote the rows.
    ``max_rouge_l`` is the largest threshold of all categories. ``cost`` is None if no prices are known; tokens and cost
    of a category are those of the batches that requested it, and those of no category (the preflight) are only in the
    totals. ``models`` has the same by model. ``stopped`` is ``done``, ``exhausted``, ``budget``, ``interrupted``,
    ``endpoint``, ``storage`` or ``running``. ``conserved`` is whether every candidate was either accepted or rejected.
    ``notes`` lists adjustments made to prompts and models. ``seed`` is the random seed, ``seconds`` the time spent in
    all sessions of the run. ``started`` is when the run was created, in UTC (ISO 8601); "" if that is unknown.
    ``held_out`` counts the rows of the seed file that nothing was grown from. ``decisions`` counts the rows and
    rejections that a person judged: ``accepted`` unchanged, ``rejected``, ``edited``. All other figures are as these
    decisions leave them; a row that a person rejected is in ``rejected`` under ``person``.
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
    started: str = ""
    held_out: int = 0
    decisions: DecisionCounts = DecisionCounts()  # noqa: RUF009 - frozen

    @property
    def rejected_by_person(self) -> int:
        """How many rows do not count because a person rejected them."""
        return self.rejected.get(BY_PERSON, 0)

    @property
    def growing(self) -> dict[str, CategorySummary]:
        """The categories of which rows were requested, to list; others have neither a quota nor rows."""
        return {name: each for name, each in self.categories.items() if each.quota or each.accepted}

    def to_dict(self) -> dict[str, Any]:
        """The object of ``summary.json``: plain dicts, lists, strings and numbers."""
        before = ("name", "requested_rows", "seeds", "candidates", "rejected", "failed")
        after = ("max_rouge_l", "model", "seed", "stopped", "seconds", "conserved", "notes", "started", "held_out")
        return {
            **{name: getattr(self, name) for name in before},
            "categories": {name: category.to_dict() for name, category in self.categories.items()},
            **Bill.to_dict(self),
            "models": {name: bill.to_dict() for name, bill in self.models.items()},
            **{name: getattr(self, name) for name in after},
            "decisions": asdict(self.decisions),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``; raises KeyError or TypeError if ``data`` is not such an object."""
        nested = {
            "tokens": Usage(**data["tokens"]),
            "categories": {name: CategorySummary.from_dict(each) for name, each in data["categories"].items()},
            "models": {name: Bill.from_dict(each) for name, each in data["models"].items()},
            "decisions": DecisionCounts(**data.get("decisions", {})),
        }
        return _from_dict(cls, {**data, **nested})


def _from_dict(cls: type[T], data: Mapping[str, Any]) -> T:
    """Make an instance from the keys that are fields of the class; versions differ in keys with defaults."""
    known = [field.name for field in fields(cls) if field.name in data or field.default is MISSING]  # type: ignore[arg-type]
    return cls(**{name: data[name] for name in known})


def summarise(history: History, prepared: Prepared) -> Summary:
    """Return the summary of a run as recorded in its journal.

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
            **_bill_fields([spent for spent in state.spent if spent.category == name], prices, accepted),
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
        **_bill_fields(state.spent, prices, state.accepted),
        models={
            name: Bill(**_bill_fields(spent, prices, history.count_rows_by(name))) for name, spent in by_model.items()
        },
        max_rouge_l=max(prepared.thresholds.values()),
        model=", ".join(by_model) or ", ".join(model.name for model in prepared.recipe.all_models) or "imitator",
        seed=metadata.seed,
        stopped=metadata.stopped,
        seconds=round(metadata.seconds, 3),
        conserved=state.conserved,
        notes=[*metadata.remarks, *_unread(prepared, state.seeds + state.accepted)],
        started=metadata.started,
        held_out=len(prepared.held_out),
        decisions=state.decisions,
    )


def _unread(prepared: Prepared, rows: int) -> Iterator[str]:
    """What the embedded reader had no opinion about, since it had too few rows to learn from."""
    for verify in prepared.recipe.verified_by_reader:
        if rows < FIRST_TRAINING:
            yield Phrase(
                "{name}: no second opinion yet: the embedded reader needs {least} rows",
                name=verify.name,
                least=FIRST_TRAINING,
            )
        elif len(prepared.seeds.rows) < FIRST_TRAINING:
            yield Phrase(
                "{name}: no opinion on the first {least} rows, which taught the embedded reader",
                name=verify.name,
                least=FIRST_TRAINING,
            )


def cost_of(spent: Sequence[Spent], prices: Mapping[str, Sequence[float]]) -> tuple[Decimal, bool]:
    """Return the cost of these calls, and whether the price of every token is known."""
    money, known = Decimal(0), True
    for each in spent:
        if not each.tokens.input and not each.tokens.output:
            continue
        if each.model in prices:
            given, got, *cached = prices[each.model]
            money += cost(each.tokens, Price(input=given, output=got, cached=cached[0] if cached else None))
        else:
            known = False
    return money, known


def _bill_fields(spent: Sequence[Spent], prices: Mapping[str, Sequence[float]], accepted: int) -> dict[str, Any]:
    """The fields of a Bill."""
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
    """Return the names of the models in the order of their first call."""
    return list(dict.fromkeys(each.model for each in spent if each.model))
