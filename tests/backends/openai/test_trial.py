"""The trial: the run begins when its first call is answered, or has been under way for a moment."""

from __future__ import annotations

import asyncio

import pytest

from selfinstruct.backends.openai.trial import Trial
from selfinstruct.records import Usage

ESTIMATE = Usage(64, 64, estimated=True)
REFUSED = ValueError("refused")


async def run(trial: Trial, calls: list[float], *, connected: bool = True, error: bool = False) -> list[Exception]:
    """Run a trial of calls that take so many seconds; with ``error`` it fails at last. The late errors."""
    late: list[Exception] = []

    async def answered(seconds: float) -> tuple[str, Usage]:
        await asyncio.sleep(seconds)
        return "reply", Usage(5, 1)

    async def check() -> None:
        for seconds in calls:
            await trial.attempt(answered(seconds))
        if error:
            raise REFUSED

    await trial.run(check(), 0.1, lambda: connected, late.append)
    return late


async def test_a_quick_answer_ends_the_trial() -> None:
    """The usage is known, and the error of a refusal is raised, also after several calls."""
    trial = Trial(ESTIMATE)
    await run(trial, [0.0, 0.01])
    assert (trial.calls, trial.usage) == (2, Usage(10, 2))
    with pytest.raises(ValueError, match="refused"):
        await run(Trial(ESTIMATE), [0.0], error=True)


async def test_a_call_under_way_counts_as_accepted() -> None:
    """Its usage is estimated until it is answered; a later error is passed on."""
    trial = Trial(ESTIMATE)
    late = await run(trial, [0.5], error=True)
    assert (trial.calls, trial.usage, late) == (1, ESTIMATE, [])
    await asyncio.sleep(0.6)
    assert (trial.usage, late) == (Usage(5, 1), [REFUSED])
    given_up = Trial(ESTIMATE)
    await run(given_up, [60])
    await given_up.close()


async def test_silence_without_a_connection_is_not_acceptance() -> None:
    """A call that has not arrived anywhere is waited for: there may be no server."""
    with pytest.raises(ValueError, match="refused"):
        await run(Trial(ESTIMATE), [0.4], connected=False, error=True)
