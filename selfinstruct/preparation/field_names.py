"""The roles of fields by their names: instruction, answer, summary, code, language, preference.

Does not handle: names in other languages than English and Chinese, except some common ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from selfinstruct.records import JSON, Row
from selfinstruct.text import tokens


def word_set(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(word for line in lines for word in line.split())


ANSWER = word_set(
    "answer answers ans response responses output outputs completion completions reply result results",
    "solution target antwort lösung ergebnis ausgabe réponse respuesta risposta resposta ответ उत्तर जवाب",
    "جواب إجابة 答案 回答 回复 答复 输出 结果 解答 得数 答え 解 답 답변",
)
INSTRUCTION = word_set(
    "instruction instructions prompt prompts task input inputs anweisung aufgabe eingabe 指令 指示 提示 任务 输入",
    "入力",
)
SUMMARY = word_set("summary summaries abstract tldr highlights zusammenfassung résumé resumen 摘要 概要 总结 要約 概述")
CODE = word_set("code sql program script snippet solution test tests function implementation 代码 程序 源码")
_LANGUAGES = word_set(
    "en de fr es it pt nl zh ja ko ru ar hi pl sv tr vi english german french spanish italian",
    "portuguese dutch chinese japanese korean russian arabic hindi deutsch français español 英文 中文 英语 汉语",
    "德文 法文 日文 日语 英 中 原文 译文",
)
_BETTER = word_set("chosen preferred better winner winning accepted 选中 优选 更好 较好 偏好 采纳 优")
_WORSE = word_set("rejected dispreferred worse loser losing refused 拒绝 被拒 较差 更差 劣选 淘汰 劣")
_VERDICT = word_set("winner preference preferred better best ranking rank ranks scores 胜者 偏好 更好 排序")
_REPLIES = word_set("text summary candidate model story caption")
_CANDIDATES = word_set("responses completions answers candidates outputs 回答 候选")
# A longer text is no name.
_NAME_CHARACTERS = 40
_WORDS = re.compile(r"[^\W\d_]+")
_SIDE = re.compile(r"(.*?)[ _-]?(?:([ab])|([12]|[01])|([甲乙]))", re.IGNORECASE)


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case.

    >>> words_of("chosenResponse_2"), words_of("正确答案")
    (['chosen', 'response'], ['正确答案'])
    """
    return [word.casefold() for word in _WORDS.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))]


def named(name: str, words: Collection[str]) -> bool:
    """Whether a name contains one of ``words``; a Chinese name may end with it."""
    own = words_of(name) if len(name) <= _NAME_CHARACTERS else []
    return any(word in words for word in own) or any(not word.isascii() and word[-2:] in words for word in own)


def languages(names: Sequence[str]) -> list[str]:
    """The names that end with the name or code of a language."""
    return [name for name in names if (words := words_of(name)) and words[-1] in _LANGUAGES]


def is_preference(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    """The fields that show a better and a worse answer, () where there are none."""
    texts = [name for name in names if _is_text(row.get(name))]
    better = [name for name in texts if named(name, _BETTER)]
    worse = [name for name in texts if named(name, _WORSE)]
    if better and worse:
        return (better[0], worse[0])
    verdict = [name for name in names if named(name, _VERDICT)]
    if not verdict:
        return ()
    stems: dict[str, list[str]] = {}
    for name in names:
        if name in texts and named(name, ANSWER | _REPLIES) and (match := _SIDE.fullmatch(name)):
            stems.setdefault(match[1], []).append(name)
    pair = next((tuple(two) for two in stems.values() if len(two) == 2), ())
    if pair:
        return (*pair, verdict[0])
    several = [name for name in names if isinstance(row.get(name), list) and named(name, _CANDIDATES)]
    return (several[0], verdict[0]) if several else ()


def _is_text(value: JSON) -> bool:
    """Whether a value is a text of several words, or a conversation."""
    return isinstance(value, list | dict) or (isinstance(value, str) and len(tokens(value)) > 1)
