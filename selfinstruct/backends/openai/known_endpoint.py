"""What a backend finds out about a model at an endpoint: it lasts longer than the connections.

The next backend of the same model begins with it, and needs no first small call.

Does not handle: how busy the endpoint is (``pacing``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from selfinstruct.backends.openai.endings import Endings
from selfinstruct.backends.openai.format_watch import FormatWatch
from selfinstruct.backends.openai.options import Options
from selfinstruct.backends.openai.reply_limit import ReplyLimits
from selfinstruct.recipe import Model
from selfinstruct.records import ReplyFormat


@dataclass(slots=True)
class KnownEndpoint:
    """What is known of ``model`` so far; ``name`` is the endpoint's name of it.

    ``answered`` is whether it has answered a request of the run, ``most_rows`` the rows of the largest such request.
    """

    model: Model
    name: str
    options: Options
    limits: ReplyLimits
    endings: Endings = field(default_factory=Endings)
    formats: FormatWatch = field(default_factory=FormatWatch)
    answered: bool = False
    most_rows: int = 1  # which is always tried again

    @classmethod
    def unknown(cls, model: Model, reply_format: ReplyFormat | None, default_limit: int | None) -> Self:
        """What a run begins with; ``default_limit`` is that of the tokens of a reply where the recipe has none."""
        options = Options(model, reply_format, model.max_tokens or default_limit)
        return cls(model, model.name, options, ReplyLimits(fixed=model.max_tokens is not None))
