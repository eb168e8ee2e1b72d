"""The scripted author: what stands in for a model, and does what the prompt asks.

It reads the demonstrations and the number of rows out of the messages, imitates the demonstrations with the embedded
imitator, and replies in the prompt's form. Some of its rows are bad on purpose, in given shares.

Does not handle: prompts in other forms than those of `selfinstruct.prompts` (a prompt without demonstrations, such as
the preflight's, is answered with "ok").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from selfinstruct.backends.imitator import Imitator
from selfinstruct.mining import ValueStatistics
from selfinstruct.preparation.infer import context_fields, infer, prose_field
from selfinstruct.records import Row
from selfinstruct.rows import rows_from_objects
from selfinstruct.text import find_span

_FENCED = re.compile(r"^(`{3,})jsonl\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
_ASKED = re.compile(r"(?:Write|请写出) ([0-9]+) ")
# A category's first prompts show seeds; what is shown later are mostly rows of the author's own.
_PROMPTS_READ = 3


class Author(Protocol):
    """Whatever writes the text of a reply."""

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The text that answers ``messages``; all chance comes from ``rng``."""
        ...


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of what the author writes is bad, as shares in [0, 1] of its rows.

    ``ungrounded``: a value that should be a span of another field is none. ``echoed``: a demonstration, word for word.
    ``near_duplicate``: a row of its own again, with the same words. ``malformed``: no JSON object. ``spread`` varies
    the number of rows: uniformly between 1 - spread and 1 + spread times what was asked for, and at least one.
    """

    ungrounded: float = 0.0
    echoed: float = 0.0
    near_duplicate: float = 0.0
    malformed: float = 0.0
    spread: float = 0.0


class ScriptedAuthor:
    """Imitates the demonstrations that it is shown; what it learns of a category is kept from prompt to prompt."""

    def __init__(self, shares: Shares = Shares()) -> None:
        self._shares = shares
        self._learned: dict[tuple[str, str], _Lesson] = {}

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The reply's text: ``{"rows": [...]}``."""
        system = "\n".join(str(message["content"]) for message in messages[:-1])
        user = str(messages[-1]["content"]) if messages else ""
        shown = _FENCED.search(user)
        if shown is None:
            return "ok"
        wanted, _, request = user[shown.end() :].rstrip().rpartition("\n")
        asked = _ASKED.search(request)
        count = int(asked.group(1)) if asked else 1
        if self._shares.spread:
            count = max(1, round(count * rng.uniform(1 - self._shares.spread, 1 + self._shares.spread)))
        lesson = self._learned.setdefault((system, wanted), _Lesson())
        lesson.read(shown.group(2))
        return '{"rows": [' + ", ".join(self._pieces(lesson, count, rng)) + "]}"

    def _pieces(self, lesson: _Lesson, count: int, rng: Random) -> list[str]:
        """The rows as JSON, the bad ones among them."""
        shares = self._shares
        rows = lesson.write(count, rng)
        pieces = []
        for row in rows:
            chance = rng.random()
            if (chance := chance - shares.ungrounded) < 0:
                row = lesson.ungrounded(row)
            elif (chance := chance - shares.echoed) < 0:
                row = rng.choice(lesson.demos)
            elif (chance := chance - shares.near_duplicate) < 0:
                row = lesson.again(row, rng)
            text = json.dumps(row, ensure_ascii=False)
            pieces.append(_malformed(text, rng) if 0 <= chance < shares.malformed else text)
        return pieces


class _Lesson:
    """What the author has learned of one category."""

    def __init__(self) -> None:
        self.demos: list[Row] = []
        self._read = 0
        self._place = 0
        self._imitator: Imitator | None = None
        self._contexts: dict[str, str] = {}
        self._before: list[Row] = []
        self._written: list[Row] = []

    def read(self, shown: str) -> None:
        """Learn from the demonstrations of the category's first prompts."""
        if self._read >= _PROMPTS_READ:
            return
        self._read += 1
        new = [row for row in map(json.loads, shown.split("\n")) if row not in self.demos]
        if not new:
            return
        self.demos += new
        recipe = infer(rows_from_objects(self.demos, uniform=False)).recipe
        self._contexts = context_fields(recipe)
        statistics = ValueStatistics(self.demos, self._contexts)
        self._imitator = Imitator(statistics, self._contexts, mixed=prose_field(recipe))

    def write(self, count: int, rng: Random) -> list[Row]:
        """``count`` new rows."""
        if self._imitator is None:
            return []
        self._place += count
        self._before = self._written
        self._written = self._imitator.imitate(self.demos, count, self._place - count, rng)
        return self._written

    def ungrounded(self, row: Row) -> Row:
        """The row with a value that its context does not hold; the row itself where nothing is grounded."""
        for field, context in self._contexts.items():
            value = row[field]
            if isinstance(value, str) and find_span(value, str(row[context])):
                return row | {field: f"{value} or none"}
        return row

    def again(self, row: Row, rng: Random) -> Row:
        """A row of the reply before with the same words, its longest text ending in another way."""
        other = rng.choice(self._before or [row])
        texts = [name for name, value in other.items() if isinstance(value, str)]
        longest = max(texts, key=lambda name: len(str(other[name])), default="")
        return other | {longest: f"{other[longest]} ."} if longest else other


def _malformed(text: str, rng: Random) -> str:
    """A piece that cannot be read as an object without a guess."""
    quoted, number = (text.replace('": "', f'": {begun}', 1) for begun in ('"so-called "', 'NaN, "x": "'))
    return rng.choice([text[:-1], '"see above"', quoted, number])
