"""The runner: verdicts of ordinary programs, where they fail, and what happens where nothing can be run."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from selfinstruct.errors import InputError
from selfinstruct.execution import Program, Runner, runner, shared_runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="code is run on Linux only")
ADD = 'def add(a, b):\n    """Return the sum."""\n    return a + b\n'


@pytest.fixture(scope="module")
def one() -> Iterator[Runner]:
    """A runner of these tests."""
    one = Runner()
    yield one
    one.stop()


@pytest.mark.parametrize(
    ("code", "tests", "verdict"),
    [
        (ADD, "assert add(1, 2) == 3", ""),
        ("add = lambda a, b: a + b", "assert add(1, 2) == 3", ""),
        (
            ADD,
            "assert add(1, 2) == 3\nassert add(1, 2) == 4, 'no'",
            "AssertionError: no at line 2 of tests: assert add(1",
        ),
        (
            ADD,
            "assert add(1, None) == 4",
            "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType' at line 3",
        ),
        (
            ADD.replace("a + b", "a +"),
            "assert add(1, 2) == 3",
            "SyntaxError: invalid syntax at line 3 of code: return a",
        ),
        (ADD, "assert add(1, 2) = 3", "SyntaxError: "),
        (ADD, "assert sub(1, 2) == 3", "NameError: name 'sub' is not defined at line 1 of tests"),
        (ADD, "assert True", "tests pass with empty functions too"),
        (ADD, "assert callable(add)", "tests pass with empty functions too"),
        (ADD, "", "tests pass with empty functions too"),
        (
            ADD,
            "try:\n    assert add(1, 2) == 4\nexcept AssertionError:\n    pass",
            "tests pass with empty functions too",
        ),
        ("three = 3", "assert three == 3", "defines no function"),
        ("", "assert True", "defines no function"),
        (
            "def f():\n    return object()",
            "assert f() == 1, f()",
            "AssertionError: <object object at 0x…> at line 1 of tests",
        ),
        ("if __name__ == '__main__':\n    print(input())\n" + ADD, "assert add(1, 2) == 3", ""),
        ("def f():\n    return input()", "assert f()", "EOFError"),
        (ADD + "\x00", "assert add(1, 2) == 3", "SyntaxError: source code string cannot contain null bytes"),
        ("def f(): return " + "(" * 500, "assert f()", "SyntaxError: too many nested parentheses"),
        ("def f(): return '\ud800'", "assert f() == 1", "UnicodeEncodeError"),
        ("def f(): raise Exception('\\ud800')", "assert f() == 1", "Exception: \\ud800 at line 1 of code"),
        (ADD, "def test():\n    assert add(1, 2) == 3\nif __name__ == '__main__':\n    test()", ""),
        (ADD, "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: 'int'\nassert add(A(1).a, 2) == 3", ""),
        (
            "def f():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        return traceback.format_exc()\n"
            "import traceback",
            "assert '1 / 0' in f() and 'ZeroDivisionError' in f(), f()",
            "",
        ),
        (
            "import logging, sys\ndef f():\n    logging.warning('é')\n    sys.stdout.writelines(['\\ud800', '汉字'])\n"
            "    return sys.stdout.buffer.write(b'ab')",
            "assert f() == 2",
            "",
        ),
        (
            "import sys\ndef f():\n    return sys.stdin.buffer.read() + sys.stdin.read().encode()",
            "assert f() == b''",
            "",
        ),
    ],
)
def test_a_verdict_names_the_error_and_its_line(one: Runner, code: str, tests: str, verdict: str) -> None:
    """Nothing where all asserts hold; else the first error, its line and the text of that line."""
    (found,) = one.verdicts([Program(code, tests)])
    assert found.startswith(verdict) if verdict else found == "", found


def test_exercises_may_import_what_the_library_has(one: Runner) -> None:
    """Each module that is loaded, and what dataclasses, named tuples, dates and Chinese text need at work."""
    from selfinstruct.execution.worker import MODULES

    code = "\n".join(f"import {name}" for name in MODULES) + (
        "\nfrom dataclasses import dataclass\nfrom collections import namedtuple\nfrom datetime import datetime\n"
        "@dataclass(order=True)\nclass Point:\n    x: 'int'\n    y: 'int' = 0\n"
        "    def far(self):\n        return self.x\n"
        "Pair = namedtuple('Pair', 'a b')\n"
        "class Colour(enum.Enum):\n    RED = 1\n"
        "def f():\n    return [Point(1).far(), Pair(1, 2).b, datetime.strptime('2024-02-29', '%Y-%m-%d').day,\n"
        "        '汉字'.encode('gb18030').decode('gb18030'), str(decimal.Decimal('0.1') + 1), Colour(1).name,\n"
        "        statistics.median([3, 1, 2]), datetime.fromtimestamp(0).hour, len(uuid.UUID(int=1).hex)]\n"
    )
    tests = "assert f() == [1, 2, 29, '汉字', '1.1', 'RED', 2, 0, 32], f()"
    assert one.verdicts([Program(code, tests)]) == [""]


def test_what_is_random_is_the_same_in_every_run(one: Runner) -> None:
    """Random numbers, and the order of sets, do not make a verdict depend on the day."""
    code = "import random\ndef f():\n    return [random.random(), list(set(map(chr, range(65, 99)))), hash('a')]\n"
    with_message = [Program(code, f"assert f() == {number}, f()") for number in range(2)]
    first, second = (verdict.partition(" at line")[0] for verdict in one.verdicts(with_message))
    other = Runner()
    (third,) = (verdict.partition(" at line")[0] for verdict in other.verdicts(with_message[:1]))
    other.stop()
    assert first == second == third


def test_programs_do_not_see_each_other(one: Runner) -> None:
    """What one leaves behind is not there for the next, whichever runs first."""
    leaving = Program("import math\ndef f():\n    math.left = 1\n    return 1\n", "assert f() == 1")
    looking = Program("import math\ndef f():\n    return hasattr(math, 'left')\n", "assert f() is False")
    assert one.verdicts([leaving, looking] * 4) == [""] * 8


def test_a_worker_that_dies_is_replaced(one: Runner) -> None:
    """Programs that were sent to it are run by the next one."""
    one.require()
    before = one._worker
    assert before is not None
    os.kill(before.pid, signal.Signals["SIGSTOP"])
    ending = threading.Timer(0.2, before.kill)
    ending.start()
    programs = [Program(ADD, f"assert add(1, {number}) == {number + 1}") for number in range(20, 23)]
    assert one.verdicts(programs) == ["", "", ""]
    assert one._worker is not before
    ending.join()


def test_a_stopped_runner_ends_what_runs_and_starts_anew() -> None:
    """Stopping takes no longer than that; the next program is run again."""
    one = Runner()
    one.require()
    threading.Timer(0.2, one.stop).start()
    begun = time.monotonic()
    with pytest.raises(InterruptedError):
        one.verdicts([Program("def f():\n    while True: pass", "f()")])
    assert time.monotonic() - begun < 1.5
    assert one.verdicts([Program(ADD, "assert add(1, 2) == 3")]) == [""]
    one.stop()


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "riscv64"), ("win32", "AMD64")])
def test_where_nothing_guards_nothing_runs(system: str, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a filter for the system and its processor, the error says so, and what to do."""
    monkeypatch.setattr(runner, "sys", SimpleNamespace(platform=system, byteorder="little"))
    monkeypatch.setattr(runner, "platform", SimpleNamespace(machine=lambda: machine))
    with pytest.raises(InputError, match=f"{system} on {machine} has no filter of system calls") as raised:
        Runner().require()
    assert "passes" in raised.value.hint


@pytest.mark.parametrize("program", [b"\x06\0\0\0\0\0\xff\x7f", b"\xff" * 8])
def test_a_filter_that_does_not_work_is_noticed(program: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that allows everything, or that the kernel refuses: nothing is run."""
    monkeypatch.setattr(runner, "filter_program", lambda machine: program)
    with pytest.raises(InputError, match=r"cannot run tests of code: .*(no effect|refused)"):
        Runner().require()


def test_there_is_one_runner() -> None:
    """All checks of a process share it."""
    assert shared_runner() is shared_runner()
