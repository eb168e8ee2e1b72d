"""What to do about an exhausted run, by the reason for which most of its candidates were rejected.

Does not handle: single categories; a run has one reason that is more frequent than the others.
"""

from __future__ import annotations

from collections import Counter

from selfinstruct.analysis.summary import Summary
from selfinstruct.messages import _

_COPIES = ("echo", "duplicate", "same")
_RULES = (
    "ungrounded",
    "identifiers",
    "relation",
    "schema",
    "empty",
    "length",
    "label",
    "blocked",
    "check",
    "contradiction",
    "pii",
    "holdout",
    "tests",
)


def exhaustion_advice(summary: Summary) -> list[str]:
    """Lines that say what to change so that an exhausted run yields more rows."""
    cause = _cause(summary)
    if needs_model(summary):
        return [
            _("Most candidates repeat a row: the imitator has nothing else to vary in these seeds."),
            _("A model has."),
        ]
    if cause == "copies":
        return [
            _("Most candidates repeat a row: show the model fewer demonstrations (prompt.demos),"),
            _("raise its temperature, or add seeds.")
            if summary.seeds
            else _("raise its temperature, or add documents or attribute values."),
        ]
    if cause == "near-duplicate":
        return [
            _("Most candidates are too similar to a row: add more varied seeds, or raise")
            if summary.seeds
            else _("Most candidates are too similar to a row: add more varied documents or attribute values, or raise"),
            _("novelty.max_rouge_l in the recipe, and run it with a new --out."),
        ]
    if cause in _RULES:
        return [
            _("Most candidates break a rule ({reason}): correct that rule in the recipe or the seeds", reason=cause),
            _("that disagree with it, and run it with a new --out."),
        ]
    if cause == "failed":
        return [_("Most replies are unusable: try another model, or a simpler recipe.")]
    if summary.seeds:
        return [_("For more rows, add seeds for the exhausted categories, and run with a new --out.")]
    return [
        _("For more rows, add documents or attribute values for the exhausted categories, and run with a new --out.")
    ]


def needs_model(summary: Summary) -> bool:
    """Whether the imitator repeats rows, so that only a model can write others."""
    return summary.model == "imitator" and _cause(summary) == "copies"


def _cause(summary: Summary) -> str:
    """The most frequent reason: "copies", "failed" or a slug; "" if nothing was rejected."""
    causes = Counter({"copies": sum(summary.rejected.get(slug, 0) for slug in _COPIES)})
    causes.update({slug: count for slug, count in summary.rejected.items() if slug not in (*_COPIES, "quota")})
    replies = sum(summary.failed.values())
    if 2 * replies > summary.requests:
        return "failed"
    cause, count = causes.most_common(1)[0]
    return cause if count else ""
