"""Recipes in several languages: what a variant replaces, which language is chosen, and where its faults are."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError, RecipeError
from selfinstruct.recipe import builtin, load_recipe, parse_recipe, to_toml
from selfinstruct.recipe.variants import in_language
from selfinstruct.testing import Behaviour, FaultServer

RECIPE = """\
name = "answers"

[documents]
files = ["texts"]

[[steps]]
name = "ask"
writes = ["question"]
prompt = "Write a question about this text: {passage}"

[[steps]]
name = "answer"
writes = ["answer"]
prompt = "Answer this: {question}"

[fields.question]
max_words = 25

[fields.answer]
min_words = 3

[novelty]
max_rouge_l = 0.7

[languages.zh.steps.answer]
prompt = "请回答：{question}"

[languages.zh.fields.question]
max_words = 40
"""
ENGLISH = "The harbour is closed to ships of more than nine metres when the wind comes from the north.\n"
CHINESE = "刮北风的时候，长度超过九米的船只不得进入港口。\n"


def recipe_in(folder: Path, text: str = RECIPE, **texts: str) -> Path:
    """A recipe file with documents beside it."""
    (folder / "texts").mkdir(exist_ok=True)
    for name, content in texts.items():
        (folder / "texts" / f"{name}.txt").write_text(content, encoding="utf-8")
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return folder / "mine.toml"


def test_a_variant_replaces_the_keys_that_it_has(tmp_path: Path) -> None:
    """Steps by their names, keys of fields one by one; everything else stays, and the base is untouched."""
    file = recipe_in(tmp_path)
    english, chinese = load_recipe(file), load_recipe(file, language="zh")
    assert (english.language, chinese.language) == ("en", "zh")
    assert [step.prompt for step in chinese.steps] == [english.steps[0].prompt, "请回答：{question}"]
    assert (english.fields["question"].max_words, chinese.fields["question"].max_words) == (25, 40)
    assert chinese.fields["answer"] == english.fields["answer"]


def test_replace_drops_the_tables_of_the_base() -> None:
    """With `replace`, only the fields of the variant are left; its own language is the one without a variant."""
    variant = {"replace": ["fields"], "fields": {"content": {}}}
    data = {"fields": {"内容": {}}, "languages": {"en": variant}}
    assert in_language(data, None) == {"fields": {"内容": {}}, "language": "zh"}
    assert in_language(data, "en") == {"fields": {"content": {}}, "language": "en"}


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (CHINESE, "zh")])
def test_the_language_follows_the_documents(tmp_path: Path, text: str, language: str) -> None:
    """Of the user's own documents, without any setting."""
    assert api.plan(recipe_in(tmp_path, a=text)).recipe.language == language


def test_the_language_can_be_forced(tmp_path: Path) -> None:
    """By the argument, or by the key of the recipe, whatever the documents are in."""
    assert api.plan(recipe_in(tmp_path, a=CHINESE), language="en").recipe.language == "en"
    fixed = recipe_in(tmp_path, 'language = "zh"\n' + RECIPE, a=ENGLISH)
    assert api.plan(fixed).recipe.steps[1].prompt == "请回答：{question}"
    with pytest.raises(InputError, match=r"`language`: unknown value 'fr'"):
        api.plan(fixed, language="fr")  # type: ignore[arg-type]


def test_a_language_that_a_recipe_lacks_is_refused(tmp_path: Path) -> None:
    """Its prompts would be in the other language without a word."""
    plain = recipe_in(tmp_path, RECIPE.partition("[languages")[0], a=CHINESE)
    assert api.plan(plain, language="en").recipe.language == "en"
    with pytest.raises(RecipeError, match=r"mine.toml: the prompt of the step ask is in another language than 'zh'"):
        api.plan(plain, language="zh")


