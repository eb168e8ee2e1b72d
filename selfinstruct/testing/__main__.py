"""The fault server from a shell: ``python -m selfinstruct.testing --fault mixed --rate 0.3 --port 8751``.

The first line of output is the base URL. On SIGINT or SIGTERM the server stops and prints its ledger as JSON, which
``GET /ledger`` returns while it is running.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from selfinstruct.errors import InputError
from selfinstruct.testing.author import ScriptedAuthor, Shares
from selfinstruct.testing.batch_service import BATCH_FAULTS
from selfinstruct.testing.behaviour import BatchBehaviour, Behaviour
from selfinstruct.testing.catalogue import FAULTS, mixed
from selfinstruct.testing.server import FaultServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server with these command-line arguments; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.list:
        for name, fault in FAULTS.items():
            print(f"{fault.number:2}  {name:15}  {fault.description} ({', '.join(fault.variants)})")
        for name, description in BATCH_FAULTS.items():
            print(f"    {name:15}  {description}")
        return 0
    try:
        server = FaultServer(
            _behaviour(options),
            author=ScriptedAuthor(_shares(options)),
            host=options.host,
            port=options.port,
        )
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    asyncio.run(_serve(server, options.storm))
    if options.log is not None:
        lines = [json.dumps(asdict(request)) + "\n" for request in server.ledger.billed]
        options.log.write_text("".join(lines))
    print(json.dumps(server.ledger.summary()), flush=True)
    return 0


async def _serve(server: FaultServer, storm: tuple[float, float] | None) -> None:
    """Serve until SIGINT or SIGTERM, with a storm of 429s if one is scheduled."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with server:
        print(server.base_url, flush=True)
        if storm is not None:
            loop.call_later(storm[0], server.storm, storm[1])
        await stopped.wait()


def _behaviour(options: argparse.Namespace) -> Behaviour:
    names = options.fault or []
    faults = {name: options.rate / len(names) for name in names if name != "mixed"}
    if "mixed" in names:
        faults = mixed(options.rate / len(names)) | faults
    return Behaviour(
        faults=faults,
        seed=options.seed,
        latency=options.latency,
        tokens_per_second=options.tokens_per_second,
        slow_share=options.slow_share,
        slow_factor=options.slow_factor,
        slots=options.slots,
        requests_per_minute=options.requests_per_minute,
        no_usage=options.no_usage,
        partial_usage=options.partial_usage,
        key=options.key,
        models=tuple(options.model or Behaviour().models),
        any_model=not options.model,
        refuses=frozenset(options.refuse or []),
        prefix=options.prefix,
        repeats_key=options.repeat_key,
        prefix_cache=options.prefix_cache,
        batches=BatchBehaviour(
            options.batch_seconds, {name: options.rate for name in options.batch_fault or []}, options.batch_shape
        ),
    )


def _shares(options: argparse.Namespace) -> Shares:
    return Shares(options.ungrounded, options.echoed, options.near_duplicate, options.malformed, options.spread)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m selfinstruct.testing",
        description="Serve an OpenAI-compatible API that injects faults. Needs no key, model or network.",
    )
    add = parser.add_argument
    add("--list", action="store_true", help="list the faults and their variants, those of batch jobs last, and exit")
    add(
        "--fault",
        action="append",
        metavar="NAME[:VARIANT]",
        help="inject this fault, or mixed for all of them; repeatable",
    )
    add("--rate", type=_share, default=0.3, help="share of requests with a fault, all faults together (default: 0.3)")
    add("--seed", type=int, default=0, help="random seed (default: 0)")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=int, default=8751, help="port to listen on; 0 for any free port (default: 8751)")
    add("--prefix", default="/v1", help="path before /chat/completions (default: /v1)")
    add("--latency", type=float, default=0.0, metavar="SECONDS", help="time per reply (default: 0)")
    add("--slow-share", type=_share, default=0.0, help="share of slow replies")
    add("--tokens-per-second", type=float, default=0.0, metavar="N", help="speed of replies (default: all at once)")
    add("--slow-factor", type=float, default=10.0, help="latency of slow replies, as a multiple (default: 10)")
    add("--slots", type=int, default=0, help="replies generated concurrently; 0 for unlimited")
    add("--requests-per-minute", type=int, default=0, help="rate limit, enforced with 429; 0 for none")
    add(
        "--storm",
        type=_storm,
        metavar="START:SECONDS",
        help="answer only 429 for SECONDS, beginning START seconds after the start",
    )
    add("--no-usage", type=_share, default=0.0, help="share of replies without usage")
    add("--partial-usage", type=_share, default=0.0, help="share of replies with only prompt_tokens in their usage")
    add(
        "--prefix-cache",
        type=_cache,
        metavar="LEAST:STEP",
        help="cache the beginnings of prompts and report cached tokens; 1024:128 as OpenAI does",
    )
    add("--key", default="", help="API key that requests must have")
    add("--repeat-key", action="store_true", help="repeat the request's Authorization header in errors")
    add("--model", action="append", help="a model to serve; repeatable (default: any model name)")
    add("--refuse", action="append", metavar="OPTION", help="reject requests with this option by 400; repeatable")
    add("--batch-seconds", type=float, default=0.0, metavar="SECONDS", help="time of a batch job in each of 3 states")
    add("--batch-fault", action="append", metavar="NAME", help="inject this fault into batch jobs; repeatable")
    add("--batch-shape", choices=("openai", "together"), default="openai", help="protocol of batch jobs")
    add("--ungrounded", type=_share, default=0.0, help="share of rows whose answer does not occur in its context")
    add("--echoed", type=_share, default=0.0, help="share of rows copied from the demonstrations")
    add("--near-duplicate", type=_share, default=0.0, help="share of rows with the same words as another row")
    add("--malformed", type=_share, default=0.0, help="share of rows that are not JSON objects")
    add("--spread", type=_share, default=0.0, help="largest relative deviation from the requested number of rows")
    add("--log", type=Path, metavar="FILE", help="write every billed request to FILE on exit, as JSON Lines")
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, got {text}")
    return share


def _storm(text: str) -> tuple[float, float]:
    start, _, seconds = text.partition(":")
    try:
        return float(start), float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected START:SECONDS such as 10:10, got {text!r}") from None


def _cache(text: str) -> tuple[int, int]:
    least, _, step = text.partition(":")
    if not (least.isdecimal() and step.isdecimal() and int(least) and int(step)):
        raise argparse.ArgumentTypeError(f"expected LEAST:STEP such as 1024:128, got {text!r}")
    return int(least), int(step)


if __name__ == "__main__":
    sys.exit(main())
