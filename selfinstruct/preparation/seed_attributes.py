"""Attributes inferred from seeds: kinds of question and lengths, over which the prompts for a model can be spread.

    seed questions and answers -> {"question_kind": ("which; the answer is a number", ...), "question_length": ...}

A kind is a question's wording together with the type of its answer, since "when" and "an address" drawn by themselves
would contradict each other. Lengths are the terciles of the seeds. Values are written in the language of the seeds.

Does not handle: rows without a field that asks a question; questions in languages other than English and Chinese,
whose words are not known; the templates of questions, which are categories.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from selfinstruct.preparation.chat_roles import chat_roles
from selfinstruct.preparation.languages import is_question
from selfinstruct.prompts import detect_language
from selfinstruct.readers.answer_types import span_type
from selfinstruct.recipe import Attribute, Language, Recipe
from selfinstruct.records import Row
from selfinstruct.text import tokens

#: The share of the seeds' questions that must be questions of a known wording.
_KNOWN = 0.9
#: The most words (in Chinese, characters) of an answer that is a word, and of one that is a phrase.
_WORD, _PHRASE = {"en": 1, "zh": 4}, {"en": 8, "zh": 16}
_TYPES = {
    "number": "number",
    "quantity": "number",
    "time": "time",
    "date": "time",
    "ip": "address",
    "address": "address",
    "path": "path",
    "dotted": "id",
    "id": "id",
}
_ENDS = re.compile(r"\w.*[.!?。！？][\"'”’」]?\s*$", re.DOTALL)
#: A number in Chinese numerals with a measure word: 三十卷, 第三卦. Elsewhere it may be a name, such as 三国.
_CHINESE_COUNT = re.compile("第?[零〇一二三四五六七八九十百千万亿两]+[^\\W\\d]{0,2}")
_NAMES: dict[Language, tuple[str, str]] = {
    "en": ("question_kind", "question_length"),
    "zh": ("提问方式", "问题长度"),
}
_WORDINGS: dict[Language, dict[str, str]] = {
    "en": {"is": "a yes-no question (is, was, does, did ...)"},
    "zh": {
        "what": "问“什么”",
        "which": "问“哪个”",
        "how many": "问“多少”或“几”",
        "how": "问“多大”“多久”“如何”等",
        "where": "问“哪里”",
        "who": "问“谁”",
        "when": "问“何时”",
        "why": "问“为什么”",
        "is": "是非问句（“是否”“……吗”）",
    },
}
_ANSWERS: dict[Language, dict[str, str]] = {
    "en": {
        "number": "the answer is a number",
        "time": "the answer is a date or time",
        "address": "the answer is an address",
        "path": "the answer is a path",
        "id": "the answer is an identifier",
        "word": "the answer is one word",
        "phrase": "the answer is a phrase",
        "sentence": "the answer is a sentence",
    },
    "zh": {
        "number": "答案是数字",
        "time": "答案是日期或时间",
        "address": "答案是地址",
        "path": "答案是路径",
        "id": "答案是编号或标识",
        "word": "答案是一个词",
        "phrase": "答案是短语",
        "sentence": "答案是句子",
    },
}


def seed_attributes(recipe: Recipe, seeds: Sequence[Row]) -> dict[str, Attribute]:
    """Return the attributes that ``seeds`` show, each with two values or more, all of which occur in the seeds.

    Empty without a field that asks.
    """
    roles = chat_roles(recipe, seeds)
    if roles is None:
        return {}
    asked = [row for row in seeds if is_question(row.get(roles.user))]
    if not asked or len(asked) < _KNOWN * len(seeds):
        return {}
    language = detect_language([{"question": row[roles.user]} for row in asked])
    answers = recipe.fields[roles.assistant]
    answer = roles.assistant if answers.type in ("string", "any") and not answers.one_of else ""
    found = (
        _kinds(asked, roles.user, answer, language),
        _lengths([len(tokens(row[roles.user])) for row in asked], language),
    )
    return {
        name: Attribute(values=tuple(values), balanced=True)
        for name, values in zip(_NAMES[language], found, strict=True)
        if len(values) > 1 and name not in recipe.fields
    }


def answer_type(text: str, language: Language) -> str:
    """Return the type of an answer: number, time, address, path, id, word, phrase or sentence.

    >>> [answer_type(text, "en") for text in ("28.0 KB", "10.0.0.7", "blk_7", "not", "It was lost.")]
    ['number', 'address', 'id', 'word', 'sentence']
    """
    text = text.strip()
    words = len(tokens(text))
    known = _TYPES.get(span_type(text))
    # A text in a script without spaces is no identifier because it has none.
    if known is not None and not (known == "id" and language == "zh" and not text.isascii()):
        return known
    if words <= _WORD[language]:
        return "word"
    return "sentence" if _ENDS.match(text) or words > _PHRASE[language] else "phrase"


def _kinds(rows: Sequence[Row], question: str, answer: str, language: Language) -> list[str]:
    """The kinds of the rows' questions, most frequent first; none if many of them are not known."""
    from selfinstruct.asking.style import wording_class  # its word lists are read on import

    counts: Counter[str] = Counter()
    for row in rows:
        wording = wording_class(row[question])
        if wording == "other":
            continue
        parts = [_WORDINGS[language].get(wording, wording)]
        if isinstance(text := row.get(answer), str) and text.strip():
            is_count = wording == "how many" and _CHINESE_COUNT.fullmatch(text.strip())
            parts.append(_ANSWERS[language]["number" if is_count else answer_type(text, language)])
        counts["；".join(parts) if language == "zh" else "; ".join(parts)] += 1
    return [kind for kind, _ in counts.most_common()] if counts.total() >= _KNOWN * len(rows) else []


def _lengths(lengths: Sequence[int], language: Language) -> list[str]:
    """The bands of lengths between the terciles, without empty ones."""
    ranked = sorted(lengths)
    low, high = ranked[(len(ranked) - 1) // 3], ranked[(2 * len(ranked) - 1) // 3]
    has_middle, has_long = high > low, ranked[-1] > high
    middle = f"{low + 1} to {high}" if high > low + 1 else f"{high}"
    if language == "zh":
        bands = [f"短：不超过 {low} 字", f"中：{middle.replace('to', '到')} 字", f"长：{high + 1} 字以上"]
    else:
        short = f"short: at most {low} word{'' if low == 1 else 's'}"
        bands = [short, f"medium: {middle} words", f"long: {high + 1} words or more"]
    return [band for band, occurs in zip(bands, (True, has_middle, has_long), strict=True) if occurs]
