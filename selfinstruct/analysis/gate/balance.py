"""``balance``: classes that stand 0/0/100/0 where they should stand evenly.

The classes of a recipe's categories should have the shares of its weights (evenly, without any), and so should the
choices of a field with ``one_of``, such as the letters of right answers. Told are classes without a row, classes with
less than a tenth of their share, and one class that has nine rows of ten.

Does not handle: files of a few rows, which cannot show it; templates inferred from the rows, which nobody weighed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase, joined

_LEAST_ROWS = 10
#: A class of which so few rows are due may have none by chance.
_LEAST_EXPECTED = 2.0
_LEAST_SHARE = 0.1
_DOMINANT = 0.9
_LISTED = 12


def find(name: str, counts: Mapping[str, int], weights: Mapping[str, float] | None = None) -> Iterator[Found]:
    """At most one finding on the rows of each class of the field ``name`` ("" for rows as a whole)."""
    rows = sum(counts.values())
    if rows < _LEAST_ROWS or len(counts) < 2:
        return
    shares = {label: (weights or {}).get(label, 1.0) for label in counts}
    due = {label: share * rows / sum(shares.values()) for label, share in shares.items()}
    short = [
        label
        for label, count in counts.items()
        if due[label] >= _LEAST_EXPECTED and (count == 0 or (due[label] >= 10 and count < _LEAST_SHARE * due[label]))
    ]
    largest = max(counts, key=lambda label: counts[label] - due[label])
    dominant = counts[largest] >= max(_DOMINANT * rows, 1.5 * due[largest])
    if not short and not dominant:
        return
    listed: list[str] = [f"{_cut(label)} {count:,}" for label, count in list(counts.items())[:_LISTED]]
    if len(counts) > _LISTED:
        listed.append(Phrase("and {count:,} more", count=len(counts) - _LISTED))
    evidence = {"rows": dict(counts), "short": short}
    detail = ",".join(sorted(short)) or largest
    message = Phrase(
        "the classes of {field} are out of balance: {counts}"
        if name
        else "the categories are out of balance: {counts}",
        field=name,
        counts=joined(listed),
    )
    yield Found("balance", name, message, evidence, detail=detail)


def _cut(label: str) -> str:
    return label if len(label) <= 40 else label[:39] + "…"
