"""How many tokens something has, where that is known before the replies: a range, with its usual value.

Does not handle: how many there were (``prompts.estimate_tokens`` of a text, the bill of a reply).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenRange:
    """The least, the usual and the most tokens; ``most`` is None where nothing limits them."""

    least: float = 0.0
    usual: float = 0.0
    most: float | None = 0.0

    @classmethod
    def exactly(cls, tokens: float) -> TokenRange:
        """A known number of tokens."""
        return cls(tokens, tokens, tokens)

    def __add__(self, other: TokenRange) -> TokenRange:
        """Return the range of both together."""
        most = None if self.most is None or other.most is None else self.most + other.most
        return TokenRange(self.least + other.least, self.usual + other.usual, most)

    def __mul__(self, count: float) -> TokenRange:
        """Return the range of ``count`` texts of this range."""
        return TokenRange(count * self.least, count * self.usual, None if self.most is None else count * self.most)
