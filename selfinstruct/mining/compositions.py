"""Texts that are written with the other values of their row: a log line and its columns, a URL and its parts.

A row in which each of some values occurs once in the text shows a form; the form is believed if it reproduces the
texts of the other rows, character for character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfinstruct.mining.columns import Column
from selfinstruct.mining.significance import MIN_SUPPORT, SHARE, Evidence
from selfinstruct.recipe import Relation
from selfinstruct.recipe.text_violations import composition, normalized
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: Longer texts are not composed of fields.
_LONGEST = 2000
#: Rows whose forms are tried.
_TRIED = 6
_MASK = "\x00"


def composed_relations(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the texts of a row that its other values compose, with the form that does so in most rows."""
    scalars = [column for column in columns if not column.depth and column.varies]
    texts = [column for column in scalars if column.is_text]
    explained: set[frozenset[str]] = set()
    for text in texts:
        parts = [column for column in scalars if column is not text and not _has_braces(column)]
        if _has_braces(text) or sum(len(value_text(cell.value)) for cell in text.cells) > _LONGEST * len(text.cells):
            continue
        best: tuple[str, Evidence] | None = None
        for form in _forms(text, parts):
            evidence = _weighed(form, text, rows, len(texts) * len(parts))
            if evidence is not None and (best is None or evidence.hits > best[1].hits):
                best = form, evidence
        if best is not None:
            relation = Relation(composed={text.path: best[0]})
            members = frozenset(relation.paths)
            # A text and its only part say the same of each other.
            if members not in explained:
                explained.add(members)
                yield relation, best[1]


def _forms(text: Column, parts: Sequence[Column]) -> list[str]:
    """The forms that some rows show, each once."""
    values = {part.path: {cell.row: value_text(cell.value).strip() for cell in part.cells} for part in parts}
    step = max(1, len(text.cells) // _TRIED)
    forms: dict[str, None] = {}
    for cell in text.cells[::step][:_TRIED]:
        given = {path: found[cell.row] for path, found in values.items() if found.get(cell.row)}
        form = _form(value_text(cell.value), given)
        if form is not None:
            forms[form] = None
    return list(forms)


def _form(text: str, values: dict[str, str]) -> str | None:
    """The form in which each value that occurs exactly once, the longest first, is replaced by its path."""
    masked, found = text, list[tuple[int, int, str]]()
    for path, value in sorted(values.items(), key=lambda item: -len(item[1])):
        if masked.count(value) == 1:
            at = masked.index(value)
            found.append((at, at + len(value), path))
            masked = masked[:at] + _MASK * len(value) + masked[at + len(value) :]
    if not found:
        return None
    form, end = "", 0
    for start, stop, path in sorted(found):
        form += _escaped(text[end:start]) + f"{{{path}}}"
        end = stop
    return form + _escaped(text[end:])


def _weighed(form: str, text: Column, rows: Sequence[Row], hypotheses: int) -> Evidence | None:
    """Weigh a form: a random text of at least four characters agrees in one of thousands of cases."""
    hits, total, seen = 0, 0, set[str]()
    for cell in text.cells:
        made = composition(form, rows[cell.row])
        if made is None:
            continue
        total += 1
        if normalized(made) == normalized(value_text(cell.value)):
            hits += 1
            seen.add(made)
    if len(seen) < MIN_SUPPORT or hits < SHARE * total:
        return None
    length = sum(map(len, seen)) / len(seen)
    chance = min(1.0, hypotheses * (4.0 ** -min(length, 6.0)) ** len(seen))
    evidence = Evidence(hits, total, len(seen), chance)
    return evidence if evidence.is_believed else None


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _has_braces(column: Column) -> bool:
    return "{" in column.path or "}" in column.path
