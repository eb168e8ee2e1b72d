"""The parts of the asker: templates, headers, tokens, grammar, style, and the even draw."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections import Counter
from random import Random

import pytest

import selfinstruct.asking
from selfinstruct.asking import Asker, Style, draw
from selfinstruct.asking.chinese_words import cut
from selfinstruct.asking.grammar import participle, split_key, verb_of
from selfinstruct.asking.headers import parse_header
from selfinstruct.asking.lexicon import flagged
from selfinstruct.asking.style import wording_class
from selfinstruct.asking.templates import mine
from selfinstruct.asking.tokens import tokenize

MODULES = [f"selfinstruct.asking.{each.name}" for each in pkgutil.iter_modules(selfinstruct.asking.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    """The examples in the docstrings print what they say."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_lines_that_differ_in_values_have_one_template() -> None:
    """Digits and alternating names do not make another template; another verb does."""
    names = ("zoe", "ulf", "kim")
    lines = [
        f"session {verb} for user {name} by uid {at}" for verb in ("opened", "closed") for at, name in enumerate(names)
    ]
    mined = mine(lines)
    assert mined.of == (0, 0, 0, 1, 1, 1)
    assert {word for _, word in mined.after} == set(names)


def test_the_header_is_no_part_of_the_template() -> None:
    """Lines of several hosts and times have one template."""
    lines = [f"Mar 1{at} 02:17:33 {host} sshd[{at}]: Closed session" for at, host in enumerate(("web", "mail", "db"))]
    assert set(mine(lines).of) == {0}


def test_templates_take_time_linear_in_the_lines() -> None:
    """The work per line does not grow: 40,000 lines of different words need no pairwise comparison."""
    lines = [
        f"{chr(97 + at % 26)}{chr(97 + at // 26 % 26)}x moved object {at} to {chr(97 + at // 676 % 26)}q"
        for at in range(40_000)
    ]
    assert len(mine(lines).of) == 40_000


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("2024-05-01 10:00:00.120 ERROR [main] net.Server - lost", ["time", "level", "thread", "component"]),
        ("Mar 14 02:17:33 web1 cron[24]: started", ["time", "host", "process", "process ID"]),
        ("[Sun Dec 04 04:47:44 2005] [error] child lost", ["time", "level"]),
        ("WARN: low disk", ["level"]),
        ("ERROR IN CONTACTING RM.", []),
        ("ALERT exited abnormally", []),
        ("child 4 lost", []),
    ],
)
def test_headers_are_found(line: str, names: list[str]) -> None:
    """The fields before a message are told from the message."""
    assert [field.name for field in parse_header(line).fields] == names


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("10.0.0.7:50010", "address"),
        ("db1/10.0.0.7:50010", "address"),
        ("mail.example.com", "host"),
        ("node-41:9000", "host"),
        ("/var/log/app.log", "path"),
        ("workers2.properties", "file"),
        ("hdfs://node-41:9000/x", "url"),
        ("anna@example.com", "email"),
        ("0x14ee3e", "hex"),
        ("-3.5e7", "number"),
        ("2.6.3", "version"),
        ("blk_-398", "id"),
        ("org.apache.Server", "code"),
        ("2024-05-01T10:00:00Z", "time"),
        ("00:31", "clock"),
        ("7163Calories", "glued"),
    ],
)
def test_values_are_known_by_their_form(text: str, kind: str) -> None:
    """A value is one token of its kind, also within a line."""
    assert [token.kind for token in tokenize(text)] == [kind]
    assert kind in {token.kind for token in tokenize(f"was {text} here")}


def test_verbs_are_inflected() -> None:
    """Regular, doubled and irregular forms are found and made."""
    found = [verb_of(each) for each in ("wrote", "written", "writing", "writes", "write")]
    assert [verb.form for verb in found if verb is not None] == ["past", "ed", "ing", "s", "base"]
    assert [participle(each) for each in ("stop", "send", "deny", "close")] == ["stopped", "sent", "denied", "closed"]
    assert all(verb_of(base) is not None for base in flagged("verbs"))


