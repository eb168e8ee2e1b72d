"""How many planted wrong rows `check` finds by the rules that `init` infers from true rows.

    python -m benchmarks.violations [FILE...]

For each seed file of `tests/truth`: `init` infers a recipe, `check` judges the seeds by it (every error is a false
alarm), then rows with one planted fault each. Some faults only knowledge can find: a false fact, a wrong translation.
Exits with 1 after a false alarm.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.truth.forms import Row
from tests.truth.kinds import family, read_seeds, seed_files
from tests.truth.planted import PLANTED, planted

#: Errors about other rows; they are no judgement of the row itself.
_BETWEEN_ROWS = {"duplicate", "near-duplicate", "contradiction"}


@dataclass(frozen=True)
class Result:
    """The planted rows of one file: those found with the reasons, those missed, and the errors in the seeds."""

    file: str
    family: str
    found: dict[int, str]
    missed: list[int]
    alarms: list[str]


def _command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "selfinstruct", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def _errors(rows: Sequence[Row], recipe: Path, file: Path) -> dict[int, str]:
    """Return the reason of the first error of each row, by its place in ``rows``."""
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    checked = _command("check", file, "--recipe", recipe, "--format", "json")
    if checked.returncode not in (0, 1):
        return dict.fromkeys(range(len(rows)), checked.stderr.strip().partition("\n")[0])
    errors: dict[int, str] = {}
    for finding in json.loads(checked.stdout)["findings"]:
        if finding["severity"] == "error" and finding["reason"] not in _BETWEEN_ROWS:
            errors.setdefault(finding["line"] - 1, finding["reason"])
    return errors


def examine(path: Path, folder: Path) -> Result:
    """Infer the rules of ``path`` and look for the planted rows."""
    recipe, seeds = folder / f"{path.name}.toml", read_seeds(path)
    inferred = _command("init", path.resolve(), "-o", recipe)
    wrong = list(planted(path.name, seeds))
    if inferred.returncode:
        return Result(path.name, family(path.name), {}, list(range(len(wrong))), [])
    alarms = _errors(seeds, recipe, folder / f"{path.name}.seeds.jsonl")
    found = _errors(wrong, recipe, folder / f"{path.name}.planted.jsonl")
    found = {number: why for number, why in found.items() if PLANTED[path.name][number][0] not in alarms}
    missed = [number for number in range(len(wrong)) if number not in found]
    return Result(path.name, family(path.name), found, missed, [f"{line + 1}: {why}" for line, why in alarms.items()])


def main() -> int:
    """Examine the files and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="seed files [default: tests/truth/seeds]")
    with tempfile.TemporaryDirectory() as folder:
        results = [examine(path, Path(folder)) for path in parser.parse_args().files or seed_files()]
    print(f"{'file':24} {'family':9} {'planted':>7} {'found':>5} {'alarms':>6}  not found")
    for one in results:
        changes = PLANTED[one.file]
        missed = "; ".join(
            f"row {changes[n][0] + 1} with {json.dumps(changes[n][1], ensure_ascii=False)}" for n in one.missed
        )
        counts = f"{len(changes):7} {len(one.found):5} {len(one.alarms):6}"
        print(f"{one.file:24} {one.family:9} {counts}  {missed}".rstrip())
        for alarm in one.alarms:
            print(f"    false alarm: seed {alarm}")
    planted_rows, found = sum(len(PLANTED[one.file]) for one in results), sum(len(one.found) for one in results)
    alarms = sum(len(one.alarms) for one in results)
    print(f"\n{found} of {planted_rows} planted rows found; {alarms} false alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
