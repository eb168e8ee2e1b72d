"""How the replies of an endpoint ended that gives no ``finish_reason``, or null: what else it says decides.

Does not handle: the meaning of a reason that is given (``replies.ending``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from selfinstruct.backends.openai.completion import Completion
from selfinstruct.messages import Phrase
from selfinstruct.replies import MISSING

#: Replies without a finish reason after which an endpoint that has never given one is assumed to send none.
_ENOUGH = 4


@dataclass(slots=True)
class Endings:
    """The reasons of an endpoint's replies so far: how many it ``stated``, and how many replies were ``silent``."""

    stated: int = 0
    silent: int = 0

    def settle(self, completion: Completion, limit: int) -> Completion:
        """Return the completion with the reason that follows from its tokens and from the endpoint's other replies.

        A reply of as many tokens as its ``limit`` (0: none) was cut off. Of an endpoint that gives reasons, a reply
        without one is doubtful; of one that never does, every reply is taken as whole.
        """
        if completion.finish_reason != MISSING:
            self.stated += 1
            return completion
        self.silent += 1
        if 0 < limit <= (completion.output or 0):
            return replace(completion, finish_reason="length")
        return replace(completion, finish_reason="") if self._knows_none else completion

    @property
    def notes(self) -> list[str]:
        """A remark for the summary about an endpoint that gives no reasons."""
        note = Phrase(
            "the endpoint does not say how its replies end: text that is cut off cannot be told from whole text"
        )
        return [note] if self._knows_none else []

    @property
    def _knows_none(self) -> bool:
        return not self.stated and self.silent >= _ENOUGH
