"""The lines of batch jobs in both directions, and the state of a job: pure, and total over what endpoints send."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.backends.openai.batches import open_jobs
from selfinstruct.backends.openai.batches.input_file import custom_id, request_line, split
from selfinstruct.backends.openai.batches.job import read_job, read_jobs
from selfinstruct.backends.openai.batches.output import read_output
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.journal import SentJob

BODY = {"model": "m", "messages": [{"role": "user", "content": "你好"}]}


@given(st.lists(st.integers(1, 12), max_size=40), st.integers(1, 6), st.integers(1, 30))
def test_files_keep_the_limits_and_the_order(sizes: list[int], most_requests: int, most_bytes: int) -> None:
    """Every line is in one file, in order; no file exceeds a limit that a division could keep, and none could join."""
    lines = [b"x" * size for size in sizes]
    files = list(split(lines, most_requests, most_bytes))
    assert [at for file in files for at in file] == list(range(len(lines)))
    held = [(len(file), sum(sizes[at] for at in file)) for file in files]
    assert all(count <= most_requests and (size <= most_bytes or count == 1) for count, size in held)
    for file, following in pairwise(files):
        first = sizes[following[0]]
        assert len(file) == most_requests or sum(sizes[at] for at in file) + first > most_bytes


@settings(max_examples=40)
@given(st.integers(1, 10**9), st.text("a/é步 \n", min_size=1, max_size=80), st.integers(1, 99))
def test_a_custom_id_suits_every_provider(batch: int, step: str, attempt: int) -> None:
    """It is short and printable, and names one call: of this batch, with this key, the how manieth."""
    name = custom_id(batch, step, attempt)
    assert len(name) <= 64 and name.isascii() and name.isprintable()
    assert name.startswith(f"{batch}/") and name.endswith(f"/{attempt}")
    assert len({name, custom_id(batch, step + "x", attempt), custom_id(batch, step, attempt + 1)}) == 3


def test_a_line_names_its_request_and_its_path() -> None:
    """The form of OpenAI, for chat and for completions."""
    line = json.loads(request_line("3/imitate/1", BODY))
    assert line == {"custom_id": "3/imitate/1", "method": "POST", "url": "/v1/chat/completions", "body": BODY}
    assert json.loads(request_line("1/a/1", {"model": "m", "prompt": "p"}))["url"] == "/v1/completions"


def answered(name: str, text: str = "yes", status: int = 200) -> dict[str, Any]:
    """A line of an output file."""
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    body: Any = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage}
    if status != 200:
        body = {"error": {"message": text, "code": None}}
    return {"id": "x", "custom_id": name, "response": {"status_code": status, "body": body}, "error": None}


def as_file(*lines: Any) -> bytes:
    """A file of these lines; text stays as it is."""
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


@given(st.permutations([answered("a"), answered("b"), answered("a", "no", 429), answered("c", "no", 500), "broken", 7]))
def test_the_order_of_lines_makes_no_difference(lines: list[Any]) -> None:
    """A reply counts, wherever it is and whatever errors there are for it; what cannot be used is counted."""
    output = read_output([as_file(*lines[:3]), as_file(*lines[3:])], {"a", "b", "c", "d"})
    texts = {name: each.text for name, each in output.outcomes.items() if isinstance(each, Completion)}
    assert texts == {"a": "yes", "b": "yes"} and output.replies == 2 and output.unreadable == 2
    failed = output.outcomes["c"]
    assert isinstance(failed, CallError) and failed.reason == "server-error" and "d" not in output.outcomes


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (answered("a", "Rate limit reached", 429), "rate-limit"),
        (answered("a", "The server had an error", 500), "server-error"),
        (answered("a", "Unsupported: 'seed'", 400), "option"),
        (answered("a", "You exceeded your current quota", 429), "quota"),
        ({"custom_id": "a", "response": None, "error": {"code": "batch_expired", "message": "late"}}, "expired"),
        ({"custom_id": "a", "response": None, "error": {"code": "batch_cancelled", "message": "x"}}, "expired"),
        ({"custom_id": "a", "error": {"code": 429, "message": "Rate limit"}}, "rate-limit"),
        ({"custom_id": "a", "error": "overloaded"}, "server-error"),
        ({"custom_id": "a"}, "server-error"),
        ({"custom_id": "a", "response": {"status_code": 200, "body": {"choices": []}}}, "empty"),
    ],
)
def test_errors_mean_what_they_mean_online(line: Any, reason: str) -> None:
    """Each form of error in a line has the reason that the same error of a call has."""
    outcome = read_output([as_file(line)], {"a"}, {"a": {**BODY, "seed": 3}}).outcomes["a"]
    assert isinstance(outcome, CallError) and outcome.reason == reason


def test_a_response_may_be_the_body_itself() -> None:
    """Some providers leave out the status."""
    body = answered("a")["response"]["body"]
    outcome = read_output([as_file({"custom_id": "a", "response": body})], {"a"}).outcomes["a"]
    assert isinstance(outcome, Completion) and outcome.text == "yes"


def test_a_job_in_both_shapes() -> None:
    """OpenAI's counts and reasons, and Together's wrapper, capitals and percentage."""
    counts = {"total": 10, "completed": 6, "failed": 1}
    errors = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": "too much", "line": None}]}
    job = read_job({"id": "b", "status": "failed", "request_counts": counts, "errors": errors})
    assert job is not None and job.ended and (job.total, job.done, job.completed) == (10, 7, 6)
    assert job.reasons == "too much" and job.too_much
    other = read_job({"job": {"id": "b", "status": "IN_PROGRESS", "progress": 75, "input_file_id": "f"}})
    assert other is not None and not other.ended and (other.status, other.done, other.total) == ("in_progress", 75, 100)
    jobs, more = read_jobs({"data": [{"id": "a"}, {"no": "id"}, 3], "has_more": True})
    assert [each.id for each in jobs] == ["a"] and more
    assert [each.id for each in read_jobs([{"id": "a"}])[0]] == ["a"]


NAMES = st.sampled_from(
    ["id", "status", "job", "request_counts", "total", "errors", "error", "data", "line", "progress"]
)
PAYLOADS = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "x"]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60)
@given(PAYLOADS)
def test_nothing_that_an_endpoint_says_is_a_crash(payload: Any) -> None:
    """Any JSON is a job or none, a list or an empty one, a line or a useless one."""
    job = read_job(payload)
    assert job is None or job.id
    read_jobs(payload)
    read_output([as_file(payload)], {"a"})


def test_open_jobs_are_those_with_unrecorded_requests() -> None:
    """A request that was sent again belongs to its last job; a second call with the same key has another name."""
    first = SentJob(1, "m", "f1", "j1", ("1/imitate/1", "2/imitate/1"))
    second = SentJob(2, "m", "f2", "", ("2/imitate/1", "1/judge/1"))
    jobs = [first, second]
    assert open_jobs(jobs, []) == jobs
    assert open_jobs(jobs, [(1, "imitate")]) == [second]
    assert open_jobs(jobs, [(1, "imitate"), (1, "judge")]) == [second]
    assert open_jobs(jobs, [(1, "imitate"), (1, "judge"), (2, "imitate")]) == []
    again = SentJob(3, "m", "f3", "j3", ("1/judge/2",))
    assert open_jobs([*jobs, again], [(1, "judge"), (1, "imitate"), (2, "imitate")]) == [again]
    assert Counter(name for job in jobs for name in job.requests)["2/imitate/1"] == 2
