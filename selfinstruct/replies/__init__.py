"""Parses the text of a reply into candidate rows, or the reason why there are none; pure.

Does not handle: judging candidates (``checks``), calling a model (``backends``).
"""

from __future__ import annotations

from selfinstruct.replies.ending import MISSING, Ending, ending_of
from selfinstruct.replies.markers import answer_text, control_token, marker_names
from selfinstruct.replies.reply import Parsed, parse_reply

__all__ = ["MISSING", "Ending", "Parsed", "answer_text", "control_token", "ending_of", "marker_names", "parse_reply"]
