"""The models in a reply to GET /models, in any form, and which of them can write; pure.

OpenAI's ``{"data": [{"id"}]}``, Ollama's and Google's ``{"models": [{"name"}]}``, a bare list, a list of names, an
object by name, any of these one level deeper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_LISTS = ("data", "models", "result", "results", "items", "modelsummaries", "list", "body")
_NAMES = ("id", "model", "modelid", "model_id", "modelname", "model_name", "name")
#: Keys that say what a model is for.
_PURPOSES = (
    *("type", "task", "model_type", "object", "pipeline_tag", "mode", "capabilities", "supported_methods", "endpoints"),
    *("supportedgenerationmethods", "supported_endpoint_types", "outputmodalities", "output_modalities"),
)
_WRITES = re.compile(r"chat|completion|generat|instruct|\bllm\b|\bvlm\b|language|text-to-text|^text$", re.IGNORECASE)
_OTHERS = re.compile(
    r"embed|rerank|moderation|speech|transcri|\btts\b|\basr\b|image|diffusion|audio|video|classif|\bocr\b",
    re.IGNORECASE,
)
#: Names of models that do not write: their families, where the name does not say what they are for.
_OTHER_NAMES = re.compile(
    r"embed|rerank|moderation|whisper|dall-e|gpt-image|diffusion|(?:^|[/_-])(?:bge|gte|e5|tts|asr|clip|flux|sora|colbert)"
    r"(?:[/_-]|$)|transcribe|speech|minilm|paraphrase|sentence-t",
    re.IGNORECASE,
)
#: Some list a number of their own beside the name.
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelList:
    """The names of models that can write, in the endpoint's order, and of those that cannot."""

    writers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def read_models(payload: Any) -> ModelList:
    """Return the models that a payload lists.

    >>> read_models({"data": [{"id": "bge-m3"}, {"id": "qwen3"}]})
    ModelList(writers=('qwen3',), others=('bge-m3',))
    """
    found = {name: _can_write(name, entry) for name, entry in _entries(payload, 0)}
    return ModelList(
        tuple(name for name, writes in found.items() if writes),
        tuple(name for name, writes in found.items() if not writes),
    )


def _entries(payload: Any, depth: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and description of each model."""
    if isinstance(payload, list):
        named = ((_name(each), each if isinstance(each, dict) else {}) for each in payload)
        return [(name, entry) for name, entry in named if name]
    if not isinstance(payload, dict) or depth > 2:
        return []
    parts = {str(key).casefold(): value for key, value in payload.items()}
    for key in _LISTS:
        value = parts.get(key)
        entries = _entries(value, depth + 1) if value else []
        if not entries and isinstance(value, dict) and value and all(isinstance(each, dict) for each in value.values()):
            entries = [(_name(entry) or str(name), entry) for name, entry in value.items()]
        if entries:
            return entries
    return []


def _name(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict):
        return ""
    parts = {str(key).casefold(): value for key, value in entry.items()}
    names = [parts[key] for key in _NAMES if isinstance(parts.get(key), str) and parts[key]]
    return next((name for name in names if not _UUID.fullmatch(name)), names[0] if names else "")


def _can_write(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a model writes text, by what its entry says of its purpose, else by its name."""
    said = list(_purposes(entry))
    if any(map(_WRITES.search, said)):
        return True
    return not any(map(_OTHERS.search, said)) and not _OTHER_NAMES.search(name)


def _purposes(entry: Mapping[str, Any]) -> Iterable[str]:
    """The words of an entry about what the model is for; of an object, its keys that are true."""
    for key, value in entry.items():
        if str(key).casefold() not in _PURPOSES:
            continue
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))
        elif isinstance(value, dict):
            yield from (str(name) for name, has in value.items() if has)
