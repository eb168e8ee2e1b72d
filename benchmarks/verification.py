"""How many wrong answers a second opinion finds, and how many right ones it refuses.

    python -m benchmarks.verification [--rows 2000] [--seed 1]

Rows are grown from the seed files of logs in this repository. A tenth gets a wrong answer: another slot of the line,
another number of it, the answer without its negation, or the value of another line. They are judged in the order of a
run, once by the embedded reader, once by three votes of a scripted model that reads right, except for the given share.
The seconds are those of the process, with and without the embedded reader.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from selfinstruct import api
from selfinstruct.checks.agreement import conventions
from selfinstruct.growth import ReaderFields, SecondOpinion
from selfinstruct.growth.step_reply import Draft, StepReply
from selfinstruct.growth.votes import count_votes
from selfinstruct.recipe import Recipe, Verify, parse_recipe
from selfinstruct.records import Row

SEEDS = Path(__file__).parents[1] / "seeds"
FILES = ("logqa", "sshd", "hdfs")
TABLE = Verify(reads=("RawLog", "Question"), answers="Answer")
#: Shares of rows with a wrong answer, and of replies of the scripted model that are wrong.
WRONG, MISREAD = 0.1, 0.03
_WORD = re.compile(r"[\w./:-]*\w")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def plant(row: Row, rows: Sequence[Row], rng: Random) -> tuple[str, str] | None:
    """A kind of error and a wrong answer, or None."""
    answer, line = row["Answer"], row["RawLog"]
    words = [word for word in _WORD.findall(line) if word not in answer and answer not in word]
    numbers = [word for word in words if _NUMBER.fullmatch(word)] if _NUMBER.fullmatch(answer) else []
    after = re.search(r"\bnot (\w+)", line) if re.search(r"\bnot\b", answer) else None
    others = [other["Answer"] for other in rng.sample(rows, 20) if other["Answer"] not in line]
    choices = {
        "slot": words,
        "number": numbers,
        "negation": [after[1]] if after else [],
        "other line": others,
    }
    kinds = [kind for kind, found in choices.items() if found]
    if not kinds:
        return None
    # A negation is rare; where there is one, it is dropped.
    kind = "negation" if after else rng.choice(kinds)
    return kind, rng.choice(choices[kind])


def embedded(rows: Sequence[Row], given: Sequence[str], recipe: Recipe, seeds: Sequence[Row]) -> list[bool]:
    """Whether the embedded reader refuses each row with its given answer, as in a run."""
    convention = conventions([TABLE], seeds)["Answer"]
    opinion = SecondOpinion(TABLE, ReaderFields.of(TABLE, recipe, seeds), convention)
    for seed in seeds:
        opinion.add(seed)
    refused = []
    for row, answer in zip(rows, given, strict=True):
        shown = {**row, "Answer": answer}
        refused.append(opinion.rejection(shown) is not None)
        if not refused[-1]:
            opinion.add(shown)
    return refused


def voted(rows: Sequence[Row], given: Sequence[str], seeds: Sequence[Row], rng: Random) -> list[bool]:
    """Whether three votes of a scripted model, which misreads some rows, refuse each row with its given answer."""
    convention = conventions([TABLE], seeds)["Answer"]
    return [_is_voted_down(row, answer, convention, rng) for row, answer in zip(rows, given, strict=True)]


def _is_voted_down(row: Row, answer: str, convention: object, rng: Random) -> bool:
    replies: dict[str, StepReply | None] = {}
    while (count := count_votes(TABLE.ballots, replies, answer, convention)).calls:  # type: ignore[arg-type]
        for key in count.calls:
            read = rng.choice(_WORD.findall(row["RawLog"])) if rng.random() < MISREAD else row["Answer"]
            replies[key] = StepReply((Draft({"answer": read}, ""),))
    return count.rejection is not None


def measure(name: str, size: int, seed: int) -> Iterator[str]:
    """The lines of the table for one seed file."""
    rng = Random(seed)
    file = SEEDS / f"{name}.jsonl"
    seeds = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        plain, rows = _grown(str(file), size, seed, Path(folder) / "plain")
        text = api.init(file, Path(folder) / "recipe.toml")
        table = '\n[[verify]]\nreads = ["RawLog", "Question"]\nanswers = "Answer"\n'
        (Path(folder) / "recipe.toml").write_text(text + table, encoding="utf-8")
        verified, _ = _grown(str(Path(folder) / "recipe.toml"), size, seed, Path(folder) / "verified")
        recipe = parse_recipe(text, "recipe.toml", Path(folder))
    rng.shuffle(rows)
    wrong: dict[int, tuple[str, str]] = {}
    for at, row in enumerate(rows):
        if rng.random() < WRONG and (planted := plant(row, rows, rng)) is not None:
            wrong[at] = planted
    given = [wrong[at][1] if at in wrong else row["Answer"] for at, row in enumerate(rows)]
    for reader, refused in (
        ("embedded", embedded(rows, given, recipe, seeds)),
        ("model", voted(rows, given, seeds, rng)),
    ):
        kinds = Counter(kind for kind, _ in wrong.values())
        found = Counter(wrong[at][0] for at in wrong if refused[at])
        falsely = sum(1 for at, each in enumerate(refused) if each and at not in wrong)
        caught = " | ".join(f"{found[kind]} of {kinds[kind]}" for kind in ("slot", "number", "negation", "other line"))
        share = f"{sum(found.values()) / len(wrong):.1%} | {falsely / (len(rows) - len(wrong)):.1%}"
        seconds = f"{plain:.1f} | {verified:.1f}" if reader == "embedded" else "| "
        yield f"| {name} | {reader} | {len(rows)} | {caught} | {share} | {seconds} |"


def _grown(source: str, size: int, seed: int, out: Path) -> tuple[float, list[Row]]:
    """The processor seconds of a run, and its rows."""
    started = time.process_time()
    api.run(source, rows=size, seed=seed, out=out)
    seconds = time.process_time() - started
    lines = (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    return seconds, [json.loads(line) for line in lines]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print("| seeds | reader | rows | slot | number | negation | other line | found | right refused | s | s verified |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in FILES:
        for line in measure(name, arguments.rows, arguments.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
