"""The embedded span reader: what it chooses from, what it learns, and that it is the same each time."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.readers import Example, Reader, SpanReader
from selfinstruct.readers.answer_types import asked_types, span_type
from selfinstruct.readers.candidates import Candidates, cut
from selfinstruct.readers.reading import Reading, Readings

_USERS = ("alice", "bob", "carol", "dave", "erin", "frank")
_REASONS = ("密码错误", "账号停用", "验证码过期", "余额不足", "地址异常", "请求超时")


def english(numbers: range) -> list[Example]:
    """Questions about connections: who, from where, on which port, for how long."""
    rows = []
    for n in numbers:
        user, address, port, seconds = _USERS[n % 6], f"10.0.{n % 7}.{n}", str(2000 + 37 * n), str(3 + n)
        line = f"session of {user} from {address} port {port} closed after {seconds} seconds"
        rows += [
            Example(f"Which user had a session from {address}?", line, user),
            Example(f"Where did the session of {user} come from?", line, address),
            Example(f"On which port was {address} connected?", line, port),
            Example(f"How many seconds was the session of {user} open?", line, seconds),
        ]
    return rows


def chinese(numbers: range) -> list[Example]:
    """The same in Chinese, with reasons."""
    rows = []
    for n in numbers:
        user, address, reason = _USERS[n % 6], f"10.1.{n % 5}.{n}", _REASONS[n % 6]
        line = f"WARN [auth] 用户 {user} 登录失败，原因：{reason}，来源IP：{address}"
        rows += [
            Example(f"谁从{address}登录失败？", line, user),
            Example(f"{user}登录失败的原因是什么？", line, reason),
            Example(f"用户{user}从哪个地址登录？", line, address),
        ]
    return rows


def share_right(reader: Reader, rows: list[Example]) -> float:
    """The share of rows that a reader answers exactly."""
    return sum(reader.predict(row.question, row.context).answer == row.answer for row in rows) / len(rows)


@pytest.mark.parametrize("make", [english, chinese])
def test_reader_learns_questions_about_values_that_it_has_not_seen(make: Callable[[range], list[Example]]) -> None:
    """A few rows of each question are enough to answer it about other values; without training it cannot."""
    test = make(range(40, 60))
    assert share_right(SpanReader().fit(make(range(6))), test) >= 0.95
    assert share_right(SpanReader(), test) < 0.4


@pytest.mark.parametrize("make", [english, chinese])
def test_reader_trained_on_answers_of_other_rows_learns_nothing(make: Callable[[range], list[Example]]) -> None:
    """With the answers of other questions, it answers worse than half of what it learns from the right ones."""
    rows = make(range(12))
    kinds = len(make(range(1)))
    wrong = [
        Example(row.question, row.context, rows[at - at % kinds + (at + at // kinds) % kinds].answer)
        for at, row in enumerate(rows)
    ]
    assert share_right(SpanReader().fit(wrong), make(range(40, 60))) < 0.5


def test_confidence_is_lower_for_a_question_unlike_any_other() -> None:
    """The reader is sure of a question that it was trained on, and less sure of another one."""
    reader = SpanReader().fit(english(range(12)))
    row = english(range(50, 51))[2]
    known, unknown = reader.predict(row.question, row.context), reader.predict("Why?", row.context)
    assert known.answer == row.answer
    assert known.confidence > 0.9 > unknown.confidence


def test_probabilities_add_to_one_over_texts_of_the_context() -> None:
    """Each candidate text is a part of the context, and places with the same text count together."""
    found = SpanReader().fit(english(range(2))).probabilities("Which port?", "port 22 or port 22 or 23")
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert all(text in "port 22 or port 22 or 23" for text in found)
    assert "port 22 or port 22" in found


def test_same_rows_and_seed_give_the_same_reader_in_every_process() -> None:
    """Predictions do not depend on the hash seed of the process; another seed gives another order."""
    code = (
        "from selfinstruct.readers import Example, SpanReader\n"
        "rows = [Example('who?', f'user {name} came {n}', name) for n, name in enumerate('abcd')]\n"
        "print(SpanReader(seed=3, epochs=2).fit(rows).predict('who?', 'user x came 9'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    one, other = (SpanReader(seed=seed).fit(english(range(3))) for seed in (0, 1))
    row = english(range(9, 10))[0]
    assert one.predict(row.question, row.context) != other.predict(row.question, row.context)


def test_contexts_without_words_have_no_answer() -> None:
    """Neither training nor predicting fails where there is nothing to choose from."""
    reader = SpanReader().fit([Example("what?", "--", "x"), Example("what?", "", ""), Example("what?", "one", "one")])
    assert reader.predict("what?", "---") == reader.predict("", "") != reader.predict("what?", "one")
    assert reader.predict("what?", "").confidence == 0


def test_readings_beyond_the_room_are_not_kept_and_change_nothing() -> None:
    """A reader without room for readings learns the same."""
    rows, row = english(range(4)), english(range(9, 10))[0]
    kept, other = Readings(), Readings(room=0)
    predictions = [SpanReader(readings=each).fit(rows).predict(row.question, row.context) for each in (kept, other)]
    assert predictions[0] == predictions[1]
    assert kept.read(*_asked(rows[0])) is kept.read(*_asked(rows[0]))
    assert other.read(*_asked(rows[0])) is not other.read(*_asked(rows[0]))


def _asked(row: Example) -> tuple[str, str]:
    return row.question, row.context


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("free 13.5 KB of /tmp/a.txt", ["13.5 KB", "/tmp/a.txt", "/tmp", "KB"]),
        (
            "from /10.0.0.7:22 (host8.example.org) at Sun Jul 17",
            ["/10.0.0.7:22", "10.0.0.7", "22", "host8.example.org", "Sun Jul 17"],
        ),
        ("user=root, load: 93%", ["root", "user", "93%", "93"]),
        ("订单 17 创建成功，金额：259.00 元", ["创建成功", "成功", "259.00 元", "259.00", "金额"]),
        ("नाम राम है", ["राम"]),
    ],
)
def test_candidates_include_what_people_answer(text: str, answers: list[str]) -> None:
    """Values, parts of addresses, quantities, phrases and words are candidates."""
    spans = {text[start:end] for start, end in Candidates.of(text).spans}
    assert spans.issuperset(answers)


def test_candidates_do_not_cut_values() -> None:
    """No candidate begins or ends inside a number or a word, or joins the end of one value with other words."""
    text = "port 10.0.0.7:22 closed"
    spans = {text[start:end] for start, end in Candidates.of(text).spans}
    assert spans.isdisjoint({"10.0", "7:22", "clos", "22 closed"})


@given(st.text(max_size=60))
def test_candidates_are_spans_of_any_text(text: str) -> None:
    """Pieces are in order and leave out white space alone; candidates have words at least and are distinct."""
    pieces = cut(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(pieces))
    assert "".join(piece.text for piece in pieces) == "".join(text.split())
    spans = Candidates.of(text).spans
    assert len(set(spans)) == len(spans)
    assert all(any(each.isalnum() or each == "_" for each in text[start:end]) for start, end in spans)


def test_long_contexts_have_a_bounded_number_of_candidates() -> None:
    """In a context of thousands of words the spans are shorter, and every word is still one."""
    words = [f"w{n}" for n in range(2000)]
    reading = Reading.of("which word?", " ".join(words))
    assert len(reading.texts) <= 2000
    assert set(words) <= set(reading.texts)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many blocks are left?", "12"),
        ("When did it start?", "08:06:14"),
        ("Who logged in?", "root"),
        ("From which host did it come?", "10.0.0.7:22"),
        ("Which file was read?", "/tmp/a.txt"),
        ("Why did it fail?", "timed out"),
        ("登录失败的原因是什么？", "密码错误"),
        ("连接用的端口是多少？", "3306"),
        ("什么时候启动的？", "2024-03-11 08:00:11"),
    ],
)
def test_questions_ask_for_types_of_values(question: str, value: str) -> None:
    """The words of a question tell the type of its answer."""
    assert span_type(value) in asked_types(question)


def test_questions_without_known_words_ask_for_no_type() -> None:
    """Where nothing tells the type, none is excluded."""
    assert asked_types("What is it?") == frozenset()
