"""Parsing of replies: the text and the token counts of every known form, and errors for everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion, read_completion
from selfinstruct.backends.openai.endings import Endings
from selfinstruct.backends.openai.format_watch import FormatWatch
from selfinstruct.records import Usage

ROWS = '{"rows": [{"Question": "q", "Answer": "a"}]}'


def parse(message: Mapping[str, Any] | None = None, reason: str = "stop", **more: Any) -> Completion | CallError:
    """Parse a payload with this message, or a good one, and other parts."""
    choice = {"index": 0, "finish_reason": reason, "message": message or {"role": "assistant", "content": ROWS}}
    payload = {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 7}} | more
    return read_completion(json.dumps(payload).encode(), "application/json")


@pytest.mark.parametrize(
    ("message", "text", "reason"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", "stop"),
        ({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": ROWS}}]}, ROWS, "stop"),
        ({"content": "", "function_call": {"name": "f", "arguments": {"a": 1}}}, '{"a": 1}', "stop"),
        ({"content": {"rows": []}}, '{"rows": []}', "stop"),
        ({"content": [{"q": 1}]}, '[{"q": 1}]', "stop"),
        ({"content": {"parts": [{"text": "a"}, {"text": "b"}]}}, "ab", "stop"),
        ({"content": None, "refusal": "I cannot."}, "I cannot.", "refusal"),
        ({"content": ROWS, "reasoning_content": "Hm."}, ROWS, "stop"),
    ],
)
def test_the_text_of_a_reply_is_found(message: dict[str, Any], text: str, reason: str) -> None:
    """Content in parts, the arguments of a tool, a refusal; reasoning is never part of the text."""
    completion = parse(message)
    assert isinstance(completion, Completion)
    assert (completion.text, completion.finish_reason) == (text, reason)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_without_an_answer_is_an_error(field: str) -> None:
    """Reasoning alone is a billed error, unless the reply was cut off or filtered before an answer could begin."""
    error = parse({"content": "", field: "Hm."})
    assert isinstance(error, CallError)
    assert (error.reason, error.billed, error.usage) == ("reasoning", True, Usage(11, 7))
    for reason in ("length", "content_filter"):
        completion = parse({"content": "", field: "Hm."}, reason)
        assert isinstance(completion, Completion)
        assert (completion.text, completion.finish_reason, completion.reasoning_length) == ("", reason, 3)


@pytest.mark.parametrize("reason", ["tool_calls", "function_call"])
def test_a_tool_call_without_arguments_is_an_error(reason: str) -> None:
    """An empty tool call is billed and has no text; an empty reply that just stopped is a reply."""
    error = parse({"content": None}, reason)
    assert isinstance(error, CallError)
    assert (error.reason, error.billed, error.usage) == ("empty", True, Usage(11, 7))
    assert parse({"content": None}) == Completion("", "stop", 11, 7)


@pytest.mark.parametrize(
    ("reason", "read"),
    [("eos", "eos"), (None, "missing"), ({"type": "length", "length": 9}, "length"), (1, "1"), ("", "missing")],
)
def test_the_reason_of_a_reply_is_kept_as_it_came(reason: Any, read: str) -> None:
    """Nothing stands for stop: a reply without a reason says so."""
    completion = parse(choices=[{"finish_reason": reason, "message": {"content": ROWS}}])
    assert isinstance(completion, Completion) and completion.finish_reason == read


def test_an_endpoint_that_never_gives_a_reason_is_noticed() -> None:
    """Its replies are whole from the fourth on, with a note, unless they have as many tokens as they may."""
    reply = Completion(ROWS, "missing", 11, 7)
    endings = Endings()
    assert [endings.settle(reply, 0).finish_reason for _ in range(5)] == [*["missing"] * 3, "", ""]
    assert endings.notes
    assert endings.settle(reply, 7).finish_reason == "length"
    assert endings.settle(replace(reply, finish_reason="stop"), 7).finish_reason == "stop"
    assert endings.settle(reply, 8).finish_reason == "missing" and not endings.notes


def test_an_endpoint_that_ignores_the_format_is_noticed() -> None:
    """From eight replies on of which three in four have another form; not for texts, torn replies, or few strays."""
    schema = {"type": "json_schema", "json_schema": {"schema": {"required": ["rows"]}}}
    other = (
        "```json\n" + ROWS + "\n```",
        '{"data": []}',
        '{"Question": "q"}\n{"Question": "r"}',
        "Here you are: " + ROWS,
    )
    for text in other:
        watch = FormatWatch()
        for number in range(8):
            assert not watch.ignores and not watch.notes
            watch.record(ROWS if number == 3 else text, "stop", {"response_format": schema})
        assert watch.ignores and "ignores it" in watch.notes[0]
    for text, reason, form in (
        (ROWS, "stop", schema),
        ("<think>Hm.</think>" + ROWS + "<|im_end|>", "stop", schema),
        ('{"data": []}', "stop", {"type": "json_object"}),
        (other[0], "length", schema),
        (other[0], "stop", None),
    ):
        watch = FormatWatch()
        for _ in range(20):
            watch.record(text, reason, {"response_format": form})
        assert not watch.ignores


def test_a_plain_completion_and_a_list_are_read() -> None:
    """The choice of a plain completion has a text instead of a message, and Google's payloads may come in a list."""
    payload = {"choices": [{"text": ROWS}]}
    for data in (payload, [payload]):
        completion = read_completion(json.dumps(data).encode(), "")
        assert completion == Completion(ROWS, "missing", None, None)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 2000, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 1152}},
            (2000, 9, 1152),
        ),
        ({"prompt_tokens": 90, "completion_tokens": 9, "prompt_cache_hit_tokens": 64}, (90, 9, 64)),
        (
            {"input_tokens": 10, "output_tokens": 9, "cache_read_input_tokens": 70, "cache_creation_input_tokens": 20},
            (100, 9, 70),
        ),
        ({"prompt_tokens": 90, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 900}}, (90, 9, 90)),
        ({"prompt_tokens": 90, "completion_tokens": 9, "prompt_tokens_details": None}, (90, 9, 0)),
    ],
)
def test_cached_tokens_are_read_in_each_form(usage: dict[str, Any], expected: tuple[int, int, int]) -> None:
    """Those of OpenAI, DeepSeek and Anthropic, whose input leaves them out; never more than there are."""
    completion = parse(usage=usage)
    assert isinstance(completion, Completion)
    assert (completion.input, completion.output, completion.cached) == expected


