"""Parsing replies: rows are unchanged, and everything else is counted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfinstruct.replies import Parsed, parse_reply
from selfinstruct.replies.reader import MAX_DEPTH
from tests.linear_time import assert_linear

FIELDS = ("Question", "Answer", "RawLog")
A = {"Question": "How many kb?", "Answer": "4.1", "RawLog": "Added piece0 (size: 4.1 KB)"}
B = {"Question": "Which task?", "Answer": "28.0", "RawLog": 'Finished "task" 28.0 in C:\\tmp {stage 29}'}
C = {"Question": "谁?", "Answer": "admin's", "RawLog": "Invalid user admin's\tfrom\n10.0.0.1"}
ROWS = [A, B, C]
JSONL = "\n".join(json.dumps(row) for row in ROWS)
LIST = json.dumps(ROWS)


def rows(parsed: Parsed) -> list[dict[str, Any]]:
    """Return the parsed rows."""
    return [candidate.row for candidate in parsed.candidates if candidate.row is not None]


def problems(parsed: Parsed) -> list[str]:
    """Return the problems of the candidates without a row."""
    return [candidate.problem for candidate in parsed.candidates if candidate.row is None]


WHOLE = {
    "the list under rows": json.dumps({"rows": ROWS}),
    "indented": json.dumps({"rows": ROWS}, indent=2),
    "a list": LIST,
    "under another key": json.dumps({"synthetic_examples": ROWS}),
    "under two keys": json.dumps({"data": {"items": ROWS}}),
    "beside other keys": json.dumps({"meta": {"count": 3, "of": "x"}, "rows": ROWS, "done": True}),
    "each under its own key": json.dumps({"row": A}) + "," + json.dumps({"row": B}) + "," + json.dumps({"row": C}),
    "under numbers": json.dumps({"1": A, "2": B, "3": C}),
    "nested lists": json.dumps([[A, B], [C]]),
    "JSON Lines": JSONL,
    "JSON Lines, CRLF": JSONL.replace("\n", "\r\n"),
    "JSON Lines with commas": JSONL.replace("\n", ",\n"),
    "one line, no commas": JSONL.replace("\n", " "),
    "several wrappers": "\n".join(json.dumps({"rows": [row]}) for row in ROWS),
    "a fence": f"```json\n{LIST}\n```",
    "a fence each": "\n".join(f"Row {n}:\n```json\n{json.dumps(row, indent=1)}\n```" for n, row in enumerate(ROWS)),
    "an unclosed fence": f"```\n{JSONL}",
    "prose around": f"Here are three rows (with {{braces}} and [1]):\n\n{LIST}\n\nLet me know if it's \"right\".",
    "a numbered list": "\n".join(f"{n}. {json.dumps(row)}" for n, row in enumerate(ROWS, 1)),
    "a bulleted list": "\n".join(f"- {json.dumps(row)}" for row in ROWS),
    "BOM": "\ufeff" + JSONL,
    "blank lines": "\n\n\n" + JSONL.replace("\n", "\n\n \n") + " " * 500,
    "reasoning": f"<think>Say {json.dumps(A)} or {{'Answer': 1}}?</think>\n{LIST}",
    "reasoning without an opener": f"Let me see. {json.dumps(A)} will do.\n</think>\n\n{JSONL}",
    "reasoning that begins as a row": f'{json.dumps(A)}, {{"Question": no, wait.</think>{LIST}',
    "reasoning twice": f"<think>a</think>{json.dumps(A)}<think>b</think>{LIST}",
    "reasoning by channel": f"<|channel|>analysis<|message|>{json.dumps(A)}<|channel|>final<|message|>{LIST}",
    "reasoning after": f"{LIST}\n<think>{json.dumps(A)}",
    "encoded twice": json.dumps(json.dumps({"rows": ROWS})),
    "escaped to ASCII": json.dumps({"rows": ROWS}, ensure_ascii=True),
    "not escaped to ASCII": json.dumps({"rows": ROWS}, ensure_ascii=False),
    "trailing commas": "[" + ",".join(json.dumps(row)[:-1] + ",}" for row in ROWS) + ",]",
    "Python's quotes": str(ROWS),
    "Python's quotes, wrapped": str({"rows": ROWS}),
    "comments": "[ // three rows\n" + ",\n".join(json.dumps(row)[:-1] + " /* end */ }" for row in ROWS) + " # done\n]",
    "comments within": JSONL.replace('{"Question"', '{ // the question, once\n "Question"'),
    "bare keys": JSONL.replace('"Question":', "Question:").replace('"Answer":', "Answer:"),
    "raw line breaks in strings": JSONL.replace("\\n", "\n"),
    "missing closers": json.dumps({"rows": ROWS})[:-2],
    "missing commas between rows": "[" + JSONL + "]",
    "a comma too many": "[," + JSONL.replace("\n", ",,") + ",]",
    "upper-case keys": JSONL.replace("Question", "QUESTION").replace("RawLog", "RAWLOG"),
    "snake-case keys": JSONL.replace("RawLog", "raw_log").replace("Question", " question "),
    "other order of keys": json.dumps([dict(reversed(row.items())) for row in ROWS]),
    "a key twice, the last holds": JSONL.replace('{"Question"', '{"Question": "no", "Question"'),
    "typographic quotes": "\n".join(
        "{" + ", ".join(f"“{k}”: “{json.dumps(v)[1:-1]}”" for k, v in row.items()) + "}"
        for row in (A, A | {"Answer": "x"}, C)
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WHOLE)
def test_all_formats_yield_the_same_rows(kind: str) -> None:
    """Rows are complete, in order, and have the recipe's order of fields, in any format and surrounding text."""
    expected = [A, A | {"Answer": "x"}, C] if kind == "typographic quotes" else ROWS
    parsed = parse_reply(WHOLE[kind], FIELDS)
    assert rows(parsed) == expected
    assert [list(row) for row in rows(parsed)] == [list(FIELDS)] * 3
    assert not problems(parsed)
    assert not parsed.failure


