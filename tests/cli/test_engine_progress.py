"""What a person sees while an engine works."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from selfinstruct.cli.engine_progress import show_engine
from selfinstruct.engines import Cost, Progress
from selfinstruct.messages import speaking


@pytest.mark.parametrize(("language", "stage"), [("en", "finding pairs"), ("zh", "正在查找可能相近的行对")])
def test_the_cost_is_said_once_and_the_progress_every_few_seconds(language: str, stage: str) -> None:
    """Outside a terminal, in both languages: the cost when it is known, and a line for each ten seconds at most."""
    cost = Cost(100_000, 90_000, 1_200_000, 3_000, 1_300, 5_400, 90.0)
    now, shown = 0.0, io.StringIO()
    with speaking(language), show_engine(Console(file=shown, width=200), lambda: now) as watch:
        for done, second in enumerate((1.0, 2.0, 12.0, 13.0)):
            now = second
            watch(Progress("join", done, 8, 2_500_000, 16_384, 100_000, cost if done else None))
    expected, progress = shown.getvalue().splitlines()
    assert "100,000" in expected
    assert "1.2 MB" in expected
    assert re.search(r"1,300.*5,400", expected), "few pairs of a sample do not tell how many there are"
    assert stage in progress
    assert "16,384" in progress


def test_the_progress_is_live_on_a_terminal() -> None:
    """The last line is shown and cleared."""
    shown = io.StringIO()
    with show_engine(Console(file=shown, force_terminal=True, width=120), lambda: 0.0) as watch:
        watch(Progress("join", 3, 8, 2_500_000, 16_384, 100_000))
    assert "finding pairs 3/8" in shown.getvalue()
