"""SIGINT and SIGTERM: the first one ends a command in order, and a second one, or ten seconds, at once.

An end at once loses nothing but derived files: what is committed to a journal is on the disk, and the rest of it is
not acknowledged. So the process ends without any clean-up that a slow disk or endpoint could hold up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
INTERRUPTED = 130
#: So long may an end in order take, in seconds.
_PATIENCE = 9.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def handle_sigterm() -> Iterator[None]:
    """Have SIGTERM interrupt the block as Ctrl-C does, wherever this thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_interruptible(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` of ``work``, which the first signal cancels, so that it can write down what has come.

    Raises KeyboardInterrupt where it was interrupted.
    """
    import asyncio

    return asyncio.run(_guarded(work))


async def _guarded(work: Coroutine[Any, Any, T]) -> T:
    cancel = signal.getsignal(signal.SIGINT)  # asyncio's own: it cancels the main task, and remembers that it did
    timer = threading.Timer(_PATIENCE, _end)
    timer.daemon = True
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            _end()
        asked = True
        timer.start()
        if callable(cancel):
            cancel(signal.SIGINT, frame)

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        return await work
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end() -> None:
    """End the process now, with the terminal's cursor to be seen again and a word of what to do."""
    cursor = "\x1b[?25h\n" if sys.stderr.isatty() else ""
    said = f"{cursor}selfinstruct: ended at once; what came is in the journal; the same command goes on\n"
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), said.encode())
    os._exit(INTERRUPTED)
