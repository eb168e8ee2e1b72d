"""Memory settings of the command line: large arrays are returned to the system, cycles are collected less often.

glibc takes each freed large block as a sign that such sizes are common, and from then on (up to 32 MB) allocates them
in its heap (mallopt(3), M_MMAP_THRESHOLD). An index whose arrays are reallocated as they grow then leaves holes that
nothing fits into: at 120,000 log rows, 680 bytes per row instead of 530. A fixed threshold prevents that. It also fixes
what glibc keeps at the end of the heap, by default 128 KiB: numpy's temporary arrays of some 100 KiB would come from
the system each time, which clears them page by page.

CPython collects cycles whenever 700 more objects have been created than freed (gc.set_threshold). Rows and replies
are many objects without cycles: with 50,000, a run against an endpoint takes 5 % less CPU.

Does not handle: other C libraries than glibc; programs that use the package as a library.
"""

from __future__ import annotations

import gc

from selfinstruct.platform_support import return_large_blocks

_LARGE_BLOCK = 1 << 18
_KEPT = 1 << 24
_OBJECTS = 50_000


def tune_allocator() -> None:
    """Fix the size of large blocks, where the C library allows it, and collect cycles less often."""
    gc.set_threshold(_OBJECTS)
    return_large_blocks(_LARGE_BLOCK, kept_bytes=_KEPT)


def leave_objects() -> None:
    """Leave all objects to the system, which gets the memory of the process anyway: half of a second at its end."""
    gc.freeze()
