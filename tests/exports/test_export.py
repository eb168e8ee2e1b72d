"""Rows in the formats that others read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.exports.messages import chat, turns

DIALOGUE = "C: My kettle hums.\nSince Monday.\nA: Is it full?\nC: Yes.\nA: Empty it: that helps."


def run_of(where: Path, rows: list[dict[str, object]], fields: str) -> Path:
    """A finished run of rows that templates make, one of each passage."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (where / "rows.jsonl").write_text(lines, encoding="utf-8")
    (where / "recipe.toml").write_text(
        f'[documents]\nfiles = ["rows.jsonl"]\nby = "row"\n{fields}[[expand]]\nname = "all"\nwrites = "note"\n'
        'templates = ["about {passage}"]\n[fields.note]\n[novelty]\nmax_rouge_l = 1.0\n'
        "[prompt]\nrows_per_request = 1\n",
        encoding="utf-8",
    )
    api.run(where / "recipe.toml", out=where / "run")
    return where / "run"


def test_a_text_of_turns_becomes_messages() -> None:
    """Each speaker's lines, those that go over several, and colons within them, are one message."""
    assert turns(DIALOGUE) == [
        {"role": "user", "content": "My kettle hums.\nSince Monday."},
        {"role": "assistant", "content": "Is it full?"},
        {"role": "user", "content": "Yes."},
        {"role": "assistant", "content": "Empty it: that helps."},
    ]


@pytest.mark.parametrize(
    ("row", "user", "assistant"),
    [
        ({"instruction": "Add.", "input": "1, 2", "output": "3"}, "Add.\n\n1, 2", "3"),
        ({"Instruction": "Add 1 and 2.", "input": "", "output": 3}, "Add 1 and 2.", "3"),
        ({"Question": "Which?", "Answer": "28", "RawLog": "task 28"}, "task 28\n\nWhich?", "28"),
        ({"问题": "共多少卷？", "答案": "三卷", "原文": "共三卷。"}, "共三卷。\n\n共多少卷？", "三卷"),
        ({"prompt": "Hi", "completion": "Hello"}, "Hi", "Hello"),
        ({"instruction": "Sum up: a b c", "context": "a b c", "output": "abc"}, "Sum up: a b c", "abc"),
        ({"instruction": "Sum up:", "context": "a b c", "output": "abc"}, "Sum up:\n\na b c", "abc"),
    ],
)
def test_questions_and_answers_become_messages(row: dict[str, object], user: str, assistant: str) -> None:
    """What is asked, with what it is about, is the user's; what is answered the assistant's."""
    assert chat(row) == [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


@pytest.mark.parametrize(
    "row",
    [
        {"text": "fine", "label": "good"},
        {"text": "C: only one speaker"},
        {"text": "He said C: x\nA: y"},
        {"text": "Intro\nC: x\nA: y"},
    ],
)
def test_what_is_no_chat_is_not_made_one(row: dict[str, object]) -> None:
    """Neither a label nor a text that merely holds a colon is a message."""
    assert chat(row) is None


def test_chats_of_sharegpt_become_messages() -> None:
    """Speakers become roles, the system text the first message; an unknown speaker is no chat."""
    said = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert chat({"id": "1", "conversations": said}) == messages
    assert chat({"system": "Be kind.", "conversations": said}) == [
        {"role": "system", "content": "Be kind."},
        *messages,
    ]
    assert chat({"conversations": [{"from": "moon", "value": "Hi"}]}) is None
    assert chat({"messages": messages}) == messages


def test_dialogues_of_a_run_are_exported_as_messages(tmp_path: Path) -> None:
    """Every row is a line; what is no chat is an error that says what would be, and writes nothing."""
    rows: list[dict[str, object]] = [{"dialogue": DIALOGUE, "n": n} for n in range(3)]
    fields = '[fields.dialogue]\nsource = "passage.dialogue"\n[fields.n]\ntype = "integer"\nsource = "passage.n"\n'
    run = run_of(tmp_path, rows, fields)
    count = api.export(run, tmp_path / "chat.jsonl", format="messages").rows
    lines = (tmp_path / "chat.jsonl").read_text(encoding="utf-8").splitlines()
    assert count == len(lines) == 3
    assert all(json.loads(line) == {"messages": turns(DIALOGUE)} for line in lines)


def test_rows_that_are_no_chats_are_refused_whole(tmp_path: Path) -> None:
    """Nothing is half-written."""
    run = run_of(tmp_path, [{"label": "x"}], '[fields.label]\nsource = "passage.label"\n')
    with pytest.raises(InputError, match="row 1 is not a chat"):
        api.export(run, tmp_path / "chat.jsonl", format="messages")
    assert not (tmp_path / "chat.jsonl").exists()


def test_a_run_without_seeds_is_exported_with_its_fields(tmp_path: Path) -> None:
    """CSV has the header once, and the rows as they are."""
    run = run_of(tmp_path, [{"label": "x, y"}, {"label": "z"}], '[fields.label]\nsource = "passage.label"\n')
    api.export(run, tmp_path / "rows.csv", format="csv")
    text = (tmp_path / "rows.csv").read_text(encoding="utf-8")
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table[0] == ["label", "note"]
    assert sorted(row[0] for row in table[1:]) == ["x, y", "z"]
