"""How a run is divided among workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selfinstruct.api.connect import SpendingLimits
from selfinstruct.backends import Backend
from selfinstruct.errors import InputError


@dataclass(frozen=True, slots=True)
class Division:
    """The number of ``parts`` of a run, one for each worker, and what they are told beside their quotas.

    ``concurrency``, ``limits`` and the random ``seed`` are those of the whole run. With ``serve``, each worker starts a
    model server of its own by this command; then ``concurrency`` is that of each.
    """

    parts: int
    backend: str | Backend | None
    concurrency: int | None
    limits: SpendingLimits
    seed: int
    serve: tuple[str, ...] | None = None


def number_of_parts(
    engine: str, workers: int | None, ray_address: str | None, recording: str | Path | None = None
) -> int:
    """How many workers grow a run, 0 for this process alone. Raises InputError for arguments that do not fit."""
    if engine == "local":
        for name, value in (("workers", workers), ("ray_address", ray_address)):
            if value is not None:
                raise InputError(
                    '`{name}` has no effect without `engine="ray"`',
                    hint='Set `engine="ray"`, or leave out `{name}`.',
                    name=name,
                )
        return 0
    if engine != "ray":
        raise InputError("`engine`: unknown value {engine!r}", hint="Choose local or ray.", engine=engine)
    if workers is None or workers < 1:
        raise InputError(
            '`engine="ray"` needs the number of `workers`',
            hint="Set `workers=4`, or as many as there are model servers.",
        )
    if recording is not None:
        raise InputError("`recording`: several workers cannot replay a run", hint="Leave out `engine` and `workers`.")
    return workers
