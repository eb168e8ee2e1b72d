"""Who writes the rows of a run: one backend, or several that share the batches by weight.

One that fails for good, or call after call, is set aside while another is left; the last one's end is the run's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfinstruct.backends.base import Backend
from selfinstruct.errors import EndpointError
from selfinstruct.events import Pace
from selfinstruct.records import Failure, Reply, Request

#: So many calls in a row without one reply, and an author is taken to be down, not busy.
FAILURES_IN_A_ROW = 10
_KEPT = "Everything that came is kept. Run the same command again once the endpoint answers."


@dataclass(slots=True)
class _Author:
    """A backend with its share, by the name that a recipe has for it.

    ``given`` counts its requests, ``failures`` those in a row without a reply.
    """

    backend: Backend
    weight: float
    called: str = ""
    given: int = 0
    failures: int = 0
    aside: bool = False


class ModelPool:
    """The backends of a run as one Backend.

    ``notes`` says in words which author was set aside, and why.
    """

    def __init__(self, backends: Sequence[Backend], weights: Sequence[float] = (), called: Sequence[str] = ()) -> None:
        """At least one backend; without ``weights``, all have the same share. ``called`` is what a recipe names."""
        names = called or [backend.name for backend in backends]
        shares = zip(backends, weights or [1.0] * len(backends), names, strict=True)
        self._authors = [_Author(*each) for each in shares]
        self._notes: list[str] = []

    @property
    def name(self) -> str:
        """Their names."""
        return ", ".join(author.backend.name for author in self._authors)

    @property
    def reads_messages(self) -> bool:
        """Whether prompts need be written for any of them."""
        return any(author.backend.reads_messages for author in self._authors)

    @property
    def notes(self) -> list[str]:
        """What a person should know of how they did."""
        said = [note for author in self._authors for note in getattr(author.backend, "notes", ())]
        return [*said, *self._notes]

    async def complete(self, request: Request) -> Reply | Failure:
        """Have the author write that has had the least of its share; Webster's method (1832) for the next seat.

        A request for one model is that model's, unless it was set aside.
        Raises EndpointError, or gives a failure with an ``end``, where no author is left.
        """
        while True:
            left = [author for author in self._authors if not author.aside]
            left = [author for author in left if request.model in ("", author.called)] or left
            author = max(left, key=lambda one: one.weight / (2 * one.given + 1))
            author.given += 1
            try:
                outcome = await author.backend.complete(request)
            except EndpointError as error:
                if self._set_aside(author, error):
                    continue
                raise
            if isinstance(outcome, Reply):
                author.failures = 0
                return outcome
            return self._failed(author, outcome)

    def inspect(self) -> Pace | None:
        """How the calls of all of them go at the moment; None where nothing is called."""
        told = [(author, author.backend.inspect()) for author in self._authors if hasattr(author.backend, "inspect")]
        paces = [(author, pace) for author, pace in told if not author.aside and isinstance(pace, Pace)]
        if not paces:
            return None
        held = [(author, pace) for author, pace in paces if not pace.free]
        name = len(self._authors) > 1
        why = "; ".join(f"{author.backend.name}: {pace.why}" if name else pace.why for author, pace in held)
        return Pace(
            sum(pace.concurrency for _, pace in paces),
            sum(pace.in_flight for _, pace in paces),
            why or paces[0][1].why,
            not held,
        )

    async def close(self) -> None:
        """Let go of all connections."""
        for author in self._authors:
            await author.backend.close()

    def _failed(self, author: _Author, failure: Failure) -> Failure:
        """The failure, as it is to be counted: with an end only where nobody is left to write."""
        author.failures += 1
        end = failure.end
        if end is None and author.failures >= FAILURES_IN_A_ROW:
            end = EndpointError(f"{author.failures} calls in a row failed; the last: {failure.message}", hint=_KEPT)
        if isinstance(end, EndpointError) and self._set_aside(author, end):
            end = None
        return replace(failure, end=end, model=failure.model or author.backend.name)

    def _set_aside(self, author: _Author, error: EndpointError) -> bool:
        """Have an author write no more, unless it is the last one; whether others go on without it."""
        if author.aside:
            return True
        if sum(not one.aside for one in self._authors) == 1:
            return False
        author.aside = True
        self._notes.append(f"{author.backend.name} writes no more: {error.message}")
        return True
