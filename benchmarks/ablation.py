"""What each kind of question about raw lines brings to a reader, and how many rows and lines it takes.

    python -m benchmarks.ablation --seeds seeds.jsonl --passages app.log --holdout human.jsonl

Seeds and holdout have the fields Question, Answer and RawLog; the log has a line for each passage. Lines of the holdout
are left out. The embedded reader is trained on the seeds and on questions that are drawn as in a run, but not judged,
with some kinds or most of the lines left out; each line of the table is one training with the same number of examples.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from selfinstruct.asking import Asker, Style, draw
from selfinstruct.readers import Example, SpanReader

_EXAMPLES = 6000
#: Kinds of question whose answer is a word that all lines of a template share.
_CONSTANT = frozenset(
    ("status", "happened", "is-it", "result", "doing", "component", "why", "what-subject", "severity")
)


def main() -> None:
    """Parse the arguments, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("seeds", "passages", "holdout"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1000)
    arguments = parser.parse_args()
    seeds, tests = _examples(arguments.seeds), _examples(arguments.holdout)
    kept_out = {each.context for each in (*seeds, *tests)}
    lines = [line for line in arguments.passages.read_text("utf-8").splitlines() if line.strip()]
    lines = [line for line in dict.fromkeys(lines) if line not in kept_out]
    style = Style.of([(each.question, each.answer, each.context) for each in seeds])
    asked = _draw(lines, style, 3 * arguments.rows)
    kinds = Counter(kind for kind, _ in asked[: arguments.rows])
    print(f"{len(seeds)} seeds, {len(lines)} lines, {len(tests)} test rows\n")
    print(f"{'training':42} {'rows':>6} {'exact':>7}")

    def measure(name: str, grown: Iterable[Example], with_seeds: bool = True) -> None:
        rows = [*(seeds if with_seeds else ()), *list(grown)[: arguments.rows]]
        reader = SpanReader(epochs=max(1, round(_EXAMPLES / max(len(rows), 1)))).fit(rows)
        right = sum(reader.predict(each.question, each.context).answer == each.answer for each in tests)
        print(f"{name:42} {len(rows):6} {right / len(tests):7.1%}", flush=True)

    measure("seeds alone", ())
    for rows in (30, 100, 300, 1000, 3000):
        if rows <= arguments.rows:
            measure(f"and {rows} rows", (example for _, example in asked[:rows]))
    measure("no seeds", (example for _, example in asked), with_seeds=False)
    default = _draw(lines, Style.default("en"), arguments.rows)
    measure("no seeds, nor their style", (example for _, example in default), with_seeds=False)
    for count in (30, 100, 300):
        some = Random(1).sample(lines, min(count, len(lines)))
        measure(f"of {count} lines", (example for _, example in _draw(some, style, arguments.rows)))
    measure("without answers that are constant words", (example for kind, example in asked if kind not in _CONSTANT))
    for left_out, count in kinds.most_common(10):
        others = [example for kind, example in asked if kind != left_out]
        measure(f"without {left_out} ({count / arguments.rows:.0%})", others)


def _draw(lines: Sequence[str], style: Style, count: int) -> list[tuple[str, Example]]:
    asker = Asker(lines, style)
    return [(each.kind, Example(each.text, lines[at], each.answer)) for at, each in draw(asker, count, Random(1))]


def _examples(path: Path) -> list[Example]:
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [Example(row["Question"], row["RawLog"], row["Answer"]) for row in rows]


if __name__ == "__main__":
    main()
