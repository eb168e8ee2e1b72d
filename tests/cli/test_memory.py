"""The memory settings of the command line take effect."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator

import pytest

from selfinstruct.cli.memory import tune_allocator


@pytest.fixture(autouse=True)
def _threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_block_size_is_fixed_and_cycles_are_collected_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mallopt gets M_MMAP_THRESHOLD, 256 KiB, and M_TRIM_THRESHOLD, 16 MiB; the collector waits for 50,000 objects."""
    calls: list[tuple[int, int]] = []

    class Library:
        """A C library that records its calls."""

        def __init__(self, name: str | None) -> None:
            assert name is None  # the process itself

        def mallopt(self, parameter: int, value: int) -> int:
            """Record the parameter."""
            calls.append((parameter, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", Library)
    tune_allocator()
    assert calls == [(-3, 1 << 18), (-1, 1 << 24)]
    assert gc.get_threshold()[0] == 50_000
