"""The backend of a recipe without steps: its rows are made from passages by templates, without any model call."""

from __future__ import annotations

from selfinstruct.records import Reply, Request


class NoModel:
    """A Backend that returns empty replies; the recipe's ``[[expand]]`` templates produce the rows of its batches."""

    name = "templates"
    reads_messages = False

    async def complete(self, request: Request) -> Reply:
        """Return an empty reply that took no request."""
        return Reply("", self.name, tries=0)

    async def close(self) -> None:
        """Do nothing: there is no connection."""
