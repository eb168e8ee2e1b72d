"""Parses the text of a reply into candidate rows, or the reason why there are none; pure.

Does not handle: judging candidates (``checks``), calling a model (``backends``).
"""

from __future__ import annotations

from selfinstruct.replies.reply import Parsed, parse_reply, strip_reasoning

__all__ = ["Parsed", "parse_reply", "strip_reasoning"]
