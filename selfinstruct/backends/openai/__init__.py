"""Models behind OpenAI-compatible endpoints: requests, pacing, retries, billing, and what replies and errors mean.

Does not handle: streaming, batch jobs, or which prompts are sent. Importing this package imports aiohttp.
"""

from selfinstruct.backends.openai.backend import CallCounts, OpenAIBackend
from selfinstruct.backends.openai.options import Options, reply_schema
from selfinstruct.backends.openai.settings import Deadlines, EndpointSettings, PacingSettings, PreflightSettings

__all__ = [
    "CallCounts",
    "Deadlines",
    "EndpointSettings",
    "OpenAIBackend",
    "Options",
    "PacingSettings",
    "PreflightSettings",
    "reply_schema",
]
