"""The cache of beginnings of prompts, and what a run makes of it."""

from __future__ import annotations

from pathlib import Path

from selfinstruct import api
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Model
from selfinstruct.recipe.tables import Price
from selfinstruct.rows import read_rows
from selfinstruct.testing import Behaviour, FaultServer
from selfinstruct.testing.prefix_cache import PrefixCache

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"


def test_beginnings_are_cached_in_steps() -> None:
    """Nothing below the least number of tokens, whole steps above it, and nothing of another model."""
    cache = PrefixCache(100, 20)
    rules = "x" * 4 * 150
    ask = [[{"role": "user", "content": rules + end}] for end in ("a" * 80, "b" * 80)]
    assert cache.cached("m", ask[0], 172) == 0
    assert cache.cached("m", ask[1], 172) == 140
    assert cache.cached("other", ask[1], 172) == 0
    assert cache.cached("m", [{"role": "user", "content": "x" * 4 * 90}], 92) == 0


async def test_a_run_is_billed_at_the_price_of_cached_input(tmp_path: Path) -> None:
    """Most of the input of a run is cached where beginnings count from 64 tokens on, and the journal has it."""
    async with FaultServer(Behaviour(prefix_cache=(64, 64))) as server:
        price = Price(input=1.0, output=2.0, cached=0.1)
        model = Model(name="m", base_url=server.base_url, concurrency=2, price=price)
        recipe = infer(read_rows(SEEDS)).recipe.model_copy(update={"model": model})
        run = await api.run_async(recipe, out=tmp_path / "out", rows=400)
        billed = server.ledger.billed
    tokens = run.summary.tokens
    cached = sum(call.cached for call in billed)
    assert tokens.cached == cached > 0.5 * tokens.input
    known = (tokens.input - cached) * 1.0 + cached * 0.1 + tokens.output * 2.0
    assert run.summary.cost is not None
    assert abs(run.summary.cost - known / 1e6) < 1e-9
