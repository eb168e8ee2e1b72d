"""Parts alone under fire: the budget of a backend at 256 calls at once, and the parser on 10,000 malformed replies.

Run by ``python -m benchmarks.faults``.
"""

from __future__ import annotations

import asyncio
import html
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, TypeAlias

from selfinstruct.backends.budget import Budget, BudgetSpent, cost
from selfinstruct.backends.openai.backend import OpenAIBackend
from selfinstruct.recipe import Model, Price
from selfinstruct.records import Batch, Message, Request, Usage
from selfinstruct.replies import parse_reply
from selfinstruct.testing import Behaviour, FaultServer, content
from selfinstruct.testing.exchange import Answer

Row: TypeAlias = dict[str, str]
SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"

# --- the budget --------------------------------------------------------------------------------------------------

KINDS = ("money", "tokens", "requests")
PRICE = Price(input=0.15, output=0.6)
AT_ONCE, LONGEST = 256, 200
#: Faults that are billed and bring nothing, or not the usage, and that leave 256 calls in flight.
_FAULTS = {"cut-body": 0.05, "no-choices": 0.03, "reasoning": 0.04, "usage": 0.03}


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run was allowed and, by the server's ledger, did cost; ``peak`` is the most calls at once."""

    kind: str
    limit: Decimal
    billed: Decimal
    counted: Decimal
    calls: int
    peak: int

    @property
    def overspent(self) -> bool:
        """Whether more was billed than allowed, or than the budget counted."""
        return not self.billed <= self.counted <= self.limit


