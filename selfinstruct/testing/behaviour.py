"""How the fault server behaves, and what it writes down of what it did; plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The settings of one fault server; every time is in seconds.

    ``faults`` gives the share of requests that each fault befalls, by its name in `selfinstruct.testing.FAULTS` (or
    ``name:variant``); their sum is at most 1. ``seed`` decides by a request's number which one, if any: the same on
    every run. A reply takes ``latency``, and ``slow_factor`` times as long in ``slow_share`` of cases. ``slots`` is
    how many replies are generated at once (0: any number); the others wait. ``requests_per_minute`` answers 429
    beyond it (0: no limit). ``wait`` is what the hints of a 429 ask for, and ``drip`` the time between blank lines.

    ``no_usage`` and ``partial_usage`` are the shares of replies whose usage is missing or half there. ``key`` is the
    key that requests must carry ("": any, or none), ``models`` those that there are (the first is a model whatever
    it is called, where ``any_model``). ``refuses`` names request options that are always answered with 400, such as
    ``response_format``, ``json_object``, ``json_schema``, ``seed``, ``max_tokens``. ``prefix`` is the path in front of
    ``/chat/completions``. Idle connections are closed after ``keep_alive``. ``repeats_key``: errors, pages and headers
    repeat the request's Authorization header, in the encodings that servers are known to use.
    """

    faults: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    latency: float = 0.0
    slow_share: float = 0.0
    slow_factor: float = 10.0
    slots: int = 0
    requests_per_minute: int = 0
    wait: float = 0.2
    drip: float = 0.5
    no_usage: float = 0.0
    partial_usage: float = 0.0
    key: str = field(default="", repr=False)
    models: tuple[str, ...] = ("test-model",)
    any_model: bool = True
    refuses: frozenset[str] = frozenset()
    prefix: str = "/v1"
    keep_alive: float = 5.0
    repeats_key: bool = False

    def draw(self, number: int) -> tuple[str, Random]:
        """The fault that befalls request ``number`` ("" for none), and the generator for the rest of its chances."""
        rng = Random(f"{self.seed}:{number}")
        chance = rng.random()
        for name, share in self.faults.items():
            chance -= share
            if chance < 0:
                return name, rng
        return "", rng


@dataclass(frozen=True, slots=True)
class Billed:
    """One request that was billed: generated, whether or not the reply arrived.

    ``number`` counts all requests for completions from 1; ``at`` is in seconds since the server began; ``fault`` is
    the fault's name and variant or "". ``input`` and ``output`` are tokens.
    """

    number: int
    at: float
    model: str
    input: int
    output: int
    fault: str


@dataclass(slots=True)
class Ledger:
    """What a fault server has done so far.

    ``counts`` has ``requests`` (for completions), ``answered`` (without a fault), ``faults``, each fault by its name
    and by its variant, and how many of them were ``lost`` (another call is needed), ``kept`` or ``fatal``;
    ``after-fatal`` (requests after the first fatal one); ``storm`` and ``limited`` (429s besides the faults),
    ``denied`` (a wrong key, model, option or body), ``abandoned`` (the client left before the reply). ``peak`` is the
    largest number of requests in flight.
    """

    counts: Counter[str] = field(default_factory=Counter)
    billed: list[Billed] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0

    def summary(self) -> dict[str, object]:
        """The counters, and tokens billed, as JSON has them."""
        return {
            **dict(sorted(self.counts.items())),
            "billed": len(self.billed),
            "tokens": {
                "input": sum(request.input for request in self.billed),
                "output": sum(request.output for request in self.billed),
            },
            "in_flight": self.in_flight,
            "peak": self.peak,
        }
