"""The batch jobs of a run at the endpoint: which of them have replies to collect, and cancelling them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct.journal import SentJob, keys_of_calls, sent_jobs
from selfinstruct.run_directory import is_run_directory, open_history

if TYPE_CHECKING:
    from selfinstruct.preparation import Prepared


def open_batch_jobs(where: str | Path) -> Sequence[SentJob]:
    """The batch jobs of the run in ``where`` with replies that it has not collected; none if there is no run."""
    if not is_run_directory(Path(where)):
        return ()
    with open_history(where) as history:
        jobs = sent_jobs(history)
        if not jobs:
            return ()
        from selfinstruct.backends.openai.batches import open_jobs

        return open_jobs(jobs, keys_of_calls(history))


async def cancel_batch_jobs(prepared: Prepared, jobs: Sequence[SentJob]) -> int:
    """Ask the endpoints of the recipe's models to cancel these jobs; how many of them agreed.

    What they process until then is kept and billed, and collected by the next session. Raises EndpointError.
    """
    from selfinstruct.backends import batch_name
    from selfinstruct.backends.openai import OpenAIBackend
    from selfinstruct.backends.openai.batches import BatchClient
    from selfinstruct.backends.openai.call_error import CallError

    cancelled = 0
    models = [model for model in prepared.recipe.all_models if model.batch]
    for model in models:
        backend = await OpenAIBackend.connect(model, preflight=False)
        try:
            names = (batch_name(backend.name), batch_name(f"{backend.name} at {backend.base_url}"))
            for sent in jobs:
                if sent.job and sent.model in names:
                    outcome = await BatchClient(backend.wire).cancel(sent.job)
                    cancelled += not isinstance(outcome, CallError)
        finally:
            await backend.close()
    return cancelled
