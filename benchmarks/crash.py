"""Kill runs and fail their disk: nothing acknowledged may be lost, and nothing paid for twice.

    python -m benchmarks.crash                   all of the following: `make crash`
    python -m benchmarks.crash kills --count 1000 --seed 1     SIGKILL at random moments, each then resumed
    python -m benchmarks.crash steps --count 200 the same with a recipe of several steps and a judge
    python -m benchmarks.crash sites             SIGKILL before and after every call that writes, each then resumed
    python -m benchmarks.crash disk              ENOSPC, EIO and EACCES at each of these calls: a table of results
    python -m benchmarks.crash full              a small tmpfs, and a limit on the size of files
    python -m benchmarks.crash tails             the last 4 KB of the log truncated, zeroed or random from every byte on
    python -m benchmarks.crash pairs --count 200 two processes started together on one directory

Runs are processes, forked from one that has imported everything, and call a server that counts their requests. A
reader reads the journal during a run and after its end: data that it has seen once must remain. The first violation
ends the program with a message.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks.kills import kill_at_random
from benchmarks.run_process import Run, Violation, require
from selfinstruct.errors import SelfInstructError
from selfinstruct.journal import JOURNAL_NAME, Journal, RunMetadata, SeedRow
from selfinstruct.records import Batch, Candidate, Judgement, Reply
from selfinstruct.testing import DiskFault

ERRORS = ("ENOSPC", "EIO", "EACCES")


# --- each call that writes ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Scenario:
    """The start of a run: new, left half done by a kill, or grown further."""

    name: str
    rows: int
    prepare: Callable[[Path], Run]


def _new_run(out: Path) -> Run:
    return Run(out, 80)


def _growing_run(out: Path) -> Run:
    run = Run(out, 40)
    run.finish()
    run.rows = 80
    return run


def _killed_run(out: Path) -> Run:
    """A run that was killed as its second group was to be committed: replies wait there to be judged."""
    run = Run(out, 80)
    _run_with_fault(run, _describe_call(run, "SQLite COMMIT", "api/session", 2), "kill")
    run.check()
    return run


SCENARIOS = (
    Scenario("new", 80, _new_run),
    Scenario("growing on", 80, _growing_run),
    Scenario("killed before", 80, _killed_run),
)


def _describe_call(run: Run, what: str, where: str, time: int) -> tuple[str, int]:
    """The first site of that kind, as a run of these options has it, and which of its calls."""
    with tempfile.TemporaryDirectory() as folder:
        found = disk_calls(Run(Path(folder, "run"), run.rows, run.options))
    site = next(site for site, times in found.items() if site.startswith(what) and where in site and times >= time)
    return site, time


def disk_calls(run: Run) -> dict[str, int]:
    """Every site that the next life of a run comes by, and how often."""
    listed = run.out.with_name("sites.json")
    process = run.start(sites=listed)
    process.join(120)
    require(process.exitcode == 0, f"counting its calls ended with {process.exitcode}: {run.output()}")
    calls: dict[str, int] = json.loads(listed.read_text())
    return calls


def _run_with_fault(run: Run, at: tuple[str, int], how: str) -> tuple[int, float]:
    """One life with a fault: its exit code, and how long it took from the fault on (at most: from its beginning)."""
    start = time.monotonic()
    process = run.start(DiskFault(at[0], how, at[1]))
    process.join(60)
    require(process.exitcode is not None, f"{how} at {at[0]}: it goes on after a minute")
    return process.exitcode or 0, time.monotonic() - start


def _runs_with_faults(
    hows: Sequence[str], share: float, rng: random.Random, scenarios: Sequence[Scenario]
) -> Iterator[tuple[str, str, str, Run, int, float]]:
    """Each fault at each site of each scenario (or a share of them): the run after it, its exit code and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        for scenario in scenarios:
            model = Path(folder, "model")
            run = scenario.prepare(model)
            kept = Path(folder, "kept")
            if model.exists():
                shutil.copytree(model, kept)
            for site, times in disk_calls(run).items():
                for how in hows:
                    if rng.random() >= share:
                        continue
                    shutil.rmtree(model, ignore_errors=True)
                    if kept.exists():
                        shutil.copytree(kept, model)
                    again = replace(run, out=model, rows=scenario.rows)
                    code, seconds = _run_with_fault(again, (site, rng.randint(1, times)), how)
                    yield scenario.name, site, how, again, code, seconds
            for path in (model, kept):
                shutil.rmtree(path, ignore_errors=True)


