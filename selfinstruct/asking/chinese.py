"""Wordings of questions about Chinese lines.

    用户 张三 登录成功，来源 10.0.0.1 -> 用户张三的登录结果是什么？  哪个用户登录成功？

Does not handle: lines without a noun of the lists; about them few questions are asked.

>>> line = "用户 张三 登录成功，来源 10.0.0.1"
>>> [(each.text, line[each.start : each.end]) for each in chinese_questions(line)][:3]
[('哪个用户登录成功', '张三'), ('谁登录成功', '张三'), ('用户张三做了什么操作', '登录')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfinstruct.asking.chinese_lines import ChineseLine, ChineseSlot
from selfinstruct.asking.chinese_outcomes import outcome_questions
from selfinstruct.asking.chinese_relations import relation_questions
from selfinstruct.asking.question import Draft

_HEADER_NAMES = {"level": "级别", "process ID": "进程号", "thread": "线程"}
_LOGGERS = {"host": "主机", "process": "进程", "component": "组件"}
_DURATIONS = ("耗时", "用时", "时长", "响应时间", "延迟", "超时时间", "持续时间")
#: Attributes of an action, which its verb may name: 登录来源.
_OF_ACTION = ("来源", "地址", "IP", "IP地址", "时间", "方式", "地点", "设备", "渠道", "金额", "端口", "类型")
_CODES = ("号", "ID", "编号", "码")
_COUNTING = ("共", "共计", "总共", "共有")
_LEFT = ("剩余", "还剩", "仅剩", "可用", "已用")
_SIDES = {"从": "where", "到": "where", "至": "where", "往": "where", "向": "where", "在": "where", "于": "where"}


def chinese_questions(text: str) -> Iterator[Draft]:
    """Yield the questions about a Chinese line."""
    line = ChineseLine(text)
    for slot in line.slots:
        if slot.is_entity and line.is_only(slot):
            yield from _thing_questions(line, slot)
        if slot.noun and line.is_only(slot) and (not slot.is_entity or slot.is_keyed):
            yield from _attribute_questions(line, slot)
        yield from _place_questions(line, slot)
        yield from _count_questions(line, slot)
    yield from outcome_questions(line)
    yield from relation_questions(line)
    yield from _header_questions(line)


def _thing_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 哪个用户登录成功."""
    event, place = line.event(slot), (slot.start, slot.end)
    before, label = line.word(slot.at - 2), line.word(slot.at - 1)
    is_subject = before is None or before.kind in ("break", "mark")
    said = event.said or _with_object(line, slot)
    if said and is_subject:
        yield Draft(f"哪个{slot.noun}{said}", *place, "which-subject", 1.5)
        if slot.is_person and event.verb is not None:
            yield Draft(f"谁{said}", *place, "who", 1.0)
    if event.verb is not None and not event.is_negated and line.owner is slot and is_subject:
        if slot.is_person:
            yield Draft(f"{slot.mention}做了什么操作", event.verb.start, event.verb.end, "happened", 0.7)
        elif event.outcome is not None and event.said and event.target is None:
            yield Draft(f"{slot.mention}发生了什么", event.verb.start, event.outcome.end, "happened", 1.0)
    owner = line.owner
    if before is not None and before.kind == "verb" and label is not None and label.text == slot.noun:
        if owner is not None and owner is not slot and line.event(owner).verb is before:
            yield Draft(f"{owner.mention}{before.text}了哪个{slot.noun}", *place, "which-object", 1.5)
    elif owner is not None and owner is not slot and is_subject and not slot.is_keyed:
        yield Draft(f"{owner.mention}的{slot.noun}是哪个", *place, "slot-name", 1.5)
    if not slot.is_keyed:
        yield Draft(f"日志中提到的{slot.noun}是哪个", *place, "mentioned", 0.4)


def _with_object(line: ChineseLine, slot: ChineseSlot) -> str:
    """The verb after a slot with its object, as in: 删除了用户赵六."""
    event = line.event(slot)
    if event.verb is None or event.outcome is not None or event.is_negated:
        return ""
    rest = [word for word in line.words if word.start >= event.verb.end and word.text != "了"]
    if not rest:
        return ""
    found = next((each for each in line.slots if line.word(each.at - 1) is rest[0] and rest[0].kind == "noun"), None)
    return f"{event.verb.text}了{found.mention}" if found is not None and not found.unit else ""


