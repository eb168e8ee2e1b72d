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

from selfinstruct.asking.chinese_lines import ChineseLine, ChineseSlot, Word
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.question import Draft

_HEADER_NAMES = {"level": "级别", "process ID": "进程号", "thread": "线程"}
_LOGGERS = {"host": "主机", "process": "进程", "component": "组件"}
_DURATIONS = ("耗时", "用时", "时长", "响应时间", "延迟", "超时时间")
_REASON = re.compile(
    r"(?:失败原因|错误原因|异常原因|原因)\s*[:：=为是]+\s*(?=\S)"
    r"|(?:失败|超时|异常|拒绝|不可用|未通过|断开|中断|终止|崩溃|退出|取消|停止|关闭)\s*[:：]\s*(?=\S)"
)


def chinese_questions(text: str) -> Iterator[Draft]:
    """Yield the questions about a Chinese line."""
    line = ChineseLine(text)
    for slot in line.slots:
        if slot.is_entity and line.is_only(slot):
            yield from _actor_questions(line, slot)
    for slot in line.slots:
        if "e" not in slot.flags and slot.noun and line.is_only(slot):
            yield from _attribute_questions(line, slot)
        yield from _place_questions(line, slot)
        yield from _count_questions(line, slot)
    yield from _outcome_questions(line)
    yield from _reason_questions(line)
    yield from _header_questions(line)


def _predicate(line: ChineseLine, slot: ChineseSlot) -> str:
    """What is said of a thing, as a question repeats it: 登录成功, 删除了用户赵六; "" if it is not complete."""
    negation, verb, outcome = line.event(slot)
    last = outcome or verb
    if last is None:
        return ""
    rest = [word for word in line.words if word.start >= last.end and word.text != "了"]
    if outcome is None and rest and rest[0].kind not in ("break", "mark"):
        found = next(
            (each for each in line.slots if rest[0].kind == "noun" and each.at == line.words.index(rest[0]) + 1), None
        )
        if found is None or negation is not None or verb is None:
            return ""
        return f"{verb.text}了{found.mention}"
    return _said(negation, verb, outcome)


def _said(negation: Word | None, verb: Word | None, outcome: Word | None) -> str:
    return "".join(word.text for word in (negation, verb, outcome) if word is not None)


def _actor_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    negation, verb, outcome = line.event(slot)
    said = _predicate(line, slot)
    person = "p" in slot.flags
    if said:
        yield Draft(f"哪个{slot.noun}{said}", slot.start, slot.end, "which-subject", 1.5)
        if person and verb is not None:
            yield Draft(f"谁{said}", slot.start, slot.end, "who", 1.0)
    if verb is not None and negation is None and line.owner is slot:
        if person:
            yield Draft(f"{slot.mention}做了什么操作", verb.start, verb.end, "happened", 0.7)
        elif outcome is not None and outcome.start == verb.end:
            yield Draft(f"{slot.mention}发生了什么", verb.start, outcome.end, "happened", 1.0)
    before = line.words[slot.at - 2] if slot.at >= 2 else None
    if before is not None and before.kind == "verb" and line.words[slot.at - 1].text == slot.noun:
        owner = line.owner
        yield Draft(f"{before.text}的是哪个{slot.noun}", slot.start, slot.end, "which-object", 1.0)
        if owner is not None and owner is not slot and line.event(owner)[1] is before:
            yield Draft(f"{owner.mention}{before.text}了哪个{slot.noun}", slot.start, slot.end, "which-object", 1.5)
    yield Draft(f"日志中提到的{slot.noun}是哪个", slot.start, slot.end, "slot-name", 0.4)


