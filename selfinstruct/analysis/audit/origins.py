"""Where every candidate came from: the bytes of its reply, parsed again.

Does not handle: whether the outcome of a candidate is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from selfinstruct.analysis.audit.claims import Claim, row_name
from selfinstruct.analysis.replay import replay_batches
from selfinstruct.journal import History
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared
from selfinstruct.rows import to_json

#: The digest of a candidate; by the birthday bound, one false match is expected in about 10**9 candidates of a reply.
_BYTES = 8


@dataclass(frozen=True, slots=True)
class Origins:
    """The claim about all candidates, and the group of each accepted row that has one, by its call and position."""

    claim: Claim
    groups: Mapping[tuple[int, int], str]


class _Outcome(NamedTuple):
    """A recorded row or rejection, and the digest of its row as JSON, or of its text."""

    name: Phrase
    accepted: bool
    digest: bytes


def audit_origins(history: History, prepared: Prepared) -> Origins:
    """Parse every recorded reply again: each recorded row and rejection must stand at its place in its reply."""
    recorded = _recorded(history)
    groups: dict[tuple[int, int], str] = {}

    def problems() -> Iterator[str]:
        for replayed in replay_batches(history, prepared):
            own = recorded.pop(replayed.call, {}) if replayed.call else {}
            if own and len(own) != len(replayed.drafts):
                yield Phrase(
                    "call {call}: {candidates} candidates in its reply, {recorded} recorded",
                    call=replayed.call,
                    candidates=len(replayed.drafts),
                    recorded=len(own),
                )
            for position, draft in enumerate(replayed.drafts):
                if position not in own:
                    continue
                outcome = own[position]
                text = to_json(draft.row) if outcome.accepted and draft.row is not None else draft.text
                if outcome.digest != _digest(text):
                    yield Phrase(
                        "{name}: not what the reply of call {call} contains at position {position}",
                        name=outcome.name,
                        call=replayed.call,
                        position=position,
                    )
                elif draft.group and outcome.accepted:
                    groups[replayed.call, position] = draft.group
        for call, left in recorded.items():
            for outcome in left.values():
                yield Phrase("{name}: its call {call} has no usable reply", name=outcome.name, call=call)

    total = sum(map(len, recorded.values()))
    calls = len(recorded)
    claim = Claim.of(
        "provenance",
        Phrase("every row and every rejection is in the bytes of its reply"),
        "candidate",
        total,
        problems(),
        detail=Phrase.counting("{count:,} reply parsed again", "{count:,} replies parsed again", calls),
    )
    return Origins(claim, groups)


def _recorded(history: History) -> defaultdict[int, dict[int, _Outcome]]:
    """For each call, the name and the digest of the candidate at each position."""
    recorded: defaultdict[int, dict[int, _Outcome]] = defaultdict(dict)
    for row in history.rows():
        recorded[row.call][row.position] = _Outcome(row_name(row.number), True, _digest(row.line))
    for refused in history.rejections():
        name = Phrase("rejection x{number}", number=refused.id)
        recorded[refused.call][refused.position] = _Outcome(name, False, _digest(refused.text))
    return recorded


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
