"""Multiple choice: the options of a row, the field that names the right one, and whether the text supports it.

Does not handle: questions with several right options.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.preparation.field_names import word_set, words_of
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import leaves
from selfinstruct.text import find_span, tokens, value_text

_LISTS = word_set("options option choices choice alternatives endings candidates 选项 备选 备选项 候选")
_NUMBERED = re.compile(r"(?:option|choice|opt|ending|选项|answer|ans)[ _-]?([a-h]|\d)", re.IGNORECASE)
_KEYS = word_set("answer answers key label correct gold solution target ans idx index 答案 正确答案 正确 解答 标签")
_STEMS = "甲乙丙丁戊己"
_INLINE = re.compile(r"(?:^|[\s(（])([A-H])\s*[.):、．）：]\s*\S")


@dataclass(frozen=True, slots=True)
class Choice:
    """The options of a row by their letters, the fields that contain them, the key's field, and the right letter."""

    options: Mapping[str, str]
    fields: tuple[str, ...]
    key: str
    right: str


def find_choice(row: Row) -> Choice | None:
    """Return the options of a row and its key; None if it has no options, or no field that names one.

    >>> find_choice({"q": "12 x 8?", "A": "86", "B": "96", "answer": "B"}).options
    {'A': '86', 'B': '96'}
    """
    found = _options(row)
    if found is None:
        return None
    options, fields = found
    rest = [name for name in row if name not in fields]
    rest.sort(key=lambda name: not set(words_of(name)) & _KEYS)
    for name in rest:
        right = _letter(row[name], options, is_key=bool(set(words_of(name)) & _KEYS))
        if right is not None:
            return Choice(options, fields, name, right)
    return None


def is_inline_choice(row: Row) -> str:
    """The field whose text lists its options (A. ... B. ...), where another field is one of their letters; or ""."""
    for name, value in row.items():
        if not isinstance(value, str):
            continue
        letters = list(dict.fromkeys(_INLINE.findall(value)))
        if len(letters) < 2 or letters != list(string.ascii_uppercase[: len(letters)]):
            continue
        if any(value_text(other).strip().strip("().") in letters for key, other in row.items() if key != name):
            return name
    return ""


def fixed_options(rows: Sequence[Row]) -> tuple[str, ...]:
    """The fields of options that are the same in every row, which makes the key a label; () if they differ."""
    found = [_options(row) for row in rows]
    if len(rows) < 2 or any(each is None for each in found):
        return ()
    sets = {frozenset(each[0].values()) for each in found if each is not None}
    return found[0][1] if len(sets) == 1 and found[0] is not None else ()


def supported(row: Row, choice: Choice) -> bool:
    """Whether the text beside the options contains the right one word for word, and none of the others."""
    beside = [
        _folded(value)
        for path, value in leaves(row).items()
        if isinstance(value, str) and path[0] not in choice.fields and path[0] != choice.key
    ]

    def occurs(option: str) -> bool:
        return any(find_span(_folded(option), text) for text in beside)

    others = [text for letter, text in choice.options.items() if letter != choice.right]
    return occurs(choice.options[choice.right]) and not any(map(occurs, others))


def _options(row: Row) -> tuple[dict[str, str], tuple[str, ...]] | None:
    """The options of a row by letter, and the fields that contain them."""
    for name, value in row.items():
        if set(words_of(name)) & _LISTS and (options := _listed(value)):
            return options, (name,)
    for letters in ("ABCDEFGH", _STEMS):
        own = [name for name in row if len(name) == 1 and name.upper() in letters]
        asked = any(isinstance(value, str) and len(tokens(value)) > 2 for name, value in row.items() if name not in own)
        if asked and len(own) > 1 and all(_is_text(row[name]) for name in own):
            return {name.upper(): value_text(row[name]) for name in own}, tuple(own)
    numbered = {name: match[1].upper() for name in row if (match := _NUMBERED.fullmatch(name))}
    if len(numbered) > 1 and all(_is_text(row[name]) for name in numbered):
        return {letter: value_text(row[name]) for name, letter in numbered.items()}, tuple(numbered)
    return None


def _listed(value: JSON) -> dict[str, str]:
    """The options of a list, an object by letter, or an object of two lists."""
    if isinstance(value, dict):
        texts, labels = value.get("text"), value.get("label")
        if isinstance(texts, list) and isinstance(labels, list) and len(texts) == len(labels) > 1:
            return {value_text(label): value_text(text) for label, text in zip(labels, texts, strict=True)}
        return {key: value_text(text) for key, text in value.items()} if _are_texts(list(value.values())) else {}
    if not isinstance(value, list):
        return {}
    if all(isinstance(each, dict) and "text" in each for each in value) and len(value) > 1:
        value = [each["text"] for each in value]
    return dict(zip(string.ascii_uppercase, map(value_text, value), strict=False)) if _are_texts(value) else {}


def _letter(value: JSON, options: Mapping[str, str], *, is_key: bool) -> str | None:
    """The letter of the option that a value names: by letter, by text or, in a key, by its position from 0."""
    if isinstance(value, bool) or not _is_text(value):
        return None
    text = value_text(value).strip()
    letter = text.strip("().").upper()
    if letter in options and is_key:
        return letter
    for each, option in options.items():
        if text and option.strip() == text:
            return each
    if is_key and text.isdecimal() and int(text) < len(options) + 1:
        return list(options)[min(int(text), len(options) - 1)]
    return None


def _is_text(value: JSON) -> bool:
    return isinstance(value, str | int | float)


def _are_texts(values: Sequence[JSON]) -> bool:
    return len(values) > 1 and all(map(_is_text, values))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