def _attribute_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    owner = line.owner
    if owner is not None and re.search(r"[：:](?!\S)|：", line.text[owner.end : slot.start - len(slot.noun)]):
        owner = None
    asks = "多少" if slot.form == "number" and not slot.noun.endswith(("号", "ID", "编号", "码")) else "什么"
    owners = [""]
    if owner is not None and owner.at < slot.at:
        owners.append(f"{owner.mention}的")
        _, verb, _ = line.event(owner)
        is_doer = "p" in owner.flags or slot.noun.endswith(_DURATIONS)
        if verb is not None and is_doer and not slot.noun.startswith(verb.text):
            owners.append(f"{owner.mention}{verb.text}的")
    for owned in owners:
        weight = 2.0 if owned else 0.5
        yield Draft(f"{owned}{slot.noun}是{asks}", slot.start, slot.end, "slot-name", weight, slot.unit_end)
        if slot.unit and slot.unit != "%":
            unit = entries("units").get(slot.unit, (slot.unit,))[0] if not slot.unit.isascii() else slot.unit
            yield Draft(f"{owned}{slot.noun}是多少{unit}", slot.start, slot.end, "how-many", weight)
        if slot.noun.endswith(_DURATIONS):
            yield Draft(f"{owned}{slot.noun}是多久", slot.start, slot.end, "how-long", 0.7 * weight, slot.unit_end)
        if slot.noun.endswith("时间") and slot.form == "time":
            yield Draft(f"{owned}{slot.noun}是什么时候", slot.start, slot.end, "when", weight)
        if "p" in slot.flags:
            yield Draft(f"{owned}{slot.noun}是谁", slot.start, slot.end, "who", weight)
    if slot.form in ("address", "host") and owner is not None and slot.noun.endswith("来源"):
        _, verb, _ = line.event(owner)
        if verb is not None:
            yield Draft(f"{owner.mention}从哪里{verb.text}", slot.start, slot.end, "where", 1.0)


def _place_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 从 10.0.0.1 登录 -> 用户张三从哪里登录."""
    first = slot.at - (1 if slot.noun and line.words[slot.at - 1].text == slot.noun else 0)
    before = line.words[first - 1] if first > 0 else None
    if before is None or before.kind != "preposition":
        return
    after = line.words[slot.at + 1] if slot.at + 1 < len(line.words) else None
    if after is not None and after.kind == "unit":
        return
    subject = line.owner
    mention = subject.mention if subject is not None and subject.at < slot.at and subject is not slot else ""
    verb = after if after is not None and after.kind == "verb" else None
    previous = line.words[first - 2] if first > 1 else None
    asked = [f"哪个{slot.noun}"] if slot.noun else []
    if slot.form in ("address", "host", "path"):
        asked.append("哪里")
    elif slot.form == "time" and before.text in ("在", "于"):
        asked = ["什么时候"]
    elif slot.form == "han" and before.text in ("由", "被"):
        asked.append("谁")
    for each in asked:
        if verb is not None:
            yield Draft(f"{mention}{before.text}{each}{verb.text}", slot.start, slot.end, "where", 1.5)
        elif previous is not None and previous.kind == "verb" and before.text in ("到", "至", "于", "往", "向", "在"):
            yield Draft(f"{mention}{previous.text}{before.text}{each}", slot.start, slot.end, "where", 1.5)


def _count_questions(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 共一百三十卷 -> 《史记》共有多少卷."""
    if not slot.unit or slot.unit == "%":
        return
    if slot.noun:
        yield from _done_counts(line, slot)
        return
    title = next((word for word in line.words if word.form == "title"), None)
    before = line.words[slot.at - 1] if slot.at else None
    same = [each for each in line.slots if each.unit == slot.unit]
    if before is None or len(same) > 1:
        return
    following = line.words[slot.at + 2] if slot.at + 2 < len(line.words) else None
    counted = (
        following.text
        if following is not None and following.kind == "noun" and following.start == slot.unit_end
        else ""
    )
    if before.text in ("共", "共计", "总共"):
        subject = title.text if title is not None and title.end <= slot.start else ""
        yield Draft(f"{subject}共有多少{slot.unit}{counted}", slot.start, slot.end, "how-many", 1.5)
        yield Draft(f"{subject}一共有多少{slot.unit}{counted}", slot.start, slot.end, "how-many", 0.7)
    elif before.kind == "verb":
        owner = line.owner
        mention = owner.mention if owner is not None and line.event(owner)[1] is before else ""
        yield Draft(f"{mention}{before.text}了多少{slot.unit}{counted}", slot.start, slot.end, "how-many", 1.5)


