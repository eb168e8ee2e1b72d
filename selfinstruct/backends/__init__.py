"""Sources of replies: an endpoint, the embedded imitator, templates, a recorded run, or code of the user's own.

A ``Backend`` answers one ``Request`` at a time; ``ModelPool`` distributes requests over several, and ``Budget`` limits
what they spend together. Models behind OpenAI-compatible endpoints are in ``selfinstruct.backends.openai``, which is
not imported here because its libraries take a second to load.

Does not handle: choosing what to request (``growth``), the words of a prompt (``prompts``), or reading rows out of a
reply (``replies``).
"""

from selfinstruct.backends.base import Backend
from selfinstruct.backends.budget import Budget, BudgetSpent, Spending, batch_name, cost
from selfinstruct.backends.extension import ExtensionBackend
from selfinstruct.backends.imitator import Imitator
from selfinstruct.backends.model_pool import MAX_CONSECUTIVE_FAILURES, ModelPool
from selfinstruct.backends.no_model import NoModel
from selfinstruct.backends.passage_imitator import PassageImitator, PassageQuestions
from selfinstruct.backends.replay import Replay

__all__ = [
    "MAX_CONSECUTIVE_FAILURES",
    "Backend",
    "Budget",
    "BudgetSpent",
    "ExtensionBackend",
    "Imitator",
    "ModelPool",
    "NoModel",
    "PassageImitator",
    "PassageQuestions",
    "Replay",
    "Spending",
    "batch_name",
    "cost",
]
