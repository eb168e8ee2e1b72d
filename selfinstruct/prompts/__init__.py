"""Batches -> the chat messages that a model reads; pure.

Does not handle: sending messages, or reading replies (``replies``). Rows are data: they are written as JSON inside a
fence that they cannot close, and are never used as a template.
"""

from __future__ import annotations

from selfinstruct.prompts.continuation import STOP, STOP_ANSWER, completed_answer, continued_answer, continued_rows
from selfinstruct.prompts.evidence_first import evidence_first, in_order
from selfinstruct.prompts.language import detect_language
from selfinstruct.prompts.passage_prompt import ASK, ask_step
from selfinstruct.prompts.probe_prompt import probe_messages
from selfinstruct.prompts.quoting import demonstrations, fenced
from selfinstruct.prompts.row_prompt import row_messages
from selfinstruct.prompts.step_prompt import step_messages
from selfinstruct.prompts.token_estimate import estimate_tokens
from selfinstruct.prompts.verbalized import without_probability
from selfinstruct.prompts.verify_prompt import ANSWER, REASONING, verify_messages

__all__ = [
    "ANSWER",
    "ASK",
    "REASONING",
    "STOP",
    "STOP_ANSWER",
    "ask_step",
    "completed_answer",
    "continued_answer",
    "continued_rows",
    "demonstrations",
    "detect_language",
    "estimate_tokens",
    "evidence_first",
    "fenced",
    "in_order",
    "probe_messages",
    "row_messages",
    "step_messages",
    "verify_messages",
    "without_probability",
]
