"""The seccomp filter of a process that may compute, and write to the pipe of its verdict, and nothing else; pure.

The filter is a list of what is allowed: memory, signals to itself, clocks, randomness, the end of the process. Every
other system call, also one that does not exist yet, kills the process before anything is done: opening or removing a
file, a socket, a process or thread, a signal to another process, sleep. So do calls of another architecture or of the
x32 ABI, whose numbers mean other calls. Only writing to another descriptor than its own fails with EPERM, by which a
process can tell that the filter is in force.

Sources: seccomp(2); "Seccomp BPF" in the Linux kernel's documentation (userspace-api/seccomp_filter); the numbers are
those of arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (for AArch64).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

#: Descriptors below this may be written to: three times /dev/null, and the pipe of the verdict.
WRITABLE = 4
_KILL_PROCESS, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000  # linux/seccomp.h
_EPERM = 1
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h: LD|W|ABS, JMP|JEQ|K, JMP|JGE|K, RET|K
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_X32 = 0x4000_0000


@dataclass(frozen=True, slots=True)
class _Machine:
    """An architecture: its AUDIT_ARCH value (linux/audit.h), the number of ``write``, and the calls allowed."""

    audit: int
    write: int
    allowed: Mapping[str, int]
    has_x32: bool = False


#: By the names that ``platform.machine`` gives.
_MACHINES = {
    "x86_64": _Machine(
        0xC000_003E,
        1,
        {
            "brk": 12, "mmap": 9, "munmap": 11, "mremap": 25, "mprotect": 10, "madvise": 28,
            "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131,
            "clock_gettime": 228, "clock_getres": 229, "gettimeofday": 96, "time": 201,
            "futex": 202, "set_robust_list": 273, "rseq": 334, "sched_yield": 24, "restart_syscall": 219,
            "getrandom": 318, "getpid": 39, "gettid": 186, "exit": 60, "exit_group": 231,
        },
        has_x32=True,
    ),
    "aarch64": _Machine(
        0xC000_00B7,
        64,
        {
            "brk": 214, "mmap": 222, "munmap": 215, "mremap": 216, "mprotect": 226, "madvise": 233,
            "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sigaltstack": 132,
            "clock_gettime": 113, "clock_getres": 114, "gettimeofday": 169,
            "futex": 98, "set_robust_list": 99, "rseq": 293, "sched_yield": 124, "restart_syscall": 128,
            "getrandom": 278, "getpid": 172, "gettid": 178, "exit": 93, "exit_group": 94,
        },
    ),
}  # fmt: skip


def machines() -> tuple[str, ...]:
    """The names of the architectures that there is a filter for."""
    return tuple(_MACHINES)


def filter_program(machine: str) -> bytes | None:
    """The filter as an array of ``struct sock_filter``, or None for an architecture without a table."""
    known = _MACHINES.get(machine)
    if known is None:
        return None
    allowed = sorted(known.allowed.values())
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, known.audit), (_RETURN, 0, 0, _KILL_PROCESS)]
    lines.append((_LOAD, 0, 0, _NUMBER))
    if known.has_x32:
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL_PROCESS)]
    # A jump skips the other numbers, the four lines about write, and the end of the process.
    lines += [(_EQUAL, len(allowed) - at + 4, 0, number) for at, number in enumerate(allowed)]
    lines += [
        (_EQUAL, 0, 3, known.write),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_AT_LEAST, 0, 2, WRITABLE),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
