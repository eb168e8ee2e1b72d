"""Where work runs: here, one task after another, or on the machines of a Ray cluster.

Does not handle: what the work is. Every engine gives the same bytes.
"""

from selfinstruct.engines.check import Given
from selfinstruct.engines.dedup import Cost, Progress, Sinks, Watch, deduplicate
from selfinstruct.engines.on_ray import deduplicate_on_ray, examine_on_ray

__all__ = ["Cost", "Given", "Progress", "Sinks", "Watch", "deduplicate", "deduplicate_on_ray", "examine_on_ray"]
