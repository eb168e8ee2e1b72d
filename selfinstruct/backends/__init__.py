"""Sources of replies: a model behind an endpoint, the embedded imitator, expansion templates, or a recorded run.

A ``Backend`` answers one ``Request`` at a time; ``ModelPool`` distributes requests over several, and ``Budget`` limits
what they spend together. Models behind OpenAI-compatible endpoints are in ``selfinstruct.backends.openai``, which is
not imported here because its libraries take a second to load.

Does not handle: choosing what to request (``growth``), the words of a prompt (``prompts``), or reading rows out of a
reply (``replies``).
"""

from selfinstruct.backends.base import Backend
from selfinstruct.backends.budget import Budget, BudgetSpent, Spending, cost
from selfinstruct.backends.imitator import Imitator
from selfinstruct.backends.model_pool import MAX_CONSECUTIVE_FAILURES, ModelPool
from selfinstruct.backends.no_model import NoModel
from selfinstruct.backends.replay import Replay

__all__ = [
    "MAX_CONSECUTIVE_FAILURES",
    "Backend",
    "Budget",
    "BudgetSpent",
    "Imitator",
    "ModelPool",
    "NoModel",
    "Replay",
    "Spending",
    "cost",
]
