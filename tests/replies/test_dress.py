"""What is put around rows is taken off, whatever the combination; what is inside them is not."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.replies import Ending, answer_text, ending_of, marker_names, parse_reply
from selfinstruct.testing.content import _REASONING_MARKERS as REASONING

FIELDS = ("rows", "Answer")
MARKS = [
    "<think>",
    "</think>",
    "<|im_end|>",
    "</s>",
    "[/INST]",
    "◁/think▷",
    "<plan>",
    "assistantfinal",
    "｛",
    "：",
    "，",
]
_TEXT = st.lists(
    st.one_of(st.sampled_from(MARKS), st.text(st.sampled_from("ab 1.,:;{}[]\"'\\/#*\n“”「」＂é中😀"), max_size=6)),
    max_size=3,
).map("".join)
_ROWS = st.lists(st.fixed_dictionaries({"rows": _TEXT, "Answer": _TEXT}), min_size=1, max_size=4)

_STRAIGHT = re.compile(r'("(?:[^"\\]|\\.)*")')
_WIDE = str.maketrans("{}[]:,", "｛｝［］：，")


def widened(text: str) -> str:
    """JSON with full-width punctuation outside its strings."""
    return "".join(part if at % 2 else part.translate(_WIDE) for at, part in enumerate(_STRAIGHT.split(text)))


FORMS: dict[str, Callable[[list[dict[str, str]]], str]] = {
    "list": json.dumps,
    "wrapped": lambda rows: json.dumps({"rows": rows}, ensure_ascii=False),
    "indented": lambda rows: json.dumps({"rows": rows}, indent=2),
    "other key": lambda rows: json.dumps({"data": rows, "count": len(rows)}),
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "numbered": lambda rows: "\n".join(f"{at}. {json.dumps(row)}" for at, row in enumerate(rows, 1)),
    "bulleted": lambda rows: "\n".join(f"- {json.dumps(row)}" for row in rows),
    "string": lambda rows: json.dumps({"rows": json.dumps(rows)}),
    "strings": lambda rows: json.dumps({"items": [json.dumps(row) for row in rows]}),
    "lines of strings": lambda rows: "\n".join(json.dumps(json.dumps(row)) for row in rows),
    "full-width": lambda rows: widened(json.dumps({"rows": rows}, ensure_ascii=False)),
    "full-width lines": lambda rows: "\n".join(widened(json.dumps(row, ensure_ascii=False)) for row in rows),
    "commented": lambda rows: "[ // rows\n" + ",\n".join(f"  /* next */ {json.dumps(row)}" for row in rows) + "]",
    "trailing commas": lambda rows: "[" + ",\n".join(json.dumps(row)[:-1] + ",}" for row in rows) + ",]",
}  # fmt: skip
INNER = {
    "": ("", ""),
    "fence": ("```json\n", "\n```"),
    "prose": ("Here are the rows:\n\n", "\n\nLet me know if you need more."),
    "answer tag": ("<answer>\n", "\n</answer>"),
}
CONTROL = {
    "": ("", ""),
    "chatml": ("<|im_start|>assistant\n", "<|im_end|>"),
    "llama": ("<s> [/INST] ", " </s>"),
    "gemma": ("", "<end_of_turn>\n"),
    "deepseek": ("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
}


@given(_ROWS, st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(INNER)), st.data())
def test_any_combination_of_dress_is_taken_off(
    rows: list[dict[str, str]], form: str, inner: str, data: st.DataObject
) -> None:
    """A form, a fence or prose, reasoning with drafts, control tokens: the rows are the same, in order.

    Their texts contain the same markers, and a field has the name of the list.
    """
    text = FORMS[form](rows)
    text = f"{INNER[inner][0]}{text}{INNER[inner][1]}"
    if reasoning := data.draw(st.sampled_from(["", *REASONING])):
        draft = json.dumps([dict.fromkeys(FIELDS, "draft")])
        text = f"{REASONING[reasoning][0]}They want rows such as {draft}. Not yet.{REASONING[reasoning][1]}{text}"
    before, after = CONTROL[data.draw(st.sampled_from(sorted(CONTROL)))]
    if reasoning in ("bare-harmony", "ollama"):
        before = ""
    seeds = marker_names(each for row in rows for each in row.values()) if data.draw(st.booleans()) else frozenset()
    parsed = parse_reply(f"{before}{text}{after}", FIELDS, kept=seeds)
    assert [each.row for each in parsed.candidates] == rows, text


@given(_ROWS, st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(INNER)))
def test_what_is_escaped_as_a_whole_is_read(rows: list[dict[str, str]], form: str, inner: str) -> None:
    """The inside of a string of JSON, and HTML: the values are those before, entities of their own included."""
    rows = [{name: f"{value}&amp;" for name, value in row.items()} for row in rows]
    text = f"{INNER[inner][0]}{FORMS[form](rows)}{INNER[inner][1]}"
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], html.escape(text)):
        assert [each.row for each in parse_reply(escaped, FIELDS).candidates] == rows, escaped


def test_reasoning_ends_at_its_word_when_the_seeds_contain_that_word() -> None:
    """The first word that ends the reasoning is taken off; the same word in a row is data."""
    reply = 'analysisSuch as [{"rows": "x", "Answer": "x"}].assistantfinal- {"rows": "", "Answer": "assistantfinal"}'
    parsed = parse_reply(reply, FIELDS, kept=marker_names(["assistantfinal"]))
    assert [each.row for each in parsed.candidates] == [{"rows": "", "Answer": "assistantfinal"}]


WHOLE: dict[str, Any] = {
    "x<|im_end|>": "x",
    "<s>x</s>": "x",
    "now <s>old</s>": "now <s>old</s>",
    "x<|im_end|>\n<|im_start|>user\nMore.": "x",
    "<think>draft</think>\nx": "x",
    "◁think▷draft◁/think▷x": "x",
    "<analysis>draft</analysis>x<|eot_id|>": "x",
    "analysisWe need x.assistantfinalx": "x",
    "<|channel|>analysis<|message|>d<|end|><|start|>assistant<|channel|>final<|message|>x<|return|>": "x",
    "x\n<think>never ended": "x",
    "The tag `</think>` ends it.": "The tag `</think>` ends it.",
    "[Analysis]\nx": "[Analysis]\nx",
    "<div>x</div>": "<div>x</div>",
    "<answer>x</answer>": "x",
    "【思考】草稿【/思考】天": "天",
    "see [1]": "see [1]",
}  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_the_text_of_a_reply_without_json(text: str) -> None:
    """Control tokens and reasoning are cut; tags of the text itself are not, nor those that the seeds have."""
    assert answer_text(text) == WHOLE[text]
    assert answer_text(text, marker_names([text])) == text


ENDINGS: dict[Ending, str] = {
    "whole": "stop STOP eos end_turn tool_calls FinishReason.STOP FINISH_REASON_STOP COMPLETE stop_sequence eosFound",
    "truncated": "length MAX_TOKENS max_tokens model_length REASON_MAX_CONTEXT model_context_window_exceeded",
    "filtered": "content_filter SAFETY sensitive RECITATION guardrail_intervened",
    "refused": "refusal",
    "doubtful": "abort error missing null None OTHER network_error insufficient_system_resource 2 pause_turn cancelled",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_only_known_words_mean_a_whole_reply(ending: Ending) -> None:
    """Each word in any spelling has its meaning, and an unknown one is doubtful."""
    assert {word: ending_of(word) for word in ENDINGS[ending].split()} == dict.fromkeys(ENDINGS[ending].split(), ending)


def test_a_torn_string_of_json_keeps_its_whole_rows() -> None:
    """A list as a string that ends at the token limit has the rows before its end."""
    text = json.dumps({"result": json.dumps([{"rows": "a", "Answer": "b"}, {"rows": "c", "Answer": "d"}])})
    parsed = parse_reply(text[:-12], FIELDS, finish_reason="length")
    assert [(each.row, each.problem) for each in parsed.candidates] == [
        ({"rows": "a", "Answer": "b"}, ""),
        (None, "torn"),
    ]


def test_a_torn_list_under_the_name_of_a_field() -> None:
    """The name is that of the list, and its rows are read up to the torn one."""
    text = json.dumps({"rows": [{"rows": "a", "Answer": "b"}, {"rows": "c", "Answer": "d"}]})
    parsed = parse_reply(text[:-8], FIELDS, finish_reason="length")
    assert [(each.row, each.problem) for each in parsed.candidates] == [
        ({"rows": "a", "Answer": "b"}, ""),
        (None, "torn"),
    ]
    nested = {"rows": [{"Answer": "x"}], "Answer": "y"}
    assert parse_reply(json.dumps(nested), FIELDS).candidates[0].row == nested


def test_a_key_with_two_values_is_counted() -> None:
    """The last one holds; the same value twice says nothing."""
    for text, count in (
        ('{"rows": "a", "Answer": "b", "Answer": "c"}', 1),
        ('{"rows": "a", "rows": "a", "Answer": "c"}', 0),
    ):
        for form in (text, text.replace('"', "'")):
            parsed = parse_reply(form, FIELDS)
            assert parsed.candidates[0].row == {"rows": "a", "Answer": "c"}
            assert dict(parsed.notes).get("repeated", 0) == count
