"""The votes of a second opinion by models: which are still needed, and whether they confirm the row's answer; pure.

More than half of all votes must give the answer. Only as many calls are made as can decide: of three votes, the third
is called only where the first two differ. No call is in flight that the others make needless.

Does not handle: the prompt (``prompts``), or what is the same answer (``checks.agreement``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.checks.agreement import Convention
from selfinstruct.growth.step_reply import StepReply
from selfinstruct.messages import Phrase, joined
from selfinstruct.prompts import ANSWER
from selfinstruct.prompts.quoting import quoted
from selfinstruct.records import Rejection
from selfinstruct.text import value_text

_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Count:
    """The keys of the calls needed next; where there are none, the rejection of the row, or None.

    ``confirmed`` is the share of the votes that gave the answer of a row that is not rejected.
    """

    calls: Sequence[str]
    rejection: Rejection | None = None
    confirmed: float = 0.0


def count_votes(
    keys: Sequence[str], replies: Mapping[str, StepReply | None], answer: str, convention: Convention
) -> Count:
    """Count the votes with these keys; a vote without a readable reply is not for the answer."""
    cast = {key: _read(replies[key]) for key in keys if key in replies}
    confirmed = sum(1 for read in cast.values() if read and convention.agrees(answer, read))
    # The further votes for the answer, and those against it, that would decide.
    needed = len(keys) // 2 + 1 - confirmed
    left = len(keys) - len(keys) // 2 - (len(cast) - confirmed)
    if needed > 0 and left > 0:
        open_keys = [key for key in keys if key not in cast]
        return Count(open_keys[: min(needed, left)])
    if needed <= 0:
        return Count((), confirmed=confirmed / max(len(cast), 1))
    others = [read for read in cast.values() if not (read and convention.agrees(answer, read))]
    shown = joined(dict.fromkeys(quoted(read[:_SHOWN]) if read else Phrase("no answer") for read in others))
    name = keys[0].partition("/")[0].rpartition("-")[0]
    given = Phrase.counting(
        "{name}: {confirmed} of {count} reply gives this answer",
        "{name}: {confirmed} of {count} replies give this answer",
        len(cast),
        name=name,
        confirmed=confirmed,
    )
    return Count(
        (),
        Rejection(
            "unanswered",
            Phrase.counting(
                "{given}; the other: {shown}", "{given}; the others: {shown}", len(others), given=given, shown=shown
            ),
        ),
    )


def _read(reply: StepReply | None) -> str:
    """The answer in a reply, or ""."""
    row = next((draft.row for draft in reply.drafts if draft.row is not None), None) if reply is not None else None
    value = None if row is None else row.get(ANSWER)
    return "" if value is None else value_text(value).strip()
