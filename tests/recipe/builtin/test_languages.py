"""Every built-in recipe in English and in Chinese, end to end, against a scripted model with bad replies on purpose."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import LANGUAGES, Recipe, builtin, load_recipe
from selfinstruct.testing import Behaviour, FaultServer, ScriptedAuthor, Shares

#: The rows that each recipe is asked for; of recipes with quotas of their own, those of each category.
ROWS = {
    "alpaca": {"rows": 60},
    "bonito": {"per_category": 3},
    "bonito-completion": {"per_category": 3},
    "classics": {},
    "code-exercises": {"rows": 20},
    "ctga": {},
    "descriptions": {"per_category": 1},
    "document-qa": {"rows": 20},
    "evol-instruct": {"rows": 30},
    "logqa": {"rows": 60},
    "messages": {"rows": 20},
    "phrasings": {},
    "reasoning": {"per_category": 2},
    "retrieval": {"per_category": 4},
    "reviews": {"per_category": 1},
    "rewordings": {"rows": 12},
    "self-instruct": {"rows": 30},
    "sentiment-augment": {"per_category": 10},
    "stories-hierarchical": {"rows": 20},
    "support-dialogue": {"rows": 40},
    "textbook": {"per_category": 1},
    "tinystories": {"rows": 30},
}
#: Recipes whose prompt is that of rows, or that call no model.
IMITATING, WITHOUT_MODEL = ("logqa", "sentiment-augment"), ("ctga",)
SHARES = Shares(ungrounded=0.05, echoed=0.05, near_duplicate=0.05, malformed=0.05)
HAN = "山水云风雨雪花草树木石田河海星月光影春夏秋冬晨夜东西南北人家门窗桌椅书笔纸墨琴棋诗画茶酒米面瓜果鱼鸟虫马牛羊"
SYLLABLES = ["zo", "vu", "xi", "qua", "ju", "mer", "lin", "tak"]


class Words:
    """Invented words of one language."""

    def __init__(self, language: str, rng: Random) -> None:
        self.language, self.rng = language, rng

    def __call__(self, count: int) -> str:
        """So many words, or so many characters of Chinese."""
        if self.language == "zh":
            return "".join(self.rng.choice(HAN) for _ in range(count))
        return " ".join("".join(self.rng.choice(SYLLABLES) for _ in range(3)) for _ in range(count))

    def sentence(self, count: int, end: str = ".") -> str:
        """A sentence of so many words."""
        return f"{self(count)}{end if self.language == 'en' else {'.': '。', '?': '？'}[end]}"


Writer = Callable[[str, str, Words], Any]


def tasks(step: str, prompt: str, words: Words) -> Any:
    """The steps of alpaca, self-instruct and evol-instruct."""
    match step:
        case "tasks":
            asked = re.search(r"Come up with (\d+)|再写出 (\d+)", prompt)
            assert asked is not None
            rows = [task(words) for _ in range(int(asked[1] or asked[2]))]
        case "instructions":
            rows = [{"instruction": words.sentence(12)} for _ in range(7)]
        case "classification":
            answers = ["yes", "no"] if words.language == "en" else ["是", "否"]
            return {"is_classification": words.rng.choice(answers)}
        case "evolve":
            return {"instruction": words.sentence(14), "input": words(6)}
        case "answer":
            return words.sentence(9)
        case _:
            rows = [{"input": words(8), "output": words(5)}]
    return {"rows": rows}


def task(words: Words) -> dict[str, str]:
    """A task with its input and output."""
    return {"instruction": words.sentence(12), "input": words(5), "output": words.sentence(6)}


def bonito(step: str, prompt: str, words: Words) -> Any:
    """A task with the answer that the rules of its type demand."""
    recipe = load_recipe(builtin.path("bonito"), language="zh" if words.language == "zh" else "en")
    kind = next(
        str(each) for each in recipe.attributes["task_type"].values if f"{each}." in prompt or f"{each}。" in prompt
    )
    passage = re.split("Passage:\n|段落：\n", prompt)[1].split("\n\n")[0]
    instruction, response = words.sentence(10), words.sentence(9)
    for rule in recipe.rules:
        if kind not in rule.when["task_type"]:
            continue
        if rule.one_of:
            response = str(words.rng.choice(rule.one_of))
        elif rule.appears_in:
            response = passage[:4] if words.language == "zh" else passage.split()[0]
        elif rule.choice_of:
            choices = [words(4) for _ in range(4)]
            instruction, response = "\n- ".join([words(6), *choices]), choices[2]
        elif rule.min_words:
            response = words.sentence(60)
        elif rule.pattern and rule.field == "response":
            response = words.sentence(9, "?")
    return {"instruction": instruction, "response": response}


def stories(step: str, prompt: str, words: Words) -> Any:
    """The steps of tinystories and stories-hierarchical: the drawn words and the sentence occur."""
    if step == "summary":
        return words.sentence(20)
    if step == "sentence":
        return words.sentence(9)
    drawn = re.findall('"([^"]+)"|“([^”]+)”', prompt)[:3]
    if found := re.search("(?:Words: |词语：)(.+)", prompt):
        drawn = [(each, "") for each in re.split("[,、] ?", found[1])]
    told = re.search("(?:Sentence: |句子：)(.+)", prompt)
    between = " " if words.language == "en" else "，"
    used = between.join(first or second for first, second in drawn)
    return "\n\n".join([words.sentence(50), f"{told[1] if told else ''} {used}.".strip(), words.sentence(80)])


def dialogue(step: str, prompt: str, words: Words) -> Any:
    """Turns of C and A, with full-width colons in Chinese."""
    colon = ": " if words.language == "en" else "："
    return "\n".join(f"{'CA'[at % 2]}{colon}{words.sentence(10)}" for at in range(8))


def conversations(step: str, prompt: str, words: Words) -> Any:
    """As many lists of messages as the prompt asks for."""
    asked = re.search(r"Write (\d+) new|写出 (\d+) 段", prompt)
    assert asked is not None
    roles = ["user", "assistant"] * 3
    made = [[{"role": role, "content": words.sentence(9)} for role in roles] for _ in range(int(asked[1] or asked[2]))]
    return {"rows": [{"messages": each} for each in made]}


def textbook(step: str, prompt: str, words: Words) -> Any:
    """Two paragraphs and a snippet."""
    return f"{words.sentence(70)}\n\n{words.sentence(50)}\n\n```python\ndef f(x):\n    return x\n\nprint(f(1))\n```"


def code_exercises(step: str, prompt: str, words: Words) -> Any:
    """A docstring with a number of its own, and tests; the function that adds the number."""
    if step == "solution":
        asked = prompt.split("```python\n")[1].split("\n```")[0]
        return f"```python\n{asked}\n    return a + {asked.rpartition('+ ')[2].split()[0]}\n```"
    number = words.rng.randrange(10**6)
    shown = f'def plus(a: int) -> int:\n    """{words.sentence(20)}\n\n    a + {number}\n    """'
    tests = "\n".join(f"assert plus({at}) == {at + number}" for at in range(4))
    return f"```python\n{shown}\n```\n\n```python\n{tests}\n```"


def document_qa(step: str, prompt: str, words: Words) -> Any:
    """Three questions, one of them a request; an answer."""
    if step == "questions":
        return {"rows": [{"question": words.sentence(8, "?")} for _ in range(3)]}
    return {"answer": words.sentence(40)}


def reasoning(step: str, prompt: str, words: Words) -> Any:
    """A problem; a chain that ends in 42."""
    if step == "problem":
        return {"question": words.sentence(20, "?")}
    return {"reasoning": f"{words(12)}, 6 × 7 = 42.", "answer": "42"}


def rewordings(step: str, prompt: str, words: Words) -> Any:
    """Five phrasings with the numbers, names and quoted words of the answer."""
    answer = re.split("Answer: |回答：", prompt)[1].split("\n")[0]
    facts = " ".join(re.findall(r"\d+(?:\.\d+)?|[“《].+?[”》]|(?<=[a-z0-9,;] )[A-Z][a-z]+(?: [A-Z][a-z]+)*", answer))
    return {"rows": [{"summary": f"{words(30)} {facts} {words(9)}"} for _ in range(5)]}


def retrieval(step: str, prompt: str, words: Words) -> Any:
    """A query of the kind that is asked for, and the first words of its passage."""
    form = re.search("of this kind: (.+)|类型是：(.+)", prompt)
    assert form is not None
    kind, passage = form[1] or form[2], prompt.split("\n---\n")[1]
    query = {
        "keywords": words(4),
        "关键词": words(9),
        "detailed request": words.sentence(25),
        "详细描述": words.sentence(50),
    }
    if kind in ("claim to verify", "待核实的说法"):
        query[kind] = words.sentence(12)
    answer = passage[:8] if words.language == "zh" else " ".join(passage.split()[:4])
    return {"query": query.get(kind, words.sentence(8, "?")), "answer": answer}


def classics(step: str, prompt: str, words: Words) -> Any:
    """A subject and its summary, with the names of the language."""
    names = ("content", "summary") if words.language == "en" else ("内容", "概要")
    return dict(zip(names, (words(3), words.sentence(110)), strict=True))


WRITERS: dict[str, Writer] = {
    "alpaca": tasks,
    "self-instruct": tasks,
    "evol-instruct": tasks,
    "bonito": bonito,
    "bonito-completion": lambda step, prompt, words: f"{words.sentence(9)}<|pipe|>{words.sentence(5)}",
    "classics": classics,
    "code-exercises": code_exercises,
    "phrasings": classics,
    "document-qa": document_qa,
    "messages": conversations,
    "support-dialogue": dialogue,
    "textbook": textbook,
    "tinystories": stories,
    "stories-hierarchical": stories,
    "reasoning": reasoning,
    "rewordings": rewordings,
    "retrieval": retrieval,
    "reviews": lambda step, prompt, words: words.sentence(75 if words.language == "en" else 120),
    "descriptions": lambda step, prompt, words: words.sentence(60 if words.language == "en" else 120),
}


class Author:
    """Writes what the steps of a recipe ask for; every sixth reply is bad, and ``bad`` counts these."""

    def __init__(self, recipe: Recipe, language: str) -> None:
        self.recipe, self.language = recipe, language
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The reply to the first or a later step, to a judge, or to the prompt for a list."""
        prompt, words = str(messages[-1]["content"]), Words(self.language, rng)
        step = next((each for each in self.recipe.steps if begins(prompt, each.prompt)), None)
        others = [*(each.prompt for each in self.recipe.expand), *(each.prompt for each in self.recipe.judge)]
        if messages[0]["role"] == "system" and self.recipe.verify:  # a reader of a row
            return json.dumps({"reasoning": words(4), "answer": "42"})
        if step is None and not any(begins(prompt, each) for each in others):
            return "ok"  # the first call, which shows that the endpoint answers
        self.prompts.append("\n".join(str(message["content"]) for message in messages))
        for expand in self.recipe.expand:
            if expand.prompt and begins(prompt, expand.prompt):
                name = "content" if "{content}" in prompt else "内容"
                return "\n".join(f"{words(6)}{{{name}}}{words(at % 4 + 1)}？" for at in range(24))
        if any(begins(prompt, judge.prompt) for judge in self.recipe.judge):
            score = rng.choice([1, 5, 5, 5])
            self.bad["judge"] += score == 1
            return json.dumps({"score": score, "reason": words(4)})
        assert step is not None
        if len(self.prompts) % 6 == 5:
            self.bad["reply"] += 1
            return "{" if step.reply == "json" else {"en": "Sorry.", "zh": "对不起。"}[self.language]
        reply = WRITERS[self.recipe.name](step.name, prompt, words)
        return reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)


