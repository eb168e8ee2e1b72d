"""How many grown rows are true: seed files of many kinds, grown by the imitator, judged by independent checkers.

    python -m benchmarks.truth [FILE...] [--rows 60] [--json]

Each file is run by the command line without any configuration. A checker of `tests/truth` judges every accepted row:
it recomputes the sums, parses the log line, runs the query, looks up the calendar, verifies the check digits. A file
without a checker is judged by the rules for all kinds: no impossible date, time or address. Exits with 1 if a row is
wrong or a run fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.truth.kinds import CHECKS, SEEDS, Wrong, family, judge, read_seeds, seed_files

_REFUSED = 2
_SHORT = 4


@dataclass(frozen=True)
class Result:
    """The run of one seed file: exit code (-1: timeout), rows, wrong rows, and the first line of the message."""

    file: str
    family: str
    exit: int
    accepted: int
    wrong: list[Wrong]
    message: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether the run ended in a way that no seed file should cause."""
        return self.exit not in (0, _REFUSED, _SHORT)


def grow(path: Path, rows: int, out: Path, timeout: float = 120) -> Result:
    """Grow ``path`` into ``out`` by the command line, and judge the rows."""
    command = [sys.executable, "-m", "selfinstruct", "run", str(path.resolve()), "--rows", str(rows), "--out", str(out)]
    start = time.perf_counter()
    try:
        run = subprocess.run([*command, "--seed", "7"], capture_output=True, text=True, timeout=timeout, check=False)
        code, message = run.returncode, _first_line(run.stderr) if run.returncode else ""
    except subprocess.TimeoutExpired:
        code, message = -1, f"no end after {timeout:g} s"
    seconds = time.perf_counter() - start
    written = out / "rows.jsonl"
    lines = written.read_text(encoding="utf-8").splitlines() if code in (0, _SHORT) and written.exists() else []
    grown = [json.loads(line) for line in lines]
    seeds = read_seeds(path) if path.name in CHECKS else []
    return Result(path.name, family(path.name), code, len(grown), judge(path.name, seeds, grown), message, seconds)


def _first_line(text: str) -> str:
    """Return the line that says why a run was refused or stopped; plan and counts stand around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("selfinstruct: ", "stopped early"):
        if found := [line for line in lines if mark in line]:
            return found[0].removeprefix("selfinstruct: ").replace(f"{SEEDS}/", "")
    return lines[-1] if lines else ""


def table(results: Sequence[Result], reasons: int) -> str:
    """The results as a table, the first ``reasons`` wrong rows of each file below its line, and the totals."""
    lines = [f"{'file':24} {'family':9} {'exit':>4} {'accepted':>8} {'wrong':>5} {'seconds':>7}  refused"]
    for one in results:
        counts = f"{one.exit:4} {one.accepted:8} {len(one.wrong):5} {one.seconds:7.1f}"
        lines.append(f"{one.file:24} {one.family:9} {counts}  {one.message}".rstrip())
        lines += [
            f"    row {wrong.number}: {wrong.reason}: {json.dumps(wrong.row, ensure_ascii=False)[:300]}"
            for wrong in one.wrong[:reasons]
        ]
    wrong, accepted = sum(len(one.wrong) for one in results), sum(one.accepted for one in results)
    lines += [
        "",
        f"{len(results)} files: {sum(one.exit == 0 for one in results)} grown to their quota, "
        f"{sum(one.exit == _SHORT for one in results)} short of it, "
        f"{sum(one.exit == _REFUSED for one in results)} refused, {sum(one.failed for one in results)} failed",
        f"{sum(one.accepted > 0 and not one.wrong for one in results)} files grown without a wrong row, "
        f"{sum(bool(one.wrong) for one in results)} with wrong rows",
        f"{wrong:,} of {accepted:,} accepted rows are wrong",
    ]
    return "\n".join(lines)


def main() -> int:
    """Grow, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="seed files [default: tests/truth/seeds]")
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--reasons", type=int, default=1, help="wrong rows printed for each file [default: 1]")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = options.files or seed_files()
        results = [grow(path, options.rows, Path(folder) / path.name) for path in files]
    if options.json:
        print(json.dumps([asdict(one) for one in results], ensure_ascii=False, indent=1))
    else:
        print(table(results, options.reasons))
    return 1 if any(one.wrong or one.failed for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