def _done_counts(line: ChineseLine, slot: ChineseSlot) -> Iterator[Draft]:
    """Ask as in: 处理记录 5000 条 -> 处理了多少条记录."""
    verb = line.words[slot.at - 2] if slot.at >= 2 else None
    if verb is not None and verb.kind == "verb" and line.words[slot.at - 1].text == slot.noun and "e" in slot.flags:
        owner = line.owner
        mention = owner.mention if owner is not None and owner.end <= verb.start else ""
        yield Draft(f"{mention}{verb.text}了多少{slot.unit}{slot.noun}", slot.start, slot.end, "how-many", 1.5)


def _outcome_questions(line: ChineseLine) -> Iterator[Draft]:
    """Ask as in: 登录成功 -> 用户张三的登录结果是什么."""
    outcomes = [word for word in line.words if word.kind == "outcome"]
    if len(outcomes) != 1:
        return
    outcome = outcomes[0]
    at = line.words.index(outcome)
    before = line.words[at - 1] if at else None
    if before is None:
        return
    owner = line.owner
    if before.kind == "verb":
        previous = line.words[at - 2] if at > 1 else None
        if owner is not None and line.event(owner)[2] is outcome:
            yield Draft(f"{owner.mention}的{before.text}结果是什么", outcome.start, outcome.end, "result", 1.5)
            yield Draft(f"{owner.mention}{before.text}的结果如何", outcome.start, outcome.end, "result", 1.0)
        elif previous is None or previous.kind in ("break", "noun"):
            noun = (
                previous.text
                if previous is not None and previous.kind == "noun" and previous.end == before.start
                else ""
            )
            yield Draft(f"{noun}{before.text}的结果是什么", outcome.start, outcome.end, "result", 1.0)
    elif before.kind == "noun":
        yield Draft(f"{before.text}的状态是什么", outcome.start, outcome.end, "status", 1.0)
        yield Draft(f"{before.text}的情况如何", outcome.start, outcome.end, "status", 0.5)
    elif before.kind == "value" and owner is not None and line.words[owner.at] is before:
        yield Draft(f"{owner.mention}的状态是什么", outcome.start, outcome.end, "status", 1.5)


def _reason_questions(line: ChineseLine) -> Iterator[Draft]:
    """Ask as in: 失败，原因：密码错误 -> 用户张三登录失败的原因是什么."""
    match = _REASON.search(line.text)
    if match is None:
        return
    tail = re.match(r"[^，。；,;]+", line.text[match.end() :])
    if tail is None or re.search("[=:：]", tail[0]):
        return
    start, end = match.end(), match.end() + len(tail[0].rstrip())
    owner = line.owner
    if owner is not None and owner.end <= match.start():
        said = _said(*line.event(owner))
        if said:
            yield Draft(f"{owner.mention}{said}的原因是什么", start, end, "why", 2.0)
            yield Draft(f"{owner.mention}为什么{said}", start, end, "why", 1.5)
    elif "原因" in match[0]:
        yield Draft("原因是什么", start, end, "why", 0.7)


def _header_questions(line: ChineseLine) -> Iterator[Draft]:
    owner = line.owner
    for field in line.header.fields:
        if field.name == "time":
            yield Draft("这条日志是什么时候记录的", field.start, field.end, "when-header", 0.6)
            if owner is not None:
                negation, verb, outcome = line.event(owner)
                if verb is not None and negation is None:
                    said = _said(None, verb, outcome)
                    yield Draft(f"{owner.mention}是什么时候{said}的", field.start, field.end, "when", 1.5)
        elif field.name in _LOGGERS:
            yield Draft(f"哪个{_LOGGERS[field.name]}记录了这条日志", field.start, field.end, "component", 0.7)
        else:
            yield Draft(
                f"这条日志的{_HEADER_NAMES[field.name]}是什么",
                field.start,
                field.end,
                f"header-{field.name.split()[0]}",
                0.5,
            )
