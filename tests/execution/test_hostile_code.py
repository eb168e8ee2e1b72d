"""Hostile code: each program is refused with a reason, and has no effect outside of its process."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfinstruct.execution import Program, Runner
from selfinstruct.execution.runner import Limits
from selfinstruct.execution.system_calls import _MACHINES, _X32, filter_program

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or filter_program(platform.machine()) is None, reason="needs a seccomp filter"
)
LIMITS = Limits(cpu_seconds=1, wall_seconds=2)
TESTS = "assert f(1) == 2"
RIGHT = "def f(x):\n    return x + 1\n"
#: A module that is built into the interpreter, past what audit hooks see of an import.
BUILT_IN = """
import sys
def module(name):
    bootstrap = sys.modules["_frozen_importlib"]
    return bootstrap._load(bootstrap.BuiltinImporter.find_spec(name))
"""
#: The function that the worker calls the system with, found in the frames below a program.
SYSTEM = """
import sys
frame = sys._getframe()
while "setting" not in frame.f_locals:
    frame = frame.f_back
prctl = frame.f_locals["setting"].prctl
"""


def attempt(action: str) -> str:
    """A right function that does something else first, and goes on where that fails."""
    lines = "".join(f"        {line}\n" for line in action.strip().splitlines())
    return f"def f(x):\n    try:\n{lines}    except BaseException:\n        pass\n    return x + 1\n"


#: Programs by name, with the beginning of the reason for which they are refused.
HOSTILE = {
    "an endless loop": ("def f(x):\n    while True:\n        pass\n", "needs more than 1 s of processor time"),
    "a loop that catches everything": (
        "def f(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n",
        "needs more than 1 s of processor time",
    ),
    "signals ignored": (
        "import signal\ndef f(x):\n    for n in (15, 24, 1, 2): signal.signal(n, signal.SIG_IGN)\n    while 1: pass\n",
        "needs more than 1 s of processor time",
    ),
    "a wait for ever": (
        "import threading\ndef f(x):\n    lock = threading.Lock()\n    lock.acquire(); lock.acquire()\n",
        "waits for more than 2 s",
    ),
    "sleep": (attempt("import time; time.sleep(3600)"), "makes a system call|not allowed: time.sleep(3600)"),
    "a fork bomb": (attempt("import os\nwhile True: os.fork()"), "not allowed: os.fork()"),
    "threads": (
        attempt("import threading\nwhile True: threading.Thread(target=print).start()"),
        "makes a system call|not allowed: _thread.start",
    ),
    "a shell": (attempt("import os; os.system('touch CANARY')"), "not allowed: os.system"),
    "exec": (attempt("import os; os.execv('/bin/sh', ['sh', '-c', 'touch CANARY'])"), "not allowed: os.exec"),
    "a written file": (attempt("open('CANARY.new', 'w').write('x')"), "not allowed: open('CANARY.new"),
    "a removed file": (attempt("import os; os.unlink('CANARY')"), "not allowed: os.remove('CANARY"),
    "a renamed file": (attempt("import os; os.rename('CANARY', 'CANARY.new')"), "not allowed: os.rename('CANARY"),
    "passwords": (attempt("return open('/etc/passwd').read()"), "not allowed: open('/etc/passwd"),
    "its own memory": (attempt("open('/proc/self/mem', 'r+b')"), "not allowed: open('/proc/self/mem"),
    "the parent": (attempt("import os; os.kill(os.getppid(), 9)"), "makes a system call"),
    "the runner": (attempt("import os; os.kill(PARENT, 9)"), "not allowed: os.kill(PARENT, 9)"),
    "a debugger": (attempt("import sys; sys.settrace(print)"), "not allowed: sys.settrace()"),
    "all objects": (attempt("import gc; gc.get_objects()"), "not allowed: gc.get_objects("),
    "a huge string": ("def f(x):\n    return len('x' * 10**10)\n", "needs more than 256 MiB of memory"),
    "memory by small pieces": (
        "def f(x):\n    kept = []\n    while True: kept.append(bytearray(10**6))\n",
        "needs more than 256 MiB of memory",
    ),
    "a recursion": ("def f(x):\n    return f(x) + 1\n", "RecursionError"),
    "a crash": (
        "def f(x):\n    code = f.__code__.replace(co_code=b'', co_consts=(), co_stacksize=0)\n"
        "    f.__code__ = code\n    return f(x)\n",
        "",
    ),
    "a huge output": ("def f(x):\n    while True: print('x' * 10**6)\n", "needs more than 1 s of processor time"),
    "an early exit": ("import os\nos._exit(0)\n" + RIGHT, "ended before tests did"),
    "an exit in the function": ("import os\ndef f(x):\n    os._exit(0)\n", "ended before tests did"),
    "sys.exit": ("import sys\ndef f(x):\n    sys.exit(0)\n", "ended before tests did"),
    "SystemExit at once": (RIGHT + "raise SystemExit\n", "ended before tests did"),
    "an exit handler": ("import sys\ndef f(x):\n    sys.modules['atexit'].register(print)\n    sys.exit(0)\n", ""),
    "a forged verdict": (
        'import os\ndef f(x):\n    os.write(3, b\'["", ""]\'); os._exit(0)\n',
        "wrote to the pipe of its verdict",
    ),
    "a filled pipe": ("import os\ndef f(x):\n    while True: os.write(3, b'x' * 5000)\n", "wrote to the pipe"),
    "closed descriptors": ("import os\ndef f(x):\n    for n in range(9): os.close(n)\n", "makes a system call"),
    "another assertion": (
        "class AssertionError(BaseException): pass\ndef f(x): return 0\n",
        "AssertionError at line 1",
    ),
    "assert swallowed": (
        "import sys\ndef f(x): return 0\nsys._getframe().f_globals['__builtins__']['AssertionError'] = None\n",
        "AssertionError at line 1",
    ),
    "tests made to pass from outside of the function": (
        RIGHT + SYSTEM + "while 'report' not in frame.f_locals: frame = frame.f_back\nframe.f_locals['report']('')\n",
        "tests pass with empty functions too",
    ),
    "a module that is not there": ("import socket\n" + RIGHT, "ModuleNotFoundError: No module named 'socket'"),
    "a package of others": ("import numpy\n" + RIGHT, "ModuleNotFoundError: No module named 'numpy' at line 1 of code"),
    "ctypes": ("import ctypes\n" + RIGHT, "ModuleNotFoundError: No module named 'ctypes'"),
    "subprocess": ("import subprocess\n" + RIGHT, "ModuleNotFoundError: No module named 'subprocess'"),
    "a built-in socket": (
        BUILT_IN + "s = module('_socket').socket(); s.connect(('127.0.0.1', PORT)); s.send(b'x')\n" + RIGHT,
        "AttributeError|not allowed: socket.",
    ),
    "a process without an audit event": (
        BUILT_IN
        + "def f(x):\n    module('_posixsubprocess').fork_exec([b'/bin/touch', b'CANARY.new'], [b'/bin/touch'], "
        "True, (), None, None, -1, -1, -1, -1, -1, -1, -1, -1, False, False, -1, None, None, None, -1, None, True)\n",
        "",
    ),
    "the call that installs filters": (
        SYSTEM + "def f(x):\n    return 2 if prctl(1, 0, 0, 0, 0) == 0 else 'refused'\n",
        "makes a system call",
    ),
    "no function": ("f = int\n", "defines no function"),
}
#: Programs that only fail where they ask the system for something, and may be right otherwise.
HARMLESS = {
    "the environment": ("import os\ndef f(x):\n    return x + 1 + len(dict(os.environ).keys() & {'CANARY'})\n"),
    "memory that is given back": (
        "def f(x):\n    try:\n        return 'x' * 10**10\n    except MemoryError:\n        return x + 1\n"
    ),
}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """A runner with short limits."""
    runner = Runner(LIMITS, at_once=4)
    yield runner
    runner.stop()


class Around:
    """What surrounds the programs: a file, a listening socket, and the figures of this process before and after."""

    def __init__(self, folder: Path, runner: Runner) -> None:
        self.canary = folder / "canary"
        self.canary.write_text("sings")
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(0)
        os.environ["CANARY"] = "secret"
        replaced = {
            "CANARY": str(self.canary),
            "PORT": str(self.listening.getsockname()[1]),
            "PARENT": str(os.getpid()),
        }
        programs = {name: code for name, (code, _) in HOSTILE.items()} | HARMLESS
        for old, new in replaced.items():
            programs = {name: code.replace(old, new) for name, code in programs.items()}
        runner.require()
        self.before = processes()
        self.peak_before = peak_memory()
        begun = time.monotonic()
        verdicts = runner.verdicts([Program(code, TESTS) for code in programs.values()])
        self.seconds = time.monotonic() - begun
        self.after = processes()
        for old, new in replaced.items():
            verdicts = [verdict.replace(new, old) for verdict in verdicts]
        self.verdicts = dict(zip(programs, verdicts, strict=True))
        del os.environ["CANARY"]


def processes() -> set[int]:
    """All processes of this machine that are descendants of this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def peak_memory() -> int:
    """The most memory that any ended child of this process had, in KiB; other tests have children, too."""
    return int(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory, runner: Runner) -> Iterator[Around]:
    """All programs, run once."""
    around = Around(tmp_path_factory.mktemp("hostile"), runner)
    yield around
    around.listening.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_is_refused_with_a_reason(name: str, around: Around) -> None:
    """Each program has the reason that fits what it did, also where it catches what it is told."""
    verdict = around.verdicts[name]
    assert verdict
    assert any(verdict.startswith(reason) for reason in HOSTILE[name][1].split("|")), verdict


