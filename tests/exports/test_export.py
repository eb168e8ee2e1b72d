"""Rows in the formats that others read."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.exports.chats import chat, turns
from selfinstruct.exports.order import spread
from selfinstruct.exports.rows import ExportRow, shuffled
from selfinstruct.preparation import chat_roles, infer
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.render.plan import plan_text
from selfinstruct.rows import rows_from_objects

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
        ({"content": "乾卦", "summary": "乾为天。"}, "乾卦", "乾为天。"),
        ({"内容": "乾卦讲什么？", "概要": "乾为天。"}, "乾卦讲什么？", "乾为天。"),
        ({"question": "乾卦讲什么？", "content": "乾卦", "summary": "乾为天。"}, "乾卦讲什么？", "乾为天。"),
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


PAIRS = [{"x": f"What is number {at}?", "y": f"It is {at}."} for at in range(4)]
_PAIR_FIELDS = '[fields.x]\nsource = "passage.x"\n[fields.y]\nsource = "passage.y"\n'


def exported(run: Path, columns: dict[str, str] | None = None) -> list[list[str]]:
    """The texts of the messages of an export."""
    file = io.BytesIO()
    api.export(run, file, format="messages", columns=columns)
    lines = file.getvalue().decode().splitlines()
    return [[message["content"] for message in json.loads(line)["messages"]] for line in lines]


def test_columns_name_the_fields_that_are_said(tmp_path: Path) -> None:
    """Fields of any name are said by the user and the assistant, with a context before and an input after."""
    run = run_of(tmp_path, [dict(row) for row in PAIRS], _PAIR_FIELDS)
    with pytest.raises(InputError, match="row 1 is not a chat") as caught:
        exported(run)
    assert "`columns`" in caught.value.hint
    assert sorted(exported(run, {"user": "x", "assistant": "y"})) == [list(row.values()) for row in PAIRS]
    said = sorted(exported(run, {"context": "y", "user": "note", "input": "x", "assistant": "y"}))
    assert said[0][0].startswith("It is 0.\n\nabout ") and said[0][0].endswith("\n\nWhat is number 0?")
    with pytest.raises(InputError, match="no field 'z'"):
        exported(run, {"user": "x", "assistant": "z"})
    with pytest.raises(InputError, match="no effect"):
        api.export(run, io.BytesIO(), columns={"user": "x", "assistant": "y"})


@pytest.mark.parametrize(("user", "assistant"), [("y", "x"), ("x", "note")])
def test_the_roles_of_a_recipe_decide(user: str, assistant: str, tmp_path: Path) -> None:
    """``[roles]`` takes precedence over the names of the fields; the plan shows it, and the journal keeps it."""
    roles = f'[roles]\nuser = "{user}"\nassistant = "{assistant}"\n'
    run = run_of(tmp_path, [dict(row) for row in PAIRS], roles + _PAIR_FIELDS)
    rows = [json.loads(line) for line in (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert exported(run) == [[row[user], row[assistant]] for row in rows]
    text = plan_text(api.plan(tmp_path / "recipe.toml"), None, None).plain
    assert f"Chat: user = {user}, assistant = {assistant}" in text


def test_roles_must_be_fields(tmp_path: Path) -> None:
    """A role without a field of the recipe is refused."""
    with pytest.raises(InputError, match=r"roles\.user"):
        run_of(tmp_path, [{"x": "1"}], '[roles]\nuser = "q"\nassistant = "x"\n[fields.x]\nsource = "passage.x"\n')


def test_roles_are_inferred_where_one_of_two_fields_asks() -> None:
    """Rows with a question and another text need no names; two texts that do not ask are not guessed at."""
    for asked, answered in (("What is {}?", "It is {}."), ("第{}卦是什么？", "第{}卦是吉卦，利有攸往。")):
        rows = [{"eins": answered.format(at), "zwei": asked.format(at)} for at in range(3)]
        roles = chat_roles(infer(rows_from_objects(rows)).recipe, rows)
        assert roles is not None and roles.names == {"user": "zwei", "assistant": "eins"}
    rows = [{"eins": f"one {at}", "zwei": f"two {at} three"} for at in range(3)]
    assert chat_roles(infer(rows_from_objects(rows)).recipe, rows) is None


def test_rows_of_one_passage_stand_apart_whatever_their_batches() -> None:
    """The calls 1 to 3 are about one passage; no two of their rows are neighbours."""
    rows = [ExportRow(str(at), "", subject=at % 6 + 1) for at in range(12)]
    order = shuffled(rows, Random(5), {1: 7, 2: 7, 3: 7})
    assert sorted(order) == sorted(rows)
    assert not any(one.subject <= 3 and other.subject <= 3 for one, other in itertools.pairwise(order))


def test_drawn_words_of_a_story_are_no_chat() -> None:
    """A story has the drawn words in it, but no word answers another; the summary asks for the story."""
    assert chat_roles(load_recipe(builtin.path("tinystories"))) is None
    roles = chat_roles(load_recipe(builtin.path("stories-hierarchical")))
    assert roles is not None and roles.names == {"user": "summary", "assistant": "story"}


def test_a_shuffled_export_keeps_every_row_and_its_seed(tmp_path: Path) -> None:
    """The same seed gives the same order, another one another order; the rows are the same."""
    run = run_of(tmp_path, [{"x": f"{at}", "y": "z"} for at in range(20)], _PAIR_FIELDS)

    def lines(*, shuffle: bool, seed: int = 0) -> list[bytes]:
        file = io.BytesIO()
        api.export(run, file, shuffle=shuffle, seed=seed)
        return file.getvalue().splitlines()

    plain, one, other = lines(shuffle=False), lines(shuffle=True, seed=1), lines(shuffle=True, seed=2)
    assert one == lines(shuffle=True, seed=1) != other
    assert sorted(one) == sorted(other) == sorted(plain)


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 5))
def test_rows_of_one_subject_stand_apart(groups: list[int], seed: int) -> None:
    """No two neighbours are of one subject, wherever that is possible; else the fewest possible are."""
    order = spread(groups, Random(seed))
    assert sorted(order) == list(range(len(groups)))
    found = [groups[at] for at in order]
    clashes = sum(one == other for one, other in itertools.pairwise(found))
    largest = max(map(groups.count, groups), default=0)
    assert clashes == max(0, largest - (len(groups) - largest) - 1)


def test_twenty_rows_of_a_subject_are_spread_over_the_whole_file() -> None:
    """Of twelve subjects with twenty rows each, every stretch of sixty rows has nearly all."""
    groups = [at // 20 for at in range(240)]
    found = [groups[at] for at in spread(groups, Random(7))]
    assert all(len(set(found[at : at + 60])) >= 11 for at in range(180))
