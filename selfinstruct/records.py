"""The records that a run passes between its stages, as frozen data classes; no behaviour, no I/O.

Batch -> Request -> Reply | Failure -> Candidate -> Judgement
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

#: A JSON value. Rows may contain any, and a run never changes one.
JSON: TypeAlias = Any
#: A row: field name -> JSON value, in the order of the seeds' fields.
Row: TypeAlias = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Batch:
    """One unit of work: request ``count`` rows of one category.

    ``number`` counts from 1 and is unique in the run. ``requested_before`` is the number of rows of
    this category that earlier batches requested. ``demos`` are pool ids: seeds are 1..S in file order, grown rows
    S+1.. in the order in which they were accepted. ``conditions`` are the values that the prompts are conditioned on:
    attribute values by name, and under ``passage`` the number of the passage, from 1.
    """

    number: int
    category: str
    count: int
    requested_before: int
    demos: tuple[int, ...]
    conditions: dict[str, JSON] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """The format of a JSON reply: one object or a list of objects, and the JSON type of each of their members.

    Those in ``optional`` may be left out. ``is_verbalized`` is whether each object also has the probability that the
    model states for it, which is then one of the types. ``choices`` are the only values of a member that is a label.
    """

    types: dict[str, str]
    is_list: bool = True
    optional: frozenset[str] = frozenset()
    is_verbalized: bool = False
    choices: dict[str, tuple[JSON, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a backend, for one step of one batch.

    Models use only ``messages``; the built-in imitator uses ``demos`` and the batch. ``seed`` is derived from the
    run's seed and the batch number, so that a repeated run sends the same requests. ``reply_format`` is None for a
    text reply. ``model`` is the name of the model to call; "" means any. ``reply_tokens`` is about how long the reply
    to these messages is, None if that is not known. At one of the texts in ``stop`` a model that continues a text ends
    its reply. ``rows`` is how many rows the reply is to have, if a later request may ask for fewer, else 1.
    ``temperature`` is that of this request, where the recipe has none.
    """

    batch: Batch
    step: str
    messages: tuple[Message, ...]
    demos: tuple[Row, ...]
    seed: int
    reply_format: ReplyFormat | None = None
    model: str = ""
    reply_tokens: int | None = None
    stop: tuple[str, ...] = ()
    rows: int = 1
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens: ``input`` of prompts, ``output`` of replies; ``estimated`` if the endpoint did not report them.

    ``cached`` are those of the input that the endpoint had in its cache of prompts, which are often cheaper.
    """

    input: int = 0
    output: int = 0
    estimated: bool = False
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum of both."""
        estimated = self.estimated or other.estimated
        cached = self.cached + other.cached
        return Usage(self.input + other.input, self.output + other.output, estimated, cached)


@dataclass(frozen=True, slots=True)
class Reply:
    """The raw model response to one step of one batch.

    ``finish_reason`` is the endpoint's own value (``stop``, ``length``, ``content_filter``...). ``seconds`` is the time
    from sending to the last byte. ``tries`` counts the HTTP requests that were needed, and ``usage`` is their total.
    """

    text: str
    model: str
    usage: Usage = Usage()
    finish_reason: str = "stop"
    seconds: float = 0.0
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without a usable reply; ``reason`` is a slug, ``message`` is for people.

    ``fatal_error`` is set if the run must end with this error, because no backend can continue. ``usage`` and ``tries``
    are as in a Reply.
    """

    reason: str
    message: str
    usage: Usage = Usage()
    seconds: float = 0.0
    tries: int = 1
    model: str = ""
    fatal_error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row parsed from a reply, not judged yet.

    ``position`` counts from 0 within the reply. ``text`` is the source text in the reply. If that text is not a valid
    row, ``row`` is None and ``problem`` is the reason.
    """

    position: int
    text: str
    row: Row | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a check rejected a candidate.

    ``reason`` is one of the stable slugs in ``selfinstruct.checks.REASONS``. ``nearest`` is the pool id of the
    conflicting row, if any, and ``score`` its ROUGE-L F1 in [0, 1].
    """

    reason: str
    message: str
    nearest: int | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judged candidate: accepted if ``rejection`` is None.

    ``category`` is the row's own category ("" if none), which may differ from the requested one. ``spans`` contains,
    for each grounded field, the [start, end) code points of its value in its context.
    """

    candidate: Candidate
    category: str
    rejection: Rejection | None = None
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
