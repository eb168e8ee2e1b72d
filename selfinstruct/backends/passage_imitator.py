"""The embedded imitator for rows about passages: asks about the text that a batch names, without a model.

    passage -> the seeds' own questions about lines like it, and composed ones (``asking``) -> an order for each passage

The order of a passage's questions goes from one place of its text to another, so that several rows about one line ask
about different things; kinds of question and wordings are drawn by their weights.

Does not handle: choosing passages (``growth``), fields that vary and are neither question nor answer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple, Protocol

from selfinstruct.mining.question_frames import QuestionFrames
from selfinstruct.records import JSON, Reply, Request
from selfinstruct.text import find_span

#: The kind of the questions that seeds ask, among the kinds of ``[questions] weights``.
SEEDS_KIND = "seeds"
# Passages whose questions are cached; a run returns to a passage only after all others of its template.
_LARGEST_CACHE = 4096


class Composed(Protocol):
    """A composed question, as ``asking.Question``."""

    @property
    def text(self) -> str:
        """The question."""
        ...

    @property
    def answer(self) -> str:
        """Its answer, a part of the passage."""
        ...

    @property
    def start(self) -> int:
        """The place of the answer in the passage, in code points."""
        ...

    @property
    def kind(self) -> str:
        """The slug of what is asked for."""
        ...

    @property
    def weight(self) -> float:
        """How often it is drawn, compared with others of the same passage."""
        ...


class Asking(Protocol):
    """Composes questions about texts, as ``asking.Asker``."""

    def questions(self, index: int) -> Sequence[Composed]:
        """Every question about one text, from 0."""
        ...


class Asked(NamedTuple):
    """A question about a passage; ``place`` is where its answer is."""

    question: str
    answer: str
    kind: str
    place: int
    weight: float


class PassageQuestions:
    """The questions about passages, which are numbered from 1.

    ``frames`` are those of the seeds, ``weights`` factors of kinds of question.
    """

    def __init__(
        self, texts: Sequence[str], asker: Asking, frames: QuestionFrames, weights: Mapping[str, float]
    ) -> None:
        self.texts = texts
        self._asker = asker
        self._frames = frames
        self._weights = weights
        self._cache: dict[int, tuple[Asked, ...]] = {}

    def count(self, number: int) -> int:
        """How many questions there are about a passage."""
        return len(self._all(number))

    def ask(self, number: int, first: int, count: int, seed: int, asked: set[tuple[str, str]]) -> list[Asked]:
        """Up to ``count`` questions about a passage, from the one at ``first`` on in the order of this ``seed``.

        Questions that were ``asked`` with the same answer, about whatever passage, are passed over while there are
        others; the returned ones are added.
        """
        rest = _ordered(self._all(number), Random(f"{seed}/{number}"))[first:]
        new = [each for each in rest if (each.question, each.answer) not in asked] or rest
        asked.update((each.question, each.answer) for each in new[:count])
        return new[:count]

    def kinds(self, number: int) -> set[str]:
        """The kinds of the questions about a passage."""
        return {each.kind for each in self._all(number)}

    def _all(self, number: int) -> tuple[Asked, ...]:
        if number not in self._cache:
            if len(self._cache) >= _LARGEST_CACHE:
                self._cache.clear()
            self._cache[number] = tuple(self._compose(number))
        return self._cache[number]

    def _compose(self, number: int) -> list[Asked]:
        text = self.texts[number - 1]
        asked: dict[str, Asked] = {}
        for question, answer in self._frames.ask(text):
            span = find_span(answer, text)
            place = span[0] if span is not None else 0
            asked.setdefault(question, Asked(question, answer, SEEDS_KIND, place, self._weights.get(SEEDS_KIND, 1.0)))
        for each in self._asker.questions(number - 1):
            weight = each.weight * self._weights.get(each.kind, 1.0)
            asked.setdefault(each.text, Asked(each.text, each.answer, each.kind, each.start, weight))
        return list(asked.values())


def _ordered(questions: Sequence[Asked], rng: Random) -> list[Asked]:
    """The questions in a random order by weight: one about each place, then another one about each, and so on."""
    places: defaultdict[int, list[Asked]] = defaultdict(list)
    for each in questions:
        places[each.place].append(each)
    shuffled = [_by_weight(of_place, rng) for of_place in places.values()]
    # A place counts once, whatever the number of its wordings.
    first = _by_weight([of_place[0] for of_place in shuffled], rng)
    rank = {each.place: at for at, each in enumerate(first)}
    turns = [(turn, rank[each.place], each) for of_place in shuffled for turn, each in enumerate(of_place)]
    return [each for _, _, each in sorted(turns, key=lambda turn: turn[:2])]


def _by_weight(questions: Sequence[Asked], rng: Random) -> list[Asked]:
    """Drawn by weight without replacement (Efraimidis and Spirakis, 2006)."""
    keys = [rng.random() ** (1 / each.weight) for each in questions]
    return [each for _, each in sorted(zip(keys, questions, strict=True), key=lambda pair: -pair[0])]


class PassageImitator:
    """A Backend that answers the step of a recipe about passages.

    ``question`` and ``answer`` are the fields of a row that it writes, ``constants`` the values of other fields, which
    all seeds share. ``rows`` is the number of rows per passage and request, ``seed`` the random seed. A batch's
    conditions name the passage and how often it was used.
    """

    name = "imitator"
    reads_messages = False

    def __init__(
        self,
        questions: PassageQuestions,
        question: str,
        answer: str,
        constants: Mapping[str, JSON],
        *,
        rows: int = 1,
        seed: int = 0,
    ) -> None:
        self._questions = questions
        self._fields = question, answer
        self._constants = constants
        self._rows = rows
        self._seed = seed
        self._asked: set[tuple[str, str]] = set()

    async def complete(self, request: Request) -> Reply:
        """Answer with ``request.batch.count`` rows as ``{"rows": [...]}``, or fewer if there are no more questions."""
        batch, (question, answer) = request.batch, self._fields
        number, used = batch.conditions["passage"], batch.conditions.get("passage_round", 0)
        asked = self._questions.ask(number, used * self._rows, batch.count, self._seed, self._asked)
        rows = [{question: each.question, answer: each.answer, **self._constants} for each in asked]
        return Reply(text=json.dumps({"rows": rows}, ensure_ascii=False), model=self.name)

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""
