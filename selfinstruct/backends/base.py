"""The interface between a run and the backend that answers its requests."""

from __future__ import annotations

from typing import Protocol

from selfinstruct.records import Failure, Reply, Request


class Backend(Protocol):
    """Answers requests: a model behind an endpoint, the embedded imitator, or a recorded run.

    ``name`` identifies the backend in the provenance of its rows. ``reads_messages`` is false for a backend that
    ignores ``request.messages``; prompts are then not built. A backend may also have ``notes`` (a list of remarks for
    the summary), ``inspect()`` (the current ``Pace``) and ``ignores_format`` (its replies lack the requested form). One
    whose ``works_in_rounds`` is true sends nothing before ``end_round()`` is called, and says by
    ``has_sent(request)`` what an earlier session sent. One that may be weak or slow has the reason as its ``weakness``,
    and its ``deadline`` is the most seconds of a call: its calls ask for few rows at first. A replay has the
    ``recorded_concurrency`` of its run. ``drop_waiting()`` ends calls that have not been sent yet, by failures with the
    reason "not-needed".
    """

    name: str
    reads_messages: bool

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request.

        Returns a Failure for a call without a usable reply: it is counted, and the run continues.
        Raises EndpointError only if no further call can succeed.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
