"""The seam to the operating system: what each function does here, and where the service is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct.platform_support import INTERRUPT, is_readable, process_exists, signals_handled, try_lock

ROOT = Path(__file__).parents[1]


def run(script: str, *arguments: str) -> str:
    """The output of a Python script that imports this package."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_other_module_uses_posix_only_services() -> None:
    """A port to another system changes one file; the test doubles and the worker that runs code are for POSIX alone."""
    names = (
        "import fcntl",
        "import resource",
        "import termios",
        "os.kill(",
        "os.fchmod",
        "os.pwrite",
        "CDLL",
        "/proc/",
    )
    modules = [path for path in (ROOT / "selfinstruct").rglob("*.py") if "testing" not in path.parts]
    modules.remove(ROOT / "selfinstruct" / "execution" / "worker.py")  # which starts only where seccomp is
    users = {path.name for path in modules if any(name in path.read_text(encoding="utf-8") for name in names)}
    assert users == {"platform_support.py"}


def test_a_lock_is_exclusive_unless_shared_and_ends_with_its_descriptor(tmp_path: Path) -> None:
    """A second descriptor is refused while the first is open; readers share."""
    path = tmp_path / "lock"
    path.touch()
    first, second = (os.open(path, os.O_RDWR) for _ in range(2))
    assert try_lock(first)
    assert not try_lock(second)
    assert not try_lock(second, shared=True)
    os.close(first)
    third = os.open(path, os.O_RDWR)
    assert try_lock(second, shared=True) and try_lock(third, shared=True)
    assert not try_lock(third)
    os.close(second)
    os.close(third)


def test_a_process_exists_until_it_has_ended() -> None:
    """This one, and that of another user, exist; one that was waited for does not."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_exists(os.getpid()) and process_exists(1)
    assert not process_exists(child.pid)


def test_elsewhere_no_process_is_killed_to_ask_for_it() -> None:
    """On Windows os.kill ends a process: there every process may exist, and directories are not synced."""
    script = (
        "import os, pathlib; from selfinstruct.platform_support import process_exists, sync_directory\n"
        "nowhere = pathlib.Path('nowhere'); os.name = 'nt'; os.kill = os.open = None\n"
        "print(process_exists(12345), sync_directory(nowhere))\n"
    )
    assert run(script) == "True None"


def test_limits_are_in_force() -> None:
    """A process cannot use more memory than its limit, nor write files; its peak memory is known."""
    script = (
        "import sys; from selfinstruct.platform_support import limit_process, peak_memory\n"
        "limit_process(memory=400 << 20, cpu_seconds=20)\n"
        "try: bytearray(600 << 20)\n"
        "except MemoryError: print('refused')\n"
        "import resource; print(resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_FSIZE))\n"
        "print(1000 < peak_memory() < 400_000)\n"
    )
    assert run(script).splitlines() == ["refused", "(20, 20) (0, 0)", "True"]


def test_missing_services_are_no_ops() -> None:
    """Without the modules of POSIX, limits and allocator settings are left out, and a lock is a clear error."""
    script = (
        "import sys; sys.modules['resource'] = sys.modules['fcntl'] = None\n"
        "import ctypes; ctypes.CDLL = lambda name: object()\n"
        "import os; del os.fchmod\n"
        "from selfinstruct.platform_support import *\n"
        "limit_process(memory=1, cpu_seconds=1); return_large_blocks(1, kept_bytes=1); set_permissions(0, 0o600)\n"
        "try: try_lock(0)\n"
        "except NotImplementedError as error: print(error)\n"
    )
    assert run(script) == "this system has no file locks (flock)"


def test_a_pipe_is_readable_with_data_and_at_its_end() -> None:
    """Nothing to read for the given time is False."""
    read, write = os.pipe()
    with os.fdopen(read, "rb", buffering=0) as stream:
        assert not is_readable(stream, 0.01)
        os.write(write, b"x")
        assert is_readable(stream, 5) and os.read(read, 1) == b"x"
        assert not is_readable(stream, -1)
        os.close(write)
        assert is_readable(stream, 5)


def test_signals_are_handled_inside_the_block_only() -> None:
    """The earlier handler is restored, also after an error."""
    before, received = signal.getsignal(INTERRUPT), []
    with pytest.raises(ValueError), signals_handled(lambda number, frame: received.append(number), INTERRUPT):
        signal.raise_signal(INTERRUPT)
        raise ValueError
    assert received == [INTERRUPT] and signal.getsignal(INTERRUPT) is before
