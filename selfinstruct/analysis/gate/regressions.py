"""``regression``: a measure that is worse than in the baseline, by more than the recipe tolerates.

Rows per category, grounding and diversity may not fall; duplicates may not rise; lengths and the shares of labels may
not move either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Tolerances

#: Rounded measures differ by so much without a change.
_ROUNDING = 1e-9


def find(before: Mapping[str, Any], now: Mapping[str, Any], allowed: Tolerances) -> Iterator[Found]:
    """Each regression of the measures ``now``."""
    yield from _fewer_rows(before, now, allowed.category_rows)
    for name, share in before.get("grounding", {}).items():
        other = now["grounding"].get(name)
        if other is not None and share - other > allowed.grounding + _ROUNDING:
            phrase = Phrase(
                "grounding of {field} fell from {before:.1%} to {now:.1%} of the rows",
                field=name,
                before=share,
                now=other,
            )
            yield _found("grounding", name, phrase, share, other, allowed.grounding)
    for key in ("duplicates", "near_duplicates"):
        share, other = before.get(key, 0.0), now[key]
        if other - share > allowed.duplicates + _ROUNDING:
            phrase = Phrase(
                "duplicates rose from {before:.1%} to {now:.1%} of the rows"
                if key == "duplicates"
                else "near-duplicates rose from {before:.1%} to {now:.1%} of the rows",
                before=share,
                now=other,
            )
            yield _found(key, "", phrase, share, other, allowed.duplicates)
    share, other = before.get("diversity", 0.0), now["diversity"]
    if other < share * (1 - allowed.diversity) - _ROUNDING:
        phrase = Phrase("distinct-2 fell from {before:.4f} to {now:.4f}", before=share, now=other)
        yield _found("diversity", "", phrase, share, other, allowed.diversity)
    yield from _moved(before, now, allowed)


def _moved(before: Mapping[str, Any], now: Mapping[str, Any], allowed: Tolerances) -> Iterator[Found]:
    """Lengths and shares of labels that are others than they were."""
    for name, length in before.get("lengths", {}).items():
        other = now["lengths"].get(name)
        if other is not None and abs(other - length) > allowed.lengths * length + _ROUNDING:
            phrase = Phrase(
                "the median length of {field} went from {before:g} to {now:g} characters",
                field=name,
                before=length,
                now=other,
            )
            yield _found("lengths", name, phrase, length, other, allowed.lengths)
    for name, shares in before.get("labels", {}).items():
        for label, share in shares.items():
            other = now["labels"].get(name, {}).get(label, 0.0)
            if name in now["labels"] and abs(other - share) > allowed.labels + _ROUNDING:
                phrase = Phrase(
                    "the share of {field} {label} went from {before:.1%} to {now:.1%}",
                    field=name,
                    label=label,
                    before=share,
                    now=other,
                )
                yield _found(f"labels {label}", name, phrase, share, other, allowed.labels)


def _fewer_rows(before: Mapping[str, Any], now: Mapping[str, Any], allowed: float) -> Iterator[Found]:
    counts, others = before.get("categories", {}), now.get("categories", {})
    if len(counts) < 2 or not others:
        counts, others = {"": before.get("rows", 0)}, {"": now["rows"]}
    for name, count in counts.items():
        other = others.get(name, 0)
        if other < count * (1 - allowed) - _ROUNDING:
            phrase = Phrase(
                "rows of {category} fell from {before:,} to {now:,}"
                if name
                else "rows fell from {before:,} to {now:,}",
                category=name,
                before=count,
                now=other,
            )
            yield _found(f"rows {name}".strip(), "", phrase, count, other, allowed)


def _found(measure: str, name: str, message: str, before: float, now: float, allowed: float) -> Found:
    evidence = {"measure": measure, "baseline": before, "now": now, "tolerance": allowed}
    return Found("regression", name, message, evidence, detail=f"{measure} {before} {now}")
