"""The recipe ``tinystories``: its words are in the stories, its features are balanced, its openings are many."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.testing import Behaviour, FaultServer

FEATURES = ("dialogue", "plot twist", "bad ending", "moral value", "foreshadowing", "conflict")
PROMPT = """\
Write a short story of 3 to 5 paragraphs. Use only very simple words, such as a child of 3 or 4 years understands.

The story uses the verb "VERB", the noun "NOUN" and the adjective "ADJECTIVE", each in any form.
It has these features, and no other of dialogue, plot twist, bad ending, moral value, foreshadowing and conflict:
- FEATURE

Begin OPENING. Do not begin with "Once upon a time", "One day" or the like.
Write the story alone, without a title, with a blank line between paragraphs. Remember to use only simple words!"""
ROWS = 90
#: What a model begins with where nobody asks for something else, and how often (in one study 59 %).
USUAL, SHARE = "Once upon a time", 0.59


class Author:
    """Tells stories with the words that the prompt names, now and then without one, or with a title."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """A story; all that it says besides the words of the prompt is made up of syllables."""
        prompt = messages[-1]["content"]
        if not prompt.startswith("Write a short story"):
            return "ok"
        self.prompts.append(prompt)
        words = re.findall(r'the (?:verb|noun|adjective) "(\w+)"', prompt)
        fault = rng.choice(["verb", "noun", "adjective", "title", "short", *[""] * 15])
        self.bad[fault] += 1
        if fault in ("verb", "noun", "adjective"):
            words[("verb", "noun", "adjective").index(fault)] = "it"
        asked = re.search(r"^Begin (.+?)\.", prompt, re.MULTILINE)
        # It knows a single beginning of each kind that it is asked for, and else mostly the one that they all know.
        opening = said(Random(asked[1]), 3) if asked else USUAL if rng.random() < SHARE else said(rng, 3)
        story = f"{opening}, {third_person(words[0])} the {words[1]}. It is {words[2]}."
        for _ in range(0 if fault == "short" else 3):
            story += f"\n\n{said(rng, 24)}."
        return f"**{said(rng, 2)}**\n\n{story}" if fault == "title" else story


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


def said(rng: Random, count: int) -> str:
    """Return the given number of invented words, so that no listed word occurs in a story by chance."""
    return " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(count))


def third_person(verb: str) -> str:
    """What he, she or it does: borrows, catches, carries."""
    if verb == "it":
        return verb
    if re.search(r"[^aeiou]y$", verb):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if re.search(r"(?:s|sh|ch|x|z|o)$", verb) else f"{verb}s"


def commonest_opening(rows: Sequence[Mapping[str, Any]]) -> float:
    """The share of stories that begin with the same three words as the most do."""
    return Counter(" ".join(row["story"].split()[:3]) for row in rows).most_common(1)[0][1] / len(rows)


async def grow(source: str | Path, out: Path) -> Grown:
    """Run a recipe against the scripted author, one call after the other."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(source, out=out, rows=ROWS, base_url=server.base_url, model="m", concurrency=1)
    return run, list(run.rows()), author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe as it is."""
    return asyncio.run(grow("tinystories", tmp_path_factory.mktemp("tinystories") / "run"))


def test_each_story_has_its_words_and_features_are_balanced(grown: Grown) -> None:
    """Stories without a word are refused as ungrounded, a word in another form counts; every list is used evenly."""
    run, rows, author = grown
    summary = run.summary
    assert summary.accepted == len(rows) == ROWS and summary.stopped == "done" and summary.conserved
    assert summary.categories["all"].quota == summary.categories["all"].accepted == ROWS
    missing = author.bad["verb"] + author.bad["noun"] + author.bad["adjective"]
    assert missing > 5 and author.bad["title"] and author.bad["short"]
    refused = {"ungrounded": missing, "blocked": author.bad["title"], "length": author.bad["short"]}
    # What came when the quota was met already is refused for that.
    assert {reason: n for reason, n in summary.rejected.items() if reason != "quota"} == refused
    for row in rows:
        assert list(row) == ["story", "verb", "noun", "adjective", "features"]
        assert all(word in row["story"] for word in (third_person(row["verb"]), row["noun"], row["adjective"]))
        assert 1 <= len(row["features"]) <= 3 and set(row["features"]) <= set(FEATURES)
    features = Counter(feature for row in rows for feature in row["features"])
    assert set(features) == set(FEATURES)
    assert max(features.values()) - min(features.values()) <= 3
    for name in ("verb", "noun", "adjective"):
        assert max(Counter(row[name] for row in rows).values()) == 1
    assert api.rejudge(run.directory).identical


def test_the_prompt_is_the_method_s(grown: Grown) -> None:
    """One whole prompt, word for word, with what was drawn in its places; openings are drawn evenly."""
    _, _, author = grown
    one = next(prompt for prompt in author.prompts if prompt.count("\n- ") == 1)
    verb, noun, adjective = re.findall(r'the (?:verb|noun|adjective) "(\w+)"', one)
    drawn = {"VERB": verb, "NOUN": noun, "ADJECTIVE": adjective}
    drawn["FEATURE"] = re.findall(r"^- (.+)$", one, re.MULTILINE)[0]
    drawn["OPENING"] = re.findall(r"^Begin (.+?)\.", one, re.MULTILINE)[0]
    assert one == re.sub("|".join(drawn), lambda place: drawn[place[0]], PROMPT)
    openings = Counter(re.findall(r"^Begin (.+?)\.", prompt, re.MULTILINE)[0] for prompt in author.prompts)
    assert set(openings) == set(load_recipe(builtin.path("tinystories")).attributes["opening"].values)
    assert max(openings.values()) <= 2 * min(openings.values())


async def test_openings_differ_because_the_prompt_asks_for_it(grown: Grown, tmp_path: Path) -> None:
    """A tenth of the stories begin alike at most, one kind of ten; without the line most begin as they usually do."""
    _, rows, _ = grown
    assert commonest_opening(rows) == pytest.approx(0.1, abs=0.02)
    text = builtin.path("tinystories").read_text(encoding="utf-8")
    without = re.sub(r"^Begin \{opening\}.*\n", "", text, flags=re.MULTILINE)
    assert without != text
    (tmp_path / "without.toml").write_text(without, encoding="utf-8")
    (tmp_path / "inputs").symlink_to(builtin.path("tinystories").parent / "inputs")
    _, rows, _ = await grow(tmp_path / "without.toml", tmp_path / "other")
    assert commonest_opening(rows) == pytest.approx(SHARE, abs=0.1)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("story", "Ben took the ladder to the kite and was glad.", "length"),
        ("story", "Ben was glad. " * 170, "length"),
        ("story", f"# Ben\n\n{'Ben was glad. ' * 60}", "blocked"),
        ("story", f"**Ben**\n\n{'Ben was glad. ' * 60}", "blocked"),
        ("story", f"Sure! Here is a story:\n\n{'Ben was glad. ' * 60}", "blocked"),
        ("verb", "sleep", "ungrounded"),
        ("noun", "cat", "ungrounded"),
        ("adjective", "far", "ungrounded"),
        ("features", "dialogue", "schema"),
    ],
)
def test_what_is_no_story_or_not_about_its_words_is_refused(field: str, value: str, reason: str) -> None:
    """Of rows that a person wrote, each passes, and none does with this in it."""
    recipe = load_recipe(builtin.path("tinystories"))
    file = builtin.path("tinystories").parent / "inputs" / "tinystories" / "rows.jsonl"
    for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        assert tuple(row) == tuple(recipe.fields)
        assert field_faults(row, recipe, tuple(row)) is None
        assert (fault := field_faults({**row, field: value}, recipe, tuple(row))) is not None
        assert fault.reason == reason


def test_the_word_lists_are_about_1500_words() -> None:
    """The method's vocabulary: three lists, no word in two of them."""
    attributes = load_recipe(builtin.path("tinystories")).attributes
    words = [Path(attributes[name].file or "").read_text().split() for name in ("verb", "noun", "adjective")]
    assert 1400 <= sum(map(len, words)) == len(set().union(*words)) <= 1600