@pytest.mark.parametrize("name", HARMLESS)
def test_what_gets_nothing_may_go_on(name: str, around: Around) -> None:
    """No environment and no memory: a function that goes on without these is judged by its tests."""
    assert around.verdicts[name] == ""


def test_hostile_code_has_no_effect(around: Around) -> None:
    """No file changes or appears, nobody connects, no process is left, and all of it ends in time."""
    assert [each.name for each in around.canary.parent.iterdir()] == ["canary"]
    assert around.canary.read_text() == "sings"
    with pytest.raises(BlockingIOError):
        around.listening.accept()
    assert around.after == around.before
    assert around.seconds < 60
    assert peak_memory() <= max(around.peak_before, 1 << 20)


def test_after_all_of_it_the_runner_still_runs(around: Around, runner: Runner) -> None:
    """The same worker gives right verdicts, and the same ones for the same programs without running them."""
    worker = runner._worker
    assert worker is not None and worker.poll() is None
    assert runner.verdicts([Program(RIGHT, TESTS), Program(RIGHT, "assert f(1) == 3")]) == [
        "",
        "AssertionError at line 1 of tests: assert f(1) == 3",
    ]
    assert runner._worker is worker


PROBE = """
import ctypes, os, sys
program = bytes.fromhex(sys.argv[1])
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(program, len(program))
given = Filter(len(program) // 8, ctypes.addressof(code))
numbers = eval(sys.argv[2])
zeros = [ctypes.c_long(0)] * 6
for number in numbers:
    pid = os.fork()
    if not pid:
        libc.prctl(38, 1, 0, 0, 0)
        libc.prctl(22, 2, ctypes.byref(given), 0, 0)
        libc.syscall(ctypes.c_long(number), *zeros)
        os._exit(0)
    if os.waitpid(pid, 0)[1] & 127 != 31:
        sys.exit(f"{number} is allowed")
"""


