"""Attributes proposed from seeds, and the recipes that ``init`` writes with them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.preparation.seed_attributes import answer_type, seed_attributes
from selfinstruct.recipe import Attribute, Categories, Field, Language, Recipe, builtin, load_recipe, parse_recipe
from selfinstruct.records import Row
from selfinstruct.text import tokens

SEEDS = Path(__file__).parents[2] / "seeds"
RECIPE = Recipe(name="r", fields={"Question": Field(), "Answer": Field(), "Line": Field()})


def rows(*pairs: tuple[str, str]) -> list[Row]:
    """Seeds of these questions and answers."""
    return [{"Question": question, "Answer": answer, "Line": f"a line with {answer}"} for question, answer in pairs]


def values(seeds: list[Row]) -> dict[str, list[str]]:
    """The values of the attributes proposed for these seeds."""
    found = seed_attributes(RECIPE, seeds)
    assert all(attribute.balanced for attribute in found.values())
    return {name: [str(value) for value in attribute.values] for name, attribute in found.items()}


def uncommented(text: str) -> str:
    """The recipe of ``init`` with its proposed attributes in use."""
    block = re.search(r"(?m)^# \[attributes\.(?:.*\n)+?(?=\n)", text)
    assert block is not None
    text = text.replace(block[0], re.sub("(?m)^# ?", "", block[0]))
    return re.sub(r'(?m)^by = "template"\nfield = .*\n', 'by = "none"\n', text)


def test_kinds_are_wordings_with_the_types_of_their_answers() -> None:
    """Each pair that occurs in the seeds is a value, the most frequent first, and no other pair."""
    seeds = rows(
        ("How many bytes is it?", "12"),
        ("On which port does it listen?", "22"),
        ("Which host sent the block?", "10.0.0.7"),
        ("Which host got it?", "10.0.0.8"),
        ("Why was the connection closed?", "Too many failures"),
        ("Is it found?", "not"),
    )
    assert values(seeds)["question_kind"] == [
        "which; the answer is an address",
        "how many; the answer is a number",
        "which; the answer is a number",
        "why; the answer is a phrase",
        "a yes-no question (is, was, does, did ...); the answer is one word",
    ]


def test_chinese_seeds_have_chinese_values() -> None:
    """Names and values are in the language of the seeds; a Chinese number is a number where one is asked for."""
    seeds = rows(
        ("《史记》共有多少卷？", "一百三十卷"), ("《史记》的作者是谁？", "司马迁"), ("这件事发生在何时？", "2024-03-11")
    )
    found = values(seeds)
    assert list(found) == ["提问方式", "问题长度"]
    assert found["提问方式"] == ["问“多少”或“几”；答案是数字", "问“谁”；答案是一个词", "问“何时”；答案是日期或时间"]
    assert found["问题长度"] == ["短：不超过 7 字", "长：8 字以上"]


@pytest.mark.parametrize(
    "seeds",
    [
        [],
        rows(("It was lost.", "lost"), ("It was found.", "found"), ("Now it is here.", "here")),
        rows(("Is it there?", "no"), ("Is it here?", "no")),
        rows(("Wann kam der Block an?", "12:00"), ("Wohin ging das?", "Berlin")) * 2,
    ],
    ids=["no seeds", "no questions", "one kind, one length", "words that are not known"],
)
def test_nothing_is_proposed_without_two_kinds(seeds: list[Row]) -> None:
    """Statements, questions of a single kind and those in other languages have no kinds."""
    assert "question_kind" not in values(seeds)


def test_rows_without_a_field_that_asks_have_no_attributes() -> None:
    """A ticket with a label asks nothing."""
    assert (
        seed_attributes(Recipe(name="t", fields={"text": Field(), "label": Field()}), [{"text": "a", "label": "b"}])
        == {}
    )


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_each_length_has_exactly_one_band_and_each_band_occurs(lengths: list[int]) -> None:
    """The bands of lengths are those of the seeds: none overlaps another one, and none is empty."""
    seeds = rows(*(("what " + "x " * (length - 1) + "?", "a") for length in lengths))
    bands = values(seeds).get("question_length", [])
    assert len(bands) == 0 or len(bands) > 1
    limits = []
    for band in bands:
        numbers = [int(number) for number in re.findall(r"\d+", band)]
        limits.append((0, numbers[0]) if "at most" in band else (numbers[0], 999 if "more" in band else numbers[-1]))
    counted = [len(tokens(row["Question"])) for row in seeds]
    if bands:
        assert all(sum(low <= length <= high for low, high in limits) == 1 for length in counted)
        assert all(any(low <= length <= high for length in counted) for low, high in limits)
    else:
        assert max(counted) == sorted(counted)[(len(counted) - 1) // 3]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("318.5 KB", "en", "number"),
        ("2024-03-11 10:00:01", "en", "time"),
        ("10.0.0.7:22", "en", "address"),
        ("/var/log/auth.log", "en", "path"),
        ("blk_-17", "en", "id"),
        ("rejected", "en", "word"),
        ("too many failures", "en", "phrase"),
        ("The disk was full.", "en", "sentence"),
        ("司马迁", "zh", "word"),
        ("中国最早的纪传体通史", "zh", "phrase"),
        ("磁盘已经满了。", "zh", "sentence"),
    ],
)
def test_types_of_answers(text: str, language: Language, expected: str) -> None:
    """An answer has the type that a reader would name."""
    assert answer_type(text, language) == expected


@pytest.mark.parametrize("name", ["logqa.jsonl", "sshd.jsonl", "classics-zh.jsonl"])
def test_init_proposes_attributes_that_a_recipe_can_use(name: str, tmp_path: Path) -> None:
    """As written, the recipe has no attributes; without the #, it is valid, and its prompts state a value of each."""
    text = api.init(SEEDS / name, tmp_path / "recipe.toml")
    assert not parse_recipe(text, "recipe.toml", tmp_path).attributes
    (tmp_path / "recipe.toml").write_text(uncommented(text), encoding="utf-8")
    recipe = parse_recipe(uncommented(text), "recipe.toml", tmp_path)
    assert len(recipe.attributes) == 2
    shown = api.dry_run(api.plan(tmp_path / "recipe.toml", model="m"))
    user = next(iter(shown.prompts.values()))[-1].content
    for key, attribute in recipe.attributes.items():
        assert len(attribute.values) > 1
        assert any(f"- {json.dumps(key, ensure_ascii=False)}: {value}\n" in user for value in attribute.values)


def test_init_proposes_nothing_for_rows_that_ask_nothing() -> None:
    """Rows with a text and a label."""
    assert "[attributes" not in api.init(SEEDS / "tickets.csv")


def test_the_plan_says_that_rows_about_passages_do_not_use_attributes(tmp_path: Path) -> None:
    """No prompt about a passage names them: a warning, and none without passages."""
    recipe = load_recipe(builtin.path("logqa"))
    kind = Attribute(values=("how many", "which"))
    recipe = recipe.model_copy(update={"attributes": {"kind": kind}, "categories": Categories()})
    log = tmp_path / "app.log"
    log.write_text(
        "".join(f"17/06/09 20:10:4{at} INFO storage.BlockManager: Found block rdd_{at}_1\n" for at in range(9))
    )
    about = api.plan(recipe, passages=[log], rows=4, model="m", base_url="http://127.0.0.1:1/v1")
    assert [each for each in about.warnings if each.startswith("attributes without effect") and each.endswith("kind")]
    assert not api.plan(recipe, rows=4, model="m", base_url="http://127.0.0.1:1/v1").warnings
