"""The fault server in its own process, so that a benchmark's client does not compete with it for time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server_process(*arguments: str) -> Iterator[str]:
    """Run ``python -m selfinstruct.testing`` with these arguments on a free port; yields the base URL.

    Raises:
        RuntimeError: the server did not start; its error is on standard error.
    """
    command = [sys.executable, "-m", "selfinstruct.testing", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            base_url = process.stdout.readline().strip() if process.stdout else ""
            if not base_url:
                raise RuntimeError(f"the fault server did not start: {' '.join(command)}")
            yield base_url
        finally:
            process.terminate()
            process.communicate()  # it prints its ledger before it exits
