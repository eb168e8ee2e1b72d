"""What the journal of the whole run keeps of its parts: the round that they are in, and their quotas in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from selfinstruct.records import JSON


@dataclass(frozen=True, slots=True)
class PartsState:
    """The round that was handed out last.

    ``quotas`` are the total rows of each part by category, ``kept`` the rows of the whole run before the round,
    ``grown`` those of all parts. ``joined`` is whether what the parts grew in it has been judged.
    """

    quotas: Sequence[Mapping[str, int]]
    round: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)
    joined: bool = True
    grown: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: JSON) -> PartsState | None:
        """The inverse of ``to_json``; None for a run without parts."""
        return cls(**value) if value else None

    def to_json(self) -> JSON:
        """The value of ``RunMetadata.parts``."""
        return asdict(self)
