"""The settings of the fault server and the record of what it did; plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class BatchBehaviour:
    """How the server processes batch jobs.

    A job spends ``seconds`` in each of the states validating, in progress and finalizing. ``faults`` is the share of
    jobs, lines, polls or files with each fault, by its name in ``selfinstruct.testing.BATCH_FAULTS``. ``shape`` is the
    form of the protocol: "openai" or "together".
    """

    seconds: float = 0.0
    faults: Mapping[str, float] = field(default_factory=dict)
    shape: str = "openai"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The settings of one fault server; every time is in seconds.

    ``faults`` is the share of requests with each fault, by its name in `selfinstruct.testing.FAULTS` (or
    ``name:variant``); their sum is at most 1. ``seed`` and the number of a request determine its fault, so a server
    with the same settings does the same again. A reply takes ``latency``, and ``slow_factor`` times as long for
    ``slow_share`` of the requests, and longer by its tokens at ``tokens_per_second`` (0: all at once). ``slots`` is the
    number of replies generated concurrently (0: unlimited); further requests wait. Requests beyond
    ``requests_per_minute`` are answered by 429 (0: no limit). ``wait`` is the delay in the headers of a 429, ``drip``
    the time between the blank lines of the fault of that name.

    ``no_usage`` and ``partial_usage`` are the shares of replies without usage, or with part of it. ``key`` is the API
    key that requests must have ("": none needed). ``models`` are listed and accepted; with ``any_model``, any other
    name is accepted as well. Requests with an option in ``refuses`` are answered by 400, such as ``response_format``,
    ``json_object``, ``json_schema``, ``seed`` or ``max_tokens``. ``prefix`` is the path before ``/chat/completions``.
    Idle connections are closed after ``keep_alive``. ``model_list`` is the form of the list of models, one of
    `selfinstruct.testing.manners.LISTS`. With ``repeats_key``, errors, pages and headers repeat the request's
    Authorization header in the encodings that servers are known to use. ``prefix_cache`` is the least number of
    tokens of a cached beginning of a prompt, and the step in which it grows (OpenAI: 1,024 and 128); None is no cache.
    ``batches`` is how batch jobs are processed.
    """

    faults: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    latency: float = 0.0
    slow_share: float = 0.0
    slow_factor: float = 10.0
    tokens_per_second: float = 0.0
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
    model_list: str = "openai"
    prefix_cache: tuple[int, int] | None = None
    batches: BatchBehaviour = field(default_factory=BatchBehaviour)

    def draw(self, number: int) -> tuple[str, Random]:
        """The fault of request ``number`` ("" for none), and the random generator for everything else about it."""
        rng = Random(f"{self.seed}:{number}")
        chance = rng.random()
        for name, share in self.faults.items():
            chance -= share
            if chance < 0:
                return name, rng
        return "", rng


@dataclass(frozen=True, slots=True)
class Billed:
    """One billed request: its reply was generated, whether or not it arrived.

    ``number`` counts all completion requests from 1; ``at`` is in seconds since the server started; ``fault`` is
    ``name:variant`` or "". ``input`` and ``output`` are tokens, ``cached`` those of the input that were in the cache.
    """

    number: int
    at: float
    model: str
    input: int
    output: int
    fault: str
    cached: int = 0


@dataclass(slots=True)
class Ledger:
    """The record of a fault server.

    ``counts`` has ``requests`` (for completions), ``answered`` (without a fault), ``faults``, each fault by its name
    and by its variant, and how many of them were ``lost`` (another call is needed), ``kept`` or ``fatal``;
    ``after-fatal`` (requests after the first fatal one); ``storm`` and ``limited`` (429s that are not faults),
    ``denied`` (a wrong key, model, option or body), ``abandoned`` (the client disconnected before the reply). ``peak``
    is the largest number of requests in flight. Of batch jobs it has ``batch-jobs``, ``batch-polls``,
    ``batch-requests`` (billed), ``batch-repeated`` (billed although the same line was billed before, in any job), and
    ``batch-faults``, in all and by name.
    """

    counts: Counter[str] = field(default_factory=Counter)
    billed: list[Billed] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0

    def summary(self) -> dict[str, object]:
        """The counters and billed tokens as a JSON object."""
        return {
            **dict(sorted(self.counts.items())),
            "billed": len(self.billed),
            "tokens": {
                "input": sum(request.input for request in self.billed),
                "output": sum(request.output for request in self.billed),
                "cached": sum(request.cached for request in self.billed),
            },
            "in_flight": self.in_flight,
            "peak": self.peak,
        }
