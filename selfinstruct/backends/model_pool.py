"""The backends of a run: one, or several that share the batches by weight.

A backend that fails for good, or too many times in a row, is disabled while another one is left. A failure of the last
one ends the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfinstruct.backends.base import Backend
from selfinstruct.errors import EndpointError
from selfinstruct.events import Pace
from selfinstruct.messages import Phrase, joined
from selfinstruct.records import Failure, Reply, Request

#: After this many consecutive calls without a reply, a backend is taken to be down rather than busy.
MAX_CONSECUTIVE_FAILURES = 10
#: Seconds that a call may take where the backend does not say so.
_DEADLINE = 600.0
_KEPT = Phrase("Everything received so far is kept. Run the same command again once the endpoint answers.")


@dataclass(slots=True)
class _Member:
    """A backend with its weight and the name that the recipe gives it.

    ``requests`` counts its requests, ``failures`` those in a row without a reply.
    """

    backend: Backend
    weight: float
    recipe_name: str
    requests: int = 0
    failures: int = 0
    disabled: bool = False


class ModelPool:
    """The backends of a run as one Backend."""

    def __init__(self, backends: Sequence[Backend], weights: Sequence[float] = (), names: Sequence[str] = ()) -> None:
        """At least one backend. ``weights`` default to equal shares, ``names`` (of the recipe) to the backends' own."""
        shares = weights or [1.0] * len(backends)
        names = names or [backend.name for backend in backends]
        self._members = [_Member(*each) for each in zip(backends, shares, names, strict=True)]
        self._notes: list[str] = []

    @property
    def name(self) -> str:
        """The names of all backends."""
        return ", ".join(member.backend.name for member in self._members)

    @property
    def reads_messages(self) -> bool:
        """Whether any of the backends needs prompts."""
        return any(member.backend.reads_messages for member in self._members)

    @property
    def ignores_format(self) -> bool:
        """Whether one of the backends ignores the format of the reply, so that prompts should repeat it."""
        return any(getattr(member.backend, "ignores_format", False) for member in self._members)

    @property
    def weakness(self) -> Phrase | None:
        """Why one of the backends may need calls for few rows; None where nothing says so."""
        reasons = (getattr(member.backend, "weakness", None) for member in self._members)
        return next((reason for reason in reasons if reason is not None), None)

    @property
    def deadline(self) -> float:
        """The most seconds that a call to any of the backends may take."""
        return min(float(getattr(member.backend, "deadline", _DEADLINE)) for member in self._members)

    @property
    def notes(self) -> list[str]:
        """Remarks for the summary: those of the backends, and which of them were disabled and why."""
        notes = [note for member in self._members for note in getattr(member.backend, "notes", ())]
        return [*notes, *self._notes]

    @property
    def recorded_concurrency(self) -> int:
        """The largest number of calls in flight in the run that is replayed; 0 where none is."""
        return max(getattr(member.backend, "recorded_concurrency", 0) for member in self._members)

    @property
    def works_in_rounds(self) -> bool:
        """Whether any backend sends the requests of a round together, when ``end_round`` is called."""
        return any(getattr(member.backend, "works_in_rounds", False) for member in self._members)

    def end_round(self) -> None:
        """Send what backends have collected, since no request will be added before some are answered."""
        for member in self._members:
            if getattr(member.backend, "works_in_rounds", False):
                member.backend.end_round()  # type: ignore[attr-defined]

    def drop_waiting(self) -> None:
        """End the calls that have not been sent yet, with failures: no row of theirs is needed."""
        for member in self._members:
            if hasattr(member.backend, "drop_waiting"):
                member.backend.drop_waiting()

    async def complete(self, request: Request) -> Reply | Failure:
        """Send a request to the backend that is furthest below its share (Webster's method, 1832).

        A request for one model goes to that model, unless it is disabled, or an earlier session sent it elsewhere.
        Raises EndpointError, or returns a failure with ``fatal_error`` set, if no backend is left.
        """
        while True:
            enabled = [member for member in self._members if not member.disabled]
            requested = [member for member in enabled if request.model in ("", member.recipe_name)]
            sent = [member for member in enabled if _has_sent(member.backend, request)]
            choice = [member for member in sent if member in requested] or sent or requested or enabled
            member = max(choice, key=lambda each: each.weight / (2 * each.requests + 1))
            member.requests += 1
            try:
                outcome = await member.backend.complete(request)
            except EndpointError as error:
                if self._disable(member, error):
                    continue
                raise
            if isinstance(outcome, Reply):
                member.failures = 0
                return outcome
            # A call that was not repeated, for fewer rows may be in time, is no sign that a backend is down.
            if outcome.reason == "timeout" and outcome.tries == 1 and request.rows > 1:
                return outcome
            if outcome.reason == "not-needed":
                return outcome
            return self._failed(member, outcome)

    def inspect(self) -> Pace | None:
        """The current pace of all backends together; None if none of them makes calls."""
        inspected = [(each, each.backend.inspect()) for each in self._members if hasattr(each.backend, "inspect")]
        paces = [(member, pace) for member, pace in inspected if not member.disabled and isinstance(pace, Pace)]
        if not paces:
            return None
        limited = [(member, pace) for member, pace in paces if not pace.unrestricted]
        several = len(self._members) > 1
        why = joined(
            [
                Phrase("{where}: {problem}", where=member.backend.name, problem=Phrase(pace.reason))
                if several
                else Phrase(pace.reason)
                for member, pace in limited
            ],
            "; ",
        )
        return Pace(
            sum(pace.concurrency for _, pace in paces),
            sum(pace.in_flight for _, pace in paces),
            why or paces[0][1].reason,
            not limited,
            next((pace.batch for _, pace in paces if pace.batch is not None), None),
        )

    async def close(self) -> None:
        """Close the connections of all backends."""
        for member in self._members:
            await member.backend.close()

    def _failed(self, member: _Member, failure: Failure) -> Failure:
        """The failure with its model's name; with ``fatal_error`` only if no other backend is left."""
        member.failures += 1
        end = failure.fatal_error
        if end is None and member.failures >= MAX_CONSECUTIVE_FAILURES:
            end = EndpointError(
                Phrase(
                    "{failures} calls in a row failed; the last: {message}",
                    failures=member.failures,
                    message=failure.message,
                ),
                hint=_KEPT,
            )
        if isinstance(end, EndpointError) and self._disable(member, end):
            end = None
        return replace(failure, fatal_error=end, model=failure.model or member.backend.name)

    def _disable(self, member: _Member, error: EndpointError) -> bool:
        """Send no further requests to a backend, unless it is the last one; whether another one is left."""
        if member.disabled:
            return True
        if sum(not each.disabled for each in self._members) == 1:
            return False
        member.disabled = True
        self._notes.append(Phrase("{name} was disabled: {problem}", name=member.backend.name, problem=error.message))
        return True


def _has_sent(backend: Backend, request: Request) -> bool:
    """Whether a backend sent this request in an earlier session, so that nobody else should."""
    has_sent = getattr(backend, "has_sent", None)
    return has_sent is not None and has_sent(request)