def begins(prompt: str, template: str) -> bool:
    """Whether a prompt has the first words of a template, as far as its first placeholder."""
    beginning = template.strip().partition("{")[0]
    return prompt.startswith(beginning) and not (prompt.startswith("Reply with") and not beginning)


async def grow(name: str, language: str, out: Path) -> tuple[api.Run, Any]:
    """Run a recipe on its inputs in a language."""
    recipe = load_recipe(builtin.path(name), language=language)  # type: ignore[arg-type]
    options: dict[str, Any] = {"out": out, "language": language, **ROWS[name]}
    if name in WITHOUT_MODEL:
        return await api.run_async(name, **options), None
    author = ScriptedAuthor(SHARES) if name in IMITATING else Author(recipe, language)
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(name, base_url=server.base_url, model="m", concurrency=2, **options)
    return run, author


#: Recipes of two steps, of groups of rows, of judges; an audit takes seconds.
AUDITED = ("document-qa", "phrasings", "classics")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", builtin.names())
def test_each_recipe_meets_its_quota_in_each_language(name: str, language: str, tmp_path: Path) -> None:
    """All rows come, every candidate is accounted for, bad replies are counted, and judging again changes nothing."""
    if name == "code-exercises" and sys.platform != "linux":
        pytest.skip("code is run on Linux only")
    run, author = asyncio.run(grow(name, language, tmp_path / "run"))
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved
    assert summary.accepted == sum(each.quota for each in summary.categories.values()) > 0
    assert api.rejudge(run.directory).identical
    if name in AUDITED and language == "zh":
        assert api.verify(run.directory).holds
    rows = list(run.rows())
    if name != "bonito-completion":  # its types of tasks are English for passages in any language
        assert detect_language(rows) == language
    if isinstance(author, Author) and author.bad:
        assert sum(summary.rejected.values()) + sum(summary.failed.values()) >= author.bad.total()
    if isinstance(author, Author) and name != "bonito-completion":
        asked = [{"prompt": re.sub("(?s)```.*?```", "", prompt)} for prompt in author.prompts]
        assert all(detect_language([prompt]) == language for prompt in asked)


def test_every_recipe_has_a_line_of_its_own_here() -> None:
    """No built-in recipe is left out of the runs above."""
    assert set(ROWS) == set(builtin.names())
    assert set(WRITERS) == set(ROWS) - {*IMITATING, *WITHOUT_MODEL}


@pytest.mark.parametrize("name", builtin.names())
def test_both_versions_have_the_same_rules_for_other_words(name: str) -> None:
    """The variants differ in texts, not in the fields, steps and quotas; each has files of its own."""
    english, chinese = (load_recipe(builtin.path(name), language=language) for language in LANGUAGES)
    if name != "classics":
        assert list(english.fields) == list(chinese.fields)
    assert [step.name for step in english.steps] == [step.name for step in chinese.steps]
    assert english.novelty.max_rouge_l == chinese.novelty.max_rouge_l
    assert english.model == chinese.model
    for one, other in zip(english.attributes.values(), chinese.attributes.values(), strict=True):
        assert (one.file is None) == (other.file is None)
        assert one.file is None or one.file != other.file
    assert not english.seeds.file or english.seeds.file != chinese.seeds.file
