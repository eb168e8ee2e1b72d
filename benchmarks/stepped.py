"""A recipe of several calls per row and its server, to kill runs between two calls of a row."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct.testing import BatchBehaviour, Behaviour, FaultServer

RECIPE = f"""
name = "stepped"
[attributes.topic]
values = {json.dumps([f"topic {number}" for number in range(12)])}
[categories]
by = "attribute"
attributes = ["topic"]
[quota]
rows = 120
[[steps]]
name = "questions"
rows = 4
writes = ["question"]
prompt = "Ask four questions about {{topic}}."
[[steps]]
name = "answers"
reply = "text"
writes = ["answer"]
prompt = "Answer this: {{question}}"
[[judge]]
name = "sound"
prompt = "Score the answer {{answer}} to {{question}}"
[fields.topic]
[fields.question]
[fields.answer]
min_words = 4
answer = true
[novelty]
fields = ["question", "answer"]
max_rouge_l = 0.7
[prompt]
rows_per_request = 4
"""


def author(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
    """Reply to a prompt; one reply in twenty is unusable, and one answer in ten is too short."""
    prompt = str(messages[-1]["content"])
    if rng.random() < 0.05:
        return "" if prompt.startswith("Answer") else "I would rather not."
    if prompt.startswith("Ask"):
        return json.dumps({"rows": [{"question": f"Why {_random_reply(rng)}?"} for _ in range(4)]})
    if prompt.startswith("Score"):
        return json.dumps({"score": rng.choice([5, 5, 5, 5, 2]), "reason": "as it seems"})
    return "Because." if rng.random() < 0.1 else f"Because {_random_reply(rng)}."


def _random_reply(rng: Random) -> str:
    return " ".join(f"w{rng.randrange(10**6)}" for _ in range(8))


def recipe(folder: Path) -> Path:
    """Write the recipe to a file."""
    path = folder / "stepped.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@contextlib.contextmanager
def served(latency: float, batch_seconds: float = 0.0) -> Iterator[str]:
    """Context manager that yields the base URL of a server in its own process.

    A reply takes ``latency`` seconds, a batch job ``batch_seconds`` in each of its states.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs, latency, batch_seconds), daemon=True
    )
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def _serve(asked: Connection, latency: float, batch_seconds: float) -> None:
    behaviour = Behaviour(latency=latency, batches=BatchBehaviour(batch_seconds))

    async def serving() -> None:
        async with FaultServer(behaviour, author=author) as server:
            asked.send(server.base_url)
            await asyncio.to_thread(asked.recv)

    asyncio.run(serving())
