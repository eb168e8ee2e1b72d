"""The one seam between a run and whatever writes its rows."""

from __future__ import annotations

from typing import Protocol

from selfinstruct.records import Failure, Reply, Request


class Backend(Protocol):
    """Answers requests: a model behind an endpoint, the embedded imitator, or a recorded run.

    ``name`` is what provenance calls it; ``reads_messages`` says whether prompts need be written for it at all.
    ``complete`` returns a Failure for a call that gave nothing usable
    (it is counted, and the run goes on) and raises ``EndpointError`` only where no further call can succeed.
    """

    name: str
    reads_messages: bool

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
