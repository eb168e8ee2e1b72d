"""Whole runs against an endpoint that misbehaves, each in a separate process: costs and results.

    python -m benchmarks.faults            all of it
    python -m benchmarks.faults table      each fault alone in 30 % of the calls, and all of them mixed
    python -m benchmarks.faults budget     100 runs at 256 at once: is a budget ever overspent?
    python -m benchmarks.faults storm      only 429s for ten seconds in the middle of a run
    python -m benchmarks.faults malformed  10,000 replies that are no good JSON
    python -m benchmarks.faults canary     a key that the endpoint repeats in every error: where does it end up?

``budget`` and ``malformed`` measure single parts and are in ``endurance.py``. The counts are those of the server's
ledger. Exits with 1 if a requirement is violated.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.endurance import budget, malformed
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Model, to_toml
from selfinstruct.rows import read_rows
from selfinstruct.testing import FAULTS, Behaviour, mixed, server_process

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds" / "logqa.jsonl"
RATE = 0.3
ROWS, ROWS_A_CALL, AT_ONCE, LATENCY = 1_000, 5, 8, 0.02
#: A run that takes longer than this hangs.
HANG = 240
#: The deadline of a call, in place of ten minutes, for the faults that end at nothing else.
DEADLINE = 0.5
#: What a run's words must not hold: the signs of an error that nobody caught.
UNCAUGHT = ("Traceback", "never retrieved", "never awaited", "Unclosed", "a fault of the program")
#: Calls beyond those that were needed and those that faults took, as a share of both.
MOST_BEYOND = 0.02


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended: its exit code (None: it hung), words, summary ({}: none), and the server's ledger."""

    code: int | None
    seconds: float
    words: str
    summary: dict[str, Any]
    counts: dict[str, Any]

    @property
    def uncaught(self) -> bool:
        """Whether an error reached the outside as it was."""
        return self.code not in (None, 0, 3, 4) or any(sign in self.words for sign in UNCAUGHT)


#: All runs so far.
RUNS: list[Ended] = []


def main() -> int:
    """Measure what is asked for, print it, and say whether it holds."""
    parts = {
        "table": table,
        "budget": budget,
        "storm": storm,
        "malformed": malformed,
        "canary": canary,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="all", choices=["all", *parts])
    what = parser.parse_args().what
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}")
    holds = [part() for name, part in parts.items() if what in ("all", name)]
    return 0 if all(holds) else 1


# --- one run -----------------------------------------------------------------------------------------------------


def write_recipe(folder: Path, url: str, **model: Any) -> Path:
    """A recipe for the seeds in ``folder``, with the model at ``url``."""
    recipe = infer(read_rows(SEEDS)).recipe
    rows = model.pop("rows_per_request", ROWS_A_CALL)
    prompt = recipe.prompt.model_copy(update={"rows_per_request": rows})
    table = Model.model_validate({"name": "test-model", "base_url": url, "concurrency": AT_ONCE} | model)
    path = folder / "recipe.toml"
    path.write_text(to_toml(recipe.model_copy(update={"prompt": prompt, "model": table}), {}, folder))
    return path


