"""What people see of recipes with steps: the dry run, the plan, the page, the card, where a row came from."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.records import Failure, Reply, Request
from selfinstruct.render.dry_run import dry_run_text
from selfinstruct.render.dry_run_json import dry_run_json
from selfinstruct.render.plan import plan_text
from selfinstruct.render.provenance import provenance_text
from selfinstruct.render.summary import summary_text

QA = """
name = "qa"
[documents]
files = ["*.txt"]
by = "sample"
[attributes.tone]
values = ["curt", "kind"]
[attributes.traits]
values = ["long", "new", "odd"]
draw = [2, 3]
[[steps]]
name = "questions"
rows = 3
writes = ["question"]
prompt = "Ask, in a {tone} tone, of:\\n{passage}"
[[steps]]
name = "answers"
writes = ["answer"]
prompt = "Answer {question}\\n{passage}"
[[judge]]
name = "faithful"
prompt = "Score {answer} for {question}"
[fields.context]
source = "passage"
[fields.question]
[fields.answer]
answer = true
[fields.tone]
[novelty]
fields = ["question"]
max_rouge_l = 0.9
[quota]
rows = 15
"""
TEMPLATES = """
name = "phrasings"
[documents]
files = ["*.txt"]
by = "sample"
[[expand]]
name = "asks"
writes = "question"
templates = ["What is said here: {passage}", "Say this again: {passage}"]
[fields.question]
[fields.text]
source = "passage"
[novelty]
fields = ["question"]
max_rouge_l = 0.97
"""
PASSAGES = [f"The {word} harbour opens at {n} o'clock and closes {n + 9} hours later." for n, word in enumerate(
    ("northern", "southern", "eastern", "western", "inner", "outer"), 1)]  # fmt: skip
VERBS = ("open?", "close at night?", "have visitors?")


class Model:
    """Answers by the first word of a prompt; ``said`` may answer otherwise, by the prompt and the call's key."""

    name = "scripted"
    reads_messages = True

    def __init__(self, said: Callable[[str, str], str] = lambda prompt, key: "") -> None:
        self.prompts: list[str] = []
        self._said = said

    async def complete(self, request: Request) -> Reply | Failure:
        """What the test says, or a good answer."""
        prompt = request.messages[-1].content
        self.prompts.append(prompt)
        await asyncio.sleep(0)
        return Reply(self._said(prompt, request.step) or answer(prompt), self.name)

    async def close(self) -> None:
        """Nothing to let go of."""


def answer(prompt: str) -> str:
    """Three questions about the harbour, an answer with its hour, a good score."""
    if prompt.startswith("Ask"):
        which = prompt.split("\n")[1].split()[1]
        return json.dumps({"rows": [{"question": f"When does the {which} harbour {verb}"} for verb in VERBS]})
    if prompt.startswith("Answer"):
        return json.dumps({"answer": prompt.split(" at ")[-1].split(" ")[0]})
    return json.dumps({"score": 5, "reason": "so it stands there"})


def folder(where: Path, recipe: str) -> Path:
    """A folder with passages and the recipe, which is given back."""
    (where / "text.txt").write_text("\n\n".join(PASSAGES), encoding="utf-8")
    (where / "recipe.toml").write_text(recipe, encoding="utf-8")
    return where / "recipe.toml"


def grow(where: Path, recipe: str, model: Model | None = None) -> api.Run:
    """Run the recipe beside its documents; without a model where it needs none."""
    return api.run(folder(where, recipe), out=where / "run", backend=model, concurrency=1 if model else None)


def shown(where: Path, name: str) -> str:
    """A row and where it came from, as a terminal of 100 cells shows it."""
    return provenance_text(api.show(where / "run", name), None, 100).plain


