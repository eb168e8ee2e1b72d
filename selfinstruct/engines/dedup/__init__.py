"""``dedup`` in stages whose tasks can run on any machine: the same bytes as in one process."""

from selfinstruct.engines.dedup.cost import Cost
from selfinstruct.engines.dedup.pipeline import Progress, Sinks, Watch, deduplicate

__all__ = ["Cost", "Progress", "Sinks", "Watch", "deduplicate"]
