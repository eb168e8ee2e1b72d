"""A whole run against each lasting manner of an endpoint: is the quota met, at how many calls, and what was told?

    python -m benchmarks.manners > benchmarks/results/manners.txt

The calls wasted are those beyond the calls of a run against a server without faults. Exits with 1 if a quota is missed,
if an error is not the expected one, or if more calls are wasted than the catalogue allows.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfinstruct import api
from selfinstruct.errors import EndpointError
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Model, to_toml
from selfinstruct.rows import read_rows
from selfinstruct.testing import FAULTS, Behaviour, FaultServer
from selfinstruct.testing.manners import LISTS

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"
ROWS = 8
#: All options that a recipe can set, so that each of them can be refused.
OPTIONS: dict[str, Any] = {"temperature": 0.7, "top_p": 0.9, "presence_penalty": 0.5, "max_tokens": 2_000}


def behaviours() -> Iterator[tuple[str, Behaviour, int]]:
    """Each behaviour, its settings, and the calls that it may waste; -1 where it must end the run."""
    for name, fault in FAULTS.items():
        for variant, each in fault.variants.items():
            if fault.lasting or fault.fatal:
                settings = Behaviour(faults={f"{name}:{variant}": 1.0})
                yield f"{name}:{variant}", settings, -1 if each.effect == "fatal" else each.wasted
    for form in LISTS:
        yield f"models:{form}", Behaviour(models=("test-model",), any_model=False, model_list=form), 0


async def grow(behaviour: Behaviour, folder: Path) -> tuple[str, int, str]:
    """How a run ended, the calls that it made, and what it told."""
    async with FaultServer(behaviour) as server:
        recipe = infer(read_rows(SEEDS)).recipe
        model = Model(name="default", base_url=server.base_url, concurrency=1, **OPTIONS)
        path = folder / "recipe.toml"
        path.write_text(to_toml(recipe.model_copy(update={"model": model}), {}, folder))
        try:
            run = await api.run_async(path, rows=ROWS, out=folder / "out")
        except EndpointError as error:
            return "error", server.ledger.counts["requests"], error.message.partition("/v1: ")[2] or error.message
        told = "; ".join(note.partition(": ")[2] for note in run.summary.notes)
        return run.summary.stopped, server.ledger.counts["requests"], told


def main() -> int:
    """Print the table; return the exit code."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plain").mkdir()
        _, needed, _ = asyncio.run(grow(Behaviour(), Path(folder) / "plain"))
        print(f"{'behaviour':36}  {'outcome':8}  {'wasted':>6}  told")
        for number, (name, behaviour, allowed) in enumerate(behaviours()):
            where = Path(folder) / str(number)
            where.mkdir()
            outcome, calls, told = asyncio.run(grow(behaviour, where))
            wasted = calls if outcome == "error" else calls - needed
            right = outcome == "error" if allowed < 0 else outcome == "done" and wasted <= allowed
            missed += not right
            print(f"{name:36}  {outcome:8}  {wasted:6}  {told}{'' if right else '   <- wrong'}", flush=True)
    print(f"\n{missed} of {number + 1} wrong")
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
