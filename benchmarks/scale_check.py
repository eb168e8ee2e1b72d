"""`check --engine ray` beside one process: the same findings, seconds, processor time, memory.

    python -m benchmarks.scale check                                  10^4 and 10^5 rows of every stream, 2 workers
    python -m benchmarks.scale check --rows 1000000 --stream natural --rules inferred

The rows have every kind of finding planted into a stream of ``benchmarks.streams``. The rules are inferred, with
a threshold of 0.95, or those of a recipe with a threshold of 0.7. Each way runs in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import scale, streams

_RECIPE = """name = "planted"
[seeds]
file = "seeds.jsonl"
[categories]
by = "field"
field = "label"
[novelty]
fields = ["text"]
max_rouge_l = 0.7
[fields.id]
unique = true
[fields.text]
[fields.label]
answer = true
"""
_LABELS = ("billing", "delivery", "other")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale check", description=__doc__.partition("\n")[0])
    parser.add_argument("--stream", choices=["logs", "natural", "chinese"])
    parser.add_argument("--rules", choices=["inferred", "recipe"])
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[2])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # way, source, recipe or "": in a process
    given = parser.parse_args(sys.argv[2:])
    if given.one:
        print(json.dumps(_one(*given.one)))
        return
    for rows in given.rows:
        for stream in [given.stream] if given.stream else ["logs", "natural", "chinese"]:
            with _planted(stream, rows) as folder:
                for rules in [given.rules] if given.rules else ["inferred", "recipe"]:
                    _compare(f"{stream} {rules} {rows:,}", folder, rules, given.workers)


def _compare(name: str, folder: Path, rules: str, workers: list[int]) -> None:
    """Print a line for each way."""
    expected = None
    for way in ["local", *(f"ray-{count}" for count in workers)]:
        recipe = str(folder / "recipe.toml") if rules == "recipe" else ""
        command = [sys.executable, "-m", "benchmarks.scale", "check", "--one", way, str(folder / "shards"), recipe]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
        digest = found.pop("digest")
        expected = expected or digest
        same = "same findings" if digest == expected else "OTHER FINDINGS"
        line = " ".join(f"{key} {value}" for key, value in found.items())
        print(f"check {name} {way}: {same} {line} load {os.getloadavg()[0]:.0f}", flush=True)


@contextlib.contextmanager
def _planted(stream: str, rows: int) -> Iterator[Path]:
    """A folder with 8 shards and a recipe, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="scale-check-") as name:
        folder = Path(name)
        (folder / "shards").mkdir()
        (folder / "recipe.toml").write_text(_RECIPE)
        seeds = [{"id": f"s{at}", "text": f"a text about {label}", "label": label} for at, label in enumerate(_LABELS)]
        (folder / "seeds.jsonl").write_text("".join(f"{json.dumps(seed)}\n" for seed in seeds))
        texts = iter(_rows(getattr(streams, stream)(Random(1), 0.7, lambda: rows)))
        for shard in range(8):
            with (folder / "shards" / f"{shard}.jsonl").open("w", encoding="utf-8") as file:
                for row in islice(texts, rows // 8 + (shard < rows % 8)):
                    file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
        yield folder


def _rows(texts: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Rows of these texts, of which one in a hundred has a fault."""
    draw, last = Random(2), list[dict[str, Any]]()
    for number, text in enumerate(texts):
        row = {"id": f"r{number}", "text": text, "label": draw.choice(_LABELS)}
        kind = draw.randrange(800)
        if last and kind == 0:
            row = dict(draw.choice(last))
        elif last and kind == 1:
            row["text"] = draw.choice(last)["text"]
        elif last and kind == 2:
            row["id"] = draw.choice(last)["id"]
        elif kind == 3:
            row["text"] += " write to john.smith@corp-mail.com"
        elif kind in (4, 5):
            row["text"] = ("TODO", "")[kind - 4]
        elif kind == 6:
            row["label"] = "Billing "
        elif kind == 7:
            row["text"] += " cafÃ©"
        last = [*last[-200:], row]
        yield row


def _one(way: str, source: str, recipe: str) -> dict[str, Any]:
    """Check in this process, or on workers that it starts; what that took."""
    from selfinstruct import api

    found, took = scale.measured(way, lambda **engine: api.check(source, recipe=recipe or None, **engine))
    digest = hashlib.sha256(json.dumps(found.to_dict()).encode()).hexdigest()
    return {"digest": digest, "findings": len(found.findings)} | took
