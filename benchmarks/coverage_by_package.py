"""Print the statement and branch coverage of each package: python -m benchmarks.coverage_by_package .coverage.json.

The file is what ``pytest --cov --cov-report=json:.coverage.json`` writes; ``make coverage`` does both. Code that
runs in a child process (the PDF worker, killed runs) is not measured and counts as missed.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

#: What decides: planned, checked, compared, parsed, kept. The aim for each of these is 95 % of the branches.
DECIDING = ("growth/planner", "checks", "similarity", "replies", "journal", "recipe")


def package_of(path: str) -> str:
    """The row of the table that a file counts in: its package, or its own name.

    >>> package_of("selfinstruct/checks/echo.py"), package_of("selfinstruct/growth/planner.py")
    ('checks', 'growth/planner')
    """
    parts = Path(path).with_suffix("").parts[1:]
    name = "/".join(parts[:2])
    return name if name in DECIDING or len(parts) == 1 else parts[0]


def table(report: dict[str, Any]) -> list[str]:
    """The lines of the table: package, statements, branches, and the share of each that the tests ran."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for path, file in report["files"].items():
        figures = file["summary"]
        keys = ("num_statements", "covered_lines", "num_branches", "covered_branches")
        for name in (package_of(path), "total"):
            sums[name] = [old + figures[key] for old, key in zip(sums[name], keys, strict=True)]
    total = sums.pop("total")
    lines = [f"{'':18}{'statements':>11}{'':>8}{'branches':>10}"]
    for name, (statements, ran, branches, taken) in [*sorted(sums.items()), ("total", total)]:
        mark = "*" if name in DECIDING else " "
        lines.append(
            f"{mark} {name:16}{statements:>11,}{share(ran, statements)}{branches:>10,}{share(taken, branches)}"
        )
    return [*lines, "* decides what becomes of a candidate; the aim is 95 % of the branches"]


def share(part: int, whole: int) -> str:
    """A percentage in eight columns; blank where there is nothing to count."""
    return f"{100 * part / whole:>6.1f} %" if whole else " " * 8


if __name__ == "__main__":
    print("\n".join(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