def test_a_candidate_keeps_its_source_text() -> None:
    """The text is the raw part of the reply, and the position counts from 0."""
    parsed = parse_reply(f"1. {json.dumps(A)}\n2. {json.dumps(B)}\n3. {{'Answer': 'x'}}", FIELDS)
    assert [candidate.text for candidate in parsed.candidates] == [json.dumps(A), json.dumps(B), "{'Answer': 'x'}"]
    assert [candidate.position for candidate in parsed.candidates] == [0, 1, 2]


JSON_A, JSON_B = json.dumps(A), json.dumps(B)
DROPPED: dict[str, tuple[str, list[dict[str, Any]], list[str]]] = {
    "a torn last row": (LIST[:-20], [A, B], ["torn"]),
    "a row torn in a key": (f'{JSON_A}\n{{"Ques', [A], ["torn"]),
    "a row torn at its brace": (f"[{JSON_A}, {{", [A], ["torn"]),
    "a row torn after a value": (f'[{JSON_A}, {{"Question": "a", "Answer": "b"', [A], ["torn"]),
    "a row torn in a number": (f'[{JSON_A}, {{"Answer": 12', [A], ["torn"]),
    "torn under other keys": ('{"n": 2, "rows": [' + JSONL.replace("\n", ",")[:-20], [A, B], ["torn"]),
    "a torn row between whole ones": (f'{JSON_A}\n{{"Question": "x", "Answer": \n{JSON_B}', [A, B], ["broken"]),
    "an open string between whole rows": (f'{JSON_A}\n{{"Question": "x\n{JSON_B}', [A, B], ["guessed"]),
    "members that are no objects": (f'{{"rows": [{JSON_A}, "x", null, 3, {JSON_B}]}}', [A, B], ["not-an-object"] * 3),
    "a list first in a list of rows": (f'[[1, 2], {JSON_A}]', [A], ["not-an-object"] * 2),
    "only strings": ('["x", "y"]', [], ["not-an-object"] * 2),
    "a quote within that is not escaped": (f'{{"Question": "say "hi" now"}}, {JSON_A}', [A], ["guessed"]),
    "an apostrophe that is not escaped": (f"{{'Question': 'it's', 'Answer': 'a'}}, {A}", [A], ["guessed"]),
    "quotes that hide a comment": ('{"Answer": "a", "Question": "see "//x" now"\n}', [], ["guessed"]),
    "the same with a comment, single": ("{'Answer': 'a', 'Question': 'see '//x' now'\n}", [], ["guessed"]),
    "an unknown escape": (f'{{"RawLog": "C:\\data"}}\n{JSON_A}', [A], ["guessed"]),
    "a typographic quote escaped": (f"{{“Answer”: “say \\“x\\””}}\n{JSON_A}", [A], ["guessed"]),
    "a row that ends in its string": ('{"Answer": "x", "Question": "a"} b"}\n' + JSON_A, [A], ["guessed"]),
    "text straight after a row": (f'{{"Answer": ""}}b c\n{JSON_A}', [A], ["guessed"]),
    "a row that ends before another": (f'{{"Answer": "x"}} {{"a": q}}, {JSON_A}', [A], ["guessed", "broken"]),
    "the same in single quotes": ("{'Answer': 'x', 'Question': 'a'} b'}\n" + JSON_A, [A], ["guessed"]),
    "NaN": (f'[{{"Answer": NaN}}, {JSON_A}, {{"Answer": -Infinity}}]', [A], ["number"] * 2),
    "a float too large": (f'[{{"Answer": 1e999}}, {JSON_A}]', [A], ["number"]),
    "5,000 digits": (f'[{{"Answer": {"9" * 5_000}}}, {JSON_A}]', [A], ["number"]),
    "zeros in front": (f'[{{"Answer": 0042}}, {JSON_A}]', [A], ["broken"]),
    "half a character": (f'[{{"Answer": "\\ud83d"}}, {JSON_A}]', [A], ["surrogate"]),
    "a raw half character": ('{"Answer": "\udc00"}', [], ["surrogate"]),
    "nested too deep": (f'[{{"Answer": {"[" * 99}{"]" * 99}}}, {JSON_A}]', [A], ["nested"]),
    "nested beyond the decoder": (f'[{{"Answer": {"[" * 9_999}{"]" * 9_999}}}, {JSON_A}]', [A], ["nested"]),
    "no brace in front": (f'"Question": "a", "Answer": "b"}}, {JSON_A}', [A], ["broken"]),
    "a missing comma": (f'{{"Question": "a" "Answer": "b"}}\n{JSON_A}', [A], ["guessed"]),
    "strings glued": ('{"Answer": "a" + "b"}', [], ["guessed"]),
    "an unquoted value": ('{"Answer": yes}', [], ["broken"]),
    "a function's call": ('{"Answer": f(1)}', [], ["broken"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", DROPPED)
def test_ambiguous_and_invalid_values_are_rejected_and_counted(kind: str) -> None:
    """Each becomes a candidate with a problem; complete rows around it are kept."""
    text, kept, dropped = DROPPED[kind]
    parsed = parse_reply(text, FIELDS)
    assert rows(parsed) == kept
    assert problems(parsed) == dropped


FAILED = {
    "nothing": ("", "stop", "empty"),
    "blanks": (" \n\t", "stop", "empty"),
    "no rows": ('```json\n{"rows": []}\n```', "stop", "empty"),
    "an empty object": ("{}", "stop", "empty"),
    "empty objects": ("[{}, {}]", "stop", "empty"),
    "null": ("null", "stop", "empty"),
    "a refusal": ("I'm sorry, but I can't help with that.", "stop", "refusal"),
    "a refusal, typographic": ("I can’t assist with {that}.", "stop", "refusal"),
    "a refusal in Chinese": ("抱歉,我无法提供。", "stop", "refusal"),
    "a refusal by the endpoint": ("No.", "refusal", "refusal"),
    "filtered": ("", "content_filter", "filtered"),
    "filtered half-way": ("Here are", "content_filter", "filtered"),
    "a cap spent on reasoning": (f"<think>{json.dumps(A)} ...", "length", "truncated"),
    "a cap spent on blanks": ('{"rows": [' + "\n" * 9_000, "length", "truncated"),
    "prose": ("Here are the rows you asked for: none.", "stop", "malformed"),
    "a page": ("<html><body>502 {x: 1}</body></html>", "stop", "malformed"),
    "a lone string": ('"yes"', "stop", "malformed"),
    "one label in prose": ("Question: what do you want?", "stop", "malformed"),
}


@pytest.mark.parametrize("kind", FAILED)
def test_a_reply_without_rows_is_a_failure(kind: str) -> None:
    """Its kind fits the reply, and it has a message for people."""
    text, finish_reason, failure = FAILED[kind]
    if kind == "a page":
        text = text.replace("{x: 1}", "")
    parsed = parse_reply(text, FIELDS, finish_reason=finish_reason)
    assert parsed.candidates == ()
    assert parsed.failure == failure
    assert parsed.message


def test_rows_are_kept_for_every_finish_reason() -> None:
    """A content filter or a refusal after complete rows does not discard them."""
    for finish_reason in ("content_filter", "length", "refusal"):
        assert rows(parse_reply(f"I'm sorry, only these: {LIST}", FIELDS, finish_reason=finish_reason)) == ROWS


LABELLED = """1. Question: How many kb?
   Answer: 4.1
   RawLog: Added piece0 (size: 4.1 KB)

2. **Question:** Which: a, b?
- Answer : 28.0
- raw_log: INFO x: y
"""


def test_labelled_lines_are_rows() -> None:
    """Lines labelled with field names are read if the reply contains no JSON."""
    parsed = parse_reply("Sure:\n\n" + LABELLED + "\n\nThat is all.", FIELDS)
    assert rows(parsed) == [A, {"Question": "Which: a, b?", "Answer": "28.0", "RawLog": "INFO x: y"}]
    assert parsed.notes == (("labelled", 2),)


@pytest.mark.parametrize(
    "second",
    [
        "Question: Which?\nAnswer: 1\nRawLog: a\ngoes on\n",
        "Question: Which?\nAnswer: 1\nand on\nRawLog: a\n",
        "Question: Which?\nAnswer: `1`\nRawLog: a\n",
        'Question: Which?\nAnswer: "1"\nRawLog: a\n',
        "Question: Which?\nAnswer: 1\nAnswer: 2\nRawLog: a\n",
    ],
)
def test_an_ambiguous_labelled_row_is_rejected(second: str) -> None:
    """A value over several lines, in quotes, or repeated is not guessed; the other rows are kept."""
    parsed = parse_reply(LABELLED + second + LABELLED, FIELDS)
    assert [candidate.problem for candidate in parsed.candidates] == ["", "", "guessed", "", ""]


def test_the_last_labelled_row_of_a_truncated_reply_is_torn() -> None:
    """With ``finish_reason`` length the last value may be incomplete."""
    assert problems(parse_reply(LABELLED, FIELDS, finish_reason="length")) == ["torn"]
    assert problems(parse_reply(LABELLED, FIELDS)) == []


def test_keys_are_renamed_only_if_unambiguous() -> None:
    """A key is renamed only if no other key refers to the same field; unknown keys stay, after the known ones."""
    assert rows(parse_reply('{"extra": 1, "raw log": "a", "QUESTION": "b"}', FIELDS)) == [
        {"Question": "b", "RawLog": "a", "extra": 1}
    ]
    assert rows(parse_reply('{"answer": "a", "Answer": "b"}', FIELDS)) == [{"Answer": "b", "answer": "a"}]
    assert rows(parse_reply('{"answer": "a", "ANSWER": "b"}', FIELDS)) == [{"Answer": "a", "ANSWER": "b"}]
    assert rows(parse_reply('{"A B": 1}', ["a_b", "ab"])) == [{"A B": 1}]
    assert rows(parse_reply('{"问题": "a", "答案": "b"}', FIELDS)) == [{"问题": "a", "答案": "b"}]
    assert list(rows(parse_reply('{"Answer": "a", "Question": "b"}', FIELDS))[0]) == ["Question", "Answer"]


def test_notes_count_corrections() -> None:
    """The notes count repaired rows, renamed keys and removed reasoning."""
    assert parse_reply(JSONL, FIELDS).notes == ()
    assert parse_reply("x</think>" + JSONL.replace("Answer", "answer"), FIELDS).notes == (
        ("reasoning", 1),
        ("renamed", 3),
    )
    assert parse_reply(str(ROWS), FIELDS).notes == (("repaired", 3),)


def test_values_of_every_type_are_kept() -> None:
    """Both parsers return the same numbers, constants, lists and objects."""
    row = {"Question": 12345678901234567890, "Answer": [1.5, True, None, {"a": "b"}], "RawLog": "0042"}
    assert rows(parse_reply(json.dumps(row), FIELDS)) == [row]
    assert rows(parse_reply(str(row), FIELDS)) == [row]
    nested = json.dumps({"Answer": json.loads("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))})
    assert len(rows(parse_reply(nested, FIELDS))) == len(rows(parse_reply(nested[:-1] + ",}", FIELDS))) == 1


# ---- Nothing is invented, altered or raised ----

_TEXT = st.text(st.sampled_from("ab 1.,:;{}[]\"'\\/#*\n\t“”‘’é中😀"), max_size=12)
_ROW = st.fixed_dictionaries({field: _TEXT for field in FIELDS})
_ROWS = st.lists(_ROW, min_size=1, max_size=4)
DRESSES: dict[str, Callable[[list[str]], str]] = {
    "list": lambda parts: "[" + ", ".join(parts) + "]",
    "wrapped": lambda parts: '{"rows": [' + ",\n".join(parts) + "]}",
    "lines": "\n".join,
    "numbered": lambda parts: "\n".join(f"{n}. {part}" for n, part in enumerate(parts, 1)),
    "fenced": lambda parts: "Here you are:\n```json\n[\n" + ",\n".join(parts) + "\n]\n```\nDone.",
    "reasoned": lambda parts: '<think>{"Question": "draft"}</think>{"n": 1, "rows": [' + ",".join(parts) + "]}",
}


def strings(value: Any) -> Iterator[str]:
    """Yield every string value within a row."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)


def require_no_invention(text: str, given_rows: list[dict[str, str]], finish_reason: str = "stop") -> Parsed:
    """Parse, and assert that every parsed string is one of the given ones, and that the reply is counted once."""
    parsed = parse_reply(text, FIELDS, finish_reason=finish_reason)
    known = {string for row in given_rows for string in row.values()}
    altered = [s for row in rows(parsed) for s in strings(row) if s not in known]
    assert not altered, (altered, text)
    assert bool(parsed.candidates) != bool(parsed.failure)
    return parsed


@given(_ROWS, st.sampled_from(sorted(DRESSES)), st.booleans(), st.sampled_from([None, 1]))
def test_any_rows_survive_any_format(
    given_rows: list[dict[str, str]], dress: str, ascii_only: bool, indent: int | None
) -> None:
    """Well-formed rows with any strings are parsed unchanged from every format."""
    parts = [json.dumps(row, ensure_ascii=ascii_only, indent=indent) for row in given_rows]
    assert rows(parse_reply(DRESSES[dress](parts), FIELDS)) == given_rows


@given(_ROWS, st.sampled_from(["list", "wrapped", "lines", "fenced"]))
def test_python_literals_survive_any_format(given_rows: list[dict[str, str]], dress: str) -> None:
    """Python's repr is read exactly, or the row is rejected (it has escapes that JSON lacks)."""
    parsed = require_no_invention(DRESSES[dress]([repr(row) for row in given_rows]), given_rows)
    assert len(parsed.candidates) >= len(given_rows)


@given(_ROWS, st.sampled_from(sorted(set(DRESSES) - {"reasoned"})), st.data())
def test_a_truncated_reply_keeps_every_complete_row(
    given_rows: list[dict[str, str]], dress: str, data: st.DataObject
) -> None:
    """Truncated anywhere, a reply yields the rows that end before the cut, and no partial one."""
    parts = [json.dumps(row) for row in given_rows]
    text = DRESSES[dress](parts)
    cut = data.draw(st.integers(0, len(text)))
    whole, at = 0, 0
    for part in parts:
        at = text.index(part, at) + len(part)
        whole += at <= cut
    parsed = require_no_invention(text[:cut], given_rows, finish_reason="length")
    assert rows(parsed) == given_rows[:whole]
    assert len(problems(parsed)) <= 1


@given(_ROWS, st.sampled_from(sorted(DRESSES)), st.randoms(use_true_random=False))
def test_damaged_structure_alters_no_value(given_rows: list[dict[str, str]], dress: str, rng: random.Random) -> None:
    """With brackets, commas and quotes removed, doubled or inserted, rows may be lost, but values never change."""
    require_no_invention(damaged(given_rows, dress, rng), given_rows)


@given(
    st.lists(st.fixed_dictionaries({f: st.text(st.sampled_from("ab 1.\"'/#*“”-\n"), max_size=9) for f in FIELDS})),
    st.booleans(),
)
@example([{"Question": "a", "Answer": "b", "RawLog": 'visit "//host" now'}], True)
def test_unescaped_quotes_alter_no_value(given_rows: list[dict[str, str]], double: bool) -> None:
    """Rows with unescaped quotes are rejected; no value is cut at a quote."""
    quote = '"' if double else "'"
    for separator in (", ", ",\n"):
        texts = [separator.join(f"{quote}{k}{quote}: {quote}{v}{quote}" for k, v in row.items()) for row in given_rows]
        require_no_invention("[" + ",\n".join("{" + text + "\n}" for text in texts) + "]", given_rows)


FRAGMENTS = [
    "{", "}", "[", "]", ":", ",", '"', "'", "“", "”", "\\", "\n", " ", "//", "/*", "*/", "#", "```json", "```",
    "<think>", "</think>", "NaN", "1e999", "null", "-", "0", "12", '"Question"', "'Answer'", "RawLog", "Question: x",
    '"a"', "\\u", "\\ud800", "\ud800", '{"Question": "', '{"rows": [', "1. ", "\ufeff", "é", "{'a'", json.dumps(A),
    "\x00", "\u2028",
]  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.sampled_from(["stop", "length", "content_filter", ""]))
def test_no_combination_of_fragments_raises(parts: list[str], finish_reason: str) -> None:
    """Every reply is counted in exactly one way."""
    text = "".join(parts)
    parsed = parse_reply(text, FIELDS, finish_reason=finish_reason)
    assert bool(parsed.candidates) != bool(parsed.failure)
    assert all(candidate.text in text for candidate in parsed.candidates)


@given(st.text(st.characters(codec=None)), st.lists(st.text(), max_size=3))
def test_no_text_raises(text: str, fields: list[str]) -> None:
    """Any text with any field names, including lone surrogates, is counted in exactly one way."""
    parsed = parse_reply(text, fields)
    assert bool(parsed.candidates) != bool(parsed.failure)


def damaged(given_rows: list[dict[str, str]], dress: str, rng: random.Random) -> str:
    """Return the formatted rows with some structural tokens removed, doubled, or replaced; strings stay intact.

    Three in ten are cut as well. At most one quote is lost or doubled, and none in a text that is cut: two such faults
    can turn one string into another that nobody could tell from it.
    """
    text = DRESSES[dress]([json.dumps(row, ensure_ascii=rng.random() < 0.5) for row in given_rows])
    pieces: list[str] = []
    structural: list[int] = []
    at = 0
    while at < len(text):
        if text[at] == '"':
            _, stop = json.JSONDecoder().raw_decode(text, at)
            structural += [len(pieces), len(pieces) + 2]
            pieces += ['"', text[at + 1 : stop - 1], '"']
            at = stop
            continue
        if text[at] in "{}[]:,":
            structural.append(len(pieces))
        pieces.append(text[at])
        at += 1
    cut = rng.random() < 0.3
    quoted = cut
    for n in rng.sample(structural, min(len(structural), rng.randint(1, 3))):
        if pieces[n] == '"' and quoted:
            continue
        quoted |= pieces[n] == '"'
        other = "" if pieces[n] == '"' else rng.choice("{}[]:, x1")
        pieces[n] = rng.choice(["", pieces[n] * 2, other, pieces[n] + other])
    text = "".join(pieces)
    return text[: rng.randint(0, len(text))] if cut else text


def test_ten_thousand_damaged_replies() -> None:
    """10,000 replies in random formats, damaged and truncated at random: none raises, and no string is altered."""
    rng = random.Random(3)
    letters = "abc 123.,:;{}[]\"'\\/#\n中“”"
    kept = 0
    for _ in range(10_000):
        given_rows = [
            {field: "".join(rng.choices(letters, k=rng.randint(0, 12))) for field in FIELDS}
            for _ in range(rng.randint(1, 4))
        ]
        text = damaged(given_rows, rng.choice(sorted(DRESSES)), rng)
        kept += len(rows(require_no_invention(text, given_rows)))
    assert kept > 10_000, "damage to one row must not cost its neighbours"


# ---- Linear time ----

HOSTILE = [
    "{", "[", "}", '"', "'", " ", "\n", "\\", "[{", '{"', '{"a":', '{"Question":', '{"rows":[', "{'a':", "{“a”:“",
    "{x:", "{x}", '{"a":1}', "{'a':1}\n", '{"Question":"a",}\n', '{"Question":"a "b" c"}\n', '{"Question":NaN}\n',
    "[{}x", "{},", "1,", "{/*", "{//", "{#", "{'a'/*", '{"Question": "', "{'Question': '", '{"a":"\\q"}', '{"a":[[[[',
    "Question: a\n", "a:\n", "<think>", "</think>", "```json\n", "lorem ipsum ", '{"Question"', '{"x":{"y":1},"q":"',
    '{"x":[1],"y":"{\'Question\':1"}', '{"a":' + "9" * 4_000 + "}", '{"a":' + "9" * 9_000 + "}", "\ud800",
    '{"a":"\\ud800"}', "- ", "aaaa bbbb\n", "Answer: a\n---\n",
]  # fmt: skip


@pytest.mark.parametrize("before", ["", '{"rows":[{"Question":"a","Answer":"b","RawLog":"c"},'])
@pytest.mark.parametrize("unit", HOSTILE, ids=lambda unit: repr(unit[:20]))
def test_time_is_linear(unit: str, before: str) -> None:
    """Four times the text takes about four times as long."""
    short, long = (before + unit * (size // len(unit)) for size in (25_000, 100_000))
    assert_linear(lambda text: parse_reply(text, FIELDS), short, long)


@pytest.mark.parametrize("unit", ["{//", "{#", "{/*", "{'a'//", '{"Question": "' + "x" * 40 + '",}\n'])
def test_time_is_linear_in_a_long_reply(unit: str) -> None:
    """Also for a megabyte of rows that each need repair, or of comments invalidated by a quote at the end."""
    short, long = (unit * (size // len(unit)) + '"' for size in (250_000, 1_000_000))
    assert_linear(lambda text: parse_reply(text, FIELDS), short, long)
