"""The forecast of tokens: a wide range or none before the first replies, a narrow and right one after them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import Snapshot, api
from selfinstruct.growth.token_forecast import TokenForecast
from selfinstruct.prompts import estimate_tokens
from selfinstruct.render.dry_run import dry_run_text
from selfinstruct.render.dry_run_json import dry_run_json
from selfinstruct.testing import Behaviour, FaultServer

RECIPE = """
name = "letters"
task = "Letters"
attributes.topic = { values = ["rain", "trains", "bread"] }
quota.rows = 40
novelty = { fields = ["letter"], max_rouge_l = 0.9 }
prompt.rows_per_request = 1
fields.topic = {}
fields.letter = {}
[[steps]]
name = "letter"
reply = "text"
writes = ["letter"]
prompt = "Write a letter about {topic}."
"""


def letter(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
    """Some 1,300 tokens about the topic."""
    if "Write a letter" not in messages[-1]["content"]:
        return "ok"
    return " ".join("".join(rng.choice("bdfglmnrst") + rng.choice("aeiou") for _ in range(3)) for _ in range(750))


@pytest.mark.parametrize("limits", ["", "fields.letter.max_words = 1200\nfields.letter.min_words = 100"])
async def test_replies_say_how_long_they_are(limits: str, tmp_path: Path) -> None:
    """The dry run says what it does not know; after some replies, the tokens that are left are within the range."""
    text = RECIPE.replace("fields.letter = {}", limits or "fields.letter = {}")
    (tmp_path / "letters.toml").write_text(text, encoding="utf-8")
    prepared = api.plan(tmp_path / "letters.toml", model="m", base_url="http://127.0.0.1:9/v1")
    expected = api.dry_run(prepared)
    warm = api.plan(tmp_path / "letters.toml", model="m", base_url="http://127.0.0.1:9/v1", temperature=1.1)
    assert "m samples at temperature 1.1." in dry_run_text(expected, warm).plain
    said, data = dry_run_text(expected, prepared).plain, dry_run_json(expected)
    if limits:
        assert "5,300 to 64,000 output tokens" in said and data["unknown_lengths"] == []
    else:
        assert "at least 80 output tokens" in said and "No rule says how long letter will be" in said
        assert data["unknown_lengths"] == ["letter"] and data["ranges"]["output"] == (80, None)
    seen: list[Snapshot] = []
    async with FaultServer(Behaviour(seed=1), author=letter) as server:
        run = await api.run_async(
            tmp_path / "letters.toml", out=tmp_path / "run", model="m", base_url=server.base_url, concurrency=1,
            watch=seen.append,
        )  # fmt: skip
    tokens = run.summary.tokens
    real = (tokens.input + tokens.output) / 40
    assert real > 1000 > estimate_tokens(json.dumps(RECIPE))
    known = [each for each in seen if each.tokens_left is not None]
    assert known and known[0].accepted < 12
    for each in known:
        assert each.tokens_left is not None
        assert each.tokens_left[0] * 0.98 <= real * (40 - each.accepted) <= each.tokens_left[1] * 1.02
        assert each.tokens_left[1] < 1.2 * each.tokens_left[0] + 200


def test_most_forecasts_are_right() -> None:
    """Of runs whose batches bring zero to four rows, about 95 of 100 end within the range of their tenth batch."""
    right = 0
    for seed in range(200):
        rng, forecast = Random(seed), TokenForecast()
        batches = [(rng.randint(200, 900), rng.randint(0, 4)) for _ in range(110)]
        for tokens, rows in batches[:10]:
            forecast.add_batch(tokens, rows)
        found = forecast.expected(sum(rows for _, rows in batches[10:]))
        assert found is not None
        right += found[0] <= sum(tokens for tokens, _ in batches[10:]) <= found[1]
    assert right >= 170


def test_nothing_is_said_too_early() -> None:
    """No forecast from few batches, from none with rows, or where no tokens were billed."""
    forecast = TokenForecast()
    for _ in range(4):
        forecast.add_batch(100, 3)
    assert forecast.expected(10) is None
    forecast.add_batch(100, 3)
    assert forecast.expected(10) == (333, 333) and forecast.expected(0) is None
    free = TokenForecast()
    for _ in range(9):
        free.add_batch(0, 5)
    assert free.expected(10) is None
