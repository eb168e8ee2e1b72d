"""Rows that ask a question whose answer their text does not contain: what may decide the answer must not vary.

"How many legs have 3 spiders?" - 24, or "Is the tower higher than 100 m?" - yes: another number would need another
answer.

Does not handle: answers of several words (a sentence, an explanation), or questions with more text around them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from selfinstruct.mining.leaf_texts import any_position
from selfinstruct.mining.times import is_date, is_moment
from selfinstruct.records import JSON
from selfinstruct.rows.leaves import Path
from selfinstruct.text import find_span

_QUESTION = re.compile(r"[^?？؟.。!！\n]*(?:\d\.\d[^?？؟.。!！\n]*)*[?？؟][”\"»']?\s*")
_SHARE = 0.9
_MOST_WORDS = 3
_MOST_CHARACTERS = 40
_VERDICTS = frozenset(
    (
        "yes",
        "no",
        "true",
        "false",
        "ja",
        "nein",
        "oui",
        "non",
        "sí",
        "si",
        "да",
        "нет",
        "是",
        "否",
        "对",
        "错",
        "对的",
        "不是",
    )
)


def asking_paths(rows: Sequence[Mapping[Path, str]]) -> frozenset[Path]:
    """Return the paths whose texts are single questions in nearly all rows."""
    counts: Counter[Path] = Counter()
    asking: Counter[Path] = Counter()
    for texts in rows:
        for path, text in texts.items():
            counts[any_position(path)] += 1
            asking[any_position(path)] += _QUESTION.fullmatch(text) is not None
    return frozenset(path for path, count in asking.items() if count >= _SHARE * counts[path])


def label_paths(rows: Sequence[Mapping[Path, str]]) -> frozenset[Path]:
    """Return the paths with few values, most of them in several rows, that are no verdicts (yes, no)."""
    values: dict[Path, Counter[str]] = {}
    for texts in rows:
        for path, text in texts.items():
            values.setdefault(any_position(path), Counter())[text] += 1
    return frozenset(
        path
        for path, counts in values.items()
        if len(counts) <= counts.total() // 2 and not all(text.strip().casefold() in _VERDICTS for text in counts)
    )


def has_no_context(texts: Mapping[Path, str], asking: Collection[Path], known: Collection[Path]) -> bool:
    """Whether a row asks a question, and one other text alone answers it (an FAQ): what it says is knowledge.

    ``texts`` and ``known`` are as for ``has_unexplained_answer``; dates and times that no text contains are no answers.
    """
    told = {path: text for path, text in texts.items() if not {path, any_position(path)} & {*asking, *known}}
    others = [text for path, text in told.items() if text.strip() and not _is_date_of_record(path, told)]
    return len(others) == 1 and len(others) < len(texts) and any(any_position(path) in asking for path in texts)


def _is_date_of_record(path: Path, texts: Mapping[Path, str]) -> bool:
    """Whether a text is a date or a time that no other text contains."""
    found = any(find_span(texts[path], text) for other, text in texts.items() if other != path)
    return is_moment(texts[path]) and not found


def has_unexplained_answer(
    leaves: Mapping[Path, JSON], texts: Mapping[Path, str], asking: Collection[Path], known: Collection[Path]
) -> bool:
    """Whether a row asks a question and answers it with a value that none of its other texts contains.

    ``texts`` are those of ``leaves`` that may contain values; paths in ``known`` are no answers (ids, labels, offsets).
    """
    if not any(any_position(path) in asking for path in texts):
        return False
    told = any(len(text.split()) > _MOST_WORDS for path, text in texts.items() if any_position(path) not in asking)
    for path, value in leaves.items():
        if any_position(path) in asking or any_position(path) in known:
            continue
        if told and is_date(texts.get(path, "")):
            continue  # the date of a record
        if isinstance(value, bool):
            return True
        text = texts.get(path, "")
        short = len(text) <= _MOST_CHARACTERS and len(text.split()) <= _MOST_WORDS and text.strip() != ""
        is_verdict = text.strip().casefold() in _VERDICTS
        others = [each for each in texts if each != path and not (is_verdict and any_position(each) in asking)]
        if short and not any(find_span(text, texts[each]) for each in others):
            return True
    return False
