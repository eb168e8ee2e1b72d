"""A dry run as JSON: the object that ``run --dry-run --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from selfinstruct.analysis.dry_run import DryRun
from selfinstruct.analysis.passages_found import PassagesFound


class Tokens(TypedDict):
    """Estimated tokens: ``input`` in all prompts, ``output`` in all replies."""

    input: int
    output: int


class Ranges(TypedDict):
    """The least and the most of ``input`` and ``output`` tokens and of the ``cost``; null where that is not known."""

    input: tuple[int, int | None]
    output: tuple[int, int | None]
    cost: tuple[float, float | None] | None


class ShownPassage(TypedDict):
    """A passage: its ``document``, its ``text``, and the number of ``characters`` of the text."""

    document: str
    characters: int
    text: str


class Passages(TypedDict):
    """The ``count`` of passages, and of these the ``first``, the ``last``, the ``shortest`` and the ``longest``."""

    count: int
    first: ShownPassage
    last: ShownPassage
    shortest: ShownPassage
    longest: ShownPassage


class PromptMessage(TypedDict):
    """One chat message: its ``role`` is "system", "user" or "assistant", its ``content`` the text."""

    role: str
    content: str


class DryRunOutput(TypedDict):
    """The least that a run takes, if every candidate is accepted; nothing was sent or written.

    ``requests`` counts them by category if rows are imitated, else by the name of the list, step or judge. ``tokens``
    are estimated. ``cost`` is in the currency of the recipe's prices; null without prices. ``ranges`` has the least and
    the most of these figures, with null for what is not known because of the values in ``unknown_lengths``.
    ``passages`` are those that were found; null if the rows are not about passages. ``prompts`` has the complete first
    request of each name in ``requests``. ``rounds`` is the least number of rounds of batch jobs, 0 without such jobs.
    """

    requests: dict[str, int]
    tokens: Tokens
    cost: float | None
    ranges: Ranges
    unknown_lengths: list[str]
    passages: Passages | None
    prompts: dict[str, list[PromptMessage]]
    rounds: int


def dry_run_json(expected: DryRun) -> DryRunOutput:
    """Return the object that ``run --dry-run --json`` prints."""
    return {
        "requests": dict(expected.requests),
        "tokens": {"input": expected.input_tokens, "output": expected.output_tokens},
        "cost": expected.cost,
        "ranges": {"input": expected.input_range, "output": expected.output_range, "cost": expected.cost_range},
        "unknown_lengths": list(expected.unknown),
        "passages": None if expected.passages is None else _passages(expected.passages),
        "prompts": {
            name: [{"role": message.role, "content": message.content} for message in messages]
            for name, messages in expected.prompts.items()
        },
        "rounds": expected.rounds,
    }


def _passages(found: PassagesFound) -> Passages:
    shown: Mapping[str, ShownPassage] = {
        label: {"document": passage.document, "characters": len(passage.text), "text": passage.text}
        for label, passage in found.shown.items()
    }
    return {
        "count": found.count,
        "first": shown["first"],
        "last": shown["last"],
        "shortest": shown["shortest"],
        "longest": shown["longest"],
    }
