"""Batch jobs that go on at the endpoint after a run was interrupted: say so, and offer to cancel them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct.cli.console import print_error
from selfinstruct.messages import _

if TYPE_CHECKING:
    from selfinstruct.preparation.prepare import Prepared


def report_open_jobs(where: Path, prepared: Prepared) -> None:
    """Name the jobs that go on, and on a terminal ask whether to cancel them; by default they are left alone."""
    import asyncio

    from selfinstruct import api
    from selfinstruct.errors import SelfInstructError
    from selfinstruct.render.text import counted

    try:
        jobs = api.open_batch_jobs(where)
        if not jobs:
            return
        requests = sum(len(job.requests) for job in jobs)
        going_on = _("{requests} in batch jobs go on at the endpoint", requests=counted(requests, "request"))
        print_error(going_on, _("The same command collects their replies."))
        if sys.stdin.isatty() and sys.stderr.isatty() and _wants_to_cancel():
            cancelled = asyncio.run(api.cancel_batch_jobs(prepared, jobs))
            said = _("cancelled {cancelled:,} of {jobs}", cancelled=cancelled, jobs=counted(len(jobs), "batch job"))
            print_error(said, _("The same command collects what they processed, and sends the rest again."))
    except SelfInstructError as error:
        print_error(*error.spelled({}))


def _wants_to_cancel() -> bool:
    """The answer on the terminal; another Ctrl-C or the end of input is a no."""
    print(_("Cancel them? What is processed until then is billed. [y/N]"), end=" ", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes", "是")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return False
