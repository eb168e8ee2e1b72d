"""Run a coroutine to its end from code that cannot await, also where an event loop is already running."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")
#: Seconds between two looks at whether the caller was cancelled.
_POLL = 0.1


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of ``work``; blocks the caller, as any synchronous function does.

    Without a running event loop this is ``asyncio.run``. Inside one (a notebook, an async application) ``work`` runs
    on a loop of its own in another thread. If the caller is interrupted or cancelled, ``work`` is cancelled and
    finishes its clean-up before the exception is raised.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()
    result: Future[T] = Future()

    async def main() -> T:
        """Run the work, with the loop and the task known to the caller."""
        task = asyncio.current_task()
        assert task is not None  # asyncio.run has made one
        started.set_result((asyncio.get_running_loop(), task))
        return await work

    def target() -> None:
        try:
            result.set_result(asyncio.run(main()))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            result.set_exception(error)

    outer = asyncio.current_task()
    thread = Thread(target=target, name="selfinstruct")
    thread.start()
    try:
        while not result.done():
            wait([result], timeout=_POLL)
            # asyncio.run turns the first Ctrl-C into a cancellation, which a blocked loop cannot deliver.
            if outer is not None and outer.cancelling():
                break
    finally:
        if not result.done():
            loop, task = started.result()
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
    return result.result()
