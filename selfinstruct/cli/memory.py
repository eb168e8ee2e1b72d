"""How this process gets its memory: large arrays straight from the system, so that they go back when they are let go.

glibc takes whatever was given back as a sign that such sizes come often, and from then on (up to 32 MB) cuts them out
of its heap (mallopt(3), M_MMAP_THRESHOLD). An index whose arrays are made anew as they grow then leaves holes that
nothing fits into: at 120,000 rows of logs 680 bytes a row instead of 530. A fixed threshold ends that.

CPython looks for cycles of dead objects whenever 700 more have been made than let go (gc.set_threshold). Rows and
replies make many and no cycles: with 50,000 a run against an endpoint takes a twentieth less CPU.

Does not handle: other C libraries, which are left as they are; programs that use the package as a library.
"""

from __future__ import annotations

import contextlib
import gc

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD in malloc.h
_BYTES = 1 << 18
_OBJECTS = 50_000


def tune_allocator() -> None:
    """Fix the threshold, where the C library has one, and look for cycles less often."""
    import ctypes

    gc.set_threshold(_OBJECTS)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _BYTES)
