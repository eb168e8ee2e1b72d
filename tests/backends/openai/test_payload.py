"""Bodies of replies: the JSON object in every wrapper, and nothing where there is none."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion, read_completion
from selfinstruct.backends.openai.payload import as_utf8, read_payload

ROWS = '{"rows": [{"Question": "q", "Answer": "a"}]}'


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    """One piece of a stream."""
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def events(*values: Any, end: str = "data: [DONE]\n\n") -> bytes:
    """A body of events."""
    return ("".join(f"data: {json.dumps(value)}\n\n" for value in values) + end).encode()


@given(st.text(), st.lists(st.integers(0, 50), max_size=5))
def test_the_pieces_of_a_text_are_joined(text: str, cuts: list[int]) -> None:
    """However a text is cut into events, the reply has it whole, with its end and its usage."""
    places = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    body = events(
        *(chunk({"content": piece}) for piece in pieces), chunk({}, "stop"), {"choices": [], "usage": {"a": 1}}
    )
    payload = read_payload(body)
    assert payload is not None
    assert (payload["choices"][0]["message"]["content"], payload["usage"]) == (text, {"a": 1})
    assert payload["choices"][0]["finish_reason"] == "stop"


def test_tool_calls_and_reasoning_come_in_pieces_too() -> None:
    """The arguments of a tool are joined by its index; reasoning stays beside the text."""
    calls = [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in (ROWS[:9], ROWS[9:])]
    tool = read_completion(events(*map(chunk, calls), chunk({}, "tool_calls")), "text/event-stream")
    assert isinstance(tool, Completion)
    assert (tool.text, tool.finish_reason) == (ROWS, "tool_calls")
    thought = [chunk({"reasoning_content": "Hm"}), chunk({"reasoning_content": "!"}), chunk({"content": ROWS}, "stop")]
    reply = read_completion(events(*thought), "")
    assert isinstance(reply, Completion)
    assert (reply.text, reply.reasoning_length) == (ROWS, 3)


def test_a_stream_without_an_end_has_no_reason() -> None:
    """A stream that just ends may be cut; one with [DONE] is whole."""
    pieces = [chunk({"content": ROWS})]
    cut, whole = read_payload(events(*pieces, end="")), read_payload(events(*pieces))
    assert cut is not None and whole is not None
    assert [each["choices"][0]["finish_reason"] for each in (cut, whole)] == [None, "stop"]


def test_other_choices_are_not_mixed_in() -> None:
    """The pieces of a second choice are no part of the first."""
    other = {"choices": [{"index": 1, "delta": {"content": "other"}}]}
    payload = read_payload(events(chunk({"content": "a"}), other, chunk({"content": "b"}, "stop")))
    assert payload is not None
    assert payload["choices"][0]["message"]["content"] == "ab"


@given(st.binary() | st.text().map(str.encode) | st.text(alphabet='data:{}[]",\n ').map(str.encode))
def test_no_body_is_a_crash(body: bytes) -> None:
    """Any bytes are a reply or an error."""
    assert isinstance(read_completion(body, ""), Completion | CallError)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"data: [DONE]\n\n",
        b"<html>{}</html>",
        b'{"choices": [',
        b'// {"choices": []}',
        b'{"a": 1} {}',
    ],
)
def test_what_is_no_reply_is_none(body: bytes) -> None:
    """Nothing, pages, torn JSON and foreign objects with a tail."""
    assert read_payload(body) is None


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ({"code": 1113, "msg": "您的账户已欠费，请充值后重试"}, "quota", "您的账户已欠费"),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "denied", "login fail"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None}, "rate-limit", "rate limit"),
        ({"object": "error", "message": "No such model: x", "code": 40401}, "no-model", "No such model: x"),
        ({"header": {"code": 10013, "message": "内容不符合规范，含敏感信息"}}, "filtered", "敏感"),
        ({"Response": {"Error": {"Code": "AuthFailure.UnauthorizedOperation", "Message": "no"}}}, "denied", "no"),
        ({"error_code": 18, "error_msg": "Open api qps request limit reached"}, "rate-limit", "qps"),
        (
            {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]},
            "denied",
            "Authentication",
        ),
        ({"status": 503, "message": "no healthy upstream"}, "server-error", "no healthy upstream"),
        (
            {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
            "filtered",
            "Input",
        ),
        (
            {"choices": [{"error": {"code": 502, "message": "Upstream died"}, "message": {}}]},
            "server-error",
            "Upstream",
        ),
        ({"choices": []}, "empty", "no choices"),
        ({"content": [{"type": "text", "text": "[]"}], "stop_reason": "end_turn"}, "another-api", "content"),
        ({"candidates": [{"content": {"parts": [{"text": "[]"}]}}]}, "another-api", "candidates"),
        ({"object": "response", "output": [{"type": "message"}]}, "another-api", "output"),
        ({"message": {"role": "assistant", "content": "[]"}, "done": True}, "another-api", "message, done"),
        ([{"generated_text": "[]"}], "another-api", "generated_text"),
        ({"id": "as", "result": "[]", "is_truncated": False}, "another-api", "result"),
    ],
)
def test_a_body_without_choices_is_an_error_in_its_own_words(body: Any, reason: str, words: str) -> None:
    """Classed by its code or its words, in the envelopes of many gateways."""
    error = read_completion(json.dumps(body).encode(), "application/json")
    assert isinstance(error, CallError)
    assert error.reason == reason
    assert words in error.message


def test_an_answer_that_a_server_takes_for_reasoning_is_the_answer() -> None:
    """JSON that stands alone in the reasoning, or what follows the end of it; not a draft, nor one cut off."""

    def read(reasoning: str, reason: str = "stop") -> Completion | CallError:
        message = {"role": "assistant", "content": None, "reasoning_content": reasoning}
        body = {"choices": [{"message": message, "finish_reason": reason}]}
        return read_completion(json.dumps(body).encode(), "application/json")

    for reasoning in ('{"rows": []}', 'Rows such as [{"a": "draft"}].</think>\n{"rows": []}'):
        found = read(reasoning)
        assert isinstance(found, Completion)
        assert found.text == '{"rows": []}'
    draft = read('They want rows such as [{"a": "draft"}]. Not yet.')
    assert isinstance(draft, CallError)
    assert draft.reason == "reasoning"
    cut = read('{"rows": [{"a": "x"}', "length")
    assert isinstance(cut, Completion)
    assert cut.text == ""


def test_a_body_in_another_charset_is_read_as_its_type_says() -> None:
    """UTF-8 comes first, whatever the type says; a charset that is unknown or wrong changes nothing."""
    chinese = '{"text": "天地玄黄"}'
    assert as_utf8(chinese.encode("gb18030"), "application/json; charset=GBK") == chinese.encode()
    for charset in ("latin-1", "gbk", "utf8mb4"):
        assert as_utf8(chinese.encode(), f"application/json; charset={charset}") == chinese.encode()
    for kind in ("", "application/json", "application/json; charset=no-such"):
        assert as_utf8(b"\xff", kind) == b"\xff"
