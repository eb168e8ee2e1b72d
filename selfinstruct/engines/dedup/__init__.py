"""``dedup`` in stages whose tasks can run on any machine: the same bytes as in one process."""

from selfinstruct.engines.dedup.pipeline import Progress, Sinks, Watch, deduplicate

__all__ = ["Progress", "Sinks", "Watch", "deduplicate"]
