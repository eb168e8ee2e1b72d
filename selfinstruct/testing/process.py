"""The fault server in a process of its own, so that a benchmark's client does not share its time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server_process(*arguments: str) -> Iterator[str]:
    """Run ``python -m selfinstruct.testing`` with these arguments on a free port; gives the base URL.

    Raises:
        RuntimeError: it did not begin to serve; its own words are on standard error.
    """
    command = [sys.executable, "-m", "selfinstruct.testing", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            base_url = process.stdout.readline().strip() if process.stdout else ""
            if not base_url:
                raise RuntimeError(f"the fault server did not begin to serve: {' '.join(command)}")
            yield base_url
        finally:
            process.terminate()
            process.communicate()  # it says what it did before it ends
