"""The service under attack by schemathesis, which makes requests from its OpenAPI document, alone and in sequences.

    python -m benchmarks.service_fuzz --examples 600

Counts the requests that the service answered, by status, from its own figures; reports errors of the service (5xx) and
answers that differ from the document. What is only refused because of values that depend on each other, or on what
there is, is no violation; so the check ``positive_data_acceptance`` is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

_TOKEN = "a-token-of-the-benchmark"
_CONFIG = "[limits]\nrunning = 1\njobs = 3\nrows = 200\nupload_bytes = 20000\n"
_LEFT_OUT = "positive_data_acceptance"
_PHASES = "examples,coverage,fuzzing,stateful"
_COUNTED = re.compile(r'selfinstruct_requests_total\{.*status="(\d+)"\} (\S+)')


def main() -> int:
    """Run the attack and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=600, help="cases of each operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=900, help="the most that it may take")
    parser.add_argument("--output", type=Path, help="write the findings there, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = attack(Path(folder), arguments.examples, arguments.seed, arguments.seconds)
    text = json.dumps(found, indent=2)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text + "\n")
    return int(bool(found["server_errors"] or found["violations"]))


def attack(folder: Path, examples: int, seed: int, seconds: int, phases: str = _PHASES) -> dict[str, Any]:
    """Start a service in ``folder``, attack it, and return the counts of its answers and what was wrong."""
    (folder / "service.toml").write_text(_CONFIG)
    log = folder / "log"
    with log.open("w") as stream:
        service = subprocess.Popen(
            [sys.executable, "-m", "selfinstruct", "serve", "runs", "--port", "0", "--config", "service.toml"],
            cwd=folder,
            env={**os.environ, "SELFINSTRUCT_TOKEN": _TOKEN, "SELFINSTRUCT_LANG": "en"},
            stderr=stream,
        )
    try:
        address = _address(log)
        started = time.monotonic()
        violations = _schemathesis(folder, address, examples, seed, seconds, phases)
        answered = _answered(address)
        took = time.monotonic() - started
    finally:
        service.terminate()
        ended = service.wait(timeout=15)
    internal = [line for line in log.read_text().splitlines() if '"internal error"' in line]
    return {
        "requests": sum(answered.values()),
        "answers": dict(sorted(answered.items())),
        "server_errors": sum(count for status, count in answered.items() if status >= "500") + len(internal),
        "internal": internal[:5],
        "violations": violations,
        "seconds": round(took),
        "exit": ended,
    }


def _address(log: Path) -> str:
    """The address that a service has printed, once it has."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := re.search(r"^Open (\S+?)/\?token=", log.read_text(), re.MULTILINE):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"the service did not start:\n{log.read_text()}")


def _schemathesis(folder: Path, address: str, examples: int, seed: int, seconds: int, phases: str) -> list[str]:
    """The failures that schemathesis found, one line each."""
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}/openapi.json"),
        *(
            "-H",
            f"Authorization: Bearer {_TOKEN}",
            "--exclude-checks",
            _LEFT_OUT,
            "--phases",
            phases,
        ),
        *("-n", str(examples), "--seed", str(seed), "--continue-on-failure", "--request-timeout", "130", "--no-shrink"),
        *("--suppress-health-check", "all", "--no-color", "--warnings", "off", "--generation-database", "none"),
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return [f"not finished after {seconds} s", *re.findall(r"^- (.*)$", output, re.MULTILINE)]
    print(done.stdout[-4000:], file=sys.stderr)
    return re.findall(r"^- (.*)$", done.stdout, re.MULTILINE)


def _answered(address: str) -> Counter[str]:
    """The requests that the service answered, by status."""
    request = urllib.request.Request(f"{address}/metrics", headers={"Authorization": f"Bearer {_TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read().decode()
    counts: Counter[str] = Counter()
    for status, count in _COUNTED.findall(text):
        counts[status] += int(float(count))
    return counts


if __name__ == "__main__":
    sys.exit(main())
