"""Wordings of questions about how the things of a Chinese line belong together: sender, receiver, state, second name.

    节点 node-1 将数据块 blk_7 发送到 node-2 -> 数据块blk_7被发送到哪里？  哪个节点发送了数据块blk_7？

Does not handle: several transfers in one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from selfinstruct.asking.chinese_lines import ChineseLine, ChineseSlot
from selfinstruct.asking.question import Draft

_STATES = ("无效", "异常", "非法", "未知")
_SOURCES = ("源地址", "来源地址", "源", "来源")
_DESTINATIONS = ("目标地址", "目的地址", "目标", "目的地")
_NEGATION = re.compile(r"未(?=[^\W\d_])|没有(?=[^\W\d_])")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def relation_questions(line: ChineseLine) -> Iterator[Draft]:
    """Yield the questions about pairs of things of a line, and about states and negations."""
    for slot in line.slots:
        if slot.is_entity and line.is_only(slot):
            yield from _state(line, slot)
            yield from _negation(line, slot)
            yield from _transfer(line, slot)
    for before, after in pairwise(line.slots):
        if line.text[before.end : after.start].strip() in ("（", "(", "[", "【"):
            yield from _same(before, after)
    yield from _record(line)


def _state(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 哪个用户无效 of 无效用户 张三."""
    label, state = line.word(slot.at - 1), line.word(slot.at - 2)
    if label is None or state is None or label.text != slot.noun or state.text not in _STATES:
        return
    if state.end != label.start:
        return
    yield Draft(f"哪个{slot.noun}{state.text}", slot.start, slot.end, "which-subject", 1.0)
    yield Draft(f"{slot.mention}的状态是什么", state.start, state.end, "status", 1.0)


def _negation(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 分区rdd_4_2找到了吗 of 分区 rdd_4_2 未找到."""
    word = line.word(slot.at + 1)
    if word is None or (match := _NEGATION.match(line.text, word.start)) is None:
        return
    said = re.match(r"[^\W\d_]{2,4}(?=[，。；\s]|$)", line.text[match.end() :])
    if said is None or said[0].endswith("了"):
        return
    question = f"{slot.mention}{said[0]}了吗"
    yield Draft(question, match.start(), match.end() + len(said[0]), "is-it", 1.0)
    yield Draft(question, *match.span(), "is-it-not", 1.0)


def _transfer(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask who sends a thing, from where and to where."""
    for other in line.slots:
        place = (other.start, other.end)
        if other.is_keyed and other.form in ("address", "host") and slot is line.owner and not slot.is_person:
            if other.noun in _SOURCES:
                yield Draft(f"{slot.mention}来自哪里", *place, "where", 1.0)
                yield Draft(f"{slot.mention}来自哪个地址", *place, "where", 0.7)
            elif other.noun in _DESTINATIONS:
                yield Draft(f"{slot.mention}发往哪里", *place, "where", 1.0)
                yield Draft(f"{slot.mention}发往哪个地址", *place, "where", 0.7)
    label, before = line.word(slot.at - 1), line.word(slot.at - 2)
    verb, link, owner = line.word(slot.at + 1), line.word(slot.at + 2), line.owner
    if label is None or before is None or before.text not in ("将", "把") or verb is None or verb.kind != "verb":
        return
    if owner is not None and owner.end < before.start:
        text = f"哪个{owner.noun}{verb.text}了{slot.mention}"
        yield Draft(text, owner.start, owner.end, "which-subject", 1.0)
    if link is not None and link.text in ("到", "至", "给"):
        receiver = next((each for each in line.slots if each.start >= link.end), None)
        first = line.word(slot.at + 3)
        if receiver is not None and first is not None and first.start + len(receiver.noun) <= receiver.start + 1:
            text = f"{slot.mention}被{verb.text}{link.text}{'谁' if receiver.is_person else '哪里'}"
            yield Draft(text, receiver.start, receiver.end, "where", 1.0)


def _same(before: ChineseSlot, after: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 主机mail.example.com的IP地址是什么."""
    host, ip = (before, after) if _IP.fullmatch(after.text) else (after, before)
    if not _IP.fullmatch(ip.text) or _IP.fullmatch(host.text) or host.form not in ("host", "id"):
        return
    yield Draft(f"{host.mention}的IP地址是什么", ip.start, ip.end, "slot-name", 1.0)
    yield Draft(f"IP地址{ip.text}对应的主机是哪个", host.start, host.end, "which-subject", 1.0)


def _record(line: ChineseLine) -> Iterator[Draft]:
    """Ask as in: 谁认证失败 of 认证失败：用户=张三 来源=10.0.0.1."""
    verb, outcome = line.word(0), line.word(1)
    if verb is None or outcome is None or verb.kind != "verb" or outcome.kind != "outcome" or verb.end != outcome.start:
        return
    users = [slot for slot in line.slots if slot.is_keyed and slot.is_person]
    if len(users) != 1:
        return
    place, said = (users[0].start, users[0].end), f"{verb.text}{outcome.text}"
    yield Draft(f"哪个{users[0].noun}{said}", *place, "which-subject", 1.0)
    yield Draft(f"谁{said}", *place, "who", 0.7)
    sources = [slot for slot in line.slots if slot.is_keyed and slot.noun in _SOURCES]
    if len(sources) == 1:
        yield Draft(f"哪个{users[0].noun}从{sources[0].text}{said}", *place, "which-subject", 1.0)
        yield Draft(f"{users[0].mention}从哪里{said}", sources[0].start, sources[0].end, "where", 0.7)
