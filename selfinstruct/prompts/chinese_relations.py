"""Relations of a recipe as rules of the Chinese prompt.

Its words go to models: a change changes their replies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from selfinstruct.prompts.quoting import listed, quoted
from selfinstruct.recipe import Relation

_UNITS = {
    "items": "项数",
    "words": "词数",
    "lines": "行数",
    "characters": "字符数",
    "days": "天",
    "hours": "小时",
    "minutes": "分钟",
    "seconds": "秒",
}
_SIGNS = {"sum": " + ", "difference": " - ", "product": " × ", "ratio": " ÷ "}
_STATISTICS = {"max": "最大值", "min": "最小值", "mean": "平均值"}
_KEYS = {"value": "本身", "name": "名称", "index": "序号（从 0 开始）", "letter": "字母"}


def relation_zh(relation: Relation) -> str:
    """Return a relation as a sentence in Chinese, without its full stop.

    >>> relation_zh(Relation(product={"总价": ("数量", "单价")}))
    '"总价" 等于 "数量" × "单价"'
    """
    return _SENTENCES[relation.kind](relation)


def _computed(relation: Relation) -> str:
    minus = relation.minus or ()
    terms = _SIGNS[relation.kind].join(map(quoted, relation.paths[1 : len(relation.paths) - len(minus)]))
    terms += "".join(f" - {quoted(path)}" for path in minus)
    terms += "" if relation.factor is None else f" × {relation.factor:g}"
    terms += "" if relation.plus is None else f" + {relation.plus:g}"
    unit = f"（以{_UNITS[relation.unit]}计）" if relation.unit else ""
    return f"{quoted(relation.target)} 等于 {terms}{unit}"


def _order(relation: Relation) -> str:
    if len(relation.paths) > 1:
        return f"{' ≤ '.join(map(quoted, relation.paths))}"
    unit = _UNITS[relation.unit] if relation.unit else ""
    step = f"，相邻两项相差 {relation.step:g} {unit}".rstrip() if relation.step else ""
    return f"{quoted(relation.target)} 按升序排列{step}"


def _range(relation: Relation) -> str:
    bounds = [
        f"{quoted(path)} 不小于 {least}" if math.isinf(most) else f"{quoted(path)} 在 {least} 到 {most} 之间"
        for path, (least, most) in (relation.range or {}).items()
    ]
    return "，".join(bounds) + (f"，且是 {relation.step:g} 的倍数" if relation.step else "")


def _format(relation: Relation) -> str:
    return "，".join(
        f"{quoted(path)} 中的日期和时间都真实存在" if name == "dated" else f"{quoted(path)} 是有效的 {name}"
        for path, name in (relation.format or {}).items()
    )


def _contained(relation: Relation) -> str:
    leeway = "（忽略大小写、重音和分隔符）" if relation.by == "words" else ""
    one, other = map(quoted, relation.paths)
    return f"{one} 出现在 {other} 中{leeway}"


def _bands(relation: Relation) -> str:
    limits = [f"{quoted(label)} 为 {least:g} 到 {most:g}" for label, (least, most) in (relation.limits or {}).items()]
    label, number = map(quoted, relation.paths)
    return f"{label} 由 {number} 决定：{'，'.join(limits)}"


def _supported(relation: Relation) -> str:
    text, key, *options = relation.paths
    return f"{quoted(key)} 在 {listed(options, '、')} 中所指的选项出现在 {quoted(text)} 中"


def _offset(relation: Relation) -> str:
    start, value, text = map(quoted, relation.paths[:3])
    end = f"，{quoted(relation.end)} 是其结束位置" if relation.end else ""
    return f"{start} 是 {value} 在 {text} 中的起始位置（按字符从 0 计）{end}"


def _paths(words: str) -> Callable[[Relation], str]:
    """A sentence with the paths in it."""
    return lambda relation: words.format(*map(quoted, relation.paths), all="、".join(map(quoted, relation.paths)))


_SENTENCES: Mapping[str, Callable[[Relation], str]] = {
    "equal": _paths("{0} 与 {1} 含义相同"),
    "contained": _contained,
    "distinct": _paths("{all} 中的值互不相同"),
    "one_of": lambda relation: (
        f"{quoted(relation.paths[0])} 是 {listed(relation.paths[1:], '、')} 中某一项的{_KEYS.get(relation.by, '本身')}"
    ),
    "order": _order,
    "sum": _computed,
    "difference": _computed,
    "product": _computed,
    "ratio": _computed,
    **{
        kind: lambda relation: (
            f"{quoted(relation.target)} 是 {listed(relation.paths[1:], '、')} 的{_STATISTICS[relation.kind]}"
        )
        for kind in _STATISTICS
    },
    "sum_product": lambda relation: (
        f"{quoted(relation.target)} 等于列表中每一项的 {' × '.join(map(quoted, relation.paths[1:]))} 之和"
    ),
    "count": lambda relation: (
        f"{quoted(relation.paths[0])} 是 {quoted(relation.paths[1])} 的{_UNITS[relation.unit or 'items']}"
    ),
    "offset": _offset,
    "weekday": _paths("{0} 是 {1} 对应的星期"),
    "range": _range,
    "format": _format,
    "composed": lambda relation: "，".join(
        f"{quoted(path)} 的写法是 {quoted(form)}，花括号处填入相应的值"
        for path, form in (relation.composed or {}).items()
    ),
    "numbers_in": _paths("{0} 中的数字、日期和引用的词语都出现在 {1} 中"),
    "names_in": _paths("{0} 中的名称都出现在 {1} 中"),
    "query": _paths("{0} 用到的表和列都出现在 {1} 中"),
    "supported": _supported,
    "span": _paths("{0} 和 {1} 是 {2} 中完整词语的起止位置"),
    "same_length": _paths("{all} 的项数相同"),
    "labels": lambda relation: "，".join(
        f"{quoted(path)} 只能是 {listed(known, ' 或 ')}" for path, known in (relation.labels or {}).items()
    ),
    "bands": _bands,
}
