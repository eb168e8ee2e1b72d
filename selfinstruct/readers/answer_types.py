"""What type of value a question asks for, and what type a span is: "how many" asks for a number, "who" for a name.

A reader learns one weight for all spans whose type fits the question, so that it need not have seen "which port" to
prefer a number there.

Does not handle: questions whose words are on none of the lists; their type is unknown, "".

>>> sorted(asked_types("On which port does 10.0.0.7 listen?")), span_type("10.0.0.7:22")
(['number', 'quantity'], 'address')
"""

from __future__ import annotations

import re
from functools import lru_cache

_NAMES = frozenset({"word", "words", "id", "dotted"})
_ASKED: tuple[tuple[str, frozenset[str]], ...] = (
    (
        r"\bhow (?:many|much|large|big|long|often|old|fast|far|high|full)\b|多少|几[个次条台]|多[久长大快高]",
        frozenset({"number", "quantity"}),
    ),
    (
        r"\b(?:number|count|size|port|amount|percentage|duration|uid|pid|gid|total|limit|timeout|exit code)\b"
        r"|端口|数量|大小|金额|耗时|次数",
        frozenset({"number", "quantity"}),
    ),
    (
        r"\bwhen\b|\b(?:what|which|at what) (?:time|date|day)\b|何时|时间|时候|几点|哪[天日年月]",
        frozenset({"time", "date"}),
    ),
    (r"\b(?:who|whom|whose)\b|\b(?:user|account|user name)\b|谁|用户|账号|[审操]\w?员|操作人", _NAMES),
    (
        r"\b(?:ip|address|host|hostname|host name|server|client|peer|machine|node|from where|where .* from)\b"
        r"|\bIP\b|地址|主机|节点|服务器|客户端",
        frozenset({"ip", "address", "dotted", "id", "path"}),
    ),
    (r"\b(?:version|release)\b|版本", frozenset({"number", "ip", "dotted", "id"})),
    (
        r"\b(?:file|directory|folder|path|url|uri|page|endpoint)\b|路径|文件|目录|接口|链接",
        frozenset({"path", "dotted"}),
    ),
    (
        r"\b(?:id|identifier|block|task|job|attempt|container|session|key)\b|编?号|会话|任务",
        frozenset({"id", "number", "dotted"}),
    ),
    (r"\b(?:class|exception|package|module)\b|异常|类名", frozenset({"dotted", "word", "words"})),
    (
        r"\bwhy\b|\b(?:reason|cause|status|state|result|outcome|happened|done|wrong|component|error|event|action)\b"
        r"|为什么|为何|原因|状态|结果|怎么[样了]|发生",
        frozenset({"word", "words"}),
    ),
)
_ASKING = tuple((re.compile(pattern, re.IGNORECASE), types) for pattern, types in _ASKED)
_TYPES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?", "time"),
        (
            r"(?:[A-Z]\w{2,8},? )?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*\s+\d{1,2}"
            r"|\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?)"
            r"[ T]?(?:\d{1,2}:\d{2}\S*)?(?: \d{4})?",
            "date",
        ),
        (r"\d{1,3}(?:\.\d{1,3}){3}", "ip"),
        (r"/?[\w.-]*[\d.][\w.-]*:\d{2,5}", "address"),
        (r"[-+]?\d+(?:[.,]\d+)*|0x[0-9a-fA-F]+", "number"),
        (r"[-+]?\d+(?:[.,]\d+)*\s?[A-Za-z%\u4e00-\u9fff]{1,10}", "quantity"),
        (r"\w+://\S+|[A-Za-z]:\\\S+|\S*/\S+", "path"),
        (r"[^\W\d]\w*(?:[.-]\w+)+", "dotted"),
        (r"[^\W\d_]+", "word"),
        (r"\S*\d\S*", "id"),
        (r"[^\W\d_]+\w*", "id"),
        (r"[^\d]+", "words"),
    )
)

_DIGITS = str.maketrans("0123456789", "1" * 10)


def asked_types(question: str) -> frozenset[str]:
    """Return the types of value that a question may ask for; none if its words do not tell."""
    found = [(match.start(), types) for pattern, types in _ASKING if (match := pattern.search(question))]
    if not found:
        return frozenset()
    # "Which user connected from this address?" asks for what it names first.
    return min(found, key=lambda pair: pair[0])[1]


def span_type(text: str) -> str:
    """Return the type of a value; "mixed" for what is none of the known ones."""
    # The patterns tell digits apart in hexadecimal numbers only, so that many values have one type.
    return _span_type(text if "0x" in text else text.translate(_DIGITS))


@lru_cache(maxsize=1 << 16)
def _span_type(text: str) -> str:
    return next((name for pattern, name in _TYPES if pattern.fullmatch(text)), "mixed")
