"""A reply's text -> candidates, or the reason why there are none."""

from selfinstruct.replies.reply import Parsed, parse_reply, strip_reasoning

__all__ = ["Parsed", "parse_reply", "strip_reasoning"]
