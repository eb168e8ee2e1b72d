"""Row templates: how far their numbers vary."""

from __future__ import annotations

from random import Random

from selfinstruct.mining import ValueStatistics, row_template


def test_numbers_of_names_are_not_bounded_by_the_word_after_them() -> None:
    """The number of broadcast_24 grows beyond two digits, though a word that could be counted follows it."""
    rows = [
        {"Question": f"How many kb is broadcast_{n} free?", "RawLog": f"Block broadcast_{n} stored ({m}.5 KB free)"}
        for n, m in ((3, 318), (24, 393), (17, 204))
    ]
    statistics = ValueStatistics(rows, {"Question": "RawLog"})
    template = row_template(rows[0], statistics, 1)
    drawn = [template.draw(place, Random(place), place) for place in range(0, 5000, 50)]
    assert max(int(values[0]) for values in drawn if values is not None) > 999
