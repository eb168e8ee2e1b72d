"""The author of a recipe that has no steps: rows are made of passages by templates, and nobody is asked anything."""

from __future__ import annotations

from selfinstruct.records import Reply, Request


class NoModel:
    """A Backend that answers with nothing: what its batches come to is made by the recipe's ``[[expand]]``."""

    name = "templates"
    reads_messages = False

    async def complete(self, request: Request) -> Reply:
        """An empty reply, for which no request was sent."""
        return Reply("", self.name, tries=0)

    async def close(self) -> None:
        """Nothing to let go of."""
