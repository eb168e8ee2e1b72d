"""``dedup`` in stages whose tasks can run on any machine: the same bytes as in one process."""

from selfinstruct.engines.dedup.cost import Cost
from selfinstruct.engines.dedup.pipeline import Sinks, deduplicate
from selfinstruct.engines.dedup.stage_runner import Progress, Watch

__all__ = ["Cost", "Progress", "Sinks", "Watch", "deduplicate"]