def test_every_system_call_that_is_not_on_the_list_kills() -> None:
    """Each number up to 500 does, and so do the numbers of x32, which mean other calls."""
    machine = platform.machine()
    program, known = filter_program(machine), _MACHINES[machine]
    assert program is not None
    # Linux 6.14 and later apply no filter to uretprobe and uprobe, which fail except at a probe of the kernel's.
    passed = {known.write, *known.allowed.values(), *((335, 336) if known.has_x32 else ())}
    numbers = [number for number in range(500) if number not in passed]
    numbers += [_X32 | number for number in known.allowed.values()]
    command = [sys.executable, "-S", "-c", PROBE, program.hex(), repr(numbers)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_killed_parent_leaves_nothing_running() -> None:
    """After ``kill -9`` of the process that asked, the worker and its programs end at once."""
    script = (
        "from selfinstruct.execution import Program, Runner\n"
        "runner = Runner(at_once=2); runner.require()\n"
        "print(runner._worker.pid, flush=True)\n"
        "endless = 'def f(x):\\n    while True: pass\\n'\n"
        "runner.verdicts([Program(endless, 'assert f(1)'), Program(endless, 'assert f(2)')])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        worker = int(asking.stdout.readline())
        group = Path(f"/proc/{worker}/task/{worker}/children")
        until = time.monotonic() + 5
        while len(running := group.read_text().split()) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert len(running) == 2
        asking.kill()
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in (worker, *running)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(Path(f"/proc/{pid}").exists() for pid in (worker, *running))
