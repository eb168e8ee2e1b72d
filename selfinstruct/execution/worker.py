"""The process that runs programs: ``python -P -s -S worker.py FILTER CPU_SECONDS WALL_SECONDS MEMORY AT_ONCE``.

It loads what exercises import, and then forks for each program, which takes a millisecond. The fork gives up what it
has (descriptors, limits, system calls), runs the program, writes a verdict, and ends. Programs come as a line of JSON,
``[[code, tests, code_name, tests_name], ...]``, and their verdicts leave as a line: for each a text, "" for passed.
The first line it writes is ``""``, or why the system does not allow the filter.

A program that passes is run once more with every function emptied. Tests that pass even so test nothing; and code that
makes its tests pass by what it does beside its functions does so here too.

Imports nothing of this package, so that it starts without one, with as little code as can be.
"""

from __future__ import annotations

import ast
import ctypes
import gc
import io
import json
import linecache
import os
import random
import re
import resource
import select
import signal
import sys
import time
import types
import warnings
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

#: What programs may import, besides what these import themselves.
MODULES = (
    "abc", "array", "ast", "base64", "bisect", "builtins", "calendar", "cmath", "collections", "collections.abc",
    "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools",
    "hashlib", "heapq", "html", "io", "itertools", "json", "keyword", "logging", "math", "numbers", "operator",
    "pickle", "pprint", "queue", "random", "re", "secrets", "shlex", "statistics", "string", "struct", "sys",
    "textwrap", "threading", "time", "traceback", "types", "typing", "unicodedata", "urllib.parse", "uuid", "zlib",
    # Imported by the above only when they are used.
    "_strptime", "encodings.ascii", "encodings.big5", "encodings.cp1252", "encodings.gb18030", "encodings.gbk",
    "encodings.hex_codec", "encodings.latin_1", "encodings.rot_13", "encodings.shift_jis", "encodings.utf_16",
    "encodings.utf_32",
)  # fmt: skip
#: Audit events (PEP 578) of what no program may do; an attempt ends it, also where it would catch the error.
FORBIDDEN = (
    "_thread.start", "ctypes.", "fcntl.", "gc.get_", "glob.", "mmap.", "open", "os.", "pathlib.", "pty.", "resource.",
    "shutil.", "signal.pthread_kill", "socket.", "subprocess.", "sys._current_", "sys.addaudithook", "sys.setprofile",
    "sys.settrace", "syslog.", "tempfile.", "time.sleep",
)  # fmt: skip
assert sys.platform != "win32"  # it has no fork; so that type checkers know

_CHANNEL = 3  # the descriptor that a program's verdict is written to
_MOST_BYTES = 8192
_SHOWN = 120
_LEAST_SHARE = 0.02  # of the processor, on a machine that is very busy
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38  # linux/prctl.h
_SECCOMP_MODE_FILTER = 2
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")


