"""Batches -> the chat messages that a model reads; pure.

Does not handle: sending messages, or reading replies (``replies``). Rows are data: they are written as JSON inside a
fence that they cannot close, and are never used as a template.
"""

from __future__ import annotations

from selfinstruct.prompts.language import Language, detect_language
from selfinstruct.prompts.quoting import demonstrations
from selfinstruct.prompts.row_prompt import row_messages
from selfinstruct.prompts.step_prompt import step_messages
from selfinstruct.prompts.token_estimate import estimate_tokens

__all__ = ["Language", "demonstrations", "detect_language", "estimate_tokens", "row_messages", "step_messages"]
