"""A stand-in for a model that follows the prompt.

It reads the demonstrations and the number of rows from the messages, imitates the demonstrations with the embedded
imitator, and replies in the requested format. A given share of its rows is bad on purpose.

A text that ends in rows as JSON Lines is continued by more of them, as a base model does.

Asked as a reader (`[[verify]]`), it gives the value of the row that it wrote with these fields; asked as a judge, the
score 5.

Does not handle: prompts in formats other than those of `selfinstruct.prompts`. Any other prompt without demonstrations,
such as that of the preflight, is answered with "ok".
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
# A value in a reader's prompt, and the field that it is asked for.
_FIELD = re.compile(r"^(`{3,})\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
_ANSWERED = re.compile(r'its field ("(?:[^"\\]|\\.)*")|("(?:[^"\\]|\\.)*") 字段（')
# The rows at the end of a text that a base model continues.
_ROW_LINES = re.compile(r"(?:^\{.*\}\n)+\Z", re.MULTILINE)
_CONTINUED = 30
_REMEMBERED = 20_000
# The first prompts of a category show seed rows, later ones mostly rows that the author generated itself.
_PROMPTS_READ = 3


class AuthorFailed(Exception):
    """An author raised; the server answers with a status that no client retries."""


class Author(Protocol):
    """Generates the text of a reply."""

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Return the reply to ``messages``; ``rng`` is the only source of randomness."""
        ...


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of bad rows, each in [0, 1].

    ``ungrounded``: a value that should be a span of another field is not. ``echoed``: a demonstration, word for word.
    ``near_duplicate``: an earlier row of its own with the same words. ``malformed``: not a JSON object. ``spread``
    varies the number of rows uniformly between 1 - spread and 1 + spread times the requested number; at least one.
    ``misread``: a reader's answer is another value, a judge's score is 1.
    """

    ungrounded: float = 0.0
    echoed: float = 0.0
    near_duplicate: float = 0.0
    malformed: float = 0.0
    spread: float = 0.0
    misread: float = 0.0


class ScriptedAuthor:
    """Imitates the demonstrations in the prompt, and remembers them for later prompts of the same category."""

    def __init__(self, shares: Shares = Shares()) -> None:
        self._shares = shares
        self._categories: dict[tuple[str, str], _CategoryImitator] = {}
        self._continued_rows = 0
        #: The last rows that it wrote, by each of their texts, to answer questions about them.
        self._written: dict[str, Row] = {}

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Return the text of the reply: ``{"rows": [...]}``."""
        system = "\n".join(str(message["content"]) for message in messages[:-1])
        user = str(messages[-1]["content"]) if messages else ""
        shown = _FENCED.search(user)
        if shown is None and (lines := _ROW_LINES.search(user)):
            return self._continued(lines[0].rstrip("\n"), rng)
        if shown is None:
            return self._opinion(system, user, rng)
        wanted, _, request = user[shown.end() :].rstrip().rpartition("\n")
        asked = _ASKED.search(request)
        count = int(asked.group(1)) if asked else 1
        if self._shares.spread:
            count = max(1, round(count * rng.uniform(1 - self._shares.spread, 1 + self._shares.spread)))
        category = self._categories.setdefault((system, wanted), _CategoryImitator())
        category.read(shown.group(2))
        return '{"rows": [' + ", ".join(self._row_texts(category, count, rng)) + "]}"

    def _continued(self, shown: str, rng: Random) -> str:
        """More lines like the rows at the end of a text, as a base model adds them until it is cut off."""
        # The text does not say which category its rows are of, so nothing is remembered but how many there were.
        category = _CategoryImitator(self._continued_rows)
        self._continued_rows += _CONTINUED
        category.read(shown)
        return "\n".join(self._row_texts(category, _CONTINUED, rng))

    def _opinion(self, system: str, user: str, rng: Random) -> str:
        """The reply to a reader's or a judge's prompt."""
        is_wrong = rng.random() < self._shares.misread
        if '{"score":' in user:
            return json.dumps({"score": 1 if is_wrong else 5, "reason": "as asked"})
        asked = _ANSWERED.search(system)
        if asked is None or '{"answer":' not in user:
            return "ok"
        row = next((self._written[text] for _, text in _FIELD.findall(user) if text in self._written), {})
        answer = row.get(json.loads(asked[1] or asked[2]), "")
        return json.dumps({"answer": "none of these" if is_wrong else answer}, ensure_ascii=False)

    def _remember(self, row: Row) -> None:
        """Keep a row for questions about it."""
        self._written.update((value, row) for value in row.values() if isinstance(value, str))
        while len(self._written) > _REMEMBERED:
            del self._written[next(iter(self._written))]

    def _row_texts(self, category: _CategoryImitator, count: int, rng: Random) -> list[str]:
        """The rows as JSON texts, including the bad ones."""
        shares = self._shares
        rows = category.write(count, rng)
        texts = []
        for row in rows:
            chance = rng.random()
            if (chance := chance - shares.ungrounded) < 0:
                row = category.ungrounded(row)
            elif (chance := chance - shares.echoed) < 0:
                row = rng.choice(category.demos)
            elif (chance := chance - shares.near_duplicate) < 0:
                row = category.near_duplicate(row, rng)
            self._remember(row)
            text = json.dumps(row, ensure_ascii=False)
            texts.append(_malformed(text, rng) if 0 <= chance < shares.malformed else text)
        return texts


class _CategoryImitator:
    """The author's knowledge of one category."""

    def __init__(self, position: int = 0) -> None:
        """``position`` is the number of rows written before."""
        self.demos: list[Row] = []
        self._read = 0
        self._position = position
        self._imitator: Imitator | None = None
        self._contexts: dict[str, str] = {}
        self._previous: list[Row] = []
        self._current: list[Row] = []

    def read(self, shown: str) -> None:
        """Add the demonstrations of a prompt, if it is one of the category's first."""
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
        """Generate ``count`` new rows."""
        if self._imitator is None:
            return []
        self._position += count
        self._previous = self._current
        self._current = self._imitator.imitate(self.demos, count, self._position - count, rng)
        return self._current

    def ungrounded(self, row: Row) -> Row:
        """The row with a value that does not occur in its context; the row itself if none is grounded."""
        for field, context in self._contexts.items():
            value = row[field]
            if isinstance(value, str) and find_span(value, str(row[context])):
                return row | {field: f"{value} or none"}
        return row

    def near_duplicate(self, row: Row, rng: Random) -> Row:
        """A row of the previous reply with the same words, but a different end of its longest text."""
        other = rng.choice(self._previous or [row])
        texts = [name for name, value in other.items() if isinstance(value, str)]
        longest = max(texts, key=lambda name: len(str(other[name])), default="")
        return other | {longest: f"{other[longest]} ."} if longest else other


def _malformed(text: str, rng: Random) -> str:
    """A text that cannot be parsed as an object without guessing."""
    quoted, number = (text.replace('": "', f'": {begun}', 1) for begun in ('"so-called "', 'NaN, "x": "'))
    return rng.choice([text[:-1], '"see above"', quoted, number])
