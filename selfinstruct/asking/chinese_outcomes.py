"""Wordings of questions about how something ended in a Chinese line, and why.

    用户 张三 登录失败，原因：密码错误 -> 用户张三的登录结果是什么？  用户张三为什么登录失败？

Does not handle: several outcomes in one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfinstruct.asking.chinese_lines import ChineseLine
from selfinstruct.asking.question import Draft

_REASON = re.compile(
    r"(?:失败原因|错误原因|异常原因|原因)\s*[:：=为是]+\s*(?=\S)"
    r"|(?:失败|超时|异常|拒绝|不可用|未通过|断开|中断|终止|崩溃|退出|取消|停止|关闭)\s*[:：]\s*(?=\S)"
)


def outcome_questions(line: ChineseLine) -> Iterator[Draft]:
    """Yield the questions about the outcome and the reason of a line."""
    yield from _result_questions(line)
    yield from _reason_questions(line)


def _result_questions(line: ChineseLine) -> Iterator[Draft]:
    outcomes = [at for at, word in enumerate(line.words) if word.kind == "outcome"]
    if len(outcomes) != 1:
        return
    at = outcomes[0]
    outcome, before, following = line.words[at], line.word(at - 1), line.word(at + 1)
    if before is None or (following is not None and following.kind == "verb" and following.start == outcome.end):
        return
    place, owner = (outcome.start, outcome.end), line.owner
    event = line.event(owner) if owner is not None else None
    if owner is not None and event is not None and event.outcome is outcome and event.verb is not None:
        if event.verb.end == outcome.start:
            yield Draft(f"{owner.mention}的{event.verb.text}结果是什么", *place, "result", 1.5)
        acted = line.text[event.verb.start : outcome.start].strip()
        if len(acted) <= len(event.verb.text) + 12:
            yield Draft(f"{owner.mention}{acted}的结果如何", *place, "result", 1.0)
            yield Draft(f"{owner.mention}{acted}的结果是什么", *place, "result", 0.7)
        if event.target is not None and event.target.start == event.verb.end and owner.is_person:
            text = f"{owner.mention}{event.verb.text}了什么"
            yield Draft(text, event.target.start, event.target.end, "what-object", 0.7)
    elif before.kind == "verb":
        previous = line.word(at - 2)
        if previous is None or previous.kind in ("break", "noun"):
            is_joined = previous is not None and previous.kind == "noun" and previous.end == before.start
            noun = previous.text if previous is not None and is_joined else ""
            yield Draft(f"{noun}{before.text}的结果是什么", *place, "result", 1.0)
    elif before.kind == "noun" and before.end == outcome.start:
        yield Draft(f"{before.text}的状态是什么", *place, "status", 1.0)
        yield Draft(f"{before.text}的情况如何", *place, "status", 0.5)
    elif before.kind == "value" and owner is not None and line.words[owner.at] is before:
        yield Draft(f"{owner.mention}的状态是什么", *place, "status", 1.5)


def _reason_questions(line: ChineseLine) -> Iterator[Draft]:
    match = _REASON.search(line.text)
    if match is None:
        return
    tail = re.match(r"[^，。；,;]+", line.text[match.end() :])
    if tail is None or re.search("[=:：]", tail[0]):
        return
    place = (match.end(), match.end() + len(tail[0].rstrip()))
    owner = line.owner
    if owner is not None and owner.end <= match.start():
        said = line.event(owner).said
        if said:
            yield Draft(f"{owner.mention}{said}的原因是什么", *place, "why", 2.0)
            yield Draft(f"{owner.mention}为什么{said}", *place, "why", 1.5)
    elif "原因" in match[0]:
        yield Draft("原因是什么", *place, "why", 0.7)