def grow(
    folder: Path,
    server: Sequence[str],
    rows: int = ROWS,
    key: str = "",
    options: Sequence[str] = (),
    python: Sequence[str] = (),
    **model: Any,
) -> Ended:
    """One whole run by the command line, in ``folder/out``, against a server with these arguments."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"OPENAI_API_KEY": key} if key else {})
    with server_process(*server) as url:
        recipe = write_recipe(folder, url, **model)
        command = [sys.executable, *python, "-m", "selfinstruct", "run", str(recipe), "--rows", str(rows)]
        command += ["--out", str(folder / "out"), "--json", *options]
        begun = time.perf_counter()
        try:
            done = subprocess.run(command, capture_output=True, env=environment, timeout=HANG, check=False)
            code, said, words = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as hung:
            code, said, words = None, b"", hung.stderr or b""
        seconds = time.perf_counter() - begun
        with urllib.request.urlopen(url.removesuffix("/v1") + "/ledger") as reply:
            counts = json.load(reply)
    path = folder / "out" / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    RUNS.append(Ended(code, seconds, (said + words).decode("utf-8", "replace"), summary, counts))
    return RUNS[-1]


# --- 1: the table ------------------------------------------------------------------------------------------------


def seed_for(faults: dict[str, float], clean: int) -> int:
    """The first seed with which the first ``clean`` calls, and no more, meet no fault."""
    for seed in range(1_000_000):
        behaviour = Behaviour(faults=faults, seed=seed)
        if behaviour.draw(clean + 1)[0] and not any(behaviour.draw(number)[0] for number in range(1, clean + 1)):
            return seed
    raise AssertionError("no seed")


def table() -> bool:
    """Each fault alone, then all mixed, then those that end a run."""
    with tempfile.TemporaryDirectory() as folder:
        plain = grow(Path(folder), ["--latency", str(LATENCY)])
    needed = plain.counts["requests"]
    setting = f"{AT_ONCE} at once, {LATENCY * 1e3:.0f} ms a reply, {DEADLINE:g} s at most"
    print(f"\n{ROWS:,} rows, {ROWS_A_CALL} a call, {setting}; each fault in {RATE:.0%} of the calls, as the server")
    print("counted; the first call of all, the preflight, is always one of them.")
    print(f"  needed  the calls of the same run without a fault: {needed}, in {plain.seconds:.1f} s")
    print("  lost    faults that leave no row of a reply; kept: those that leave some, or all")
    print(
        f"  beyond  calls beyond needed + lost + kept, to be {MOST_BEYOND:.0%} at most; strict: beyond needed + lost\n"
    )
    print("fault           quota  calls   lost   kept  beyond  strict  seconds  failed and refused")
    names = [name for name, fault in FAULTS.items() if name not in ("quota", "denied") and not fault.lasting]
    good = [survives(name, {name: RATE}, needed) for name in names]
    good.append(survives("mixed", mixed(RATE), needed))
    print("\nfault that ends a run  exit  calls after it  rows kept  seconds  words")
    good += [ends(f"{name}:{variant}") for name in ("quota", "denied") for variant in FAULTS[name].variants]
    good += [refused("a wrong key", ["--key", "right"], "the-wrong-key"), refused("no such model", ["--model", "m"])]
    hung, uncaught = sum(run.code is None for run in RUNS), sum(run.uncaught for run in RUNS)
    print(
        f"\n{len(RUNS)} runs: hung {hung}, with an uncaught error {uncaught}; {sum(good)} of {len(good)} as they should"
    )
    return all(good)


def survives(name: str, faults: dict[str, float], needed: int) -> bool:
    """Print a row of the table: one fault that a run comes through."""
    server = ["--fault", name, "--rate", str(RATE), "--seed", str(seed_for(faults, 0)), "--latency", str(LATENCY)]
    with tempfile.TemporaryDirectory() as folder:
        run = grow(Path(folder), server, timeout=DEADLINE)
    calls, lost, kept = (run.counts.get(kind, 0) for kind in ("requests", "lost", "kept"))
    lost += run.counts.get("fatal", 0)
    beyond = calls / (needed + lost + kept) - 1
    strict = calls / (needed + lost) - 1
    counted = {**run.summary.get("failed", {}), **run.summary.get("rejected", {})}
    why = ", ".join(f"{count} {reason}" for reason, count in counted.items())
    met = run.summary.get("accepted") == ROWS
    good = met and run.code == 0 and not run.uncaught and beyond <= MOST_BEYOND
    quota = "met" if met else f"{run.summary.get('accepted', 0)}"
    ending = "" if good else f"  FAILED: exit {run.code}{' (hung)' if run.code is None else ''} {run.words[-400:]}"
    counts = f"{calls:6} {lost:6} {kept:6} {beyond:7.1%} {strict:7.1%}"
    print(f"{name:15} {quota:>5} {counts} {run.seconds:8.1f}  {why}{ending}", flush=True)
    return good


def ends(name: str) -> bool:
    """Print a row of the second table: a fault after which no call can succeed; ten calls come through before it."""
    server = ["--fault", name, "--rate", str(RATE), "--seed", str(seed_for({name: RATE}, 10))]
    with tempfile.TemporaryDirectory() as folder:
        run = grow(Path(folder), [*server, "--latency", "0.1"], options=["--quiet"])
        rows = Path(folder, "out", "rows.jsonl").read_bytes().count(b"\n")
    after, kept = run.counts.get("after-fatal", 0), run.summary.get("accepted", 0)
    good = run.code == 3 and after <= AT_ONCE and kept == rows > 0 and not run.uncaught
    show_end(name, run, str(after), str(kept), good)
    return good


def refused(name: str, server: Sequence[str], key: str = "") -> bool:
    """Print a row of the second table: what the preflight finds before anything is planned."""
    with tempfile.TemporaryDirectory() as folder:
        run = grow(Path(folder), server, key=key, options=["--quiet"])
    after = run.counts["requests"] - 1
    good = run.code == 3 and after == 0 and not run.uncaught
    show_end(name, run, str(after), "-", good)
    return good


def show_end(name: str, run: Ended, after: str, kept: str, good: bool) -> None:
    """One line of the second table; the port is not the same twice."""
    told = run.words.partition("goes on from there.")
    words = " / ".join(line.strip() for line in (told[2] or told[0]).splitlines() if line.strip())
    words = words.replace("selfinstruct: ", "").replace(f"http://127.0.0.1:{_port(words)}/v1", "URL")
    print(
        f"{name:22} {run.code!s:>4} {after:>15} {kept:>10} {run.seconds:8.1f}  {words}{'' if good else '  FAILED'}",
        flush=True,
    )


def _port(words: str) -> str:
    return words.partition("http://127.0.0.1:")[2].partition("/")[0]


# --- 3: the storm ------------------------------------------------------------------------------------------------


def storm() -> bool:
    """Ten seconds of 429s in the middle of a run, and how soon it is back to where it was."""
    begin, length, at_once, latency, a_call = 8.0, 10.0, 32, 0.25, 2
    rows = int(at_once / latency * a_call * 30)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        server = ["--latency", str(latency), "--storm", f"{begin}:{length}", "--log", str(log)]
        run = grow(Path(folder), server, rows, options=["--quiet"], concurrency=at_once, rows_per_request=a_call)
        billed = [json.loads(line)["at"] for line in log.read_text().splitlines()]
    usual = median(sum(second <= at < second + 1 for at in billed) for second in range(4, int(begin)))
    over = begin + length
    steps = (over + step / 10 for step in range(600))
    back = next((at - over for at in steps if sum(at <= each < at + 1 for each in billed) >= 0.9 * usual), None)
    lost = run.counts["billed"] - (run.summary["requests"] - run.counts["storm"])
    good = run.code == 0 and run.summary["accepted"] == rows and lost == 0 and back is not None and back <= 60
    again = "never" if back is None else f"{back:.1f} s"
    print(
        f"\nA storm of {length:.0f} s of 429s, {begin:.0f} s after the start; {at_once} at once, {latency} s a reply:"
    )
    print(
        f"  {run.summary['accepted']:,} of {rows:,} rows, {lost} replies lost; {run.counts['storm']} calls into it;\n"
        f"  {usual:.0f} replies a second before, 90 % of that again {again} after its end{'' if good else '  FAILED'}",
        flush=True,
    )
    return good


# --- 5: the canary -----------------------------------------------------------------------------------------------

#: With characters that JSON, pages and addresses escape.
KEY = "sk-canary/7f3a9b+1c5d2e4f60<&>Zq=="
_FATAL_LATE = ["--fault", "denied", "--rate", "0.05", "--seed", "4"]
_UNCAUGHT = """
import asyncio, logging, sys, traceback
from selfinstruct import api
logging.basicConfig(level=logging.DEBUG)
try:
    asyncio.run(api.run_async(sys.argv[1], rows=200, out=sys.argv[2]), debug=True)
