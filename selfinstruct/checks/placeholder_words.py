"""Values that stand for one that was never written: word lists, and patterns of what a template leaves open."""

from __future__ import annotations

import re

#: Values that mean nothing wherever they stand.
SURE = re.compile(
    r"(?:todo|tbd|tbc|fixme|to be (?:done|determined|filled(?: in)?|completed|added)|placeholder"
    r"|待定|待补充|待填写|待完善|此处填写.*)(?:\s*[:：.。!-].*)?"
    r"|<no ?input>|<no ?output>|<empty>|lorem ipsum.*|asdf+|qwerty|(?:foo|bar|baz)(?:\s(?:foo|bar|baz))+"
    r"|your (?:answer|text|name|question) here|(?:insert|enter|add) (?:your )?(?:text|answer|question)(?: here)?",
    re.IGNORECASE | re.DOTALL,
)
#: In brackets: what a template leaves open. A file of templates has many of these.
OPEN = re.compile(
    r"[\[<{]{1,2}\s*(?:insert|your|enter|add|fill|todo|name|text|answer|question|placeholder|output|input"
    r"|请填写|请输入|填写|插入)[^\]>}]{0,60}[\]>}]{1,2}",
    re.IGNORECASE,
)
_DOUBTFUL_WORDS = (
    "n/a na n.a. n.a none null nil nan undefined unknown missing unspecified ? ?? ??? - -- --- . .. ... …… … _ "
    "__ x xx xxx xxxx 无 空 暂无 未知 不详 略 占位"
)
#: Values that may be meant.
DOUBTFUL = frozenset(_DOUBTFUL_WORDS.split())
_MEANT_WORDS = "na unknown missing unspecified x xx 未知 不详"
# Doubtful values that a row may well have though no seed has them.
_MEANT = frozenset(_MEANT_WORDS.split())
_LABEL_WORDS = (
    "output input answer question response instruction result text example label reply context title "
    "输出 输入 答案 回答 问题 回复 指令 结果 文本 示例 标签 标题"
)
_LABELS = frozenset(_LABEL_WORDS.split())
_MORE_WORDS = (
    "noinput nooutput no-input no_input (none) (empty) [empty] [blank] string "
    "不适用 无输入 <无输入> <无> 同上 无内容 （无）"
)
_MORE = frozenset(_MORE_WORDS.split())
_SAME = re.compile(
    r"(?:no (?:input|output|answer|content)|not applicable|(?:same )?as above|see above)\.?", re.IGNORECASE
)
# Punctuation alone; signs such as + and % may be meant.
_NOTHING = re.compile(
    r"[\s.,;:!?_\-–—…·。，、；：！？*\"'“”‘’]*[.,;:?_…。，、；：？][\s.,;:!?_\-–—…·。，、；：！？*\"'“”‘’]*"
)
_LONGEST = 80


def is_placeholder(text: str, name: str) -> bool:
    """Whether a value of the field ``name`` is no value; not for a blank one."""
    if len(text) > _LONGEST:
        return False
    plain = text.strip()
    folded = plain.casefold().strip("\"'“”`*")
    if not folded:
        return False
    for word in (folded, folded.rstrip(".。")):
        if word in DOUBTFUL or word in _MORE:
            return word not in _MEANT
    if folded[-1] in ":：" and (folded[:-1].strip() in _LABELS or folded[:-1].strip() == name.casefold()):
        return True
    return any(pattern.fullmatch(plain) for pattern in (_NOTHING, _SAME, SURE, OPEN))
