"""What ``--engine ray`` does: a command's work with Ray as the executor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from selfinstruct.analysis.cleaning import Cleaning
from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.data_set import Examined
from selfinstruct.engines.check import Given, examine_in_tasks
from selfinstruct.engines.dedup import Sinks, Watch, deduplicate


def deduplicate_on_ray(
    source: str | Path,
    sinks: Sinks,
    work: Path,
    address: str | None,
    *,
    fields: Sequence[str],
    max_rouge_l: float,
    encoding: str,
    watch: Watch | None,
) -> Cleaning:
    """Drop the near-duplicates of a file on the cluster at ``address``, or on this machine; see ``deduplicate``.

    Raises what ``deduplicate`` and ``ray_executor`` raise.
    """
    from selfinstruct.engines.ray_executor import ray_executor

    with ray_executor(address) as executor:
        return deduplicate(
            str(source),
            work,
            executor,
            sinks,
            fields=fields,
            max_rouge_l=max_rouge_l,
            encoding=encoding,
            watch=watch or (lambda progress: None),
        )


def examine_on_ray(
    given: Given, work: Path, address: str | None, watch: Watch | None, *, with_alike: bool
) -> list[tuple[Examined, Rules]]:
    """Examine data sets on the cluster at ``address``, or on this machine; see ``examine_in_tasks``.

    Raises what ``examine_in_tasks`` and ``ray_executor`` raise.
    """
    from selfinstruct.engines.ray_executor import ray_executor

    with ray_executor(address) as executor:
        return examine_in_tasks(given, work, executor, watch or (lambda progress: None), with_alike=with_alike)
