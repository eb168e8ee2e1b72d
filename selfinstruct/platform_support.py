"""What differs between operating systems; the only module that uses POSIX-only services.

On Linux and macOS each function does what its docstring says. On a system without the service, ``try_lock`` raises
NotImplementedError and the others do nothing, as documented: a port to Windows changes this file.
"""

from __future__ import annotations

import _thread
import contextlib
import errno
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

#: Sent by Ctrl-C, and by a service manager that stops a process.
INTERRUPT, TERMINATE = signal.SIGINT, signal.SIGTERM
#: Seconds between two tries of a lock that is held for moments.
_LOCK_PAUSE = 0.002
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in malloc.h


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting, until it is closed; False if another process has a conflicting lock.

    Raises NotImplementedError on a system without ``flock``, and OSError if the file system refuses.
    """
    try:
        import fcntl
    except ImportError as error:
        raise NotImplementedError("this system has no file locks (flock)") from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def trusted_certificates() -> ssl.SSLContext:
    """The certificate authorities that TLS connections trust: those of SSL_CERT_FILE or SSL_CERT_DIR, or the system's.

    The trust stores of macOS and Windows are not files; truststore, which httpx2 brings, reads them.
    """
    import ssl

    if sys.platform in ("darwin", "win32") and not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & set(os.environ):
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


def wait_for_lock(descriptor: int) -> None:
    """Lock an open file, until it is closed, as soon as no other process has a lock of it.

    For locks that are held for moments only. Raises as ``try_lock``.
    """
    while not try_lock(descriptor):
        time.sleep(_LOCK_PAUSE)


def process_exists(pid: int) -> bool:
    """Whether a process of this host may exist; True where the system cannot be asked."""
    if os.name != "posix":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power failure; nothing where directories cannot be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a directory and report EINVAL; there is nothing to wait for.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def set_permissions(descriptor: int, mode: int) -> None:
    """Set the permissions of an open file, where files have any."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def limit_process(*, memory: int, cpu_seconds: int) -> None:
    """Limit this process to ``memory`` bytes and ``cpu_seconds``; forbid it to write files and core dumps.

    A limit that the system lacks, or that exceeds one in force, is left out.
    """
    try:
        import resource
    except ImportError:
        return
    limits = [(resource.RLIMIT_CPU, cpu_seconds), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)]
    for kind, most in [*limits, (resource.RLIMIT_AS, memory)]:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def limit_memory(most: int) -> None:
    """Limit the address space of this process to ``most`` bytes, where the system can; never raises a lower limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def peak_memory() -> int:
    """The largest resident memory of this process so far, in KiB; 0 where the system does not report it."""
    # Not ru_maxrss alone: on Linux that counts the process that this one was forked from.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def is_readable(stream: IO[bytes], seconds: float) -> bool:
    """Whether a pipe has data, or has ended, within ``seconds``."""
    with selectors.DefaultSelector() as waiting:  # not select.select, which fails above 1024 open files
        waiting.register(stream, selectors.EVENT_READ)
        return bool(waiting.select(max(0.0, seconds)))


def interrupt_main_thread() -> None:
    """Interrupt the main thread as Ctrl-C does, also where it waits for events; may be called from any thread."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, INTERRUPT)
    else:
        _thread.interrupt_main(INTERRUPT)


@contextlib.contextmanager
def signals_handled(handler: Callable[[int, FrameType | None], Any], *signals: signal.Signals) -> Iterator[None]:
    """Call ``handler`` for ``signals`` inside the block; only in the main thread."""
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def return_large_blocks(least_bytes: int, *, kept_bytes: int) -> None:
    """Have the C library return freed blocks of at least ``least_bytes`` to the system; only glibc does.

    Of smaller blocks it keeps up to ``kept_bytes`` that are free at the end of its heap. Sets a fixed M_MMAP_THRESHOLD
    and M_TRIM_THRESHOLD; see mallopt(3).
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, least_bytes)
        library.mallopt(_TRIM_THRESHOLD, kept_bytes)
