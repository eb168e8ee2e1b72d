"""``placeholder``: a value that stands for one that was never written.

``TODO``, ``lorem ipsum``, ``<noinput>`` are told wherever they are. ``N/A``, ``none``, ``[insert name]``,
``...`` are values of some fields, so these are told only where few rows have them, and not where the row's context
contains them.

Does not handle: a value that a recipe's rule finds empty; a class of that name, which several rows have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase

_SURE = re.compile(
    r"(?:todo|tbd|tbc|fixme|to be (?:done|determined|filled(?: in)?|completed|added)|placeholder"
    r"|待定|待补充|待填写|待完善|此处填写.*)(?:\s*[:：.。!-].*)?"
    r"|<no ?input>|<no ?output>|<empty>|lorem ipsum.*|asdf+|qwerty|(?:foo|bar|baz)(?:\s(?:foo|bar|baz))+"
    r"|your (?:answer|text|name|question) here|(?:insert|enter|add) (?:your )?(?:text|answer|question)(?: here)?",
    re.IGNORECASE | re.DOTALL,
)
# In brackets: what a template leaves open. A file of templates has many of these.
_OPEN = re.compile(
    r"[\[<{]{1,2}\s*(?:insert|your|enter|add|fill|todo|name|text|answer|question|placeholder|output|input"
    r"|请填写|请输入|填写|插入)[^\]>}]{0,60}[\]>}]{1,2}",
    re.IGNORECASE,
)
_LOREM = re.compile(r"\blorem ipsum dolor\b", re.IGNORECASE)
#: Values that may be meant.
_DOUBTFUL_WORDS = (
    "n/a na n.a. n.a none null nil nan undefined unknown missing unspecified ? ?? ??? - -- --- . .. ... …… … _ "
    "__ x xx xxx xxxx 无 空 暂无 未知 不详 略 占位"
)
_DOUBTFUL = frozenset(_DOUBTFUL_WORDS.split())
_LONGEST = 80
#: The largest share of rows with a doubtful value of a field: more often, it is a value like the others.
_RARE = 0.1


class Placeholders:
    """The placeholders of a data set: which values are meant is known only once all rows are read."""

    def __init__(self, *, tells_blank: bool = False) -> None:
        """With ``tells_blank``, blank values are told where they are rare: no rule says that they are allowed."""
        self._tells_blank = tells_blank
        self._doubtful: list[tuple[int, str, Found]] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def find(self, at: int, name: str, text: str, context: str | None) -> Iterator[Found]:
        """Placeholders of a value for certain; ``context`` is the text that the value is a span of, if it is."""
        if len(text) > _LONGEST:
            if (match := _LOREM.search(text)) is not None:
                yield _found(name, match[0])
            return
        plain = text.strip()
        if not plain:
            if self._tells_blank:
                self._counts[name, ""] += 1
                self._doubtful.append(
                    (at, "", Found("empty", name, Phrase("{field} is blank", field=name), severity="warning"))
                )
            return
        folded = plain.casefold()
        kind = folded if folded in _DOUBTFUL else "open" if _OPEN.fullmatch(plain) else ""
        if kind:
            self._counts[name, kind] += 1
            if context is None or plain not in context:
                self._doubtful.append((at, kind, _found(name, plain)))
        elif context is not None and plain in context:
            return
        elif _SURE.fullmatch(plain) is not None or _LOREM.search(plain) is not None:
            yield _found(name, plain)

    def doubtful(self, rows: int) -> Iterator[tuple[int, Found]]:
        """The rows, by their index, whose value few of all ``rows`` have."""
        for at, kind, found in self._doubtful:
            if self._counts[found.field, kind] <= max(1, _RARE * rows) and rows > 1:
                yield at, found


def _found(name: str, value: str) -> Found:
    return Found(
        "placeholder",
        name,
        Phrase("{field} is a placeholder: {value}", field=name, value=value[:_LONGEST]),
        {"value": value[:_LONGEST]},
        detail=value,
    )
