"""Whether a model may be too weak or too slow for calls for many rows, by what is known before the first; pure.

A model is weak if it only continues text, or is small by its name. An endpoint is slow if it is on this machine or its
network, and has not answered the trial call when the run begins: elsewhere that says more about the network. With many
calls at once, each asks for all rows: nobody sends many calls at once to a slow machine.

Does not handle: what its replies say (``growth/rows_per_call``).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Model

#: Numbers of parameters in names: "SmolLM2-135M-Instruct", "qwen2.5:0.5b". Not "8x7b" or "A3B", a part of the whole,
#: nor "1M", a length of context.
_PARAMETERS = re.compile(r"(?<![0-9a-z.])(?:([0-9]+(?:\.[0-9]+)?) ?b|([0-9]{2,4}) ?m)(?![0-9a-z])", re.IGNORECASE)
#: Models with fewer billions of parameters are small: they lose the thread in long replies.
_SMALL = 4.0
#: The most calls at once of an endpoint that is taken for slow; the default of a recipe.
_FEW_CALLS = 16
_LOCAL_NAMES = re.compile(r"localhost|[^.]+|.+\.(?:local|lan|internal|home|localdomain)", re.IGNORECASE)


def weakness(model: Model, name: str, base_url: str, unanswered: float | None) -> Phrase | None:
    """Why calls to a model should ask for few rows at first, for the user; None if nothing says so.

    ``unanswered`` is for how many seconds the trial call has had no reply; None if it has one.
    """
    if model.api == "completions":
        return Phrase("{name} continues text, and seldom ends by itself", name=name)
    if is_small(name):
        return Phrase("{name} is a small model by its name", name=name)
    if unanswered is not None and model.concurrency <= _FEW_CALLS and is_local(base_url):
        return Phrase("{name} took longer than {seconds:g} s for a short call", name=name, seconds=unanswered)
    return None


def is_small(name: str) -> bool:
    """Whether a model is small by its name; a name without a number of parameters says nothing.

    >>> [is_small(name) for name in ("gemma-3-270m-q4_k_m.gguf", "llama3.2:1b", "Qwen3-30B-A3B", "gpt-4o-mini")]
    [True, True, False, False]
    """
    sizes = [
        float(billions) if billions else float(millions) / 1000 for billions, millions in _PARAMETERS.findall(name)
    ]
    return bool(sizes) and max(sizes) < _SMALL


def is_local(base_url: str) -> bool:
    """Whether an address is of this machine or its network.

    >>> [is_local(url) for url in ("http://127.0.0.1:8080/v1", "http://ollama:11434/v1", "https://api.openai.com/v1")]
    [True, True, False]
    """
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return _LOCAL_NAMES.fullmatch(host) is not None
