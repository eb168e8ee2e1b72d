"""The most rows that passages can yield: the quota of a run whose recipe leaves it open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.growth import PromptInputs
from selfinstruct.preparation.prepare import Prepared, prepare

RECIPE = """name = "passages"
[documents]
files = ["passages.jsonl"]
by = "row"
[novelty]
max_rouge_l = 0.95
[model]
name = "m"
base_url = "http://127.0.0.1:1/v1"
{steps}
[fields.question]
[fields.answer]
{more}
"""
ASK = """[[steps]]
name = "ask"
writes = ["question"]
prompt = "Ask about {passage}"
rows = 5
"""
ANSWER = """[[steps]]
name = "answer"
writes = ["answer"]
prompt = "Answer {question}"
"""


def prepared(folder: Path, steps: str, more: str = "", passages: int = 200, rows: int | None = None) -> Prepared:
    """A recipe with these steps about rows of a file."""
    texts = [json.dumps({"text": f"passage {number}"}) for number in range(passages)]
    (folder / "passages.jsonl").write_text("\n".join(texts))
    (folder / "recipe.toml").write_text(RECIPE.replace("{steps}", steps).replace("{more}", more))
    return prepare(folder / "recipe.toml", rows=rows)


def test_the_rows_of_steps_are_counted(tmp_path: Path) -> None:
    """Five questions about each of 200 passages are at most 1,000 rows, regardless of the rows per request."""
    plan = prepared(tmp_path, ASK + ANSWER)
    assert plan.use_passages_once
    assert sum(plan.quotas.values()) == 1000
    assert api.dry_run(plan).requests == {"ask": 200, "answer": 1000}


def test_a_given_quota_is_kept(tmp_path: Path) -> None:
    """With ``rows`` the passages do not limit the quota, and the dry run needs as many batches as the steps make it."""
    plan = prepared(tmp_path, ASK + ANSWER, rows=60)
    assert not plan.use_passages_once
    assert sum(plan.quotas.values()) == 60
    assert api.dry_run(plan).requests == {"ask": 12, "answer": 60}


@pytest.mark.parametrize(
    ("steps", "rows"),
    [
        (ASK.replace("rows = 5", "") + ANSWER, 1),
        (ASK.replace("rows = 5", "rows = 0") + ANSWER, 20),
        (ASK + ANSWER.replace("prompt", "rows = 3\nprompt"), 15),
        (ASK + ANSWER + ANSWER.replace('"answer"\n', '"again"\n').replace("prompt", "rows = 2\nprompt"), 10),
    ],
    ids=["one", "open", "both", "three steps"],
)
def test_steps_multiply(steps: str, rows: int, tmp_path: Path) -> None:
    """Each row of a step goes on by itself; a step without a number makes as many as a request may ask for."""
    assert sum(prepared(tmp_path, steps, passages=10).quotas.values()) == 10 * rows


def test_of_exclusive_conditions_the_most_productive_counts(tmp_path: Path) -> None:
    """Steps for other values of one attribute never meet; steps for overlapping values do."""
    attribute = '[attributes.kind]\nvalues = ["a", "b", "c"]\n'

    def step(name: str, rows: int, *values: str) -> str:
        when = ", ".join(f'"{value}"' for value in values)
        return (
            f'[[steps]]\nname = "{name}"\nwrites = ["question", "answer"]\n'
            f'prompt = "About {{passage}} for {{kind}}"\nrows = {rows}\nwhen = {{ kind = [{when}] }}\n'
        )

    exclusive = step("one", 2, "a") + step("two", 7, "b") + step("three", 3, "c")
    assert sum(prepared(tmp_path, exclusive, attribute, passages=10).quotas.values()) == 70
    several = f"{attribute}draw = 2\n"
    assert sum(prepared(tmp_path, exclusive, several, passages=10).quotas.values()) == 420
    overlapping = step("one", 2, "a", "b") + step("two", 7, "b") + step("three", 3, "c")
    assert sum(prepared(tmp_path, overlapping, attribute, passages=10).quotas.values()) == 140


def test_templates_multiply_what_the_steps_make(tmp_path: Path) -> None:
    """Templates that the model is yet to write count by their size."""
    written = '[[expand]]\nname = "forms"\nwrites = "question"\ntemplates = ["Is {answer} so?", "Why {answer}?"]\n'
    assert sum(prepared(tmp_path, ANSWER.replace("question", "passage"), written, 10).quotas.values()) == 20
    listed = '[[expand]]\nname = "forms"\nwrites = "question"\nprompt = "Write {size}"\nsize = 6\n'
    assert sum(prepared(tmp_path, ANSWER.replace("question", "passage"), listed, 10).quotas.values()) == 60


def test_a_resumed_run_has_the_passages_that_it_recorded(tmp_path: Path) -> None:
    """Its open quota follows them, even if the documents have changed; otherwise it follows the documents."""
    plan = prepared(tmp_path, ASK + ANSWER, passages=200)
    assert plan.resumed(PromptInputs()) is plan
    resumed = plan.resumed(PromptInputs(passages=plan.inputs.passages[:40]))
    assert (sum(resumed.quotas.values()), len(resumed.inputs.passages)) == (200, 40)
    assert (
        sum(
            prepared(tmp_path, ASK + ANSWER, rows=60)
            .resumed(PromptInputs(passages=plan.inputs.passages[:40]))
            .quotas.values()
        )
        == 60
    )
