"""A number that decides a label stays in the label's band."""

from __future__ import annotations

from random import Random

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.bands import Bands
from selfinstruct.records import Row

GRADES: list[Row] = [
    {"score": str(score), "grade": "A" if score >= 90 else "B" if score >= 80 else "C"}
    for score in (93, 85, 71, 97, 78, 89, 91, 80)
]


def test_new_numbers_stay_in_the_band_of_their_label() -> None:
    """A score between two of the seeds' with one grade has this grade."""
    statistics = ValueStatistics(GRADES, {}, fixed=("grade",))
    new = [row_template(row, statistics, 1).render(at, Random(at)) for at in range(20) for row in GRADES]
    bands = {"A": range(91, 98), "B": range(80, 90), "C": range(71, 79)}
    assert all(row is not None and int(row["score"]) in bands[str(row["grade"])] for row in new)
    assert len({str(row["score"]) for row in new if row is not None}) > 15


def test_flags_are_labels() -> None:
    """A boolean is decided by a number as well."""
    rows: list[Row] = [{"points": n, "passed": n >= 60} for n in (12, 77, 58, 91, 34, 60, 45, 83, 66, 21)]
    assert Bands(rows).of(rows[0], ("points",)) == ("12", "21", "34", "45", "58")


def test_labels_that_overlap_have_no_bands() -> None:
    """Where one number has the label of others above and below it, nothing is decided by it."""
    rows: list[Row] = [{"n": n, "label": "ab"[n % 2]} for n in range(10)]
    assert Bands(rows).of(rows[0], ("n",)) == ()


def test_few_rows_show_no_bands() -> None:
    """One row of another label is above four in two of five cases, which shows little; a name shows a band at once."""
    rows: list[Row] = [{"n": n, "label": "ab"[n > 3]} for n in (1, 2, 3, 4)]
    assert Bands(rows).of(rows[0], ("n",)) == ()
    graded: list[Row] = [{"n": n, "grade": "abcd"[n]} for n in range(4)]
    assert Bands(graded).of(graded[2], ("n",)) == ("2",)


def test_the_greater_of_two_numbers_may_decide_a_label() -> None:
    """A price that rises stays a price that rises."""
    prices = ((12.5, 13.1), (13.1, 12.2), (44.0, 45.5), (31.2, 30.0), (8.8, 9.9), (18.8, 17.5))
    rows: list[Row] = [{"open": a, "close": b, "trend": "rise" if b > a else "fall"} for a, b in prices]
    statistics = ValueStatistics(rows, {}, fixed=("trend",))
    new = [row_template(row, statistics, 1).render(at, Random(at)) for at in range(20) for row in rows]
    assert all(row is None or (row["close"] > row["open"]) == (row["trend"] == "rise") for row in new)
    assert len({str(row) for row in new if row is not None}) > 30


def test_a_number_in_a_text_may_decide_a_label() -> None:
    """The load of a critical alert is not that of a warning."""
    loads = (("critical", 97), ("warning", 82), ("critical", 99), ("warning", 85), ("critical", 96), ("warning", 84))
    rows: list[Row] = [{"alert": f"CPU at {n}% on host-{n + 7}", "severity": label} for label, n in loads]
    statistics = ValueStatistics(rows, {}, fixed=("severity",))
    for at in range(60):
        row = row_template(rows[at % 6], statistics, 1).render(at, Random(at))
        assert row is not None
        load = int(str(row["alert"]).split()[2].rstrip("%"))
        assert load in (range(96, 100) if row["severity"] == "critical" else range(82, 86))