# --- dry run ------------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_the_very_prompts_that_a_run_sends(tmp_path: Path) -> None:
    """The first step's is what the model gets first, to the letter; later ones leave places for replies alone."""
    expected = api.dry_run(api.plan(folder(tmp_path, QA), model="m"))
    grow(tmp_path, QA, model := Model())
    prompts = {name: messages[-1].content for name, messages in expected.prompts.items()}
    assert prompts["questions"] == model.prompts[0]
    question = json.loads(answer(model.prompts[0]))["rows"][0]["question"]
    assert prompts["answers"].replace("{question}", question) == next(p for p in model.prompts if p.startswith("Ans"))
    assert prompts["faithful"].startswith("Score {answer} for {question}\n")


def test_a_judge_is_shown_the_fields_of_the_row(tmp_path: Path) -> None:
    """A field that is taken from the passage is filled in a judge's prompt; one that a step writes is left."""
    recipe = QA.replace("Score {answer} for {question}", "Score {said} by {context}")
    recipe = recipe.replace("[fields.answer]", '[fields.said]\nsource = "answer"')
    prompt = api.dry_run(api.plan(folder(tmp_path, recipe), model="m")).prompts["faithful"][-1].content
    assert prompt.startswith("Score {said} by The ")


def test_a_dry_run_estimates_requests_by_fan_out(tmp_path: Path) -> None:
    """Fifteen rows, three of a batch: five batches, an answer and a verdict for each row."""
    prepared = api.plan(folder(tmp_path, QA), model="m")
    expected = api.dry_run(prepared)
    assert dict(expected.requests) == {"questions": 5, "answers": 15, "faithful": 15}
    text = dry_run_text(expected, prepared).plain
    assert "At least 35 requests to the model m" in text and "=== answers (15 requests)" in text
    assert "{question}" in text and "category" not in text
    assert list(dry_run_json(expected)["prompts"]) == ["questions", "answers", "faithful"]


def test_every_row_that_the_batch_asks_for_goes_on_where_a_step_names_no_number(tmp_path: Path) -> None:
    """With rows = 0 a batch brings what it asks for, and at most what is wanted."""
    recipe = QA.replace("rows = 3", "rows = 0")
    few = api.dry_run(api.plan(folder(tmp_path, recipe + "[prompt]\nrows_per_request = 4\n"), model="m"))
    assert few.requests["questions"] == 4
    assert api.dry_run(api.plan(folder(tmp_path, recipe), model="m")).requests["questions"] == 1


def test_steps_under_different_values_share_the_rows(tmp_path: Path) -> None:
    """Yes-rows take one step and no-rows the other: each counts for half of the rows, later steps for all."""
    either = "".join(
        f'[[steps]]\nname = "{said}"\nwrites = ["m"]\nrows = 2\nprompt = "Mark"\nwhen = {{ question = ["{said}"] }}\n'
        for said in ("yes", "no")
    )
    recipe = QA.replace("[[judge]]", f"{either}[[judge]]").replace("rows = 15", "rows = 60")
    requests = api.dry_run(api.plan(folder(tmp_path, recipe), model="m")).requests
    assert dict(requests) == {"questions": 10, "answers": 30, "yes": 15, "no": 15, "faithful": 60}


def test_templates_make_requests_fewer_and_lists_are_asked_for_once(tmp_path: Path) -> None:
    """Four rows of each by templates that the model writes: one request for them, and a quarter of the others."""
    recipe = QA.replace('values = ["curt", "kind"]', 'prompt = "List {size} tones"\nsize = 7').replace(
        "[fields.context]",
        '[[expand]]\nname = "asks"\nwrites = "ask"\nprompt = "{size} ways"\nsize = 4\n[fields.ask]\n[fields.context]',
    )
    prepared = api.plan(folder(tmp_path, recipe.replace("rows = 15", "rows = 60")), model="m")
    expected = api.dry_run(prepared)
    wanted = {"lists/tone": 1, "lists/asks": 1, "questions": 5, "answers": 15, "faithful": 15}
    assert dict(expected.requests) == wanted
    assert expected.prompts["lists/tone"][0].content == "List 7 tones"
    assert expected.prompts["questions"][0].content.startswith("Ask, in a {tone} tone, of:\nThe ")
    plan = plan_text(prepared, None, 80).plain
    assert "60 rows from 6 passages, 7 tones and 3 traits" in plan
    assert "lists/asks  first requests 4 templates" in plan and "asks        makes 4 rows from each row" in plan


