"""SIGINT and SIGTERM: the first one ends a command in order; a second one, or nine seconds, ends it at once.

Ending at once loses only derived files: committed data is in the journal on disk, and the rest was not
acknowledged. So the process exits without any cleanup that a slow disk or endpoint could delay.
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

from selfinstruct.messages import _
from selfinstruct.platform_support import INTERRUPT, TERMINATE, signals_handled

T = TypeVar("T")
INTERRUPTED = 130
#: Seconds that an orderly end may take.
_PATIENCE = 9.0


@contextlib.contextmanager
def handle_sigterm() -> Iterator[None]:
    """Have SIGTERM interrupt the block as Ctrl-C does; in another thread than the main one, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with signals_handled(signal.default_int_handler, TERMINATE):
        yield


def run_interruptible(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` of ``work``; the first signal cancels it, so that it can save its results.

    Raises KeyboardInterrupt if it was interrupted.
    """
    import asyncio

    return asyncio.run(_guarded(work))


async def _guarded(work: Coroutine[Any, Any, T]) -> T:
    cancel = signal.getsignal(INTERRUPT)  # asyncio's own handler, which cancels the main task and records that it did
    timer = threading.Timer(_PATIENCE, _exit_now)
    timer.daemon = True
    interrupted = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            _exit_now()
        interrupted = True
        timer.start()
        if callable(cancel):
            cancel(INTERRUPT, frame)

    with signals_handled(stop, INTERRUPT, TERMINATE):
        try:
            return await work
        finally:
            timer.cancel()


def _exit_now() -> None:
    """Exit at once, after showing the terminal's cursor and printing how to continue."""
    cursor = "\x1b[?25h\n" if sys.stderr.isatty() else ""
    said = _("stopped; all replies so far are saved; run the same command to continue")
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), f"{cursor}selfinstruct: {said}\n".encode())
    os._exit(INTERRUPTED)