def test_keys_become_words() -> None:
    """A key is read as words where that is possible, and not where it begins with a verb."""
    assert [split_key(each) for each in ("totalAltitude", "app_name", "getSteps", "x.y")] == [
        "total altitude",
        "app name",
        "",
        "",
    ]


def test_chinese_is_cut_with_the_fewest_unknown_characters() -> None:
    """The longest first word is not taken where it breaks the next one."""
    assert cut("连接数据库超时") == ["连接", "数据库", "超时"]


def test_style_follows_the_seeds() -> None:
    """Mark, capital and shares come from the seed questions; none give the default."""
    style = Style.of([("which port is it", "22", "port 22"), ("which user is it", "anna", "user anna")])
    assert (style.mark, style.is_capitalised, dict(style.shares)) == ("", False, {"which": 1.0})
    assert style.weight("which host is it") > style.weight("where is it")
    assert Style.of([]) == Style.default()
    questions = [each.text for each in Asker(["Closed session 0x14e"], style).questions(0)]
    assert "which session was closed" in questions


def test_headers_are_asked_about_as_often_as_the_seeds_do() -> None:
    """Seeds that have headers and never ask about them make such questions rare, not impossible."""
    line = "2024-05-01 10:00:00 INFO net.Server: Closed session 0x14e"
    unasked = Style.of([("Which session was closed?", "0x14e", line)] * 5)
    about_header = Style.of(
        [("Which session was closed?", "0x14e", line)] * 4 + [("When?", "2024-05-01 10:00:00", line)]
    )
    assert unasked.header_weight < about_header.header_weight == Style.of([]).header_weight == 1
    weights = {each.text: each.weight for each in Asker([line], unasked).questions(0)}
    assert 0 < weights["When was the message logged?"] < weights["What happened to session 0x14e?"] / 4


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("From which host did it come?", "which"),
        ("How many bytes were sent?", "how many"),
        ("How large is it?", "how"),
        ("Is it open?", "is"),
        ("谁登录成功？", "who"),
        ("耗时是多少秒？", "how many"),
        ("为什么失败？", "why"),
        ("端口是什么？", "what"),
    ],
)
def test_wordings_have_classes(question: str, name: str) -> None:
    """The class of a wording is that of its question word, in both languages."""
    assert wording_class(question) == name


def _lines() -> list[str]:
    frequent = [f"Received block blk_{at} of size {at}71 from /10.0.0.{at % 250}" for at in range(900)]
    return frequent + [f"Opening proxy : node-{at}:9000" for at in range(9)] + ["Kerberos authentication failed"]


def test_a_draw_is_even_over_templates() -> None:
    """A frequent template does not crowd out a rare one, and no pair is drawn twice."""
    asker = Asker(_lines(), Style.default())
    pairs = list(draw(asker, 300, Random(7)))
    assert len({(index, question.text) for index, question in pairs}) == 300
    counts = Counter(asker.templates[index] for index, _ in pairs)
    assert counts[1] > 300 * 9 / 910 * 2
    assert all(question in asker.questions(index) for index, question in pairs)


def test_a_draw_ends_when_all_questions_are_drawn() -> None:
    """From few lines a draw yields every question once, then ends."""
    asker = Asker(["Kerberos authentication failed", "???", ""], Style.default())
    pairs = list(draw(asker, 1000, Random(7)))
    assert sorted(question.text for _, question in pairs) == sorted(each.text for each in asker.questions(0))
    assert list(draw(Asker([], Style.default()), 5, Random(7))) == []


def test_a_draw_depends_on_the_random_state_alone() -> None:
    """The same state yields the same pairs, another one others."""
    first, second, third = (list(draw(Asker(_lines(), Style.default()), 50, Random(seed))) for seed in (7, 7, 8))
    assert first == second != third