def test_the_length_of_future_replies_is_estimated_from_limits(tmp_path: Path) -> None:
    """Questions of 300 words make more tokens, both out and in the later prompts that hold them."""
    short, long = (
        api.dry_run(api.plan(folder(tmp_path, QA.replace("[fields.question]", f"[fields.question]\n{words}"))))
        for words in ("max_words = 10", "min_words = 200\nmax_words = 400")
    )
    more = 300 * 4 / 3 - 5 * 4 / 3
    assert long.output_tokens - short.output_tokens == pytest.approx(15 * more, abs=2)
    assert long.input_tokens - short.input_tokens == pytest.approx(30 * more, abs=2)


def test_a_step_costs_what_its_own_model_costs(tmp_path: Path) -> None:
    """A judge of its own model is paid at that model's price, and no other is."""
    models = "".join(
        f'[[models]]\nname = "{name}"\nbase_url = "http://x/v1"\nprice = {{ input = 0, output = {price} }}\n'
        for name, price in (("cheap", 0), ("dear", 1_000_000))
    )
    recipe = QA.replace('name = "questions"', 'name = "questions"\nmodel = "cheap"').replace(
        'name = "answers"', 'name = "answers"\nmodel = "cheap"'
    )
    judged = recipe.replace('name = "faithful"', 'name = "faithful"\nmodel = "dear"')
    cost = api.dry_run(api.plan(folder(tmp_path, judged + models))).cost
    assert cost is not None and cost / 15 == pytest.approx(40)


def test_templates_alone_ask_nobody(tmp_path: Path) -> None:
    """The dry run says so, and speaks of no model, no imitator and no money."""
    prepared = api.plan(folder(tmp_path, TEMPLATES))
    expected = api.dry_run(prepared)
    assert not expected.requests and not expected.prompts and expected.input_tokens == expected.output_tokens == 0
    said = plan_text(prepared, None, 80).plain + dry_run_text(expected, prepared).plain
    assert "no requests, no cost" in said and "written by templates only" in said
    assert "imitator" not in said and "seed" not in said


