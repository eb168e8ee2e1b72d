"""Fields that follow from others by a formula, and those that seem to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from selfinstruct.backends.imitator import Imitator
from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.derivations import derive
from selfinstruct.mining.unexplained import unexplained
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

Formula = Callable[[Decimal, Decimal, Decimal], Decimal]
FORMULAS: dict[str, Formula] = {
    "mean": lambda a, b, c: (a + b + c) / 3,
    "share": lambda a, b, c: 100 * a / (a + b),
    "change": lambda a, b, c: 100 * (b - a) / a,
    "margin": lambda a, b, c: 100 * (a - b) / a,
    "balance": lambda a, b, c: a + b - c,
    "body mass": lambda a, b, c: a / (b / 100) ** 2,
    "interest": lambda a, b, c: a * b * c / 100,
    "fahrenheit": lambda a, b, c: a * Decimal("1.8") + 32,
    "minutes a kilometre": lambda a, b, c: 60 * a / b,
}
NAMES = "abc"


def table(formula: Formula, seed: int, rows: int = 6, places: int = 2) -> dict[str, list[Decimal]]:
    """Columns a, b, c of random whole numbers, and x by the formula, rounded."""
    rng = Random(seed)
    columns = {name: [Decimal(each) for each in rng.sample(range(20, 400), rows)] for name in NAMES}
    exact = [formula(*row) for row in zip(*columns.values(), strict=True)]
    unit = Decimal(1).scaleb(-places)
    return columns | {"x": [each.quantize(unit, ROUND_HALF_UP) for each in exact]}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("seed", range(3))
def test_a_formula_is_found_and_computes_other_rows(name: str, seed: int) -> None:
    """What six rows show gives the numbers of fifty other rows, up to their last place."""
    found = [each for each in derive(table(FORMULAS[name], seed), {}) if each.target == "x"]
    assert [each.is_certain for each in found] == [True]
    others = table(FORMULAS[name], seed + 100, 50)
    for at, right in enumerate(others["x"]):
        computed = found[0].formula(*(others[operand][at] for operand in found[0].operands))
        assert abs(computed - right) <= Decimal("0.0051")


def test_unrelated_numbers_follow_from_nothing() -> None:
    """Of 60 tables of random numbers, none has a certain formula; few seem to have one."""
    seeming = 0
    for seed in range(60):
        rng = Random(seed)
        columns = {name: [Decimal(rng.randrange(10, 900)) for _ in range(6)] for name in "abcd"}
        assert not [each for each in derive(columns, {}) if each.is_certain]
        paths: dict[Path, list[Decimal]] = {(name,): column for name, column in columns.items()}
        seeming += bool(list(unexplained(paths, {})))
    assert seeming <= 3


def test_a_result_is_computed_after_its_operands() -> None:
    """The gross price needs the tax, and the tax the net price."""
    nets = ("120.00", "75.50", "310.20", "48.90", "999.00", "15.75")
    vats = ("22.80", "14.35", "58.94", "9.29", "189.81", "2.99")
    rows: list[Row] = [
        {"net": net, "vat": vat, "gross": str(Decimal(net) + Decimal(vat))} for net, vat in zip(nets, vats, strict=True)
    ]
    statistics = ValueStatistics(rows, {})
    new = [row_template(row, statistics, 1).render(at, Random(at)) for at in range(10) for row in rows]
    drawn = [row for row in new if row is not None]
    assert len(drawn) > 30
    for row in drawn:
        net, vat, gross = (Decimal(str(row[name])) for name in ("net", "vat", "gross"))
        assert net + vat == gross
        assert abs(net * Decimal("0.19") - vat) <= Decimal("0.005")


def test_what_seems_computed_stays_and_the_reason_says_so() -> None:
    """No formula gives these indices, but a regression does; so that the three numbers stay."""
    values = [(3, 10, 557), (5, 7, 970), (2, 14, 367), (8, 11, 2575), (6, 9, 1483), (4, 4, 496)]
    values = [(a, b, round(27 * a**1.5 * b**0.6)) for a, b, _ in values]
    rows: list[Row] = [{"a": a, "b": b, "x": x} for a, b, x in values]
    statistics = ValueStatistics(rows, {})
    imitator = Imitator(statistics, {})
    assert "looks computed from" in imitator.not_understood()
    assert all(row_template(row, statistics, 1).render(at, Random(at)) == row for at in range(5) for row in rows)


def test_a_mean_between_the_extremes_is_that_of_other_numbers() -> None:
    """Beside the least and the greatest of many measurements, a mean keeps their order alone."""
    rows = [("3.1", "7.4", "12.9"), ("0.2", "1.8", "5.5"), ("10.4", "14.0", "19.3"), ("2.0", "2.6", "3.1")]
    paths: dict[Path, list[Decimal]] = {
        (name,): [Decimal(row[at]) for row in rows] for at, name in enumerate(("min", "mean", "max"))
    }
    assert not list(unexplained(paths, {}))


def test_two_shares_of_unknown_origin_are_no_explanation_of_each_other() -> None:
    """A share that follows from the other one still seems to be computed from the counts beside it."""
    columns = {"yes": "412 250 901", "no": "388 750 99", "yes_pct": "51.5 25 90.1", "no_pct": "48.5 75 9.9"}
    paths: dict[Path, list[Decimal]] = {(name,): list(map(Decimal, each.split())) for name, each in columns.items()}
    found = list(unexplained(paths, {("no_pct",): [("yes_pct",)]}))
    assert [each.target for each in found] == [("yes_pct",)]
    assert not list(unexplained(paths, {("no_pct",): [("yes_pct",)], ("yes_pct",): [("yes",), ("no",)]}))
