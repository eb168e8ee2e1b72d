"""The seed files of many kinds: their own rows are true, wrong rows are recognised, and every grown row is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.truth import grow, table
from tests.truth.kinds import CHECKS, SEEDS, judge, problem, read_seeds, seed_files
from tests.truth.planted import planted

NAMES = [path.name for path in seed_files()]
#: Files of which wrong rows are still grown, and why.
KNOWN: dict[str, str] = {}


def test_every_seed_file_has_a_checker() -> None:
    """No seed file is without a checker, no checker without a seed file."""
    assert sorted(CHECKS) == NAMES
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_seed_rows_are_true(name: str) -> None:
    """The rows of a seed file pass their checker; there are 6 to 30 of them."""
    rows = read_seeds(SEEDS / name)
    assert [reason for row in rows if (reason := problem(name, row))] == []
    assert 6 <= len(rows) <= 30


@pytest.mark.parametrize("name", NAMES)
def test_planted_wrong_rows_are_recognised(name: str) -> None:
    """At least two false rows of each kind are judged wrong."""
    seeds = read_seeds(SEEDS / name)
    rows = list(planted(name, seeds))
    assert len(rows) >= 2
    assert [row for row in rows if not judge(name, seeds, [row])] == []
    assert sum(problem(name, row) is not None for row in rows) >= 2, "only their types are wrong"


@pytest.mark.parametrize("name", NAMES)
def test_copies_of_seeds_are_wrong(name: str) -> None:
    """A seed row among the grown ones is a copy, and so is the second of two equal rows."""
    seeds = read_seeds(SEEDS / name)
    assert [wrong.reason for wrong in judge(name, seeds, seeds[:2])] == ["a copy of seed 1", "a copy of seed 2"]
    assert [wrong.number for wrong in judge(name, seeds[2:], [seeds[0], seeds[0]])] == [2]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.xfail(reason=KNOWN[n])) if n in KNOWN else n for n in NAMES]
)
def test_grown_rows_are_true(name: str, tmp_path: Path) -> None:
    """The imitator grows true rows of this file, or refuses it."""
    result = grow(SEEDS / name, 60, tmp_path / "run")
    assert not result.failed
    assert not result.wrong, table([result], reasons=3)
