"""Progress of a run in a notebook: one output that is updated in place.

Does not handle: terminals, which are the command line's.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module

from selfinstruct.events import Snapshot

#: The least time between two updates, in seconds: each is a message to the browser.
_INTERVAL = 0.5


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython in a terminal is not one."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return False
    shell = ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


@contextlib.contextmanager
def default_watch(watch: Callable[[Snapshot], None] | None) -> Iterator[Callable[[Snapshot], None] | None]:
    """Context manager that yields ``watch``, or in a notebook, where it is None, a progress display."""
    if watch is not None or not in_notebook():
        yield watch
        return
    with notebook_progress() as display:
        yield display


@contextlib.contextmanager
def notebook_progress(clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[Snapshot], None]]:
    """Context manager that yields a callback for progress snapshots, displays them, and clears the output on exit."""
    # Optional, and only there in a notebook; by name, since it is not among the packages that types are checked with.
    ipython = import_module("IPython.display")
    from selfinstruct.render.notebook import progress_html
    from selfinstruct.render.progress import RateMeter

    begun = clock()
    meter = RateMeter(begun)
    drawn = begun
    handle = ipython.display(ipython.HTML(progress_html(None, meter, begun)), display_id=True)

    def watch(snapshot: Snapshot) -> None:
        nonlocal drawn
        now = clock()
        meter.note(snapshot.accepted, now)
        if now - drawn >= _INTERVAL:
            drawn = now
            handle.update(ipython.HTML(progress_html(snapshot, meter, now)))

    try:
        yield watch
    finally:
        handle.update(ipython.HTML(""))
