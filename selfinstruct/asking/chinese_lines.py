"""Chinese lines: their slots, and what happened to each.

    用户 张三 登录成功，来源 10.0.0.1 -> 用户: 张三 (verb 登录, outcome 成功); 来源: 10.0.0.1

Does not handle: several verbs of one thing.

>>> line = ChineseLine("用户 张三 登录成功，来源 10.0.0.1")
>>> [(slot.noun, slot.text) for slot in line.slots], line.owner.mention, line.event(line.owner).said
([('用户', '张三'), ('来源', '10.0.0.1')], '用户张三', '登录成功')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from selfinstruct.asking.chinese_parser import Word, parse_words
from selfinstruct.asking.chinese_words import NUMERAL, noun_flags
from selfinstruct.asking.headers import Header, parse_header
from selfinstruct.mining import lexicon

_JOINERS = frozenset("：:=[【#(（")
_KEY_MARKS = frozenset("：:=")
_RANGES = frozenset(("至", "到", "-", "—", "–", "~", "～"))
_FAMILIAR = "小老阿"
_LINKS = ("的", "和", "与", "及", "因", "因为", "由于", "导致")


@dataclass(frozen=True, slots=True)
class ChineseSlot:
    """A value with the noun before it. ``at`` is its position among the words; ``flags`` are those of the noun."""

    at: int
    start: int
    end: int
    text: str
    noun: str
    flags: str
    form: str
    unit: str
    unit_end: int
    is_keyed: bool

    @property
    def is_entity(self) -> bool:
        """Whether this is a thing of which others are attributes."""
        return "e" in self.flags and not self.unit and self.form != "constant"

    @property
    def is_person(self) -> bool:
        """Whether this is a person or an account."""
        return "p" in self.flags

    @property
    def mention(self) -> str:
        """The noun with the value."""
        return f"{self.noun}{self.text}"


class Event(NamedTuple):
    """What happened to a slot: ``said`` is the text of it that a question can repeat, "" if it is not complete."""

    verb: Word | None
    outcome: Word | None
    target: Word | None
    is_negated: bool
    said: str


class ChineseLine:
    """A line with its words, slots, and the events in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.header: Header = parse_header(text)
        self.words = parse_words(text, self.header.end)
        self.slots = _slots(self.words)
        self.owner = next((slot for slot in self.slots if slot.is_entity), None)
        self.title = next((word for word in self.words if word.form == "title"), None)

    def word(self, at: int) -> Word | None:
        """The word at a position."""
        return self.words[at] if 0 <= at < len(self.words) else None

    def event(self, slot: ChineseSlot) -> Event:
        """The verb and outcome after a slot, before the next break."""
        verb = outcome = target = None
        is_negated = is_after_preposition = False
        extras = 0
        start = -1
        at = slot.at + 1
        while (word := self.word(at)) is not None and word.kind not in ("break", "mark") and word.text not in _LINKS:
            at += 1
            following = self.word(at)
            if word.kind == "preposition":
                is_after_preposition = True
                extras += verb is not None
            elif word.kind in ("noun", "value", "unit"):
                if verb is not None and word.kind == "noun" and not is_after_preposition:
                    target = target or word
                elif verb is None and not is_after_preposition:
                    break
                extras += verb is not None
                is_after_preposition = is_after_preposition and word.kind == "noun"
            elif word.kind == "negation":
                is_negated, start = True, word.start if start < 0 else start
            elif word.kind == "outcome":
                start = word.start if start < 0 else start
                if following is None or following.kind != "verb" or following.start != word.end:
                    outcome = word
                    break
            elif word.kind == "verb":
                if verb is not None:
                    extras += 1
                    break
                verb, start = word, word.start if start < 0 else start
        last = outcome or verb
        is_whole = last is not None and (outcome is not None or extras == 0)
        said = self.text[start : last.end] if last is not None and is_whole and start >= 0 else ""
        return Event(verb, outcome, target, is_negated, "".join(said.split()) if said.isascii() else said)

    def is_only(self, slot: ChineseSlot) -> bool:
        """Whether no other slot has a noun that might mean this one."""
        return not any(
            other is not slot
            and other.text != slot.text
            and (other.noun == slot.noun or other.noun.endswith(slot.noun))
            for other in self.slots
        )


def _slots(words: Sequence[Word]) -> list[ChineseSlot]:
    slots = []
    for at, word in enumerate(words):
        if word.kind != "value":
            continue
        before = at - 1
        while before >= 0 and (words[before].text in _JOINERS or words[before].kind == "be"):
            before -= 1
        label = words[before] if before >= 0 and words[before].kind == "noun" else None
        is_number = word.form == "number" or NUMERAL.fullmatch(word.text) is not None
        flags = noun_flags(label.text) if label is not None else ""
        if word.form == "han" and not is_number and not _is_name(words, at, label, flags):
            continue
        following = words[at + 1] if at + 1 < len(words) else None
        if label is not None and before < at - 1 and following is not None and following.text in _RANGES:
            continue  # a part of what follows the noun: 工作时间为周一至周五
        has_unit = is_number and following is not None and (following.kind == "unit" or following.text == "%")
        unit = following if has_unit else None
        slots.append(
            ChineseSlot(
                at, word.start, word.end, word.text,
                label.text if label is not None else "", flags or ("a" if label is not None else ""),
                "number" if is_number else word.form,
                unit.text if unit is not None else "", unit.end if unit is not None else 0,
                at > 0 and words[at - 1].text in _KEY_MARKS,
            )
        )  # fmt: skip
    return slots


def _is_name(words: Sequence[Word], at: int, label: Word | None, flags: str) -> bool:
    """Whether characters outside the lists are a name: after the noun of a person, or apart from their noun."""
    word, before = words[at], words[at - 1] if at else None
    if not 1 < len(word.text) <= 12 or before is None:
        return False
    if label is None:
        return before.text in ("由", "被")
    if "p" in flags and before.end == word.start and before is label:
        return word.text[0] in _FAMILIAR or word.text.startswith(lexicon.words("zh-surnames"))  # not 员工手册
    return "p" in flags or before.end < word.start or before.text in _JOINERS or before.kind == "be"
