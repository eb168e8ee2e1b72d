"""False relations: mined on one half of generated files, tested on the other; planted violations; cost.

    python -m benchmarks.relations [--seed 1] [--output benchmarks/results/relations.md]

Each of the files has 40 to 200 rows and looks like one that people have. Reported are the relations that are claimed
on one half, those that the other half breaks (by any row, and in more than a tenth of the rows), the violations planted
one by one into the first half that ``check`` finds, false alarms in the whole files and in the shipped seeds, and the
time for 10,000 rows of 12 fields.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.relation_tables import TABLES, Row, bookings, day, prose
from benchmarks.relation_texts import TEXTS
from selfinstruct.analysis.gate import find_problems
from selfinstruct.mining.relations import InferredRelation, infer_relations
from selfinstruct.recipe.relation_paths import parse_pattern
from selfinstruct.rows.leaves import Path as LeafPath
from selfinstruct.rows.leaves import leaves, replace_leaves

SEEDS = Path(__file__).resolve().parent.parent / "seeds"


@dataclass
class Result:
    """The figures of one file."""

    name: str
    rows: int
    claimed: list[InferredRelation]
    broken: list[str] = field(default_factory=list)
    much_broken: int = 0
    planted: int = 0
    missed: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


def examine(name: str, seed: int) -> Result:
    """Mine one half of a file, test the other half, and plant a violation of each relation."""
    r = random.Random(f"{name}{seed}")
    make = {**TABLES, **TEXTS}[name]
    rows = [make(r) for _ in range(r.randint(40, 200))]
    half, rest = rows[::2], rows[1::2]
    result = Result(name, len(rows), infer_relations(half))
    for inferred in result.claimed:
        messages = [message for row in rest if (message := inferred.relation.violation(row))]
        result.much_broken += len(messages) > 0.1 * len(rest)
        if messages:
            result.broken.append(f"{inferred.reason}, broken in {len(messages)} of {len(rest)}: {messages[0]}")
        damaged = next(_violations(inferred, half, r), None)
        if damaged is None:
            continue
        result.planted += 1
        findings = find_problems([*half[1:], damaged]).findings
        if not any(finding.line == len(half) and finding.severity == "error" for finding in findings):
            result.missed.append(f"{inferred.reason}: {damaged}")
    result.alarms = [finding.message for finding in find_problems(rows).findings if finding.reason == "relation"]
    return result


def _violations(inferred: InferredRelation, rows: Sequence[Row], r: random.Random) -> Iterator[Row]:
    """Yield copies of the first row with one changed value, in which a relation no longer holds."""
    relation, row = inferred.relation, copy.deepcopy(rows[0])
    patterns = {parse_pattern(path) for path in relation.paths}
    found = leaves(row)
    paths = [path for path in found if tuple(None if isinstance(step, int) else step for step in path) in patterns]
    paths += [path for path in found if path not in paths and any(path[0] == pattern[0] for pattern in patterns)]
    for path in paths:
        for value in _changed(found[path], path, rows, r):
            damaged = replace_leaves(row, {path: value})
            if relation.violation(damaged) is not None:
                yield damaged
    for pattern in patterns:
        items = row.get(str(pattern[0]))
        if isinstance(items, list) and items:
            for changed in (items[:-1], [*items, items[0]], items[::-1]):
                damaged = {**row, str(pattern[0]): changed}
                if relation.violation(damaged) is not None:
                    yield damaged


def _changed(value: Any, path: LeafPath, rows: Sequence[Row], r: random.Random) -> Iterator[Any]:
    """Yield wrong values in the place of one: other numbers, other digits, that of another row, none that is known."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        step = 1 if isinstance(value, int) else 1.5
        yield from (value + step, value - step, value + 10 * step, -value - step, value * 10**6 + step)
        return
    text = str(value)
    places = [at for at, character in enumerate(text) if character.isdigit()]
    for at in places[::-1]:
        yield text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
        yield text[:at] + "9" + text[at:]
    for other in r.sample(list(rows[1:]), min(10, len(rows) - 1)):
        found = leaves(other).get(path)
        if isinstance(found, str) and found != value:
            yield found
    yield from ("Zanzibar", text + " x", text[1:], "Q", "nobody at home", "1066-13-45", f"{text} Zanzibar 77123")


def _shipped_alarms() -> tuple[int, int]:
    """Return the number of shipped seed files, and of findings in them that are about relations."""
    files = [file for pattern in ("*.jsonl", "*/rows.jsonl", "*.csv") for file in sorted(SEEDS.glob(pattern))]
    return len(files), sum(f.reason == "relation" for file in files for f in find_problems(str(file)).findings)


def _cost(seed: int) -> str:
    r = random.Random(seed)
    wide = [
        bookings(r)
        | {"age": r.randint(1, 99), "note": prose(r), "score": r.random()}
        | {"k": r.randint(0, 9), "born": str(day(r)), "z": prose(r, 3)}
        for _ in range(10_000)
    ]
    begun = time.perf_counter()
    count = len(infer_relations(wide))
    return f"10,000 rows of {len(wide[0])} fields: {count} relations in {time.perf_counter() - begun:.1f} s."


def report(results: Sequence[Result], seed: int) -> str:
    """Return the table and the totals as Markdown."""
    claimed, broken = sum(len(one.claimed) for one in results), sum(len(one.broken) for one in results)
    much, planted = sum(one.much_broken for one in results), sum(one.planted for one in results)
    missed, alarms = sum(len(one.missed) for one in results), sum(len(one.alarms) for one in results)
    files, shipped = _shipped_alarms()
    kinds = Counter(inferred.relation.kind for one in results for inferred in one.claimed)
    lines = [
        "# False relations",
        "",
        "Relations mined on one half of generated files and tested on the other half; one violation of each planted",
        f"into the first half. `python -m benchmarks.relations --seed {seed}`",
        "",
        "| file | rows | claimed | broken in the other half | planted | found by `check` | false alarms |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {one.name} | {one.rows} | {len(one.claimed)} | {len(one.broken)} | {one.planted} | "
            f"{one.planted - len(one.missed)} | {len(one.alarms)} |"
            for one in results
        ),
        f"| **{len(results)} files** | {sum(one.rows for one in results)} | {claimed} | {broken} | {planted} | "
        f"{planted - missed} | {alarms} |",
        "",
        f"{broken} of {claimed} relations broken by any row of the other half "
        f"({100 * broken / max(claimed, 1):.1f} %), {much} by more than a tenth of its rows. "
        f"{planted - missed} of {planted} planted violations found. "
        f"{alarms} false alarms in these files, {shipped} in {files} shipped seed files.",
        "",
        f"Kinds: {', '.join(f'{kind} {count}' for kind, count in kinds.most_common())}.",
        "",
        _cost(seed),
        "",
        "## Relations",
        "",
    ]
    for one in results:
        lines += [f"- {one.name}: {'; '.join(each.relation.describe() for each in one.claimed) or 'none'}"]
        lines += [f"    - broken: {each}" for each in one.broken]
        lines += [f"    - not found: {each}" for each in one.missed]
        lines += [f"    - false alarm: {each}" for each in one.alarms]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the report, or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="names of generated files [default: all]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    results = [examine(name, options.seed) for name in options.files or [*TABLES, *TEXTS]]
    text = report(results, options.seed)
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