class _FilterProgram(ctypes.Structure):
    """``struct sock_fprog`` of linux/filter.h."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Nowhere(io.RawIOBase):
    """An output that keeps nothing."""

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any, /) -> int:
        """Drop the data."""
        return memoryview(data).nbytes


class Empty(ast.NodeTransformer):
    """Empties the body of every function."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        """A function without its body."""
        node.body = [ast.copy_location(ast.Pass(), node.body[0])]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # as NodeTransformer names them

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """A lambda that returns None."""
        node.body = ast.copy_location(ast.Constant(None), node.body)
        return node


# --- the fork that runs one program -----------------------------------------------------------------------------------


def run_program(program: Sequence[str], emptied: bool, nonce: str, parent: int, setting: Setting) -> NoReturn:
    """Give up everything, run a program, write its verdict, and end; never returns."""
    try:
        _confine(parent, setting)
        write, leave, dump = os.write, os._exit, json.dumps

        def report(verdict: str) -> NoReturn:
            """Write the verdict and end the process, whatever else would still run."""
            write(_CHANNEL, dump([nonce, verdict]).encode()[:_MOST_BYTES])
            leave(0)

        def watch(event: str, values: tuple[Any, ...]) -> None:
            """End a program that attempts what is forbidden."""
            if event == "open" and values[0] in program[2:]:
                raise FileNotFoundError  # the parser looks there for the text of a line that is wrong
            if event.startswith(FORBIDDEN):
                shown = ", ".join(repr(value)[:80] for value in values[:2] if type(value) in (str, int))
                report(f"not allowed: {event}({shown})")

        sys.addaudithook(watch)
        report(_verdict(program, emptied, setting))
    except BaseException as error:  # noqa: BLE001 - told as the verdict, before the process ends
        os.write(_CHANNEL, json.dumps([nonce, f"cannot be run: {type(error).__name__}: {error}"]).encode())
    finally:
        os._exit(1)


def _confine(parent: int, setting: Setting) -> None:
    """Keep the pipe of the verdict and /dev/null, lower the limits, and install the filter."""
    call = setting.prctl
    call(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call above
        os._exit(1)
    os.setsid()
    for descriptor in range(3):
        os.dup2(setting.null, descriptor)
    os.closerange(_CHANNEL + 1, 1024)
    call(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for kind, most in (
        (resource.RLIMIT_CPU, setting.cpu_seconds),
        (resource.RLIMIT_AS, setting.memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _CHANNEL + 1),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    streams: dict[str, Any] = {"stdin": io.BytesIO(), "stdout": Nowhere(), "stderr": Nowhere()}
    for name, raw in streams.items():
        stream = io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    random.seed(0)
    if call(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS is refused")
    if call(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(setting.filter), 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP is refused")
    try:
        os.write(_CHANNEL + 1, b"")
    except PermissionError:
        return
    except OSError:
        pass
    raise OSError(0, "the filter of system calls has no effect")


def _verdict(program: Sequence[str], emptied: bool, setting: Setting) -> str:
    """Run the code and its tests; "" if nothing is raised."""
    code, tests, code_name, tests_name = program
    module = types.ModuleType("solution")
    sys.modules["solution"] = module  # as dataclasses look for it
    warnings.simplefilter("ignore")
    for name, text in ((code_name, code), (tests_name, tests)):  # so that a traceback needs no file
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        tree: Any = ast.parse(code, code_name)
        if emptied:
            tree = Empty().visit(tree)
        elif not any(isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) for each in ast.walk(tree)):
            return "defines no function"
        exec(compile(tree, code_name, "exec", dont_inherit=True), module.__dict__)
        module.__name__ = "__main__"  # tests may be called where the name is this; the code is imported by them
        sys.modules["__main__"] = module
        exec(compile(tests, tests_name, "exec", dont_inherit=True), module.__dict__)
    except (SystemExit, KeyboardInterrupt):
        return f"ended before {tests_name} did"
    except MemoryError:
        return f"needs more than {setting.shown_memory} MiB of memory"
    except BaseException as error:  # noqa: BLE001 - whatever the program raises is its verdict
        return _failure(error, {code_name: code, tests_name: tests})
    return ""


def _failure(error: BaseException, texts: dict[str, str]) -> str:
    """The error, and the line that it is at."""
    name, said, where, line = type(error).__name__, "", "", 0
    if isinstance(error, SyntaxError) and error.filename in texts:
        said, where, line = error.msg, str(error.filename), error.lineno or 0
    else:
        said, trace = str(error), error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in texts:
                where, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
    lines = texts.get(where, "").splitlines()
    at = f" at line {line} of {where}" if where else ""
    shown = f": {lines[line - 1].strip()[:_SHOWN]}" if 0 < line <= len(lines) else ""
    # Addresses differ from run to run.
    return _ADDRESS.sub("0x…", f"{name}{said and f': {said[:_SHOWN]}'}{at}{shown}")


# --- the process that forks -------------------------------------------------------------------------------------------


class Setting:
    """What all programs have in common: the filter, its limits, and descriptors."""

    def __init__(self, arguments: Sequence[str]) -> None:
        code = bytes.fromhex(arguments[0])
        self.cpu_seconds, self.wall_seconds, memory, self.at_once = map(int, arguments[1:])
        self.shown_memory = memory >> 20
        self.memory = memory + int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        self._code = ctypes.create_string_buffer(code, len(code))
        self.filter = _FilterProgram(len(code) // 8, ctypes.addressof(self._code))
        self.prctl = ctypes.CDLL(None, use_errno=True).prctl
        self.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        self.null = os.open(os.devnull, os.O_RDWR)


class Fork:
    """A program that is running, and what it has written so far."""

    def __init__(self, at: int, program: Sequence[str], emptied: bool, setting: Setting) -> None:
        self.at, self.emptied = at, emptied
        self.limit = setting.cpu_seconds, setting.wall_seconds
        self.tests_name = program[3]
        self.nonce = os.urandom(16).hex()
        self.written = b""
        self.killed = False
        self.used = 0.0
        self.deadline = time.monotonic() + setting.wall_seconds
        self.descriptor, channel = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            os.dup2(channel, _CHANNEL)
            run_program(program, emptied, self.nonce, parent, setting)
        os.close(channel)

    def read(self) -> bool:
        """Read what there is; whether the program has ended, or wrote too much."""
        data = os.read(self.descriptor, _MOST_BYTES)
        self.written += data
        return not data or len(self.written) > _MOST_BYTES

    def waits(self) -> bool:
        """Whether it has hardly computed until its deadline; one that does gets another, and so on to its limit."""
        used = time.clock_gettime(~self.pid << 3 | 2)  # CPUCLOCK_SCHED of linux/posix-timers.h
        if used - self.used <= _LEAST_SHARE * self.limit[1]:
            return True
        self.used = used
        self.deadline += self.limit[1]
        return False

    def end(self) -> str:
        """Kill what is left, and return the verdict."""
        os.close(self.descriptor)
        os.kill(self.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.pid, 0)
        if self.written:
            try:
                nonce, verdict = json.loads(self.written)
            except (ValueError, TypeError):
                return "wrote to the pipe of its verdict"
            if nonce != self.nonce or type(verdict) is not str:
                return "wrote to the pipe of its verdict"
            return verdict.encode("utf-8", "backslashreplace").decode()  # it may quote half a character
        cpu, wall = self.limit
        if usage.ru_utime + usage.ru_stime > cpu - 0.5:
            return f"needs more than {cpu} s of processor time"
        if self.killed:
            return f"waits for more than {wall} s"
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS:
            return "makes a system call that is not allowed"
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
            return f"crashes the interpreter ({signal.Signals(os.WTERMSIG(status)).name})"
        return f"ended before {self.tests_name} did"


def run_all(programs: Sequence[Sequence[str]], setting: Setting, source: int) -> list[str]:
    """The verdicts of programs, several at once; ends this process if ``source`` ends."""
    verdicts = [""] * len(programs)
    waiting = deque((at, False) for at in range(len(programs)))
    running: dict[int, Fork] = {}
    while waiting or running:
        while waiting and len(running) < setting.at_once:
            at, emptied = waiting.popleft()
            fork = Fork(at, programs[at], emptied, setting)
            running[fork.descriptor] = fork
        poll = select.poll()
        for descriptor in (source, *running):
            poll.register(descriptor, select.POLLIN)
        now = time.monotonic()
        first = min(fork.deadline for fork in running.values())
        for descriptor, _ in poll.poll(max(0.0, first - now) * 1000 + 1):
            if descriptor == source:  # nothing is sent before the answer: it has ended
                os._exit(0)
            if running[descriptor].read():
                waiting.extend(_ended(running.pop(descriptor), verdicts))
        now = time.monotonic()
        for descriptor in [each for each, fork in running.items() if fork.deadline <= now and fork.waits()]:
            running[descriptor].killed = True
            waiting.extend(_ended(running.pop(descriptor), verdicts))
    return verdicts


def _ended(fork: Fork, verdicts: list[str]) -> list[tuple[int, bool]]:
    """Note the verdict of a program that has ended; what must be run again, emptied."""
    found = fork.end()
    if fork.emptied:
        if not found:
            verdicts[fork.at] = f"{fork.tests_name} pass with empty functions too"
        return []
    verdicts[fork.at] = found
    return [] if found else [(fork.at, True)]


def main(arguments: Sequence[str]) -> None:
    """Say whether the filter works, then answer until the input ends."""
    for name in MODULES:
        __import__(name)
    source, target = os.dup(0), os.dup(1)
    setting = Setting(arguments)
    # Programs import what is loaded, and look for nothing on the disk.
    sys.path.clear()
    sys.meta_path.clear()
    for name in ("ctypes", "_ctypes", "__main__"):
        sys.modules.pop(name, None)
    gc.collect()
    gc.freeze()  # forks share memory as long as nothing writes to it
    with os.fdopen(source, "rb") as lines, os.fdopen(target, "wb", buffering=0) as answers:
        (problem,) = run_all([("def one(): return 1", "assert one() == 1", "code", "tests")], setting, source)
        answers.write(json.dumps(problem).encode() + b"\n")
        for line in lines:
            answers.write(json.dumps(run_all(json.loads(line), setting, source)).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
