"""A reply's text -> candidates, or the reason why there are none."""

from selfinstruct.replies.reply import Parsed, answer_of, parse

__all__ = ["Parsed", "answer_of", "parse"]
