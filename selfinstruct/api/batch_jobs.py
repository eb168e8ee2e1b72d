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

    Jobs of models that the recipe has no more are cancelled by the first endpoint that knows them. What they process
    until then is kept and billed, and collected by the next session. Raises EndpointError.
    """
    from selfinstruct.backends import batch_name
    from selfinstruct.backends.openai import OpenAIBackend
    from selfinstruct.backends.openai.batches.client import BatchClient
    from selfinstruct.backends.openai.call_error import CallError

    models = [model for model in prepared.recipe.all_models if model.batch]
    backends = [await OpenAIBackend.connect(model, preflight=False) for model in models]
    try:
        names = [(batch_name(each.name), batch_name(f"{each.name} at {each.base_url}")) for each in backends]
        known, cancelled = {name for both in names for name in both}, 0
        for sent in jobs:
            for backend, own in zip(backends, names, strict=True):
                if sent.job and (sent.model in own or sent.model not in known):
                    outcome = await BatchClient(backend.wire).cancel(sent.job)
                    if not isinstance(outcome, CallError):
                        cancelled += 1
                        break
        return cancelled
    finally:
        for backend in backends:
            await backend.close()
