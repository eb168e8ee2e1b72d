"""The reasons of findings that are no reasons for a rejection, with their meanings and usual severities.

A candidate of a run is judged row by row, before it is kept; these are about rows that people keep in files. The slugs
are stable. The reasons of ``checks.REASONS`` are errors by a recipe's rule and warnings where the rule was inferred and
may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

from selfinstruct.analysis.findings import Severity
from selfinstruct.checks import REASONS as REJECTIONS
from selfinstruct.errors import RecipeError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Gate
from selfinstruct.recipe.errors import nearest

#: Each reason of its own with its usual severity and its meaning.
REASONS: Mapping[str, tuple[Severity, str]] = {
    "secret": ("error", Phrase("contains a key, a token or a password")),
    "pii": ("warning", Phrase("contains personal data")),
    "placeholder": ("warning", Phrase("a value that stands for one that was never written")),
    "encoding": ("warning", Phrase("text damaged by a wrong decoding")),
    "control": ("warning", Phrase("contains control characters or invisible ones")),
    "balance": ("warning", Phrase("classes are out of balance")),
    "holdout": ("warning", Phrase("about the same context as a row to keep apart")),
    "outlier": ("note", Phrase("unlike the template of all other rows")),
    "regression": ("error", Phrase("a measure is worse than that of the baseline, by more than the tolerance")),
}
#: The usual severity of a reason.
USUAL: Mapping[str, Severity] = {reason: severity for reason, (severity, _) in REASONS.items()}


def check_severities(gate: Gate) -> None:
    """Raise RecipeError for a severity of a reason that does not exist."""
    known = (*REJECTIONS, *REASONS)
    for reason in gate.severity:
        if reason not in known:
            near = nearest(reason, known)
            raise RecipeError(
                Phrase(
                    "gate.severity: unknown reason {reason}; did you mean {near}?"
                    if near
                    else "gate.severity: unknown reason {reason}",
                    reason=repr(reason),
                    near=repr(near),
                ),
                hint=Phrase("the reasons are: {reasons}", reasons=", ".join(known)),
            )