def kill_everywhere(share: float = 1.0, seed: int = 0, scenarios: Sequence[Scenario] = SCENARIOS) -> str:
    """SIGKILL before and after every call that writes, syncs or renames; then the run is resumed to its end."""
    count, places = Counter[str](), set[tuple[str, str]]()
    for scenario, site, how, run, code, _ in _runs_with_faults(
        ("kill", "killed"), share, random.Random(seed), scenarios
    ):
        try:
            require(code == -signal.SIGKILL, f"it ended with {code}: {run.output()}")
            run.check()
            run.finish()
        except Violation as error:
            raise Violation(f"{scenario}, {how} at {site}: {error}") from error
        count[scenario] += 1
        places.add((scenario, site))
    shown = ", ".join(f"{name} {number}" for name, number in count.items())
    return f"{count.total()} kills at {len(places)} call sites ({shown}): nothing lost, nothing twice, quotas exact"


def fail_disk(share: float = 1.0, seed: int = 0, scenarios: Sequence[Scenario] = SCENARIOS) -> str:
    """ENOSPC, EIO and EACCES at every such call, and from there on: exit code, message, time and journal."""
    table: dict[tuple[str, str, str, str], Counter[str]] = {}
    slowest = 0.0
    refused = _runs_with_faults(ERRORS, share, random.Random(seed), scenarios)
    for scenario, site, how, run, code, seconds in refused:
        said = run.output()
        try:
            require(seconds < 5, f"it took {seconds:.1f} s to stop")
            outcome = _outcome(run, site, code, said)
            run.check()
            run.finish()
        except (Violation, SelfInstructError) as error:
            raise Violation(f"{scenario}, {how} at {site}: {error}\n{said}") from error
        slowest = max(slowest, seconds)
        what, _, lines = site.partition(" ")
        room = next(name for name in ("journal/", "lock", "directory") if name in lines).rstrip("/")
        table.setdefault((scenario, room, what, how), Counter())[outcome] += 1
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for (scenario, room, what, how), outcomes in table.items():
        counts = "; ".join(f"{outcome} ({number})" for outcome, number in outcomes.most_common())
        alike.setdefault((scenario, room, what, counts), []).append(how)
    shown = [f"  {'life':14}{'where':11}{'call':11}{'error':18}outcome (call sites)"]
    for (scenario, room, what, counts), errors in sorted(alike.items()):
        shown.append(f"  {scenario:14}{room:11}{what:11}{' '.join(errors):18}{counts}")
    total = sum(outcomes.total() for outcomes in table.values())
    shown.append(f"{total} refusals: each journal whole and resumed to exact quotas; the slowest end {slowest:.2f} s")
    return "\n".join(shown)


#: The system's words for these errors, and SQLite's.
_CAUSES = re.compile(
    r"No space left|disk is full|Input/output error|disk I/O error|Permission denied|readonly database"
)


def _outcome(run: Run, site: str, code: int, said: str) -> str:
    if code == 0:
        # Undoing what is no longer needed, or giving the name back: nothing depends on it.
        harmless = re.match(r"(ftruncate journal/lock|unlink|rmdir|SQLite PRAGMA journal_mode)", site)
        require(harmless is not None, f"exit 0: {said}")
        return "exit 0: nothing depends on it"
    require(code in (2, 3), f"exit {code}: {said}")
    require(bool(_CAUSES.search(said)), f"the message has no cause: {said}")
    require("Traceback" not in said, f"a traceback: {said}")
    require(code == 3 or "output directory" in said, f"exit {code}: {said}")
    return f"exit {code}, with the cause"


def fill_disk(seed: int = 0) -> str:
    """Disks that are full for real: a tmpfs of two sizes where one can be mounted, and RLIMIT_FSIZE."""
    rng = random.Random(seed)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "small")
        place.mkdir()
        for size in (300, 700, 1200):
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(place)]
            if subprocess.run(mount, capture_output=True).returncode:
                lines.append("cannot mount a tmpfs here")
                break
            try:
                lines.append(f"tmpfs of {size} kB: {_run_until_full(Run(place / 'run', 4000), place)}")
            finally:
                subprocess.run(["umount", str(place)], check=True)
        for _ in range(3):
            limit = rng.randrange(50_000, 1_500_000)
            lines.append(
                f"files of {limit:,} bytes at most: {_run_until_full(Run(Path(folder, 'run'), 4000), None, limit)}"
            )
            shutil.rmtree(Path(folder, "run"))
    return "\n".join(lines)


def _run_until_full(run: Run, place: Path | None, limit: int = 0) -> str:
    """A run until the disk is full, and to its end once there is room."""
    start = time.monotonic()
    process = run.start(limit=limit)
    process.join(60)
    seconds = time.monotonic() - start
    said = run.output()
    require(process.exitcode == 3, f"exit {process.exitcode}: {said}")
    require(bool(re.search(r"full|No space|File too large|disk I/O error", said)), f"the message has no cause: {said}")
    run.check()
    rows = len(run.seen_rows)
    if place is not None:
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
    run.finish()
    return f"exit 3 after {rows:,} rows and {seconds:.1f} s, {said.splitlines()[0].split(': ', 2)[-1]!r}; resumed"


# --- the tail of the log -----------------------------------------------------------------------------------------


