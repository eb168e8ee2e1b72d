"""``outlier``: a text that is unlike all others, in a field whose texts follow a few templates.

A template here is a text with every word that contains a digit left out, as in Drain's first step (He et al., ICWS
2017). Nearly all rows must share their template with others; then a row is an outlier if no other has its template and
no common one contains half of its words. So a file of prose has none.

Does not handle: labels and other short values; values that are odd within their template.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from rapidfuzz.distance import LCSseq

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase
from selfinstruct.text import tokens

_WITH_DIGITS = re.compile(r"\S*\d\S*")
_LEAST_ROWS = 30
_LEAST_WORDS = 3
#: The share of rows whose template is that of at least ``_COMMON`` rows.
_SHARE = 0.95
_COMMON = 3
_LEAST_ALIKE = 0.5
#: More templates than these are no small set, and each outlier is compared with all of them.
_MOST_TEMPLATES = 200
_CHARACTERS = 2000
_MANY = 2000


class Outliers:
    """The templates of the texts of one field."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[int, int]] = {}  # the row of a template's first text, and the number of that text
        self._texts = 0
        self._open = True

    def add(self, at: int, text: str) -> None:
        """Count the text of the row with this index in its data set."""
        self._texts += 1
        if not self._open:
            return
        template = _WITH_DIGITS.sub("*", text[:_CHARACTERS])
        self._counts[template] += 1
        self._first.setdefault(template, (at, self._texts))
        # Of the texts before these, there are at most as many as rows.
        if self._texts >= _MANY and len(self._counts) > _most_templates(at + 1):
            self._close()

    def absorb(self, later: Outliers) -> None:
        """Count the texts of the next rows too: the same as if they had been added here."""
        before, last = self._texts, self._texts
        self._texts += later._texts
        if not self._open or not later._open:
            self._close()
            return
        # Once more than a twentieth of many rows have a template of their own, there is nothing to say.
        for template, (at, number) in later._first.items():
            if template in self._first:
                continue
            if last < _MANY < before + number and len(self._first) > _most_templates(_MANY):
                return self._close()
            last = before + number
            self._first[template] = at, last
            if last >= _MANY and len(self._first) > _most_templates(last):
                return self._close()
        if last < _MANY <= self._texts and len(self._first) > _most_templates(_MANY):
            return self._close()
        self._counts.update(later._counts)

    def _close(self) -> None:
        self._open = False
        self._counts.clear()
        self._first.clear()

    def find(self) -> Iterator[tuple[int, Found]]:
        """The outliers, by the index of their row."""
        common = [template for template, count in self._counts.items() if count >= _COMMON]
        kept = sum(self._counts[template] for template in common)
        if self._texts < _LEAST_ROWS or not common or len(common) > _MOST_TEMPLATES or kept < _SHARE * self._texts:
            return
        words = [tokens(template) for template in common]
        for template, count in self._counts.items():
            own = tokens(template)
            if count > 1 or len(own) < _LEAST_WORDS:
                continue
            score = max(2 * LCSseq.similarity(own, other) / (len(own) + len(other) or 1) for other in words)
            if score < _LEAST_ALIKE:
                message = Phrase(
                    "{field} follows none of the {count:,} templates that the other rows follow",
                    field=self.name,
                    count=len(common),
                )
                evidence = {"templates": len(common), "score": round(score, 4)}
                yield self._first[template][0], Found("outlier", self.name, message, evidence, detail=template)


def _most_templates(texts: int) -> float:
    """The number of templates above which ``texts`` texts count as free text, not as rows of a few templates."""
    return _MOST_TEMPLATES + (1 - _SHARE) * texts
