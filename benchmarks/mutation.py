"""Change one expression of the core at a time and see whether its tests notice: python -m benchmarks.mutation.

A comparison is turned round, a number is one larger, a condition is negated, ``and`` becomes ``or``: a mutant. The
mirrored tests run on it in a copy of the tree; where all of them pass, the mutant survived, and is printed. A sample
of the mutants of each package is tried, drawn by ``--seed``, until the sample or the time is used up.

Does not handle: strings, deleted statements, equivalent mutants (a human must tell). mutmut 3 and cosmic-ray try every
mutant or none: they take no sample and no time limit, and mutmut runs the whole suite first to learn which test
belongs to what, where here the folders say it.
"""

from __future__ import annotations

import argparse
import ast
import os
import platform
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: The core: sources -> the tests that mirror them. Tests that kill processes are left out: they take minutes.
CORE = {
    "planner": (["selfinstruct/growth/planner.py"], ["tests/growth/test_planner.py"]),
    "checks": (["selfinstruct/checks"], ["tests/checks"]),
    "similarity": (["selfinstruct/similarity"], ["tests/similarity"]),
    "replies": (["selfinstruct/replies"], ["tests/replies"]),
    "journal": (
        ["selfinstruct/journal"],
        [
            "tests/journal/test_journal.py",
            "tests/journal/test_lock.py",
            "tests/journal/test_recovery.py",
            "tests/api/test_recovery.py",
        ],
    ),
}
_SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
_COPIED = ("selfinstruct", "tests", "seeds", "benchmarks", "docs", "pyproject.toml", "README.md")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed expression: ``old`` at ``line`` of ``path`` (relative to the root) becomes ``new``."""

    package: str
    path: str
    line: int
    start: int
    end: int
    old: str
    new: str

    def applied(self, source: bytes) -> bytes:
        """The source with the change made."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"


def mutants(package: str, path: str) -> Iterator[Mutant]:
    """Every mutant of a file."""
    source = (ROOT / path).read_bytes()
    tree = ast.parse(source)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    typed = set(_annotations(tree))
    for node in ast.walk(tree):
        if id(node) in typed or not isinstance(node, ast.expr):
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        old = source[start:end].decode()
        for new in _changed(node):
            yield Mutant(package, path, node.lineno, start, end, old, f"({new})")


def _annotations(tree: ast.AST) -> Iterator[int]:
    """The ids of the nodes inside annotations, which never run."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.AST):
                yield from (id(inner) for inner in ast.walk(part))


def _changed(node: ast.expr) -> Iterator[str]:
    """The texts that take an expression's place."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SWAPS:
        yield ast.unparse(ast.Compare(node.left, [_SWAPS[type(node.ops[0])]()], node.comparators))
    elif isinstance(node, ast.BoolOp):
        yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield ast.unparse(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.unparse(ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right))
    elif isinstance(node, ast.IfExp):
        yield ast.unparse(ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield repr(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield repr(node.value + 1)


def sample(packages: list[str], per_package: int, seed: int) -> list[Mutant]:
    """Mutants of the packages, at most ``per_package`` of each, the packages taking turns."""
    random_ = random.Random(seed)
    drawn: list[list[Mutant]] = []
    for package in packages:
        sources, _ = CORE[package]
        paths = [path for source in sources for path in _python_files(source)]
        every = [mutant for path in paths for mutant in mutants(package, path)]
        drawn.append(random_.sample(every, min(per_package, len(every))))
    return [mutant for at in range(per_package) for some in drawn for mutant in some[at : at + 1]]


def _python_files(source: str) -> list[str]:
    path = ROOT / source
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [file.relative_to(ROOT).as_posix() for file in files]


def killed(mutant: Mutant, copy: Path, deadline: float) -> bool:
    """Whether the tests of its package fail on a mutant, or do not end within ``deadline`` seconds."""
    path = copy / mutant.path
    source = path.read_bytes()
    path.write_bytes(mutant.applied(source))
    try:
        return not _pass(CORE[mutant.package][1], copy, deadline)
    finally:
        path.write_bytes(source)


def _pass(tests: list[str], copy: Path, deadline: float) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "CI": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=deadline)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def run(todo: list[Mutant], workers: int, minutes: float) -> dict[Mutant, bool]:
    """Try the mutants in order until the time is used up: mutant -> whether it was killed."""
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in todo:
        waiting.put(mutant)
    results: dict[Mutant, bool] = {}
    end = time.monotonic() + 60 * minutes

    def work(copy: Path) -> None:
        while time.monotonic() < end:
            try:
                mutant = waiting.get_nowait()
            except queue.Empty:
                return
            results[mutant] = killed(mutant, copy, 120)
            if not results[mutant]:
                print(f"survived  {mutant}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        copies = [_copied(Path(folder) / str(number)) for number in range(workers)]
        for package in sorted({mutant.package for mutant in todo}):
            if not _pass(CORE[package][1], copies[0], 600):
                raise SystemExit(f"the tests of {package} fail without any change; nothing can be learnt")
        threads = [threading.Thread(target=work, args=(copy,)) for copy in copies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results


def _copied(to: Path) -> Path:
    to.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "results"))
        else:
            shutil.copy(source, to / name)
    return to


def summary(results: dict[Mutant, bool], seed: int, possible: dict[str, int]) -> str:
    """The results as text: a table by package, then the survivors."""
    by_package: defaultdict[str, list[bool]] = defaultdict(list)
    for mutant, dead in results.items():
        by_package[mutant.package].append(dead)
    lines = [
        f"Mutants of the core, a sample drawn with seed {seed}; CPython {platform.python_version()}",
        "",
        f"{'':12}{'mutants':>9}{'tried':>7}{'killed':>8}{'share':>8}",
    ]
    for package in possible:
        lines.append(_line(package, possible[package], by_package[package]))
    lines.append(_line("total", sum(possible.values()), list(results.values())))
    survivors = sorted(str(mutant) for mutant, dead in results.items() if not dead)
    return "\n".join([*lines, "", "Survivors:", *(f"  {line}" for line in survivors), ""])


def _line(name: str, possible: int, tried: list[bool]) -> str:
    share = f"{100 * sum(tried) / len(tried):.0f} %" if tried else ""
    return f"{name:12}{possible:>9,}{len(tried):>7}{sum(tried):>8}{share:>8}"


def main() -> None:
    """Read the options, try the sample, print and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--package", action="append", choices=list(CORE), help="one package; may be repeated [all]")
    parser.add_argument("--per-package", type=int, default=60, help="mutants to try in each package")
    parser.add_argument("--minutes", type=float, default=20, help="time limit")
    parser.add_argument("--seed", type=int, default=7, help="seed of the sample")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, help="file to keep the result in")
    options = parser.parse_args()
    packages = options.package or list(CORE)
    possible = {
        package: sum(1 for source in CORE[package][0] for path in _python_files(source) for _ in mutants(package, path))
        for package in packages
    }
    results = run(sample(packages, options.per_package, options.seed), options.workers, options.minutes)
    text = summary(results, options.seed, possible)
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