async def spend(seed: int, kind: str) -> Spent:
    """One backend asked by 256 callers until its budget, of a random size, lets nobody through."""
    rng = Random(seed)
    share = rng.uniform(0.2, 1.2)  # of 256 calls at their worst
    tokens = int(share * AT_ONCE * (LONGEST + 400))
    limits: dict[str, Any] = {
        "tokens": tokens,
        "requests": int(share * 400),
        "money": cost(Usage(tokens // 2, tokens // 2), PRICE),
    }
    budget = Budget(**{kind: limits[kind]})
    behaviour = Behaviour(faults=_FAULTS, seed=seed, no_usage=1 / 3, latency=0.05, slow_share=0.1, slow_factor=3)
    model = Model(name="test-model", price=PRICE, concurrency=AT_ONCE, max_tokens=LONGEST)

    async def sleep(seconds: float) -> None:
        """A pause, cut short."""
        await asyncio.sleep(min(seconds, 0.001))

    async with FaultServer(behaviour, author=lambda messages, rng: "word " * rng.randint(1, 250)) as server:
        at = model.model_copy(update={"base_url": server.base_url})
        backend = await OpenAIBackend.connect(at, budget=budget, environ={}, sleep=sleep, rng=rng)

        async def call(number: int) -> None:
            """Ask until the budget is spent; what ends a call that was tried again is part of its failure."""
            message = Message("user", "Write some words. " * (1 + number % 16))
            while True:
                try:
                    outcome = await backend.complete(
                        Request(Batch(number, "", 1, 0, ()), "imitate", (message,), (), seed=number)
                    )
                except BudgetSpent:
                    return
                if getattr(outcome, "end", None) is not None:
                    return

        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(call(number))
        await backend.close()
    ledger, spent = server.ledger, budget.spent
    usage = Usage(sum(each.input for each in ledger.billed), sum(each.output for each in ledger.billed))
    billed = {
        "money": cost(usage, PRICE),
        "tokens": Decimal(usage.input + usage.output),
        "requests": Decimal(ledger.counts["requests"]),
    }
    counted = {"money": spent.money, "tokens": Decimal(spent.tokens), "requests": Decimal(spent.requests)}
    allowed = Decimal(str(limits[kind]))
    return Spent(kind, allowed, billed[kind], counted[kind], ledger.counts["requests"], ledger.peak)


def budget(runs: int = 100) -> bool:
    """``runs`` runs with a budget of money, and a tenth as many with each other kind."""
    print(
        f"\nBudgets, a backend alone: {AT_ONCE} callers at once, replies of 1 to {LONGEST} tokens, usage missing in a "
        f"third,\n{sum(_FAULTS.values()):.0%} faulty; billed is what the server's ledger says:",
        flush=True,
    )
    good = True
    for kind in KINDS:
        begun = time.perf_counter()
        done = [asyncio.run(spend(seed, kind)) for seed in range(runs if kind == "money" else runs // 10)]
        over = sum(each.overspent for each in done)
        shares = [each.billed / each.limit for each in done]
        good &= not over
        print(
            f"  {kind:9} {over} of {len(done)} runs overspent; billed {min(shares):.1%} to {max(shares):.1%} of the "
            f"limit, median {median(shares):.1%}; {sum(each.calls for each in done):,} calls, "
            f"up to {max(each.peak for each in done)} at once; {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    return good


# --- malformed replies -------------------------------------------------------------------------------------------

FIELDS = ("Question", "Answer", "RawLog")
#: Strings that the fault server's rewrites write themselves.
_WRITTEN = {"easy", "As shown above.", "以下内容改用另一种语言写成。"}
_LETTERS = "abc 123.,:;{}[]\"'\\/#*\n\t中“”‘’é😀&<>|-"
Writer: TypeAlias = Callable[[Sequence[Row], Random], str]


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(rows: Sequence[Row], between: str = ", ") -> str:
    return "[" + between.join(map(_dumps, rows)) + "]"


def _members(rows: Sequence[Row], member: Callable[[str, str], str], between: str = ", ") -> str:
    """Rows whose members are written by hand."""
    return "[" + ",\n".join("{" + between.join(member(k, v) for k, v in row.items()) + "}" for row in rows) + "]"


#: Forms in standard double quotes, whose structure can be damaged without touching a string.
QUOTED: dict[str, Writer] = {
    "list": lambda rows, rng: _list(rows),
    "rows": lambda rows, rng: f'{{"rows": {_list(rows, chr(10))}}}',
    "ascii": lambda rows, rng: json.dumps(list(rows), indent=rng.choice([None, 1])),
    "lines": lambda rows, rng: "\n".join(map(_dumps, rows)),
    "windows lines": lambda rows, rng: "\r\n".join(map(_dumps, rows)),
    "numbered": lambda rows, rng: "\n".join(f"{n}. {_dumps(row)}" for n, row in enumerate(rows, 1)),
    "fenced": lambda rows, rng: f"Here you are:\n```json\n{_list(rows, ',' + chr(10))}\n```\nDone.",
    "two fences": lambda rows, rng: "\n".join(f"```json\n{_dumps(row)}\n```" for row in rows),
    "thought": lambda rows, rng: f'<think>{{"Question": "draft"}}</think>{_list(rows)}',
    "missing commas": lambda rows, rng: "[" + "\n".join(map(_dumps, rows)) + "]",
    "never closed": lambda rows, rng: '{"rows": [' + ", ".join(map(_dumps, rows)),
    "closed twice": lambda rows, rng: f'{{"rows": {_list(rows)}}}}}]',
    "elided": lambda rows, rng: f"[{_dumps(rows[0])}, ..., {_dumps(rows[-1])}]",
    "a note after each": lambda rows, rng: "\n".join(f"{_dumps(row)} // fine, isn't it?" for row in rows),
    "undefined": lambda rows, rng: "[" + ", ".join(f'{_dumps(row)[:-1]}, "n": undefined}}' for row in rows) + "]",
    "hexadecimal": lambda rows, rng: "[" + ", ".join(f'{_dumps(row)[:-1]}, "n": 0x1F}}' for row in rows) + "]",
    "infinity": lambda rows, rng: "[" + ", ".join(f'{_dumps(row)[:-1]}, "n": 1e999}}' for row in rows) + "]",
    "columns": lambda rows, rng: _dumps({field: [row[field] for row in rows] for field in FIELDS}),
    "lists": lambda rows, rng: _dumps([list(row.values()) for row in rows]),
    "strings of rows": lambda rows, rng: _dumps({"rows": [_dumps(row) for row in rows]}),
    "a string of all": lambda rows, rng: _dumps({"rows": _list(rows)}),
    "encoded twice": lambda rows, rng: _dumps(_list(rows)),
}
#: Forms in which a string's end, or a row's, is not what the standard says.
ODD: dict[str, Writer] = {
    "nothing escaped": lambda rows, rng: _members(rows, lambda k, v: f'"{k}": "{v}"', rng.choice([", ", ",\n"])),
    "single, nothing escaped": lambda rows, rng: _members(rows, lambda k, v: f"'{k}': '{v}'"),
    "Python": lambda rows, rng: str(list(rows)),
    "JavaScript": lambda rows, rng: _members(rows, lambda k, v: f"{k}: {_dumps(v)}"),
    "glued": lambda rows, rng: _members(rows, lambda k, v: f'"{k}": {_dumps(v[:3])} + {_dumps(v[3:])}'),
    "backticks": lambda rows, rng: _members(rows, lambda k, v: f'"{k}": `{v}`'),
    "three quotes": lambda rows, rng: _members(rows, lambda k, v: f'"{k}": """{v}"""'),
    "typographic": lambda rows, rng: _members(rows, lambda k, v: f"“{k}”: “{v}”"),
    "typographic keys": lambda rows, rng: _members(rows, lambda k, v: f"“{k}”: {_dumps(v)}"),
    "no quotes": lambda rows, rng: _members(rows, lambda k, v: f"{k}: {v}"),
    "as in a page": lambda rows, rng: html.escape(_list(rows)),
    "odd escapes": lambda rows, rng: _members(rows, lambda k, v: f'"{k}": {_dumps(v)[:-1]}\\x41\\q"'),
    "tags": lambda rows, rng: "".join("".join(f"<{k}>{v}</{k}>" for k, v in row.items()) for row in rows),
    "a table": lambda rows, rng: "\n".join(f"| {' | '.join(cells)} |" for cells in [FIELDS, *map(dict.values, rows)]),
    "YAML": lambda rows, rng: "\n".join(f"- Question: {_dumps(row['Question'])}\n  Answer: |\n    b" for row in rows),
    "half a character": lambda rows, rng: _members(rows, lambda k, v: f'"{k}": {_dumps(v)[:-1]}\\ud83d"'),
}  # fmt: skip


def server_forms() -> dict[str, content.Rewrite]:
    """All that the fault server makes of a good reply."""
    tables: dict[str, Mapping[str, content.Rewrite]] = {
        "dress": content.DRESSES,
        "trap": content.TRAPS,
        "hostile": content.HOSTILE,
        "drift": content.DRIFTS,
        "length": content.LENGTHS | {"nothing": content.length_nothing},
        "reasoning": content.REASONING_ALONE | content.REASONING_BESIDE,
        "refusal": content.REFUSALS,
        "tool-calls": {"arguments": content.tool_call, "empty": content.tool_call_empty},
    }
    return {f"{table}:{name}": rewrite for table, forms in tables.items() for name, rewrite in forms.items()}


def rows_for(kind: str, rng: Random, seeds: Sequence[Row]) -> list[Row]:
    """One to eight rows, of odd characters or the seeds' own.

    Without quotes nothing says where a value with line breaks ends, or that it has blanks at its ends: there the rows
    are the seeds'. A writer that escapes nothing cannot write a backslash: it would say something else.
    """
    count = rng.randint(1, 8)
    if kind in ("dress:labelled", "no quotes") or rng.random() < 0.4:
        return [dict(rng.choice(seeds)) for _ in range(count)]
    letters = _LETTERS.replace("\\", "") if kind in ODD or kind == "dress:typographic-quotes" else _LETTERS
    return [{field: "".join(rng.choices(letters, k=rng.randint(0, 30))) for field in FIELDS} for _ in range(count)]


def replies(count: int, seed: int) -> Iterator[tuple[str, str, str, set[str]]]:
    """Malformed replies: their kind, text and finish reason, and the strings that were written into them."""
    rng = Random(seed)
    seeds = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
    rewrites = server_forms()
    kinds = [*rewrites, *QUOTED, *ODD]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        rows = rows_for(kind, rng, seeds)
        written = {value for row in rows for value in row.values()} | _WRITTEN
        reason = "stop"
        if kind in rewrites:
            answer = Answer(_dumps({"rows": rows}), {})
            rewrites[kind](answer, rng)
            text, reason = answer.content or answer.arguments or "", answer.finish_reason or "missing"
            written |= {f"{row['RawLog']} [1,], {{2,}}" for row in rows}
        else:
            text = (QUOTED | ODD)[kind](rows, rng)
            if kind in QUOTED and kind != "encoded twice" and rng.random() < 0.7:
                text, kind = damaged(text, rng), f"{kind}, damaged"
        # Reasoning that nothing opens, cut before it closes, is an answer to all appearance.
        if rng.random() < 0.2 and kind not in ("reasoning:no-opener", "reasoning:other-name"):
            text, reason, kind = text[: rng.randint(0, len(text))], "length", f"{kind}, cut"
        if kind.startswith(("lists", "columns", "strings of rows", "a string of all")):
            written |= {_dumps(row) for row in rows} | {_list(rows)}
        yield kind, text, reason, written


def damaged(text: str, rng: Random) -> str:
    """Text with some of its structural tokens lost, doubled, or replaced; no string changes.

    At most one quote is lost or doubled: two can turn one string into another that nobody could tell from it.
    """
    pieces: list[str] = []
    structural: list[int] = []
    at = 0
    while at < len(text):
        if text[at] == '"':
            _, stop = json.JSONDecoder(strict=False).raw_decode(text, at)
            structural += [len(pieces), len(pieces) + 2]
            pieces += ['"', text[at + 1 : stop - 1], '"']
            at = stop
            continue
        if text[at] in "{}[]:,\n":
            structural.append(len(pieces))
        pieces.append(text[at])
        at += 1
    quotes = 1
    for place in rng.sample(structural, min(len(structural), rng.randint(1, 4))):
        if pieces[place] == '"':
            if quotes:
                pieces[place] = rng.choice(["", '""'])
            quotes = 0
        else:
            pieces[place] = rng.choice(["", pieces[place] * 2, rng.choice("{}[]:,x1;\n"), f"{pieces[place]} null"])
    return "".join(pieces)


def strings(value: Any) -> Iterator[str]:
    """Every string value within a row."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from strings(member)


def altered(text: str, reason: str, written: set[str]) -> tuple[list[str], int, float]:
    """The strings in the rows of a reply that nobody wrote, the number of rows, and the CPU seconds of parsing."""
    begun = time.thread_time()
    parsed = parse_reply(text, FIELDS, finish_reason=reason)
    seconds = time.thread_time() - begun
    rows = [candidate.row for candidate in parsed.candidates if candidate.row is not None]
    return [each for row in rows for each in strings(row) if each not in written], len(rows), seconds


#: What 100 KB are made of to make a parser slow, or run for ever.
_UNITS = [
    "{", "[", "}", '"', "'", "\\", '\\"', " ", "\n", "\n \t", "[{", '{"', '{"a":', '{"a":[', '{"Question":',
    "{'a':", "{“a”:“", '{"a": "', "{x:", '{"a":1}', "{'a':1}\n", '{"Question":"a",}\n',
    '{"Question":"a "b" c"}\n', '{"Question":NaN}\n', "NaN,", "[{}x", "{},", "1,", "-", "9", "{/*", "{//",
    "{#", '{"Question": "\\', '{"a":"\\q"}', "Question: a\n", "Question:", "<think>", "</think>", "```json\n",
    "```", "lorem ipsum ", '{"Question"', '{"x":{"y":1},"q":"', '{"a":"\\ud800"}', "\ud800", "*/", "“”",
]  # fmt: skip


def malformed(count: int = 10_000) -> bool:
    """``count`` malformed replies, and 100 KB of each input that makes parsers slow."""
    uncaught, changed, rows, seconds, size = [], [], 0, 0.0, 0
    rates: list[float] = []
    slowest_reply = 0.0
    for kind, text, reason, written in replies(count, seed=8):
        try:
            wrong, found, taken = altered(text, reason, written)
        except Exception as error:  # noqa: BLE001 - any that escapes is what is counted
            uncaught.append((kind, repr(error)))
            continue
        rows += found
        changed += [(kind, each) for each in wrong]
        seconds, size = seconds + taken, size + len(text)
        slowest_reply = max(slowest_reply, taken)
        if len(text) >= 20_000:
            best = min(taken, *(altered(text, reason, written)[2] for _ in range(2)))
            rates.append(best / len(text) * 1e8)
    hostile = {}
    for unit in _UNITS:
        for before in ("", '{"rows":[{"Question":"a","Answer":"b","RawLog":"c"},'):
            text = before + unit * (100_000 // len(unit))
            hostile[f"{before[:8]}{unit!r}"] = min(altered(text, "stop", set())[2] for _ in range(3)) * 1e3
    hostile["20,000 deep"] = altered('{"a":' * 20_000 + "1" + "}" * 20_000, "stop", set())[2] * 1e3
    slowest = sorted(hostile, key=lambda unit: -hostile[unit])[:3]
    good = not uncaught and not changed and max(hostile.values()) <= 50
    forms = len(server_forms()) + len(QUOTED) + len(ODD)
    print(
        f"\n{count:,} malformed replies in {forms} forms, {size / 1e6:.1f} MB: {len(uncaught)} uncaught, "
        f"{len(changed)} string values altered, {rows:,} rows read;"
    )
    print(f"  {seconds / size * 1e8:.1f} ms for 100 KB over all, no reply above {slowest_reply * 1e3:.0f} ms;")
    print(
        f"  in {len(rates):,} replies of 20 KB or more, best of three, {median(rates):.1f} ms for 100 KB at the median "
        f"and {max(rates):.1f} at most;"
    )
    named = ", ".join(f"{hostile[unit]:.1f} ms ({unit})" for unit in slowest)
    print(f"  100 KB of {len(hostile)} hostile kinds: median {median(hostile.values()):.1f} ms, slowest {named}")
    for kind, what in [*uncaught, *changed][:10]:
        print(f"  FAILED {kind}: {what[:200]}")
    return good
