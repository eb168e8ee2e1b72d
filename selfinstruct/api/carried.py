"""What a session of a run leaves to the next one in the same process, so that this one begins sooner.

Nothing of it changes what the next session does: without it, as after a kill, that finds out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfinstruct.backends.openai.known_endpoint import KnownEndpoint


@dataclass(slots=True)
class Carried:
    """What is ``known`` of the endpoints that answered. A session takes it, and leaves its own if it ends well."""

    known: Sequence[KnownEndpoint] = ()

    def take(self) -> Carried:
        """What is there, once: a session that fails leaves nothing."""
        taken = Carried(self.known)
        self.known = ()
        return taken
