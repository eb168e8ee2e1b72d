"""What a session records of a run: its settings at the start, and how it stopped at the end.

Does not handle: what happens in between (``session``, ``parts``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from selfinstruct import run_directory
from selfinstruct.analysis.summary import Summary, summarise
from selfinstruct.errors import InputError, SelfInstructError, StorageError
from selfinstruct.growth import BatchNumbers
from selfinstruct.journal import Journal, QuotaStage, RunMetadata
from selfinstruct.preparation import Prepared


def record_start(
    journal: Journal,
    recipe: str,
    prepared: Prepared,
    prices: Mapping[str, Sequence[float]],
    preflights: Mapping[str, Sequence[int]],
    unavailable: Sequence[str] = (),
) -> None:
    """Record the settings of this session: the recipe, the quotas from the next call on, prices and preflight calls.

    ``unavailable`` lists the models that are not used, with the reason.
    """
    before = journal.history.metadata()
    quotas = before.quotas
    if before.current_quotas != prepared.quotas:
        quotas = (*quotas, QuotaStage(journal.history.state().calls, dict(prepared.quotas)))
    metadata = replace(
        before,
        recipe=recipe,
        quotas=quotas,
        prices={**before.prices, **prices},
        preflights=preflights,
        reasons=dict(prepared.reasons),
        remarks=_with_remarks(before, (*(() if before.remarks else prepared.notes), *unavailable)),
        stopped="interrupted",  # until the run ends otherwise: a killed process cannot write it
    )
    journal.write_metadata(metadata)
    journal.commit()


def _with_remarks(metadata: RunMetadata, remarks: Sequence[str]) -> tuple[str, ...]:
    """The remarks on models, each once."""
    return tuple(dict.fromkeys((*metadata.remarks, *remarks)))


def added(before: Sequence[int] | None, figures: Sequence[int]) -> list[int]:
    """The sum of the figures of preflights; the last one is 1 if any is estimated."""
    if before is None:
        return list(figures)
    *counts, estimated = (one + other for one, other in zip(before, figures, strict=True))
    return [*counts, min(estimated, 1)]


def stop_reason(error: BaseException) -> str:
    """The value of ``summary.stopped`` for an error that ended a run."""
    if isinstance(error, SelfInstructError):
        return type(error).__name__.removesuffix("Error").lower()
    return "interrupted"


def require_conserved(where: Path, summary: Summary) -> None:
    """Raise StorageError unless every candidate was either accepted or rejected, once."""
    if not summary.conserved:
        raise StorageError(
            "{where}: {candidates} candidates, but {accepted} accepted and {rejected} rejected: the counts do not add "
            "up",
            hint="This is a bug in selfinstruct: please report it, with the run directory.",
            where=where,
            candidates=summary.candidates,
            accepted=summary.accepted,
            rejected=sum(summary.rejected.values()),
        )


def require_numbers(where: Path, metadata: RunMetadata, numbers: BatchNumbers) -> None:
    """Raise InputError unless the run has these numbers of batches: it is not a part of another run, nor has parts."""
    if metadata.parts == numbers.note:
        return
    if "quotas" in metadata.parts:
        raise InputError(
            "{where}: {workers} workers grow this run",
            hint='Set `engine="ray"` and `workers={workers}`, or set `out` to another directory.',
            where=where,
            workers=len(metadata.parts["quotas"]),
        )
    raise InputError(
        "{where}: only a part of a run",
        hint="Run the command of the whole run again, or set `out` to another directory.",
        where=where,
    )


def write_results(
    where: Path,
    journal: Journal,
    prepared: Prepared,
    quotas: Mapping[str, int],
    notes: Sequence[str],
    stopped: str,
    seconds: float,
    preflights: Mapping[str, Sequence[int]],
    *,
    is_part: bool = False,
) -> Summary:
    """Record how the run stopped, and write the derived files, even if the journal cannot be written any more.

    ``quotas`` are those at the end, ``seconds`` the time of this session. Of a part of a run only the summary is
    written: nobody reads its rows there, and it may end many times.
    """
    history = journal.history
    prepared = replace(prepared, quotas=quotas)
    metadata = history.metadata()
    seconds += metadata.seconds
    remarks = _with_remarks(metadata, notes)
    try:
        ended = replace(metadata, seconds=seconds, stopped=stopped, remarks=remarks, preflights=preflights)
        journal.write_metadata(ended)
        journal.commit()
    finally:
        # The journal may lack these values; the summary has them in any case.
        summary = replace(summarise(history, prepared), stopped=stopped, seconds=round(seconds, 3))
        if is_part:
            run_directory.write_summary(where, summary)
        else:
            run_directory.write_derived(where, history, prepared, summary)
    return summary
