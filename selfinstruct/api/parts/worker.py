"""A worker: grows one part of a run, an ordinary run with its own journal, to the quotas that it is told.

It lives in whatever process the engine chooses. If that is killed, it is made anew and called again: the part resumes.

Does not handle: which rows of the part are kept in the whole run.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selfinstruct.analysis.summary import Summary
from selfinstruct.api.blocking import run_blocking
from selfinstruct.api.carried import Carried
from selfinstruct.api.connect import SpendingLimits
from selfinstruct.api.serving import with_server
from selfinstruct.api.session import grow_session
from selfinstruct.backends import Backend, BudgetSpent
from selfinstruct.backends.serving import ModelServer
from selfinstruct.errors import EndpointError
from selfinstruct.events import Snapshot
from selfinstruct.growth import BatchNumbers
from selfinstruct.journal import holder_of
from selfinstruct.preparation import Prepared

#: Seconds between two reports of progress.
_REPORT_EVERY = 0.5
#: Seconds to wait for a worker on this part whose driver was killed: it is stopped with its driver.
_WAIT_FOR_OTHER = 30.0


@dataclass(frozen=True, slots=True)
class PartOrder:
    """What a worker is told: to grow the part in ``where`` to the quotas of ``prepared``, within ``limits``.

    ``seed`` is the random seed of the run, ``concurrency`` the most calls in flight, None for the default.
    """

    part: int
    parts: int
    where: Path
    prepared: Prepared
    seed: int
    backend: str | Backend | None
    concurrency: int | None
    limits: SpendingLimits


@dataclass(frozen=True, slots=True)
class PartEnd:
    """How a part ended: ``stopped`` as in its summary, and the error of an endpoint that failed for good."""

    part: int
    stopped: str
    error: EndpointError | None = None


@dataclass(frozen=True, slots=True)
class PartProgress:
    """What a part has done so far, in all its sessions."""

    accepted: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    in_flight: int = 0

    @classmethod
    def read(cls, where: Path) -> PartProgress:
        """The progress that the worker on the part in ``where`` has reported last; nothing if there is none."""
        try:
            return cls(**json.loads(_progress_file(where).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()


class Worker:
    """Grows parts, one after another; starts the model server of its process with the first one, if it is told to."""

    def __init__(self, serve: Sequence[str] | None = None) -> None:
        """``serve`` is the command that starts a model server."""
        self._serve = serve
        self._server: ModelServer | None = None
        self._carried: dict[int, Carried] = {}

    def grow(self, order: PartOrder) -> PartEnd:
        """Grow a part until it has its quotas, or stops short of them; a failing endpoint is an end like another.

        Raises the other errors of ``selfinstruct.run``.
        """
        deadline = time.monotonic() + _WAIT_FOR_OTHER
        while holder_of(order.where) is not None and time.monotonic() < deadline:
            time.sleep(0.2)
        start = time.monotonic()
        carried = self._carried.setdefault(order.part, Carried())

        def session(base_url: str | None) -> Coroutine[None, None, Summary]:
            """Grow the part with its model at this address."""
            return grow_session(
                order.prepared,
                order.where,
                backend=order.backend,
                recording=None,
                concurrency=order.concurrency,
                batch=None,
                limits=order.limits,
                seed=order.seed,
                watch=_reporter(order.where),
                elapsed=lambda: time.monotonic() - start,
                numbers=BatchNumbers.of_part(order.part, order.parts),
                base_url=base_url,
                carried=carried,
            )

        try:
            if self._serve is None:
                return PartEnd(order.part, run_blocking(session(None)).stopped)
            if self._server is None:
                self._server = ModelServer(self._serve)
            return PartEnd(order.part, run_blocking(with_server(self._server, session)).stopped)
        except BudgetSpent:  # by the first call, which tests the endpoint
            return PartEnd(order.part, "budget")
        except EndpointError as error:
            return PartEnd(order.part, "endpoint", error)

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.close()
            self._server = None


def forget_progress(where: Path) -> None:
    """Remove the progress that was reported last of the part in ``where``."""
    with contextlib.suppress(OSError):
        _progress_file(where).unlink(missing_ok=True)


def _reporter(where: Path) -> Callable[[Snapshot], None]:
    """A function that writes what it is told to the file of progress, now and then."""
    last = 0.0

    def report(snapshot: Snapshot) -> None:
        nonlocal last
        if (now := time.monotonic()) < last + _REPORT_EVERY:
            return
        last = now
        accepted = {name: each.accepted for name, each in snapshot.categories.items()}
        figures: dict[str, Any] = asdict(PartProgress(accepted, snapshot.requests, snapshot.in_flight))
        file = _progress_file(where)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(figures), encoding="utf-8")
        new.replace(file)

    return report


def _progress_file(where: Path) -> Path:
    """The file of progress, beside the part's directory."""
    return where.with_suffix(".progress")
