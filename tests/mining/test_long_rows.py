"""Rows with thousands of values: each value gets one of its own, in a number of draws that grows with their number."""

from __future__ import annotations

import re
from random import Random

import pytest

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.number_generators import NumberGenerator


def long_rows(count: int) -> list[dict[str, str]]:
    """Three rows of a text with ``count`` different numbers."""
    return [{"text": " ".join(f"word{place * 7 + number}" for place in range(count))} for number in range(3)]


@pytest.mark.parametrize("count", [250, 1500])
def test_different_values_stay_different_in_long_rows(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value of a long row is replaced by one of its own, with fewer than two draws for each."""
    draws = 0
    draw = NumberGenerator.draw

    def counted(self: NumberGenerator, place: int, rng: Random) -> str:
        nonlocal draws
        draws += 1
        return draw(self, place, rng)

    monkeypatch.setattr(NumberGenerator, "draw", counted)
    rows = long_rows(count)
    template = row_template(rows[0], ValueStatistics(rows, {}), 0)
    for place in range(5):
        row = template.render(place, Random(place))
        assert row is not None
        assert len(set(re.findall(r"\d+", str(row["text"])))) == count
    assert draws < 5 * 2 * count
