"""What is known of a model before its first call, and what its calls do that may be too long for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfinstruct.backends import ModelPool
from selfinstruct.backends.model_pool import MAX_CONSECUTIVE_FAILURES
from selfinstruct.backends.openai.options import Options
from selfinstruct.backends.openai.strength import is_local, is_small, weakness
from selfinstruct.growth.step_call import StepCall
from selfinstruct.recipe import Model, Verify, parse_recipe
from selfinstruct.records import Batch, Failure, Message, Reply, Request

SMALL = [
    *("SmolLM2-135M-Instruct.Q4_1.gguf", "gemma-3-270m-q4_k_m.gguf", "qwen2.5:0.5b", "llama3.2:1b-instruct-q4_K_M"),
    *("Qwen/Qwen2.5-1.5B-Instruct-GGUF", "TinyLlama-1.1B-Chat-v1.0", "meta-llama/Llama-3.2-3B"),
]
LARGE = [
    *("gpt-4o-mini", "claude-3-5-haiku", "Qwen3-30B-A3B", "mixtral-8x7b", "Qwen2.5-7B-Instruct-1M", "llama3.1:8b"),
    *("gemini-1.5-pro", "phi-3-medium-128k", "m", "default", "deepseek-r1", "gpt-4.1-1m"),
]
LOCAL = ["http://127.0.0.1:1/v1", "http://[::1]:1/v1", "http://localhost/v1", "http://192.168.1.20/v1", "http://gpu/v1"]
REMOTE = ["https://api.openai.com/v1", "https://1.1.1.1/v1", "https://gateway.example.com"]


def test_sizes_are_read_from_names() -> None:
    """The whole model counts: no part of it, no length of context, no version."""
    assert [name for name in (*SMALL, *LARGE) if is_small(name)] == SMALL
    assert [url for url in (*LOCAL, *REMOTE) if is_local(url)] == LOCAL


def test_a_slow_answer_counts_for_few_calls_to_a_near_server_alone() -> None:
    """An answer in time, a far endpoint and many calls at once say nothing; a base model is always asked for few."""
    model = Model(name="m")
    assert weakness(model, "m", LOCAL[0], 0.3) == "m took longer than 0.3 s for a short call"
    assert weakness(model, "m", LOCAL[0], None) is weakness(model, "m", REMOTE[0], 0.3) is None
    assert weakness(model.model_copy(update={"concurrency": 17}), "m", LOCAL[0], 0.3) is None
    assert weakness(model.model_copy(update={"api": "completions"}), "m", REMOTE[0], None) is not None


@pytest.mark.parametrize("set_one", [None, 0.7])
def test_a_temperature_against_copies_yields_to_the_recipe_and_to_the_endpoint(set_one: float | None) -> None:
    """The recipe's is never changed; one that the endpoint refuses is sent no more, and a note says so."""
    options, messages = Options(Model(name="m", temperature=set_one), None, None), [Message("user", "x")]
    body = options.body("m", messages, 0, temperature=1.2)
    assert body["temperature"] == (set_one or 1.2)
    assert "temperature" not in options.body("m", messages, 0) or set_one
    assert options.reject("temperature", body, "unsupported") and options.notes
    assert "temperature" not in options.body("m", messages, 0, temperature=1.2)


async def test_calls_that_are_not_repeated_end_no_run() -> None:
    """However many of them: fewer rows may be in time. Calls for one row are counted."""

    class Late:
        name, reads_messages = "late", True

        async def complete(self, request: Request) -> Reply | Failure:
            """No reply in time."""
            return Failure("timeout", "late")

        async def close(self) -> None:
            """Do nothing."""

    pool = ModelPool([Late()])
    several = Request(Batch(1, "", 20, 0, ()), "imitate", (), (), 0, rows=20)
    for rows, ends in ((20, False), (1, True)):
        asked = replace(several, rows=rows)
        outcomes = [await pool.complete(asked) for _ in range(MAX_CONSECUTIVE_FAILURES)]
        assert any(each.fatal_error for each in outcomes if isinstance(each, Failure)) == ends


def test_a_reader_of_labels_chooses_among_them() -> None:
    """Or gives an empty text where it cannot tell; a reader of anything else is free."""
    tables = 'name = "x"\nseeds.file = "x.jsonl"\nquota.rows = 9\n[fields.text]\n[fields.label]\none_of = ["a", "b"]\n'
    recipe = parse_recipe(f'{tables}[[verify]]\nreads = ["text"]\nanswers = "label"\n', "x.toml", "")
    label, text = (Verify(reads=("text",), answers=name) for name in ("label", "text"))
    forms = [StepCall("verify-1/1", each).reply_format(recipe) for each in (label, text)]
    assert [dict(form.choices) for form in forms if form] == [{"answer": ("a", "b", "")}, {}]