def test_a_file_in_the_language_is_read_where_there_is_one(tmp_path: Path) -> None:
    """Beside the file that the recipe names; a recipe of one language reads what it names."""
    for name in ("topics.txt", "topics.zh.txt"):
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    text = RECIPE.replace("[documents]", '[attributes.topic]\nfile = "topics.txt"\n\n[documents]')
    file = recipe_in(tmp_path, text, a=ENGLISH)
    read = [load_recipe(file, language=language).attributes["topic"].file for language in ("en", "zh")]
    assert [Path(str(each)).name for each in read] == ["topics.txt", "topics.zh.txt"]
    plain = recipe_in(tmp_path, text.partition("[languages")[0], a=ENGLISH)
    assert Path(str(load_recipe(plain, language="zh").attributes["topic"].file)).name == "topics.txt"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("max_words = 40", 'max_words = "many"', "mine.toml:29: languages.zh.fields.question.max_words: expected"),
        (
            "[languages.zh.steps.answer]",
            "[languages.zh.steps.reply]",
            "mine.toml:25: languages.zh.steps.reply: no [[steps]] has",
        ),
        ("[languages.zh.steps", "[languages.fr.steps", "mine.toml:25: languages.fr: expected one of en, zh"),
    ],
)
def test_faults_are_reported_where_they_are_written(tmp_path: Path, old: str, new: str, told: str) -> None:
    """With the line of the variant, and its path."""
    file = recipe_in(tmp_path, RECIPE.replace(old, new, 1))
    with pytest.raises(RecipeError) as caught:
        load_recipe(file, language="zh")
    assert told in str(caught.value)


def test_the_recipe_of_a_run_is_written_in_its_language_alone(tmp_path: Path) -> None:
    """A resumed run, which reads that recipe, asks in the same language."""
    prepared = api.plan("phrasings", language="zh")
    again = parse_recipe(to_toml(prepared.recipe, {}, tmp_path), "recipe.toml", tmp_path)
    assert again == prepared.recipe and again.language == "zh"


@pytest.mark.parametrize("names", [("content", "summary"), ("内容", "概要")])
def test_chinese_rows_get_a_chinese_preset(tmp_path: Path, names: tuple[str, str]) -> None:
    """The values decide, not the names of the fields; tasks in Chinese may begin with a Chinese character."""
    pairs = [dict(zip(names, (f"第{n}篇文章", f"这是第{n}篇文章的详细说明。"), strict=True)) for n in "一二三四"]
    tasks = [
        {"instruction": f"请介绍一下第{n}个城市的历史。", "input": "", "output": f"第{n}个城市历史悠久。"}
        for n in "一二三四"
    ]
    for rows, like in ((pairs, "phrasings"), (tasks, "alpaca")):
        file = tmp_path / f"{like}.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        prepared = api.plan(file)
        assert prepared.preset.startswith(like) and prepared.recipe.language == "zh"
    assert f"{{{{{names[0]}}}}}" in api.plan(tmp_path / "phrasings.jsonl").recipe.expand[0].prompt


def test_a_copy_has_the_files_of_both_languages(tmp_path: Path) -> None:
    """So that the copied recipe runs on either."""
    copied = {path.name for path in api.copy_recipe("alpaca", tmp_path / "mine.toml")}
    assert copied == {"mine.toml", "rows.jsonl", "rows.zh.jsonl"}
    assert load_recipe(tmp_path / "mine.toml", language="zh").seeds.file.endswith("rows.zh.jsonl")
    assert builtin.path("alpaca").read_bytes() == (tmp_path / "mine.toml").read_bytes()


def test_the_temperature_of_a_run_replaces_that_of_the_recipe() -> None:
    """Of each model; without a model, and below zero, it is refused."""
    where = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}
    model = api.plan("tinystories", temperature=0.3, **where).recipe.model  # type: ignore[arg-type]
    assert model is not None and (model.temperature, model.top_p) == (0.3, 0.95)
    default = load_recipe(builtin.path("tinystories")).model
    assert default is not None and default.temperature is not None and default.temperature > 1
    with pytest.raises(InputError, match="`temperature`: invalid value -1"):
        api.plan("tinystories", temperature=-1, **where)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`temperature` has no effect without a model"):
        api.plan("logqa", temperature=0.5)


def test_a_run_without_any_row_never_succeeds(tmp_path: Path) -> None:
    """A model that answers in the wrong form leaves no row: the command says so and exits with 4."""
    where = tmp_path / "run"
    options = ["--language", "zh", "--rows", "3", "--out", str(where), "--quiet", "--model", "m"]

    async def refused() -> int | None:
        async with FaultServer(Behaviour(seed=1), author=lambda messages, rng: '{"question": "?"}') as server:
            command = ["-m", "selfinstruct", "run", "document-qa", *options, "--base-url", server.base_url]
            process = await asyncio.create_subprocess_exec(sys.executable, *command)
            return await process.wait()

    assert asyncio.run(refused()) == 4
    assert api.open_run(where).summary.accepted == 0
