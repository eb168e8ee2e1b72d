"""Standard streams that are closed, or whose reader is gone.

A closed stdout is one whose reader is gone: a command with data to write ends with exit code 141, any other does its
work. A closed stderr loses the words for people, which never go to stdout instead. A closed stdin is empty. Their
descriptors are taken, so that no file that is opened later is written to by mistake.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_closed_streams() -> None:
    """Replace each standard stream that is closed; Python has None for these."""
    if sys.stdin is None:
        sys.stdin = open(_descriptor(0, os.open(os.devnull, os.O_RDONLY)), encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        reader, writer = os.pipe()
        os.close(reader)
        sys.stdout = open(_descriptor(1, writer), "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(_descriptor(2, os.open(os.devnull, os.O_WRONLY)), "w", encoding="utf-8")  # noqa: SIM115


def abandon(*streams: TextIO) -> None:
    """Discard what is buffered for a stream: Python flushes it again at exit, and that must not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())


def _descriptor(wanted: int, opened: int) -> int:
    """Move what was opened to the number of a standard stream, unless another file has that by now."""
    if opened == wanted:
        return opened
    try:
        os.fstat(wanted)
    except OSError:
        os.dup2(opened, wanted)
        os.close(opened)
        return wanted
    return opened