except BaseException as error:
    print(*traceback.TracebackException.from_exception(error).format(), file=sys.stderr)
raise SystemExit(7)
"""


def traces(data: bytes, key: str = KEY) -> int:
    """Count the key, 12 characters of its middle, and its base64 at any offset in ``data``."""
    raw = key.encode()
    encoded = [base64.b64encode(b"x" * shift + raw)[4:-8] for shift in range(3)]
    looked_for = [raw, raw[10:22], json.dumps(key)[1:-1].replace("/", "\\/").encode(), *encoded]
    return sum(data.count(each) for each in looked_for)


def canary() -> bool:
    """Runs with a key that the endpoint shows in all that it says; every byte that they leave is searched for it."""
    print(f"\nA canary key, which the server repeats in errors, pages and headers ({len(KEY)} characters):", flush=True)
    table = {
        "every fault mixed": ["--fault", "mixed", "--rate", "0.5", "--latency", "0.01"],
        "ended by a refusal": _FATAL_LATE,
        "refused at once": ["--key", "another"],
        "no such model": ["--model", "another"],
    }
    found = 0
    for name, server in table.items():
        for python in ((), ("-X", "dev")):
            with tempfile.TemporaryDirectory() as folder:
                run = grow(Path(folder), [*server, "--repeat-key"], 300, KEY, python=python, timeout=DEADLINE)
                files, size, hits = searched(Path(folder), run.words.encode())
            found += hits
            how = " ".join(("exit", str(run.code), *python))
            print(f"  {name:20} {how:14} {files:3} files, {size:9,} bytes: {hits} hits", flush=True)
    found += tracebacks()
    return found == 0


def searched(folder: Path, words: bytes) -> tuple[int, int, int]:
    """Return the number of files, their bytes including ``words``, and the number of occurrences of the key."""
    texts = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()] + [words]
    return len(texts) - 1, sum(map(len, texts)), sum(map(traces, texts))


def tracebacks() -> int:
    """The library with debug logs of every package, asyncio's debug mode, and an error that nobody catches."""
    hits = 0
    for name, server in (("a late refusal", _FATAL_LATE), ("a wrong key", ["--key", "another"])):
        with tempfile.TemporaryDirectory() as folder, server_process(*server, "--repeat-key") as url:
            recipe = write_recipe(Path(folder), url)
            command = [sys.executable, "-X", "dev", "-c", _UNCAUGHT, str(recipe), str(Path(folder, "out"))]
            environment = os.environ | {"OPENAI_API_KEY": KEY, "OPENAI_LOG": "debug", "PYTHONPATH": str(ROOT)}
            done = subprocess.run(command, capture_output=True, env=environment, timeout=HANG, check=False)
            files, size, found = searched(Path(folder), done.stdout + done.stderr)
        traced = b"Traceback" in done.stderr
        how = "traceback" if traced else "no traceback!"
        print(f"  {name:20} {how:14} {files:3} files, {size:9,} bytes: {found} hits", flush=True)
        hits += found + (not traced)
    return hits


if __name__ == "__main__":
    sys.exit(main())
