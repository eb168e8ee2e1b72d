"""The recipe ``ctga``: every labelled row by every template that fits it, of 16 types, without a call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.exports.chats import chat
from selfinstruct.recipe import builtin

INPUTS = Path(builtin.__file__).parent / "inputs/ctga"
FIELDS = ["task_type", "context", "instruction", "response", "document"]


def lines(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def filled(text: str, row: dict[str, Any]) -> str:
    """A template's text with a row's fields in it, the slow and obvious way: a list alone is lines with a dash."""
    for name, value in row.items():
        if isinstance(value, list):
            lines = "\n".join(f"- {each}" for each in value)
            text = f"\n{text}\n".replace(f"\n{{{name}}}\n", f"\n{lines}\n")[1:-1]
        text = text.replace(f"{{{name}}}", ", ".join(value) if isinstance(value, list) else value)
    return text.replace("{{", "{").replace("}}", "}")


def applied(version: str) -> Iterator[tuple[str, ...]]:
    """What the templates make of the rows: all fitting templates for each row; ``version`` is "" or ".zh"."""
    templates = lines(INPUTS / f"templates{version}.jsonl")
    for file in sorted((INPUTS / f"rows{version}").iterdir()):
        for row in lines(file):
            for each in templates:
                if row.keys() >= set(each["needs"]):
                    context = filled(each["context"], row)
                    known = {"context": context, **row}
                    instruction, response = filled(each["instruction"], known), filled(each["response"], known)
                    yield each["task_type"], context, instruction, response, file.name


Made = tuple[api.Run, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One run of the recipe as it is, without any model, in each language."""
    run = api.run("ctga", out=tmp_path_factory.mktemp("ctga") / "run", language=request.param)
    return run, [dict(row) for row in run.rows()]


def test_every_row_is_made_into_a_task_by_every_template_that_fits(made: Made) -> None:
    """158 rows and 152 templates are 2,192 tasks and no others, to the letter, each with the file of its row."""
    run, rows = made
    chinese = "rows.zh" in rows[0]["document"]
    assert run.summary.stopped == "done" and run.summary.conserved
    assert len(rows) == run.summary.accepted == (2148 if chinese else 2192)
    assert all(list(row) == FIELDS for row in rows)
    told = Counter((*(row[name] for name in FIELDS[:-1]), Path(row["document"]).name) for row in rows)
    assert told == Counter(applied(".zh" if chinese else ""))


def test_no_model_is_called(made: Made) -> None:
    """Nothing is asked and nothing refused, and the run can be judged again from what it keeps."""
    run, _ = made
    assert run.summary.requests == 0
    assert run.summary.rejected == run.summary.failed == {}
    assert api.rejudge(run.directory).identical


def test_all_types_of_task_are_there(made: Made) -> None:
    """16 types, and at least as many tasks of each as its rows: no type rests on a single template."""
    _, rows = made
    types = Counter(row["task_type"] for row in rows)
    assert len(types) == 16
    assert min(types.values()) >= 100
    assert all(row["context"] in row["instruction"] for row in rows)


def test_as_messages_the_context_is_said_once(made: Made) -> None:
    """The instruction holds it, and is all that the user says."""
    assert all(
        chat(row)
        == [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["response"]}]
        for row in made[1]
    )


def test_a_template_fits_by_the_fields_of_the_row_alone(tmp_path: Path) -> None:
    """A row without a field that is needed is passed over by that template; braces in a row are text."""
    (tmp_path / "rows.jsonl").write_text(
        '{"passage": "{question} is no place.", "question": "Why?"}\n{"question": "Who?", "hint": "You."}\n',
        encoding="utf-8",
    )
    templates = [
        {"task_type": "a", "needs": ["passage", "question"], "context": "{passage}", "response": "{question}"},
        {"task_type": "b", "needs": ["question", "hint"], "context": "{hint}", "response": "{{x}} {question}"},
    ]
    said = "".join(json.dumps({**each, "instruction": "On {context}: ask!"}) + "\n" for each in templates)
    (tmp_path / "templates.jsonl").write_text(said, encoding="utf-8")
    text = api.recipe_text("ctga").replace("inputs/ctga/rows", "rows.jsonl").replace("inputs/ctga/", "")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    rows = api.run(tmp_path / "mine.toml", out=tmp_path / "run").rows()
    assert sorted(tuple(row[name] for name in FIELDS[:4]) for row in rows) == [
        ("a", "{question} is no place.", "On {question} is no place.: ask!", "Why?"),
        ("b", "You.", "On You.: ask!", "{x} Who?"),
    ]
