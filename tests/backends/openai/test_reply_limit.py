"""The token limit of a reply follows from what was asked for, and from the replies so far."""

from __future__ import annotations

from selfinstruct.backends.openai.completion import Completion
from selfinstruct.backends.openai.reply_limit import FIRST_MARGIN, ReplyLimits
from selfinstruct.records import Batch, Message, Request


def request(tokens: int | None = 200, step: str = "imitate") -> Request:
    """A request whose reply is expected to have so many tokens."""
    return Request(Batch(1, "", 1, 0, ()), step, (Message("user", "Write."),), (), 0, reply_tokens=tokens)


def cut(limits: ReplyLimits, text: str | None = None, **reasoning: int) -> bool:
    """Record a reply that ends at its limit; whether to ask again."""
    limit = limits.of(request(), 10) or 0
    text = "word" * limit if text is None else text
    return limits.record(request(), limit, Completion(text, "length", 10, limit, **reasoning))


def test_a_limit_is_a_multiple_of_what_is_asked_for() -> None:
    """Twice the rows have twice the limit; a word has room for a sentence; the recipe's own limit takes its place."""
    limits = ReplyLimits()
    assert limits.of(request(200), 10) == 200 * FIRST_MARGIN
    assert limits.of(request(400), 10) == 400 * FIRST_MARGIN
    assert (limits.of(request(1), 10) or 0) > 200
    assert ReplyLimits(fixed=True).of(request(200), 10) is limits.of(request(None), 10) is None


def test_a_reply_that_is_cut_off_raises_the_limit_of_its_step() -> None:
    """Other steps keep theirs, and a burst of replies to one limit raises it once."""
    limits = ReplyLimits()
    for _ in range(5):
        limits.record(request(), 600, Completion("word " * 400, "length", 10, 600))
    assert limits.of(request(), 10) == 1200
    assert limits.of(request(step="answers"), 10) == 600


def test_a_model_that_never_ends_is_not_given_more_for_ever() -> None:
    """After two raised limits without a whole reply, the first one is in force again, for good."""
    limits, seen = ReplyLimits(), []
    for _ in range(6):
        seen.append(limits.of(request(), 10))
        cut(limits)
    assert seen == [600, 1200, 2400, 600, 600, 600]
    limits = ReplyLimits()
    for _ in range(4):  # whole replies in between show that the limit helps
        cut(limits)
        limits.record(request(), 600, Completion("word", "stop", 10, 600 // 100))
    assert limits.of(request(), 10) == 600 * 2**4


def test_reasoning_is_not_cut_off() -> None:
    """A model that reasons, beside its text, in it, or unseen but counted, has room for several times as much."""
    for reply in (
        Completion("", "length", 10, 600, reasoning_length=2000),
        Completion("<think>Let me see. " + "word " * 400, "length", 10, 600),
        Completion("", "length", 10, 600),
        Completion('{"rows": []}', "stop", 10, 5000),
    ):
        limits = ReplyLimits()
        limits.record(request(), 600, reply)
        assert (limits.of(request(), 10) or 0) >= 8_000, reply
    limits = ReplyLimits()
    assert limits.notice_reasoning(Completion("", "length", 10, 16, reasoning_length=50))
    assert (limits.of(request(), 10) or 0) >= 8_000


def test_a_reply_that_was_all_reasoning_is_asked_for_again() -> None:
    """It is, with a higher limit; text that was cut off is not: its rows are kept."""
    limits = ReplyLimits()
    assert cut(limits, "", reasoning_length=2000)
    assert not cut(ReplyLimits())


def test_a_limit_beyond_the_context_is_not_sent() -> None:
    """An endpoint that counts the limit against its context bounds such a reply by itself."""
    limits = ReplyLimits()
    message = "maximum context length is 2048 tokens, but you requested 2300 tokens (1700 in the messages, 600 in the"
    assert not limits.too_long(600, 1700, "the prompt is too long: 3000 tokens")
    assert limits.too_long(600, 1700, f"{message} completion)")
    assert limits.of(request(), 1700) is None
    assert limits.of(request(), 100) == 600