def _attribute_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 任务task_17的耗时是多少秒."""
    place = (slot.start, slot.end)
    is_number = slot.form == "number" or re.fullmatch(r"[-+\d][\d.,]*%", slot.text) is not None
    is_amount = is_number and not slot.noun.endswith(_CODES)
    asks = "谁" if slot.is_person else "多少" if is_amount else "什么"
    for owned in ("", *_owners(line, slot)):
        weight = 2.0 if owned else 0.5
        yield Draft(f"{owned}{slot.noun}是{asks}", *place, "slot-name", weight, slot.unit_end)
        if slot.unit and slot.unit != "%":
            yield Draft(f"{owned}{slot.noun}是多少{slot.unit}", *place, "how-many", weight)
        if slot.noun.endswith(_DURATIONS):
            yield Draft(f"{owned}{slot.noun}是多久", *place, "how-long", 0.7 * weight, slot.unit_end)
        if slot.noun.endswith("时间") and slot.form == "time":
            yield Draft(f"{owned}{slot.noun}是什么时候", *place, "when", weight)
    owner = line.owner
    if slot.form in ("address", "host") and owner is not None and slot.noun.endswith("来源"):
        verb = line.event(owner).verb
        if verb is not None:
            yield Draft(f"{owner.mention}从哪里{verb.text}", *place, "where", 1.0)


def _owners(line: ChineseLine, slot: ChineseSlot) -> list[str]:
    """What a slot is an attribute of, with 的: of a person only together with what the person did."""
    owner = line.owner
    if owner is None or owner.at >= slot.at or (owner.is_keyed and not owner.is_person) or _is_told(line, owner, slot):
        return []
    verb = line.event(owner).verb
    owners = []
    if not owner.is_person or verb is None or slot.noun.startswith(verb.text):
        owners.append(f"{owner.mention}的")
    if verb is not None and not slot.noun.startswith(verb.text):
        if owner.is_person or slot.noun.endswith(_DURATIONS):
            owners.append(f"{owner.mention}{verb.text}的")
        if owner.is_person and slot.noun in _OF_ACTION:
            owners.append(f"{owner.mention}的{verb.text}")
    return owners


def _is_told(line: ChineseLine, owner: ChineseSlot, slot: ChineseSlot) -> bool:
    """Whether a colon between both begins a sentence of its own: 服务 nginx 启动失败：端口 8080 已被占用."""
    between = line.text[owner.end : slot.start - len(slot.noun)]
    return re.search("：[^，。；]*$", between) is not None and not slot.is_keyed


def _place_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 用户张三从哪里登录."""
    label = line.word(slot.at - 1)
    first = slot.at - (1 if slot.noun and label is not None and label.text == slot.noun else 0)
    before, previous, after = line.word(first - 1), line.word(first - 2), line.word(slot.at + 1)
    if before is None or before.kind != "preposition" or (after is not None and after.kind == "unit"):
        return
    place, owner = (slot.start, slot.end), line.owner
    mention = owner.mention if owner is not None and owner.at < slot.at else ""
    if not mention and line.title is not None and line.title.end <= slot.start:
        mention = line.title.text
    verb = after.text if after is not None and after.kind == "verb" else ""
    if slot.form == "time":
        if before.text in ("在", "于") and verb:
            yield Draft(f"{mention}是什么时候{verb}的", *place, "when", 1.5)
        return
    asked = [f"哪个{slot.noun}"] if slot.noun else []
    if slot.form in ("address", "host", "path") and before.text in _SIDES:
        asked.append("哪里")
    elif slot.form == "han" and before.text in ("由", "被"):
        asked.append("谁")
    for each in asked:
        if verb:
            yield Draft(f"{mention}{before.text}{each}{verb}", *place, "where", 1.5)
        elif previous is not None and previous.kind == "verb" and before.text in _SIDES:
            yield Draft(f"{mention}{previous.text}{before.text}{each}", *place, "where", 1.5)


def _count_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 《史记》共有多少卷, 处理了多少条记录."""
    if not slot.unit or slot.unit == "%":
        return
    place, owner = (slot.start, slot.end), line.owner
    before = line.word(slot.at - 1)
    if slot.noun:
        verb = line.word(slot.at - 2)
        if verb is not None and verb.kind == "verb" and before is not None and before.text == slot.noun:
            mention = owner.mention if owner is not None and owner.end <= verb.start else ""
            yield Draft(f"{mention}{verb.text}了多少{slot.unit}{slot.noun}", *place, "how-many", 1.5)
        return
    if (
        before is None
        or sum(1 for each in line.slots if each.unit == slot.unit and _verb_text(line, each) == before.text) > 1
    ):
        return
    following = line.word(slot.at + 2)
    is_counted = following is not None and following.kind == "noun" and following.start == slot.unit_end
    counted = following.text if following is not None and is_counted else ""
    if before.text in _COUNTING:
        subject = line.title.text if line.title is not None and line.title.end <= slot.start else ""
        yield Draft(f"{subject}共有多少{slot.unit}{counted}", *place, "how-many", 1.5)
        yield Draft(f"{subject}一共有多少{slot.unit}{counted}", *place, "how-many", 0.7)
    elif before.text in _LEFT:
        mention = owner.mention if owner is not None and owner.end <= before.start else ""
        yield Draft(f"{mention}{before.text}多少{slot.unit}{counted}", *place, "how-many", 1.5)
    elif before.kind == "verb":
        mention = owner.mention if owner is not None and line.event(owner).verb is before else ""
        yield Draft(f"{mention}{before.text}了多少{slot.unit}{counted}", *place, "how-many", 1.5)


def _verb_text(line: ChineseLine, slot: ChineseSlot) -> str:
    before = line.word(slot.at - 1)
    return before.text if before is not None else ""


def _header_questions(line: ChineseLine) -> Iterator[Draft]:
    owner = line.owner
    for field in line.header.fields:
        place = (field.start, field.end)
        if field.name == "time":
            yield Draft("这条日志是什么时候记录的", *place, "when-header", 0.6)
            event = line.event(owner) if owner is not None else None
            if (
                owner is not None
                and event is not None
                and event.said
                and not event.is_negated
                and event.verb is not None
            ):
                yield Draft(f"{owner.mention}是什么时候{re.sub('^已', '', event.said)}的", *place, "when", 1.2)
        elif field.name in _LOGGERS:
            yield Draft(f"哪个{_LOGGERS[field.name]}记录了这条日志", *place, "component", 0.7)
        else:
            yield Draft(f"这条日志的{_HEADER_NAMES[field.name]}是什么", *place, field.name.replace(" ", "-"), 0.5)
