"""Test doubles for programs that use selfinstruct, or any client of an OpenAI-compatible API.

- ``FaultServer``: a real HTTP server that answers chat completions, with the faults and limits of a ``Behaviour``; its
  ``Ledger`` records what it did and which requests it ``Billed``. ``FAULTS`` lists the faults; ``mixed`` combines them.
  It also processes batch jobs (files, batches), with faults of their own, listed in ``BATCH_FAULTS``.
- ``ScriptedAuthor``: generates the server's replies from the demonstrations in the prompt, some of them bad in given
  ``Shares``. Any function with the signature of ``Author`` can replace it.
- ``server_process``: the server in its own process, as ``python -m selfinstruct.testing`` starts it from a shell.
- ``Disk`` and ``DiskFault``: make one file or database operation of this package fail, or kill the process there.

    async with FaultServer(Behaviour(faults=mixed(0.3))) as server:
        run = await run_async("seeds.jsonl", base_url=server.base_url, rows=100)
    assert server.ledger.counts["faults"] > 0

Does not handle: embeddings, TLS, or replacing a model in production.
"""

from selfinstruct.testing.author import Author, ScriptedAuthor, Shares
from selfinstruct.testing.batch_service import BATCH_FAULTS
from selfinstruct.testing.behaviour import BatchBehaviour, Behaviour, Billed, Ledger
from selfinstruct.testing.catalogue import FAULTS, mixed
from selfinstruct.testing.disk import Disk, DiskFault
from selfinstruct.testing.process import server_process
from selfinstruct.testing.server import FaultServer

__all__ = [
    "BATCH_FAULTS",
    "FAULTS",
    "Author",
    "BatchBehaviour",
    "Behaviour",
    "Billed",
    "Disk",
    "DiskFault",
    "FaultServer",
    "Ledger",
    "ScriptedAuthor",
    "Shares",
    "mixed",
    "server_process",
]
