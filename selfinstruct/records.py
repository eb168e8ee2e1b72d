"""The nouns that flow through a run, as plain frozen data; no behaviour, no I/O.

Batch -> Request -> Reply | Failure -> Candidate -> Judgement
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

#: A JSON value; rows may hold any of them, and a value is never changed on the way through.
JSON: TypeAlias = Any
#: A row: field name -> JSON value, in the seeds' order of fields.
Row: TypeAlias = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Batch:
    """One planned unit of work: ask for ``count`` rows of one category.

    ``number`` counts from 1 and is unique in the run. ``asked`` is how many rows of this category earlier
    batches have asked for. ``demos`` are pool ids: seeds are 1..S in file order, grown rows S+1.. in the
    order in which they were accepted. ``given`` has what its prompts are conditioned on: the values of attributes by
    name, and as ``passage`` the number of its passage, from 1.
    """

    number: int
    category: str
    count: int
    asked: int
    demos: tuple[int, ...]
    given: dict[str, JSON] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """The form of a JSON reply: the type of each name of its objects, and whether it is a list of ``many``."""

    types: dict[str, str]
    many: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """What a backend is asked for one step of one batch.

    A model reads ``messages`` alone; the embedded imitator reads ``demos`` and the batch. ``seed`` is drawn
    from the run's seed and the batch number, so that the same run asks the same thing again. ``form`` is that of the
    reply, None where it is text; ``model`` names the one that is to answer, "" is any.
    """

    batch: Batch
    step: str
    messages: tuple[Message, ...]
    demos: tuple[Row, ...]
    seed: int
    form: ReplyFormat | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were billed; ``estimated`` where the endpoint did not say."""

    input: int = 0
    output: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        estimated = self.estimated or other.estimated
        return Usage(self.input + other.input, self.output + other.output, estimated)


@dataclass(frozen=True, slots=True)
class Reply:
    """One model response to one step of one batch, raw.

    ``finish_reason`` is the endpoint's own word (``stop``, ``length``, ``content_filter``...), ``seconds``
    the time from sending to the last byte. ``tries`` counts the requests that were sent for it, and ``usage`` is what
    all of them were billed.
    """

    text: str
    model: str
    usage: Usage = Usage()
    finish_reason: str = "stop"
    seconds: float = 0.0
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave no usable reply; ``reason`` is a slug, ``message`` says it to a person.

    ``end`` is the error to end the run with, where the author can write no more. ``usage`` and ``tries`` are as in
    a Reply.
    """

    reason: str
    message: str
    usage: Usage = Usage()
    seconds: float = 0.0
    tries: int = 1
    model: str = ""
    end: Exception | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row parsed out of a reply, not judged yet.

    ``position`` counts from 0 within its reply. ``text`` is the piece of the reply that it came from. A
    piece that is not a row has ``row`` None and says why in ``problem``.
    """

    position: int
    text: str
    row: Row | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a check refused a candidate.

    ``reason`` is one of the stable slugs in ``selfinstruct.checks.REASONS``. ``nearest`` is the pool id of
    the row that it clashes with, where there is one, and ``score`` its ROUGE-L F1 in [0, 1].
    """

    reason: str
    message: str
    nearest: int | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judged candidate: accepted where ``rejection`` is None.

    ``category`` is the category that the row belongs to ("" where it has none), whatever was asked for.
    ``spans`` gives, for each grounded field, the [start, end) code points of its value in its context.
    """

    candidate: Candidate
    category: str
    rejection: Rejection | None = None
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