@pytest.mark.parametrize(("total", "output"), [(130, 40), (100, 10)])
def test_reasoning_that_is_counted_apart_is_output(total: int, output: int) -> None:
    """Where the total shows that the output leaves it out."""
    details = {"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 30}}
    completion = parse(usage={"prompt_tokens": 90, "total_tokens": total} | details)
    assert isinstance(completion, Completion)
    assert completion.output == output


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2}, (5, 2)),
        ({"prompt_tokens": 5, "total_tokens": 7}, (5, 2)),
        ({"completion_tokens": 2, "total_tokens": 7}, (5, 2)),
        ({"prompt_tokens": 5, "total_tokens": 5}, (5, None)),
        ({"completion_tokens": 5, "total_tokens": 5}, (None, 5)),
        ({"total_tokens": 7}, (None, None)),
        ({"prompt_tokens": "5", "completion_tokens": 2.0}, (5, 2)),
        ({"prompt_tokens": 0, "completion_tokens": None}, (None, None)),
        ({"prompt_tokens": -1, "completion_tokens": True}, (None, None)),
        ("many", (None, None)),
        (None, (None, None)),
    ],
)
def test_usage_is_never_trusted(usage: Any, expected: tuple[int | None, int | None]) -> None:
    """Usage that is missing, partial, text or nonsense is read as far as possible."""
    completion = parse(usage=usage)
    assert isinstance(completion, Completion)
    assert (completion.input, completion.output) == expected


@pytest.mark.parametrize("content_type", ["text/html", ""])
def test_a_web_page_is_recognised_and_shown_escaped(content_type: str) -> None:
    """With or without its content type; its beginning is shown on one line, with control characters escaped."""
    error = read_completion(b"\n<html>\x1b[31m\n" + b"x" * 5000, content_type)
    assert isinstance(error, CallError)
    assert (error.reason, error.billed) == ("page", False)
    assert "\\x1b" in error.message
    assert "\x1b" not in error.message
    assert "\n" not in error.message
    assert len(error.message) < 400


def test_a_broken_body_is_billed() -> None:
    """A body that is neither JSON nor a page is a reply that was paid for."""
    for data, words in ((b"", "an empty body"), (b'{"choices": [', "a body that is not JSON")):
        error = read_completion(data, "application/json")
        assert isinstance(error, CallError)
        assert (error.reason, error.billed) == ("garbled", True)
        assert words in error.message
