"""The token limit of each reply: a margin over the expected length, which follows from the replies so far; pure.

    expected tokens x margin + hidden tokens -> limit -> reply -> margin, hidden tokens

A model that does not end its reply then costs a few times what was asked for, not minutes. A reply that was cut off
raises the margin, as long as that helps: if none of the replies to two raised limits ends, the model never ends them,
and the margin returns to the first. Hidden tokens are those of reasoning, which count against the limit at most
endpoints: where a reply has any, the limit leaves ample room for them. A limit that exceeds the endpoint's context is
not sent again with such a prompt: the context is the limit then.

Does not handle: a limit in the recipe, which takes the place of this one; options that an endpoint refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selfinstruct.backends.openai.completion import Completion
from selfinstruct.backends.openai.error_words import REPLY_TOO_LONG
from selfinstruct.prompts import estimate_tokens
from selfinstruct.records import Request
from selfinstruct.replies import ending_of

#: Tokenizers have up to twice the tokens of the estimate, in digits and in other languages.
FIRST_MARGIN = 3.0
#: No reply is expected to be shorter than this: one row, or a word among prose.
LEAST_EXPECTED = 80
#: A model that continues rows seldom ends before its limit: this is as much as is wanted.
_CONTINUED_MARGIN = 2.0
_RAISE = 2.0
#: Raises in a row without a whole reply.
_MOST_RAISES = 2
#: The room for reasoning: its first size, and a multiple of the most that was seen.
_FIRST_HIDDEN, _HIDDEN_MARGIN = 8_192, 2
#: Output beyond this multiple of the estimate of the text was not text.
_VISIBLE = 4
#: More than this many tokens beyond it are reasoning and no miscount.
_NOTICED = 64
_REASONING = re.compile(r"^\s*(?:<think|\[THINK\]|<\|channel\|>analysis)", re.IGNORECASE)


@dataclass(slots=True)
class _Margin:
    """The margin of the calls of one step, and the outcomes since it was last raised."""

    factor: float = FIRST_MARGIN
    raises: int = 0
    never_ends: bool = False

    def of(self, expected: int) -> int:
        """The limit of a reply of ``expected`` tokens."""
        return round(max(expected, LEAST_EXPECTED) * self.factor)

    def widen(self) -> None:
        """Raise the margin after a reply that it cut off, or return to the first one if that never helps."""
        if self.raises < _MOST_RAISES:
            self.raises += 1
            self.factor *= _RAISE
        else:
            self.factor, self.never_ends = FIRST_MARGIN, True


class ReplyLimits:
    """The limits for the replies of one model; none where the recipe has a ``fixed`` one."""

    def __init__(self, *, fixed: bool = False) -> None:
        self._fixed = fixed
        self._margins: dict[str, _Margin] = {}
        self._hidden = 0
        self._context: int | None = None

    def of(self, request: Request, prompt: int) -> int | None:
        """The limit for the reply to a request whose prompt has about ``prompt`` tokens; None to send none."""
        if self._fixed or request.reply_tokens is None:
            return None
        if request.stop:
            return round(max(request.reply_tokens, LEAST_EXPECTED) * _CONTINUED_MARGIN)
        limit = self._margin(request).of(request.reply_tokens) + self._hidden
        return None if self._context is not None and prompt + limit >= self._context else limit

    def record(self, request: Request, limit: int | None, outcome: Completion) -> bool:
        """Learn from the reply to a request with this limit; whether to send it again, with a higher one."""
        if self._fixed or request.reply_tokens is None or request.stop:
            return False  # a model that continues rows goes on until it is cut off
        reasons = self.notice_reasoning(outcome)
        margin = self._margin(request)
        if ending_of(outcome.finish_reason) != "truncated":
            margin.raises = 0
        elif limit is None:
            return False
        elif reasons:
            return not outcome.text.strip() and limit < self._hidden
        # A lower limit was that of an earlier margin.
        elif limit >= margin.of(request.reply_tokens) and not margin.never_ends:
            margin.widen()
        return False

    def notice_reasoning(self, outcome: Completion) -> bool:
        """Make room for reasoning, if a reply has any; whether it has."""
        hidden = _hidden_tokens(outcome)
        if hidden:
            self._hidden = max(self._hidden, _FIRST_HIDDEN, _HIDDEN_MARGIN * hidden)
        return hidden > 0

    def too_long(self, limit: int | None, prompt: int, message: str) -> bool:
        """Whether an error about the context is due to a limit, so that the request is sent again without one."""
        if limit is None or not REPLY_TOO_LONG.search(message):
            return False
        total = prompt + limit
        self._context = total if self._context is None else min(self._context, total)
        return True

    def _margin(self, request: Request) -> _Margin:
        """The margin of the step of a request."""
        return self._margins.setdefault(request.step.partition("/")[0], _Margin())


def _hidden_tokens(outcome: Completion) -> int:
    """The tokens of a reply that are not in its text, or are reasoning at its beginning."""
    seen = estimate_tokens(outcome.text)
    if outcome.reasoning_length:
        return max(outcome.reasoning_length // 3, (outcome.output or 0) - seen, 1)
    if _REASONING.match(outcome.text):
        return max(seen, 1)
    beyond = (outcome.output or 0) - _VISIBLE * seen - _NOTICED
    return (outcome.output or 0) - seen if beyond > 0 else 0
