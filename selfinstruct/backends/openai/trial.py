"""The trial of an endpoint: its first call, which the others wait for, but not to its end.

Every run begins with one small call (``preflight``). If that is refused, nothing is written, and no other call is made.
But to wait for the whole reply costs the run one latency: at 256 calls of 2 s, a thirtieth of its time. A refusal comes
at once, since an endpoint looks at the key, the model and the options before it generates. So once a call that has
arrived stays unanswered for a moment, it counts as accepted: the run begins, and the trial goes on beside it.

What an endpoint refuses later than that is handled as in any other call: an option is dropped, a rejected key ends the
run, which then has a directory. To let the first real call be the trial would save the small call but no time, and an
error would always come after the directory.

Does not handle: the calls of the trial (``preflight``, ``fitting``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from selfinstruct.records import Usage

T = TypeVar("T")
# A pause is counted in steps, so that a process that was stopped in between does not take itself for a silent endpoint.
_STEPS = 10


class Trial:
    """A trial; ``calls`` counts its calls. ``estimate`` is the usage of a call until it is known."""

    def __init__(self, estimate: Usage) -> None:
        self.calls = 0
        self._usage = Usage()
        self._estimate = estimate
        self._in_flight = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def usage(self) -> Usage:
        """The tokens so far, estimated while a call is in flight."""
        return self._usage + self._estimate if self._in_flight else self._usage

    @property
    def is_under_way(self) -> bool:
        """Whether it counts as accepted, but has not ended."""
        return self._task is not None and not self._task.done()

    async def attempt(self, call: Awaitable[tuple[T, Usage]]) -> T:
        """Make one of its calls, which returns its outcome and usage."""
        self.calls += 1
        self._in_flight += 1
        try:
            outcome, usage = await call
        finally:
            self._in_flight -= 1
        self._usage = self._usage + usage
        return outcome

    async def run(
        self,
        trial: Coroutine[Any, Any, None],
        accepted_after: float,
        connected: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run ``trial`` until it has ended or counts as accepted; raises its error.

        An error that comes later is passed to ``failed``.
        """
        self._task = task = asyncio.create_task(trial)
        silent = 0
        try:
            while silent < _STEPS:
                calls = self.calls
                done, _ = await asyncio.wait([task], timeout=accepted_after / _STEPS)
                if done:
                    return task.result()
                silent = silent + 1 if self._in_flight and calls == self.calls and connected() else 0
        except BaseException:
            await self.close()
            raise

        def ended(task: asyncio.Task[None]) -> None:
            """Pass on the error of a trial that was taken for accepted."""
            error = None if task.cancelled() else task.exception()
            if isinstance(error, Exception):
                failed(error)

        task.add_done_callback(ended)

    async def close(self) -> None:
        """Give up what is left of it."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
