"""The fault server by hand: ``python -m selfinstruct.testing --fault mixed --rate 0.3 --port 8751``.

Prints the base URL on its first line, serves until it is interrupted, and then prints what it did as JSON. While it
serves, ``GET /ledger`` gives the same.
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
from selfinstruct.testing.behaviour import Behaviour
from selfinstruct.testing.catalogue import FAULTS, mixed
from selfinstruct.testing.server import FaultServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the arguments say; the exit code."""
    options = _parser().parse_args(arguments)
    if options.list:
        for name, fault in FAULTS.items():
            print(f"{fault.number:2}  {name:15}  {fault.what} ({', '.join(fault.variants)})")
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
    """Serve until a signal comes; a storm of 429s breaks loose when its time has come."""
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
    )


def _shares(options: argparse.Namespace) -> Shares:
    return Shares(options.ungrounded, options.echoed, options.near_duplicate, options.malformed, options.spread)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m selfinstruct.testing",
        description="Serves an OpenAI-compatible API that misbehaves as it is told. No key, no model, no network.",
    )
    add = parser.add_argument
    add("--list", action="store_true", help="print the faults and their variants, and end")
    add("--fault", action="append", metavar="NAME[:VARIANT]", help="a fault by name, or mixed; may be given again")
    add("--rate", type=_share, default=0.3, help="the share of requests that a fault befalls, over all faults")
    add("--seed", type=int, default=0, help="decides which requests")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8751, help="0: any free one")
    add("--prefix", default="/v1", help="the path in front of /chat/completions")
    add("--latency", type=float, default=0.0, metavar="SECONDS", help="what a reply takes")
    add("--slow-share", type=_share, default=0.0, help="the share of replies that are slow")
    add("--slow-factor", type=float, default=10.0, help="how many times as long these take")
    add("--slots", type=int, default=0, help="replies generated at once; 0: any number")
    add("--requests-per-minute", type=int, default=0, help="429 beyond it; 0: no limit")
    add("--storm", type=_storm, metavar="START:SECONDS", help="only 429s for so long, from so long after the start")
    add("--no-usage", type=_share, default=0.0, help="the share of replies without usage")
    add("--partial-usage", type=_share, default=0.0, help="the share of replies with half of it")
    add("--key", default="", help="the key that requests must carry")
    add("--repeat-key", action="store_true", help="errors repeat the request's Authorization header")
    add("--model", action="append", help="a model that there is; without it, any")
    add("--refuse", action="append", metavar="OPTION", help="a request option that is answered with 400")
    add("--ungrounded", type=_share, default=0.0, help="the share of rows with an answer that is not in its context")
    add("--echoed", type=_share, default=0.0, help="the share of rows that are demonstrations word for word")
    add("--near-duplicate", type=_share, default=0.0, help="the share of rows with the words of another")
    add("--malformed", type=_share, default=0.0, help="the share of rows that are no JSON objects")
    add("--spread", type=_share, default=0.0, help="how far the number of rows strays from what was asked for")
    add("--log", type=Path, metavar="FILE", help="where to write every billed request at the end, as JSON Lines")
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def _storm(text: str) -> tuple[float, float]:
    start, _, seconds = text.partition(":")
    try:
        return float(start), float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not START:SECONDS, such as 10:10") from None


if __name__ == "__main__":
    sys.exit(main())
