"""A reply's text -> candidates, or the reason why there are none."""

from selfinstruct.parse.reply import Parsed, parse

__all__ = ["Parsed", "parse"]
