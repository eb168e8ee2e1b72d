"""What a prompt asks for when replies are not what was asked for."""

from __future__ import annotations

from random import Random

from selfinstruct.growth.prompt_size import LEAST, TOLERATED, WINDOW, PromptSize
from selfinstruct.recipe import Demos, Prompt

PROMPT = Prompt(rows_per_request=20, demos=Demos(seeds=6, grown=2))


def feed(asking: PromptSize, share: float, start: int, replies: int = 2 * LEAST) -> int:
    """So many replies of ten pieces with that share malformed, each to a batch planned just now; the next number."""
    bad = round(10 * share)
    for batch in range(start, start + replies):
        asking.record_reply(batch, 10 - bad, bad, last=batch)
    return start + replies


def test_good_replies_change_nothing() -> None:
    """As long as no more than is tolerated is malformed, a prompt asks for what the recipe says."""
    asking = PromptSize(PROMPT)
    feed(asking, TOLERATED, 1, 500)
    assert (asking.prompt, asking.repeats_format, asking.notes) == (PROMPT, False, [])


def test_chance_is_seldom_taken_for_drift() -> None:
    """An endpoint that spoils three replies in ten keeps the whole batch in nearly every run of 100 replies."""
    changed = 0
    for seed in range(200):
        rng, asking = Random(seed), PromptSize(PROMPT)
        for batch in range(1, 101):
            asking.record_reply(batch, *((0, 1) if rng.random() < 0.3 else (20, 0)), last=batch)
        changed += bool(asking.notes)
    assert changed <= 10


def test_drift_first_asks_for_less_and_then_says_the_form_again() -> None:
    """Half the rows; no better, so as many as before and the form once more; no better, so that is said, once."""
    asking = PromptSize(PROMPT)
    number = feed(asking, 0.8, 1)
    assert (asking.prompt.rows_per_request, asking.repeats_format) == (10, False)
    assert asking.prompt.demos == PROMPT.demos
    number = feed(asking, 0.8, number)
    assert (asking.prompt.rows_per_request, asking.repeats_format) == (20, True)
    feed(asking, 0.8, number, 10 * WINDOW)
    assert len(asking.notes) == 3
    assert "80% of the last 8 replies" in asking.notes[0] and "may not be able" in asking.notes[2]


def test_a_change_that_helped_is_kept() -> None:
    """Where fewer rows are written well, the batch stays small, also when the form has to be said again later."""
    asking = PromptSize(PROMPT)
    number = feed(asking, 0.8, 1)
    number = feed(asking, 0.1, number)
    assert (asking.prompt.rows_per_request, asking.repeats_format, len(asking.notes)) == (10, False, 1)
    feed(asking, 0.8, number, 2 * WINDOW)
    assert (asking.prompt.rows_per_request, asking.repeats_format) == (10, True)


def test_replies_to_earlier_prompts_are_no_evidence() -> None:
    """After a change, what was in flight before it says nothing about it."""
    asking = PromptSize(PROMPT)
    for batch in range(1, LEAST + 1):
        asking.record_reply(batch, 0, 1, last=300)
    assert len(asking.notes) == 1
    for batch in range(LEAST + 1, 301):
        asking.record_reply(batch, 0, 1, last=300)
    assert len(asking.notes) == 1
    feed(asking, 1.0, 301)
    assert len(asking.notes) == 2


def test_a_reply_without_a_row_is_malformed_as_a_whole() -> None:
    """Batches of which nothing can be read count fully, however few pieces they came to."""
    asking = PromptSize(PROMPT)
    for batch in range(1, WINDOW + 1):
        asking.record_reply(batch, *((0, 1) if batch % 3 else (20, 0)), last=batch)
    assert asking.notes


def test_prompts_that_are_too_long_show_fewer_demonstrations() -> None:
    """Half of them at a time, some seeds always among them, down to one."""
    asking = PromptSize(PROMPT)
    shown = []
    for number in range(1, 10):
        demos = asking.prompt.demos
        asking.record_too_long(number, demos.seeds + demos.grown, last=number)
        shown.append((asking.prompt.demos.seeds, asking.prompt.demos.grown))
    assert shown[:4] == [(4, 0), (2, 0), (1, 0), (1, 0)]
    assert len(asking.notes) == 3
    asking = PromptSize(PROMPT.model_copy(update={"demos": Demos(seeds=0, grown=8)}))
    asking.record_too_long(1, 8, last=1)
    assert asking.prompt.demos == Demos(seeds=0, grown=4)


def test_one_burst_of_long_prompts_is_one_cut() -> None:
    """A hundred prompts that were sent before the first refusal was known halve the demonstrations once."""
    asking = PromptSize(PROMPT)
    for number in range(1, 101):
        asking.record_too_long(number, 8, last=100)
    assert asking.prompt.demos == Demos(seeds=4, grown=0)