def test_imitation_says_its_attributes_in_the_dry_run(tmp_path: Path) -> None:
    """The prompt contains the values that rows are conditioned on, as in a run."""
    rows = [{"text": f"the {word} ship sails at {n}", "tone": "calm"} for n, word in enumerate(("red", "old", "big"))]
    (tmp_path / "s.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    recipe = '[seeds]\nfile = "s.jsonl"\n[attributes.tone]\nvalues = ["merry"]\n[fields.text]\n[fields.tone]\n'
    prepared = api.plan(folder(tmp_path, f"name = 'x'\n{recipe}[quota]\nrows = 30\n"), model="m")
    assert '"tone": merry' in api.dry_run(prepared).prompts["all"][-1].content
    assert api.dry_run(prepared).requests == {"all": 2}


# --- plan ---------------------------------------------------------------------------------------------------------


def test_the_plan_says_what_rows_come_from_and_each_step(tmp_path: Path) -> None:
    """Passages and values with their numbers, no seeds; a line a step; fields that nothing writes say where from."""
    recipe = QA.replace("[quota]", '[categories]\nby = "attribute"\nattributes = ["tone"]\n[quota]')
    plan = plan_text(api.plan(folder(tmp_path, recipe), model="m"), Path("o"), 80).plain
    assert "qa: 15 rows from 6 passages, 2 tones and 3 traits in o, written by the model m" in plan
    assert "context   taken from passage" in plan and "tone      the drawn value" in plan
    assert "questions  requests 3 rows with question\n  answers    requests answer\n" in plan
    assert "faithful   scores each row and rejects scores below 4" in plan
    assert "2 categories by value of tone" in plan
    assert "seed" not in plan


def test_the_plan_of_many_attributes_fits_a_terminal() -> None:
    """Each built-in recipe and its method are described within 80 cells."""
    for name in ("stories-hierarchical", "reviews", "self-instruct", "evol-instruct", "phrasings"):
        lines = plan_text(api.plan(name, model="m", base_url="http://127.0.0.1:8000/v1"), None, 80).plain.splitlines()
        assert all(cell_len(line) <= 80 for line in lines), name
    plan = plan_text(api.plan("reviews", model="m"), None, 80).plain
    assert "reviews: 1,200 rows from 5 ratings, 24 products and 20 features" in plan
    assert "120 categories by combination of rating and product" in plan


# --- page and card ------------------------------------------------------------------------------------------------


def test_the_page_of_a_run_without_seeds_does_not_speak_of_seeds(tmp_path: Path) -> None:
    """Grown from passages; rows are likened to one another, in bars alone; the steps stand with their words."""
    grow(tmp_path, QA, Model())
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    body = re.sub(r"<style>.*?</style>|<pre>.*?</pre>", "", text, flags=re.DOTALL)
    assert "15 rows grown from 6 passages, 2 tones and 3 traits" in body
    assert "ROUGE-L F1 with the nearest of 15 grown rows" in body and 'class="seeds"' not in body
    assert body.count("seed") == body.count("random seed 0") == 1
    assert "<dt>answers</dt><dd>requests answer</dd>" in body
    assert "Length of question" in body and "Length of context" not in body and "Length of tone" not in body


def test_the_card_says_how_rows_were_made(tmp_path: Path) -> None:
    """What a batch was given, the steps in their order, no seeds, and that the documents' licence holds."""
    grow(tmp_path, QA, Model())
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "15 synthetic rows in `rows.jsonl`, grown by " in card
    assert "from 6 passages, 2 `tones` and 3 `traits` on 20" in card
    assert "Each batch starts from a passage, a value of `tone` and 2 to 3 values of `traits`." in card
    assert "1. `questions`: requests 3 rows with `question`.\n2. `answers`: requests `answer`.\n" in card
    assert "3. `faithful`: scores" in card
    assert "| `context` | string | taken from `passage` |" in card and "the licence of the documents applies" in card
    assert "seed" not in card.replace("selfinstruct", "")


def test_rows_that_templates_made_of_one_may_be_alike_and_that_is_said(tmp_path: Path) -> None:
    """Page and card do not claim for siblings what is not checked of them; a passage each is no missed quota."""
    run = grow(tmp_path, TEMPLATES)
    page, card = ((tmp_path / "run" / name).read_text(encoding="utf-8") for name in ("report.html", "README.md"))
    assert run.summary.accepted == 12 and run.summary.requested_rows == 12
    assert "Rows made from the same row may be more similar" in page
    assert "Rows made from the same row may be more similar" in card
    said = summary_text(run.summary, tmp_path / "run", "recipe.toml", 80).plain
    assert "No requests." in said


def test_the_language_of_rows_without_seeds_is_that_of_the_rows(tmp_path: Path) -> None:
    """Chinese questions make a Chinese data set."""
    words = iter("山水火木金土日月星云风雨雷电江河湖海田石花草鸟鱼龙虎牛羊马犬猫鼠春夏秋冬东西南北".strip())

    def said(prompt: str, key: str) -> str:
        if prompt.startswith("Ask"):
            asks = [f"{next(words)}{next(words)}{next(words)}何时开放呢？" for _ in range(3)]
            return json.dumps({"rows": [{"question": ask} for ask in asks]})
        return json.dumps({"answer": f"早上{len(prompt)}点开放"}) if prompt.startswith("Ans") else ""

    recipe = QA.replace('[fields.context]\nsource = "passage"\n', "").replace("rows = 15", "rows = 6")
    grow(tmp_path, recipe, Model(said))
    assert "language: [zh]" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")


def test_names_of_a_recipe_stay_data_on_page_and_card(tmp_path: Path) -> None:
    """A step and an attribute that are called like markup show as they are written."""
    evil = "<b>*x*</b>"
    recipe = QA.replace('"questions"', f'"{evil}"').replace("[attributes.traits]", f'[attributes."{evil}"]')
    grow(tmp_path, recipe, Model())
    page, card = ((tmp_path / "run" / name).read_text(encoding="utf-8") for name in ("report.html", "README.md"))
    assert evil not in page and page.count(html.escape(evil)) >= 2
    assert f"3 `{evil}s`" in card and f"1. `{evil}`: " in card
    assert evil not in re.sub(r"`[^`]*`", "", card)


# --- show ---------------------------------------------------------------------------------------------------------


def test_show_tells_the_calls_of_a_row_and_no_others(tmp_path: Path) -> None:
    """Its step's reply, its own answer and its own verdict; what the batch was given; its words; no examples."""
    grow(tmp_path, QA, Model())
    with (tmp_path / "run" / "rows.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for number, row in enumerate(rows, 1):
        found = api.show(tmp_path / "run", str(number))
        at = next(at for at, verb in enumerate(VERBS, 1) if row["question"].endswith(verb))
        assert [each.step for each in found.replies] == ["questions", f"answers/{at}", f"faithful/{at}"]
        assert found.passage is not None and found.passage["passage"] == row["context"]
        assert found.conditions["tone"] == row["tone"] and found.step == f"answers/{at}"
        assert json.loads(found.text) == {"answer": row["answer"]}
    text = shown(tmp_path, "1")
    first = next(at for at, verb in enumerate(VERBS, 1) if rows[0]["question"].endswith(verb))
    assert f"tone     {rows[0]['tone']}\n" in text and "passage  1, of " in text
    assert f"text in the reply of step answers/{first}" in text and "demonstrations" not in text


def test_show_tells_the_calls_of_a_refused_row_and_what_could_not_be_read(tmp_path: Path) -> None:
    """The third question is refused by the judge, its first answer was no JSON: all of that stands there."""
    unread: list[str] = []

    def said(prompt: str, key: str) -> str:
        if key == "answers/3" and len(unread) < 1:
            unread.append(key)
            return "I would rather not."
        return json.dumps({"score": 1, "reason": "made up"}) if key == "faithful/3" else ""

    grow(tmp_path, QA.replace("rows = 15", "rows = 2"), Model(said))
    found = api.show(tmp_path / "run", "x1")
    assert found.category == "all" and found.row is not None and found.row["question"].endswith(VERBS[2])
    assert [each.step for each in found.replies] == ["questions", "answers/3", "answers/3", "faithful/3"]
    assert list(found.unreadable) == [found.replies[1].call]
    text = shown(tmp_path, "x1")
    assert "faithful: 1, below 4: made up" in text and "the reply contains no readable row" in text
    assert "answers/1" not in text and "another category" not in text


def test_of_rows_that_are_the_same_in_all_each_has_its_own_calls(tmp_path: Path) -> None:
    """The same question twice in a reply: the second is a duplicate, and came of the second branch."""

    def said(prompt: str, key: str) -> str:
        asks = ["When does it open?", "When does it open?"]
        return json.dumps({"rows": [{"question": ask} for ask in asks]}) if prompt.startswith("Ask") else ""

    grow(tmp_path, QA.replace("rows = 15", "rows = 1"), Model(said))
    first, second = (api.show(tmp_path / "run", name) for name in ("1", "x1"))
    assert second.rejection is not None and second.rejection.reason in ("duplicate", "quota")
    assert [each.step for each in first.replies] == ["questions", "answers/1", "faithful/1"]
    assert [each.step for each in second.replies] == ["questions", "answers/2", "faithful/2"]


def test_show_of_a_row_that_templates_made(tmp_path: Path) -> None:
    """The passage that it was made of, and no reply, since nobody was asked."""
    grow(tmp_path, TEMPLATES)
    text = shown(tmp_path, "2")
    assert "made by templates in batch 1" in text and "passage" in text and ", of " in text
    assert "written by" not in text and "text in the reply" not in text
    with pytest.raises(InputError) as caught:
        api.show(tmp_path / "run", "99")
    assert "It has the rows 1 to 12." in str(caught.value)
