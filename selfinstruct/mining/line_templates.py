"""The templates of many lines, such as those of a log, in a time that is nearly linear in the lines.

As in Drain (He et al., ICWS 2017), words with digits are slots, and lines with the same number of words have one
template if they agree in most of them. Unlike in Drain, the first word may be a slot too, and a place where only a few
words alternate is none: ``session opened`` and ``session closed`` are two templates.

Does not handle: slots of several words; the values of slots (see ``text_template``).

>>> line_templates(["disk 3 failed", "disk 17 failed", "disk 4 mounted"])
(['disk <*> failed', 'disk <*> mounted'], array('L', [0, 0, 1]))
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence

from selfinstruct.mining.text_template import SIMILARITY, SLOT

_BETWEEN = r"\s=:,;()\[\]{}\"'|"
# Tried at the start of a word only: a line may be one word of 10,000 characters.
_DIGITS = re.compile(rf"(?<![^{_BETWEEN}])[^{_BETWEEN}\d]*+\d[^{_BETWEEN}]*+")
_SLOTS = re.compile(rf"{re.escape(SLOT)}(?:\s*+[:,.]?+\s*+{re.escape(SLOT)})+")
#: A place with at most this many words is a choice between words, each with a template of its own.
_MOST_CHOICES = 4
# Lines of one length are compared with at most this many groups.
_MOST_GROUPS = 200
_MOST_NAME = 200


def line_templates(lines: Iterable[str]) -> tuple[list[str], array[int]]:
    """Return the names of the templates, in the order of their first line, and the index of each line's template.

    A name has ``<*>`` for each slot, and at most 200 characters.
    """
    forms: dict[str, int] = {}
    of_lines = array("L")
    for line in lines:
        of_lines.append(forms.setdefault(_masked(line), len(forms)))
    numbers: dict[str, int] = {}
    of_forms = [numbers.setdefault(name, len(numbers)) for name in _names([form.split() for form in forms])]
    return list(numbers), array("L", (of_forms[number] for number in of_lines))


def _masked(line: str) -> str:
    """The line with a slot for each word that has a digit, and one for several slots in a row."""
    return _SLOTS.sub(SLOT, _DIGITS.sub(SLOT, line))


def _names(forms: Sequence[Sequence[str]]) -> list[str]:
    """The name of the template of each form."""
    names = [""] * len(forms)
    for members in _groups(forms):
        slots = _slots([forms[at] for at in members])
        for at in members:
            words = (SLOT if place in slots else word for place, word in enumerate(forms[at]))
            names[at] = " ".join(words)[:_MOST_NAME]
    return names


def _groups(forms: Sequence[Sequence[str]]) -> Iterable[list[int]]:
    """The forms that agree in most of their words with the first one of their group."""
    buckets: dict[int, list[list[int]]] = defaultdict(list)
    for at, words in enumerate(forms):
        groups = buckets[len(words)]
        for group in groups[:_MOST_GROUPS]:
            if _are_similar(forms[group[0]], words):
                group.append(at)
                break
        else:
            groups.append([at])
    return (group for groups in buckets.values() for group in groups)


def _are_similar(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    same = sum(one == other != SLOT for one, other in zip(ours, theirs, strict=True))
    constant = sum(one != SLOT or other != SLOT for one, other in zip(ours, theirs, strict=True))
    return constant > 0 and same >= SIMILARITY * constant


def _slots(group: Sequence[Sequence[str]]) -> set[int]:
    """The places of a group's forms where more words alternate than a choice has."""
    columns = (set(words) for words in zip(*group, strict=True))
    return {
        place for place, words in enumerate(columns) if len(words) > _MOST_CHOICES or (len(words) > 1 and SLOT in words)
    }
