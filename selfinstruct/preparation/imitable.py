"""What the embedded imitator cannot keep true: seeds whose truth does not follow from copying values.

The imitator replaces values consistently over the fields of a row. Where a field depends on the others by arithmetic,
by knowledge, by reasoning or by language, the new row would be wrong; so such seeds are left to a model. The kinds
are recognised by the names of the fields (English and Chinese, some others) and by the values.

Does not handle: values that follow from others by a known relation (``mining``), or seeds in which nothing varies
(``trial``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase, joined
from selfinstruct.mining.world_facts import fact_fields
from selfinstruct.preparation.arithmetic import combines, compares, computes, may_compute, numbers
from selfinstruct.preparation.field_names import (
    ANSWER,
    CODE,
    INSTRUCTION,
    SUMMARY,
    is_preference,
    languages,
    named,
    word_set,
)
from selfinstruct.preparation.infer import context_fields
from selfinstruct.preparation.languages import is_question, is_translation
from selfinstruct.preparation.multiple_choice import Choice, find_choice, fixed_options, is_inline_choice, supported
from selfinstruct.preparation.obstacles import (
    ARITHMETIC,
    CHOICE,
    CODE_ROWS,
    FACT,
    KNOWLEDGE,
    PREFERENCE,
    SUMMARY_ROWS,
    TASK,
    TRANSLATION,
    WORD_PROBLEM,
    Obstacle,
)
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.relation_paths import parse_pattern
from selfinstruct.records import JSON, Row
from selfinstruct.rows import RowFile
from selfinstruct.rows.leaves import Path, leaves
from selfinstruct.text import find_span, tokens, value_text

#: The kinds of relations from which the imitator computes a value.
_COMPUTED = ("sum", "difference", "product", "ratio", "max", "min", "mean", "sum_product", "count", "weekday")
_COMPUTING = ("equal", "offset", *_COMPUTED)
# A rule about the whole file needs this share of the rows; a row that does not show it is then of the same kind.
_SHARE = 0.5
_LABEL_CHARACTERS = 40
# An answer of at most this many words (or twice as many characters of a script without spaces) is a fact.
_FACT_WORDS = 5
_COPIED = 0.8
_MOST_REASONS, _MOST_LINES = 4, 12
# Of more rows, this many are examined first, and the others only if one of these has an obstacle.
_SAMPLE = 500
_YES_NO = word_set(
    "yes no true false y n t f 是 否 对 错 正确 错误 有 没有 能 不能 会 不会 ja nein oui non si sí не да"
)

_CODE = re.compile(
    r"^\s*```\w*\s*$|^\s*(?:async )?def \w+\s*\(.*\)\s*(?:->.*)?:|^\s*class [A-Z]\w*(?:\(.*\))?:\s*$"
    r"|^\s*from [\w.]+ import \w|^\s*#include\s*[<\"]|\bfunction\s+\w+\s*\([^)]*\)\s*\{"
    r"|^\s*(?:const|let|var) \w+\s*=.*;|=>\s*\{|\bpublic (?:static |class )|\bint main\s*\("
    r"|\bfunc \w+\(.*\)\s*\w*\s*\{|\bfn \w+\(.*\).*\{|\blambda \w+\s*:|^\s*assert \w+\(|^\s*#!/"
    r"|^\s*SELECT\b.+\bFROM\b|^\s*INSERT INTO\b|^\s*CREATE (?:TABLE|VIEW|INDEX)\b|^\s*UPDATE \w+ SET\b"
    r"|^\s*DELETE FROM\b|^\s*WITH \w+ AS \("
    r"|^\s*select\b[^.?!]*(?:\*|\(|=)[^?!]*\bfrom\b|^\s*select\b.+\bfrom\b.+\bwhere\b.+[=<>]|^\s*create table \w+\s*\(",
    re.MULTILINE,
)
_CODE_SIGNS = re.compile(r"\w\(.*\)|[;{}=]|^\s*import \w", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!。！।]\s*$")


def leave_out(seeds: RowFile, recipe: Recipe, command: str, *, least: int = 1) -> tuple[RowFile, list[str]]:
    """Return the seeds that the imitator can imitate, and the "file:line: reason" of each of the others.

    ``command`` asks a model for the rows of the whole file. Raises RowError with the reasons and this command if fewer
    than ``least`` seeds are left.
    """
    found = find_obstacles(seeds.rows, recipe)
    kept = [at for at, obstacle in enumerate(found) if obstacle is None]
    if len(kept) == len(found):
        return seeds, []
    if len(kept) < least:
        reasons = Counter(each for each in found if each is not None)
        said = [
            Phrase("{seeds}: the embedded imitator cannot keep them true: {why}", seeds=each.words, why=each.why)
            for each, _count in reasons.most_common(_MOST_REASONS)
        ]
        raise RowError(
            seeds.path,
            joined(said, "\n"),
            hint=Phrase("Use a model: {command}", command=command),
        )
    left: list[str] = [
        Phrase(
            "{place}: {seeds}: needs a model, because {why}",
            place=seeds.place(at),
            seeds=obstacle.words,
            why=obstacle.why,
        )
        for at, obstacle in enumerate(found)
        if obstacle is not None
    ]
    return seeds.selected(kept), left


def obstacle_lines(seeds: RowFile, recipe: Recipe) -> list[str]:
    """A line for each kind of seeds that needs a model, with the lines of the file and the reason."""
    lines: dict[Obstacle, list[int]] = {}
    for line, obstacle in zip(seeds.lines, find_obstacles(seeds.rows, recipe), strict=True):
        if obstacle is not None:
            lines.setdefault(obstacle, []).append(line)
    found = []
    for obstacle, at in lines.items():
        more = f" and {len(at) - _MOST_LINES} more" if len(at) > _MOST_LINES else ""
        where = f"line{'s' if len(at) > 1 else ''} {', '.join(map(str, at[:_MOST_LINES]))}{more}"
        found.append(f"{where}: {obstacle.words}: {obstacle.why}")
    return found


def find_obstacles(rows: Sequence[Row], recipe: Recipe) -> list[Obstacle | None]:
    """Return for each seed why the imitator cannot keep a row like it true; None where it can."""
    if not rows:
        return []
    if len(rows) > _SAMPLE and not any(find_obstacles(rows[:: -(-len(rows) // _SAMPLE)], recipe)):
        return [None] * len(rows)
    file = _File(rows, recipe)
    found = [file.obstacle(row) for row in rows]
    counts = Counter(each.kind for each in found if each is not None)
    if not counts or sum(counts.values()) < _SHARE * len(rows):
        return found
    # Most rows are so; one that does not show it is no exception unless its answer is a span of its text.
    common = next(each for each in found if each is not None and each.kind == counts.most_common(1)[0][0])
    return [each or (None if file.is_grounded(row) else common) for each, row in zip(found, rows, strict=True)]


class _File:
    """What the rows of a file show together."""

    def __init__(self, rows: Sequence[Row], recipe: Recipe) -> None:
        self.rows = rows
        self._references = context_fields(recipe)
        self._computed = {
            str(parse_pattern(path)[0])
            for relation in recipe.relations
            if relation.kind in _COMPUTING
            for path in relation.paths
        }
        self._category = recipe.categories.field if recipe.categories.by == "field" else None
        self.names = tuple(dict.fromkeys(name for row in rows for name in row))
        self.labels = {name for name in self.names if name == self._category or self._is_label(name)}
        self._fixed_options = fixed_options(rows)
        self._uniform = self._by_fields()
        self._answer = self._answer_field()
        self._constant_words = {name: self._constants(name) for name in self.names if named(name, ANSWER)}
        self._unsupported = self._count_unsupported()

    def obstacle(self, row: Row) -> Obstacle | None:
        """Why a row cannot be imitated, or None."""
        if self._uniform is not None and all(name in row for name in self._uniform.fields):
            return (self._code(row) if self._uniform.kind != PREFERENCE[0] else None) or self._uniform
        choice = find_choice(row)
        found = self._code(row) or self._choice(row, choice) or self._arithmetic(row)
        found = found or (Obstacle(FACT[0], names, FACT[1]) if (names := fact_fields(row)) else None)
        return found or (self._answer_obstacle(row) if choice is None else None)

    def is_grounded(self, row: Row) -> bool:
        """Whether the row has an answer, and its text contains it."""
        name = self._answer
        return name is not None and name in row and name not in self.labels and _is_copied(row, name, frozenset())

    # --- kinds that the fields show ---

    def _by_fields(self) -> Obstacle | None:
        finders: tuple[tuple[Callable[[], tuple[str, ...]], tuple[str, str]], ...] = (
            (lambda: is_preference(self.rows[0], self.names), PREFERENCE),
            (self._translation, TRANSLATION),
            (self._task, TASK),
            (self._summary, SUMMARY_ROWS),
        )
        found = ((names, kind) for find, kind in finders if (names := find()))
        return next((Obstacle(kind, names, why) for names, (kind, why) in found), None)

    def _translation(self) -> tuple[str, ...]:
        """The fields of a text and its translation."""
        for name in self.names:
            inner = [row[name] for row in self.rows if isinstance(row.get(name), dict)]
            if inner and len(inner) == len(self.rows) and len(languages(tuple(inner[0]))) > 1:
                return (name,)
        texts = [name for name in self.names if name not in self.labels and self._is_prose(name)]
        if len(both := [name for name in languages(self.names) if name in texts]) > 1:
            return tuple(both[:2])
        for at, one in enumerate(texts):
            for other in texts[at + 1 :]:
                if {one, other} & {*self._references, *self._references.values()}:
                    continue
                if _share(is_translation(row.get(one), row.get(other)) for row in self.rows) >= _COPIED:
                    return (one, other)
        return ()

    def _task(self) -> tuple[str, ...]:
        """The fields of an instruction and of an output that follows from it."""
        asking = [name for name in self.names if named(name, INSTRUCTION)]
        for name in self.names:
            if not named(name, ANSWER) or name in {*self.labels, *asking, *self._references, *self._computed}:
                continue
            others = [other for other in asking if other != name]
            constants = self._constants(name)
            if others and _share(_is_copied(row, name, constants) for row in self.rows) < _SHARE:
                return (others[0], name)
        return ()

    def _summary(self) -> tuple[str, ...]:
        """The fields of a text and its summary."""
        texts = [name for name in self.names if self._is_prose(name)]
        for name in texts:
            if not named(name, SUMMARY) or name in self._references:
                continue
            longer = [other for other in texts if other != name and self._length(other) > self._length(name)]
            if longer:
                return (max(longer, key=self._length), name)
        return ()

    # --- kinds that a row shows ---

    def _code(self, row: Row) -> Obstacle | None:
        for path, value in leaves(row).items():
            name = str(path[0])
            if not isinstance(value, str) or name in self._references.values() or name in self._references:
                continue
            if _CODE.search(value) or (named(name, CODE) and _CODE_SIGNS.search(value)):
                return Obstacle(CODE_ROWS[0], (name,), CODE_ROWS[1])
        return None

    def _choice(self, row: Row, choice: Choice | None) -> Obstacle | None:
        if choice is None:
            name = is_inline_choice(row)
            return Obstacle(CHOICE[0], (name,), CHOICE[1]) if name else None
        if choice.fields == self._fixed_options or supported(row, choice):
            return None
        return Obstacle(CHOICE[0], (*choice.fields[:1], choice.key), CHOICE[1])

    def _arithmetic(self, row: Row) -> Obstacle | None:
        every = leaves(row)
        said = {name for name, value in row.items() if _is_yes_no(value)}
        every_number: dict[Path, set[Fraction]] | None = None
        for path, value in every.items():
            if not isinstance(value, str) or not any(character.isalpha() for character in value + str(path[-1])):
                continue
            if may_compute(value):
                if every_number is None:
                    every_number = {
                        at: set(numbers(value_text(each))) for at, each in every.items() if _has_value(each)
                    }
                if computes(value, set().union(*(each for at, each in every_number.items() if at != path))):
                    return Obstacle(ARITHMETIC[0], (str(path[0]),), ARITHMETIC[1])
            if said - {path[0]} and compares(value):
                return Obstacle(ARITHMETIC[0], (str(path[0]),), ARITHMETIC[1])
        return None

    # --- answers that are not in their text ---

    def _answer_field(self) -> str | None:
        """The field that answers the others, by its name."""
        free = [name for name in self.names if name not in self.labels | self._computed and not self._is_key(name)]
        for name in free:
            if named(name, ANSWER):
                return name
        return next((name for name in free if name.casefold() == "a"), None)

    def _answer_obstacle(self, row: Row) -> Obstacle | None:
        name = self._answer
        if name is None or self._unsupported < _SHARE or not self._is_unsupported(row):
            return None
        asking = next((other for other in row if other != name and is_question(row[other])), "")
        fields = tuple(filter(None, (asking, name)))
        result = numbers(value_text(row[name]))
        others = [each for other, value in row.items() if other != name for each in numbers(value_text(value))]
        if len(result) == 1 and combines(others, result[0]):
            return Obstacle(WORD_PROBLEM[0], fields, WORD_PROBLEM[1])
        return Obstacle(KNOWLEDGE[0], fields, KNOWLEDGE[1])

    def _count_unsupported(self) -> float:
        """The share of the rows with an answer whose answer is a fact that their text does not contain."""
        name = self._answer
        having = [row for row in self.rows if name in row and _has_value(row[name])] if name is not None else []
        return sum(map(self._is_unsupported, having)) / len(having) if having else 0.0

    def _is_unsupported(self, row: Row) -> bool:
        name = self._answer or ""
        value = row.get(name)
        if not _has_value(value) or isinstance(value, list | dict) or not _is_fact(value_text(value)):
            return False
        if not any(is_question(other) for key, other in row.items() if key != name):
            # A number beside a text is its result only if the numbers of the text yield it.
            text = max((value_text(other) for key, other in row.items() if key != name), key=len, default="")
            result = numbers(value_text(value))
            if (
                len(tokens(text)) < 2 * _FACT_WORDS
                or len(result) != 1
                or not combines(numbers(text), result[0], most=2)
            ):
                return False
        return not _is_copied(row, name, frozenset())

    # --- fields ---

    def _values(self, name: str) -> list[JSON]:
        return [row[name] for row in self.rows if _has_value(row.get(name))]

    def _is_label(self, name: str) -> bool:
        """Whether a field has few short values, most of them repeated, that are no numbers; or says yes or no."""
        values = [value_text(value).strip().casefold() for value in self._values(name)]
        if not values or any(isinstance(row.get(name), list | dict) for row in self.rows):
            return False
        if all(value in _YES_NO for value in values):
            return True
        counts = Counter(values)
        short = all(len(value) <= _LABEL_CHARACTERS and not numbers(value) for value in counts)
        again = sum(count for count in counts.values() if count > 1)
        return short and len(counts) <= max(len(values) // 2, 2) and again >= _SHARE * len(values)

    def _is_key(self, name: str) -> bool:
        """Whether a field has another value in every row, without spaces: an id."""
        values = [value_text(value) for value in self._values(name)]
        return name.casefold() in ("id", "no", "nr", "nr.", "#", "index", "idx", "qid", "编号", "序号") and len(
            set(values)
        ) == len(values)

    def _is_prose(self, name: str) -> bool:
        values = self._values(name)
        long = sum(1 for value in values if isinstance(value, str) and len(tokens(value)) >= 3)
        return bool(values) and long >= _COPIED * len(values)

    def _length(self, name: str) -> int:
        return sum(len(value_text(value)) for value in self._values(name))

    def _constants(self, name: str) -> frozenset[str]:
        """The words that most values of a field contain."""
        counts = Counter(word for value in self._values(name) for word in set(tokens(value_text(value))))
        return frozenset(word for word, count in counts.items() if count >= _COPIED * len(self.rows) and count > 1)


def _share(results: Iterable[bool]) -> float:
    """The share of the results that are true."""
    known = list(results)
    return sum(known) / (len(known) or 1)


def _has_value(value: JSON) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _is_yes_no(value: JSON) -> bool:
    return not isinstance(value, list | dict) and value_text(value).strip().casefold() in _YES_NO


def _is_fact(text: str) -> bool:
    """Whether a value is short enough to be a fact, and no sentence."""
    words = tokens(text)
    spaced = len(text.split())
    if spaced > 2 and _SENTENCE_END.search(text):
        return False
    return 0 < spaced <= _FACT_WORDS and len(words) <= 3 * _FACT_WORDS


def _is_copied(row: Row, name: str, constants: frozenset[str]) -> bool:
    """Whether the rest of the row contains a field's value, or nearly all of its words that are not ``constants``."""
    if name not in row:
        return False
    own = unicodedata.normalize("NFKC", value_text(row[name])).casefold().strip()
    rest = [value_text(value) for path, value in leaves(row).items() if path[0] != name and _has_value(value)]
    rest = [unicodedata.normalize("NFKC", each).casefold() for each in rest]
    if own and any(find_span(own, each) or (not own.isascii() and own in each) for each in rest):
        return True
    words = [word for word in dict.fromkeys(tokens(own)) if word not in constants]
    known = {word for each in rest for word in tokens(each)}
    by_value = {value for each in rest for value in numbers(each)}
    copied = sum(1 for word in words if word in known or (word.isdigit() and Fraction(word) in by_value))
    if own.replace(".", "").isdigit():
        return all(value in by_value for value in numbers(own))
    return copied >= _COPIED * len(words) if words else bool(constants)
