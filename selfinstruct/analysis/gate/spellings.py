"""``label``: one class under two names, which a model learns as two classes.

Two labels are one where they differ only by letter case, blanks or the width of their characters; and a rare label that
differs by one letter from a frequent one is taken for a slip of the pen, such as ``biling`` beside ``billing``.

Does not handle: labels that mean the same in other words; labels with digits, which are often steps of a scale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rapidfuzz.distance import OSA

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase
from selfinstruct.preparation.categories import folded

_LEAST_LETTERS = 5
_RARE, _RARE_SHARE = 2, 0.2
_MOST_LABELS = 200
#: Prefixes that turn a word into its opposite.
_OPPOSITES = ("a", "an", "un", "in", "im", "ir", "il", "non", "dis", "de")


def other_names(counts: Mapping[str, int]) -> dict[str, tuple[str, bool]]:
    """Map each label that another names too to the more frequent one, and whether they differ only by case or blanks.

    >>> other_names({"billing": 9, "Billing ": 2, "biling": 1, "legal": 9, "illegal": 1})
    {'Billing ': ('billing', True), 'biling': ('billing', False)}
    """
    if len(counts) > _MOST_LABELS:
        return {}
    order = sorted(counts, key=lambda label: (-counts[label], label))
    usual: dict[str, str] = {}
    others: dict[str, tuple[str, bool]] = {}
    for label in order:
        first = usual.setdefault(folded(label), label)
        if first != label:
            others[label] = (first, True)
            continue
        for known in usual.values():
            if known != label and counts[label] <= min(_RARE, _RARE_SHARE * counts[known]) and _is_slip(label, known):
                others[label] = (known, False)
                break
    return others


def find(name: str, label: str, others: Mapping[str, tuple[str, bool]]) -> Iterator[Found]:
    """The finding on a row whose label has another name."""
    if label in others:
        known, is_spelling = others[label]
        shown, usual = (json.dumps(text, ensure_ascii=False) for text in (label, known))
        message = (
            Phrase("{field} {shown} differs from {name} only by case or blanks", field=name, shown=shown, name=usual)
            if is_spelling
            else Phrase("{field} {shown} differs from {name} only by one letter", field=name, shown=shown, name=usual)
        )
        yield Found("label", name, message, {"value": label, "usual": known}, detail=known)


def _is_slip(rare: str, frequent: str) -> bool:
    one, other = folded(rare), folded(frequent)
    if min(len(one), len(other)) < _LEAST_LETTERS or any(character.isdigit() for character in one + other):
        return False
    longer, shorter = max(one, other, key=len), min(one, other, key=len)
    if longer.endswith(shorter) and longer.removesuffix(shorter) in _OPPOSITES:
        return False
    return OSA.distance(one, other) == 1
