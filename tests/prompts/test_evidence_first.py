"""A weak model is asked for what a value is taken from before the value; rows keep the order of the seeds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.prompts import evidence_first, in_order
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.testing import FaultServer, ScriptedAuthor

SEEDS = Path(__file__).parents[2] / "seeds"
NAMES = "abcde"


def recipe(refer: Mapping[str, str]) -> Recipe:
    """A recipe in which some fields must occur in others."""
    fields = "".join(f"[fields.{a}]\n" + (f'appears_in = "{refer[a]}"\n' if a in refer else "") for a in NAMES)
    return parse_recipe(f'name = "x"\nseeds.file = "rows.jsonl"\n[quota]\nrows = 9\n{fields}', "x.toml", Path())


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)))
def test_evidence_comes_first_and_nothing_else_moves(refer: dict[str, str]) -> None:
    """No field comes before what it refers to, unless they refer to each other; without references, nothing moves."""
    refer = {name: other for name, other in refer.items() if other > name}
    ordered = list(evidence_first(recipe(refer)).fields)
    assert sorted(ordered) == list(NAMES)
    assert all(ordered.index(other) < ordered.index(name) for name, other in refer.items())
    free = [name for name in NAMES if name not in refer and name not in refer.values()]
    assert [name for name in ordered if name in free] == free
    row = {name: name for name in (*NAMES, "more")}
    assert in_order(evidence_first(recipe(refer)), [row]) == [row]


def test_fields_that_refer_to_each_other_are_all_placed() -> None:
    """A circle has no first field; each is placed once."""
    assert sorted(evidence_first(recipe({"a": "b", "b": "a"})).fields) == list(NAMES)


@pytest.mark.parametrize("seeds", ["logqa.jsonl", pytest.param("classics-zh.jsonl", marks=pytest.mark.slow)])
async def test_only_a_weak_model_sees_another_order(tmp_path: Path, seeds: str) -> None:
    """In its demonstrations, its schema and the described fields; in both languages."""
    shown: dict[str, str] = {}
    author, names = ScriptedAuthor(), list(json.loads((SEEDS / seeds).read_text(encoding="utf-8").split("\n")[0]))

    def listening(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        if line := re.search(r"^\{.*\}$", str(messages[-1]["content"]), re.MULTILINE):
            shown[out.name] = line[0]
        return author(messages, rng)

    async with FaultServer(author=listening) as server:
        for model in ("tiny-0.5b", "large"):
            out = tmp_path / model
            await api.run_async(SEEDS / seeds, rows=4, out=out, model=model, base_url=server.base_url)
            rows = [json.loads(line) for line in (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
            assert all(list(row) == names for row in rows)
    assert list(json.loads(shown["large"])) == names
    order, (_, answer, context) = list(json.loads(shown["tiny-0.5b"])), names
    assert sorted(order) == sorted(names) and order.index(context) < order.index(answer)
