"""A run that is heading for fewer rows than asked for says so, and what to do, while it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.growth.forecast import remedy


@pytest.mark.parametrize(
    ("reason", "by_imitator", "words"),
    [
        ("near-duplicate", True, "more varied seeds"),
        ("echo", True, "use a model"),
        ("duplicate", False, "fewer demonstrations"),
        ("label", True, ""),
    ],
)
def test_the_remedy_fits_the_cause(reason: str, by_imitator: bool, words: str) -> None:
    """Near-duplicates: seeds or the threshold; copies: a model, or other demonstrations; none for a broken rule."""
    assert words in remedy(reason, by_imitator=by_imitator)
    assert bool(words) == bool(remedy(reason, by_imitator=by_imitator))


def test_the_note_of_a_shortfall_says_what_to_do(tmp_path: Path) -> None:
    """Values from 1 to 100 % allow about a hundred rows; the note comes long before the run gives up."""
    seeds = [{"text": f"disk {name} is {share}% full"} for name, share in (("a", 12), ("a", 55), ("a", 81), ("a", 97))]
    noted: list[tuple[int, str]] = []
    run = api.run(
        seeds,
        rows=5000,
        out=tmp_path / "run",
        watch=lambda snapshot: noted.extend((snapshot.candidates, note) for note in snapshot.notes),
    )
    assert run.summary.stopped == "exhausted"
    candidates, note = noted[0]
    assert "heading for about" in note and note.endswith("; use a model, or add seeds")
    assert candidates < 0.75 * run.summary.candidates
    assert note in " ".join(run.summary.notes)
