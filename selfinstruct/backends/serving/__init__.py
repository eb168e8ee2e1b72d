"""A model server that a run starts itself, from a command of the user, and ends with the run.

    command -> server (starts the keeper, waits until the model is loaded) -> keeper (starts the server, and again)

Does not handle: calls to the model (``backends.openai``). A recipe never names a command: recipes may be a stranger's.
"""

from selfinstruct.backends.serving.command import parse_command
from selfinstruct.backends.serving.server import ModelServer

__all__ = ["ModelServer", "parse_command"]
