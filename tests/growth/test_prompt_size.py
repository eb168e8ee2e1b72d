"""Prompts request and show less when replies are malformed or prompts too long."""

from __future__ import annotations

from random import Random

from selfinstruct.growth.batch_result import BatchResult
from selfinstruct.growth.prompt_size import MIN_REPLIES, TOLERATED, WINDOW, PromptSize
from selfinstruct.recipe import Demos, Prompt

PROMPT = Prompt(rows_per_request=20, demos=Demos(seeds=6, grown=2))


def reply(batch: int, whole: int, malformed: int) -> BatchResult:
    """The result of a batch whose reply has so many rows."""
    failure = "" if whole else "malformed"
    return BatchResult(batch, "c", 20, 0, whole + malformed, malformed, accepted=whole, failure=failure)


def feed(size: PromptSize, share: float, start: int, replies: int = 2 * MIN_REPLIES) -> int:
    """Record replies of ten rows with a malformed share, each to the batch planned last; return the next number."""
    bad = round(10 * share)
    for batch in range(start, start + replies):
        size.record_batch(reply(batch, 10 - bad, bad), last_batch=batch)
    return start + replies


def test_good_replies_change_nothing() -> None:
    """As long as the malformed share is tolerated, a prompt is the recipe's."""
    size = PromptSize(PROMPT)
    feed(size, TOLERATED, 1, 500)
    assert (size.prompt, size.repeats_format, size.notes) == (PROMPT, False, [])


def test_chance_seldom_changes_anything() -> None:
    """With three malformed replies in ten, nearly no run of 100 replies is changed."""
    changed = 0
    for seed in range(200):
        rng, size = Random(seed), PromptSize(PROMPT)
        for batch in range(1, 101):
            size.record_batch(reply(batch, *((0, 1) if rng.random() < 0.3 else (20, 0))), last_batch=batch)
        changed += bool(size.notes)
    assert changed <= 10


def test_malformed_replies_first_halve_the_rows_and_then_repeat_the_format() -> None:
    """Half the rows; if that does not help, all rows and the format; if that does not help, one note."""
    size = PromptSize(PROMPT)
    number = feed(size, 0.8, 1)
    assert (size.prompt.rows_per_request, size.repeats_format) == (10, False)
    assert size.prompt.demos == PROMPT.demos
    number = feed(size, 0.8, number)
    assert (size.prompt.rows_per_request, size.repeats_format) == (20, True)
    feed(size, 0.8, number, 10 * WINDOW)
    assert len(size.notes) == 3
    assert "80% of the last 8 replies" in size.notes[0] and "may be too weak" in size.notes[2]


def test_a_change_that_helped_is_kept() -> None:
    """Where fewer rows helped, the number stays halved, also when the format is repeated later."""
    size = PromptSize(PROMPT)
    number = feed(size, 0.8, 1)
    number = feed(size, 0.1, number)
    assert (size.prompt.rows_per_request, size.repeats_format, len(size.notes)) == (10, False, 1)
    feed(size, 0.8, number, 2 * WINDOW)
    assert (size.prompt.rows_per_request, size.repeats_format) == (10, True)


def test_replies_to_outdated_prompts_are_no_evidence() -> None:
    """After a change, replies to batches planned before it are ignored."""
    size = PromptSize(PROMPT)
    for batch in range(1, MIN_REPLIES + 1):
        size.record_batch(reply(batch, 0, 1), last_batch=300)
    assert len(size.notes) == 1
    for batch in range(MIN_REPLIES + 1, 301):
        size.record_batch(reply(batch, 0, 1), last_batch=300)
    assert len(size.notes) == 1
    feed(size, 1.0, 301)
    assert len(size.notes) == 2


def test_a_reply_without_a_row_is_malformed_as_a_whole() -> None:
    """A reply without any well-formed row counts as malformed as a whole, however few rows it has."""
    size = PromptSize(PROMPT)
    for batch in range(1, WINDOW + 1):
        size.record_batch(reply(batch, *((0, 1) if batch % 3 else (20, 0))), last_batch=batch)
    assert size.notes


def test_prompts_that_are_too_long_show_fewer_demonstrations() -> None:
    """The number is halved each time, keeping seeds, down to one."""
    size = PromptSize(PROMPT)
    shown = []
    for number in range(1, 10):
        demos = size.prompt.demos
        size.record_too_long(number, demos.seeds + demos.grown, last_batch=number)
        shown.append((size.prompt.demos.seeds, size.prompt.demos.grown))
    assert shown[:4] == [(4, 0), (2, 0), (1, 0), (1, 0)]
    assert len(size.notes) == 3
    size = PromptSize(PROMPT.model_copy(update={"demos": Demos(seeds=0, grown=8)}))
    size.record_too_long(1, 8, last_batch=1)
    assert size.prompt.demos == Demos(seeds=0, grown=4)


def test_a_burst_of_long_prompts_is_one_cut() -> None:
    """A hundred prompts sent before the first refusal arrived halve the demonstrations once."""
    size = PromptSize(PROMPT)
    for number in range(1, 101):
        size.record_too_long(number, 8, last_batch=100)
    assert size.prompt.demos == Demos(seeds=4, grown=0)