def tear_log(step: int = 1, seed: int = 0) -> str:
    """Cut, zeroed and garbage tails from every byte of the log's last 4 KB on: what was acknowledged is there."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        live, torn = Path(folder, "live"), Path(folder, "torn")
        live.mkdir()
        torn.mkdir()
        good, ends, counts = _committed_log(live)
        garbage = random.Random(seed).randbytes(4096)
        for cut in range(len(good) - 4096, len(good), step):
            acknowledged = max((n for end, n in zip(ends, counts, strict=True) if end <= cut), default=0)
            for tail in (b"", bytes(len(good) - cut), garbage[: len(good) - cut]):
                for name in torn.iterdir():
                    name.unlink()
                shutil.copy(live / JOURNAL_NAME, torn)
                (torn / f"{JOURNAL_NAME}-wal").write_bytes(good[:cut] + tail)
                opened = Journal.open(torn)
                state = opened.history.state()
                opened.close()
                require(state.conserved and state.accepted >= acknowledged, f"cut at {cut}: {state.accepted} rows")
                count += 1
    return f"{count:,} torn logs opened: conserved, and nothing lost that was acknowledged before the tear"


def _committed_log(live: Path) -> tuple[bytes, list[int], list[int]]:
    """The bytes of a log that was never put away, and after each commit its length and the rows acknowledged."""
    journal = Journal.create(live, RunMetadata("", "", 0, ""), [SeedRow({"Q": "seed"}, "c", 1)])
    log = live / f"{JOURNAL_NAME}-wal"
    ends, counts = list[int](), list[int]()
    for number in range(1, 9):
        journal.add_batch(Batch(number, "c", 2, 0, (1,)))
        call = journal.add_reply(number, "rows", Reply("r" * 50, "m"))
        journal.judge(call, [Judgement(Candidate(at, "", {"Q": f"{number}.{at}"}), "c") for at in range(2)])
        journal.commit()
        ends.append(log.stat().st_size)
        counts.append(2 * number)
    good = log.read_bytes()
    shutil.copy(live / JOURNAL_NAME, live / "kept")
    journal.close()
    shutil.move(live / "kept", live / JOURNAL_NAME)
    return good, ends, counts


# --- two at once -------------------------------------------------------------------------------------------------


def start_in_pairs(count: int, seed: int = 0) -> str:
    """Two processes started together on one directory: one runs, the other names it and is refused meanwhile.

    The run would go on for many times as long as a refusal takes, and is killed then.
    """
    rng, slowest = random.Random(seed), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            run = Run(Path(folder, f"run{number}"), 40_000)
            second_log = Path(folder, f"second{number}.log")
            first = run.start()
            time.sleep(rng.choice((0, 0, 0.01, 0.1)) * rng.random())
            begun = time.monotonic()
            second = run.start(log=second_log)
            ended = _wait_for_first(first, second)
            slowest = max(slowest, time.monotonic() - begun)
            winner = second if ended is first else first
            said = (run.log if ended is first else second_log).read_text()
            require(ended.exitcode == 3, f"the loser ended with {ended.exitcode}: {said}")
            require(f"process {winner.pid} on {os.uname().nodename}" in said, f"the refused process said: {said}")
            require(winner.is_alive(), f"the other was refused only when the run had ended, with {winner.exitcode}")
            winner.kill()
            winner.join()
            run.check()
            shutil.rmtree(run.out, ignore_errors=True)
    return f"{count} pairs: one ran in each, the other was refused; {slowest:.2f} s at most, forking included"


def _wait_for_first(*processes: ForkServerProcess) -> ForkServerProcess:
    ended = wait([process.sentinel for process in processes], timeout=30)
    require(bool(ended), "neither of two processes was refused within half a minute")
    found = next(process for process in processes if process.sentinel == ended[0])
    found.join()
    return found


def main() -> None:
    """Do what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ("kills", "steps", "sites", "disk", "full", "tails", "pairs")
    parser.add_argument("what", nargs="*", default=list(every), metavar="|".join(every))
    parser.add_argument("--count", type=int, default=0, help="kills [1000], steps [200], pairs [200]")
    parser.add_argument("--seed", type=int, default=20261121)
    options = parser.parse_args()
    for what in options.what:
        start = time.monotonic()
        match what:
            case "kills":
                said = kill_at_random(options.count or 1000, options.seed)
            case "steps":
                said = kill_at_random(options.count or 200, options.seed, 120, stepped=True)
            case "sites":
                said = kill_everywhere(seed=options.seed)
            case "disk":
                said = fail_disk(seed=options.seed)
            case "full":
                said = fill_disk(options.seed)
            case "tails":
                said = tear_log(seed=options.seed)
            case "pairs":
                said = start_in_pairs(options.count or 200, options.seed)
            case _:
                parser.error(f"{what}: one of {', '.join(every)}")
        print(f"{what}: {said}  [{time.monotonic() - start:.0f} s]\n", flush=True)


if __name__ == "__main__":
    main()
