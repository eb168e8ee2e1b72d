"""``check`` in stages whose tasks can run on any machine: the same findings as in one process."""

from selfinstruct.engines.check.pipeline import Given, examine_in_tasks

__all__ = ["Given", "examine_in_tasks"]
