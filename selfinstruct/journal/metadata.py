"""The metadata of a run: everything in the journal that is not a batch, a call, a row or a rejection.

Stored in the table ``notes``, one JSON value per key. The keys and the form of the values are part of the file format.

Does not handle: validation. A value of a damaged journal is found by ``History``, as invalid JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Self

from selfinstruct.records import JSON, Row

#: Fields whose key in the table has another name.
_KEYS = {"prompt_inputs": "materials"}


def seeds_digest(seeds: Sequence[Row]) -> str:
    """Return a digest of the seed rows, which identifies them in the metadata."""
    return hashlib.sha256(json.dumps(seeds, sort_keys=True).encode()).hexdigest()


class QuotaStage(NamedTuple):
    """The quotas of the calls after ``after_call``; a run that grows further has several stages."""

    after_call: int
    quotas: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """The settings of a run, and its state that no other table has.

    The first four identify the run: ``recipe`` (TOML, resolved), ``seeds_digest`` (of the seed rows), ``seed`` (the
    random seed) and ``version`` (of selfinstruct). ``quotas`` are in the order of their calls. ``prices`` has for each
    model the price of a million tokens, input and output; ``preflights`` the cost of the calls before the first batch:
    requests, input tokens, output tokens, and 1 where these are estimated. ``reasons`` explains inferred settings by
    their key path. ``prompt_inputs`` are the lists and templates that prompts use. ``remarks`` are notes on the models
    for the summary. ``stopped`` is why the last session ended, ``seconds`` the time of all sessions. ``exhausted``
    are the categories that gave up short of their quota. ``started`` is when the run was created, in UTC (ISO 8601).
    ``held_out`` are the rows of the seed file that nothing is grown from. ``parts`` is empty but where several workers
    grow the run: then it has the round that they are in, or in the journal of a part the numbers of its batches.
    ``few_rows`` is the seconds that a call might take, if the first calls asked for few rows each, else None.
    ``concurrency`` is the largest number of calls in flight in the last session with a model; 0 without one.
    """

    recipe: str
    seeds_digest: str
    seed: int
    version: str
    quotas: Sequence[QuotaStage] = ()
    prices: Mapping[str, Sequence[float]] = field(default_factory=dict)
    preflights: Mapping[str, Sequence[int]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    prompt_inputs: JSON = field(default_factory=dict)
    remarks: Sequence[str] = ()
    stopped: str = "interrupted"
    seconds: float = 0.0
    exhausted: frozenset[str] = frozenset()
    started: str = ""
    held_out: Sequence[Row] = ()
    parts: JSON = field(default_factory=dict)
    few_rows: float | None = None
    concurrency: int = 0

    @classmethod
    def from_notes(cls, notes: Mapping[str, JSON]) -> Self:
        """The metadata in the values of the table; other keys are ignored, and missing ones have their default."""
        found = {each.name: notes[key] for each in fields(cls) if (key := _KEYS.get(each.name, each.name)) in notes}
        identity: dict[str, JSON] = {"recipe": "", "seeds_digest": "", "seed": 0, "version": ""}
        found["quotas"] = tuple(QuotaStage(after, dict(quotas)) for after, quotas in found.get("quotas", ()))
        found["exhausted"] = frozenset(found.get("exhausted", ()))
        return cls(**(identity | found))

    def to_notes(self) -> dict[str, JSON]:
        """The values of the table by key."""
        values: dict[str, JSON] = {each.name: getattr(self, each.name) for each in fields(self)}
        values["quotas"] = [[stage.after_call, dict(stage.quotas)] for stage in self.quotas]
        values["remarks"] = list(self.remarks)
        values["held_out"] = list(self.held_out)
        values["exhausted"] = sorted(self.exhausted)
        return {_KEYS.get(name, name): value for name, value in values.items()}

    def changes(self, notes: Mapping[str, JSON]) -> dict[str, JSON]:
        """The values to write to a table with these ``notes``; a default is not written where its key is missing."""
        known = {**_DEFAULTS, **notes}
        return {key: value for key, value in self.to_notes().items() if key not in known or known[key] != value}

    @property
    def current_quotas(self) -> Mapping[str, int]:
        """The quotas of the last stage; empty where no session has recorded any."""
        return self.quotas[-1].quotas if self.quotas else {}


_IDENTITY = ("recipe", "seeds_digest", "seed", "version")
_DEFAULTS = {key: value for key, value in RunMetadata("", "", 0, "").to_notes().items() if key not in _IDENTITY}
