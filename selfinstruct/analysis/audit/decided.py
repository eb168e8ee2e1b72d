"""A person's decisions: that each is about a recorded row, and what they leave of the run's figures, counted anew.

Does not handle: whether a decision is right.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from selfinstruct.analysis.audit.claims import Claim
from selfinstruct.checks import schema
from selfinstruct.journal import Decision, History
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared


def audit_decisions(history: History, prepared: Prepared) -> Claim:
    """Each decision is about a row or a rejection of the run, and gives values of the recipe's fields and types."""
    decisions = history.decisions.log

    def problems() -> Iterator[str]:
        judged = history.last_judged_reply()
        for number, each in enumerate(decisions, 1):
            where = Phrase("decision {number}", number=number)
            if history.outcome_of(each.target) is None:
                yield Phrase("{where}: there is no row {name}", where=where, name=each.name)
            if each.after_call > judged:
                yield Phrase("{where}: it was made after a call that was not judged yet", where=where)
            if each.line is None:
                continue
            try:
                row = json.loads(each.line)
            except ValueError:
                yield Phrase("{where}: its row is not JSON", where=where)
                continue
            if (fault := schema.check(row, prepared.recipe.fields)) is not None:
                yield Phrase("{where}: {problem}", where=where, problem=fault.message)
            if each.category not in prepared.quotas:
                yield Phrase("{where}: {name} is not a category of the run", where=where, name=repr(each.category))

    people = len({each.person for each in decisions})
    return Claim.of(
        "decisions",
        Phrase("every decision of a person is about a row of the run"),
        "decision",
        len(decisions),
        problems(),
        detail=Phrase.counting("by {count} person", "by {count} people", people),
    )


def recount_decisions(
    figures: dict[str, Any], database: sqlite3.Connection, decisions: Sequence[Decision]
) -> dict[str, Any]:
    """The figures of the tables as decisions leave them: a plain replay, row by row, of the whole log."""
    of_target: dict[int, list[Decision]] = {}
    for each in decisions:
        made = of_target.setdefault(each.target, [])
        if each.action != "undo":
            made.append(each)
        elif made:
            made.pop()
    accepted, rejected, categories = figures["accepted"], Counter(figures["rejected"]), Counter(figures["categories"])
    judged: Counter[str] = Counter()
    for target, made in of_target.items():
        recorded = _recorded(database, target)
        if not made or recorded is None:
            continue
        reason, category = recorded
        edits = [each for each in made if each.action == "edit"]
        given = [each.category for each in edits or made if each.line is not None]
        counts = made[-1].action != "reject"
        judged["rejected" if not counts else "edited" if edits else "accepted"] += 1
        if target > 0:
            accepted, categories[category] = accepted - 1, categories[category] - 1
        else:
            rejected[reason] -= 1
        if counts:
            accepted += 1
            categories[given[-1] if given else category] += 1
        else:
            rejected[reason] += 1
    return {
        **figures,
        "accepted": accepted,
        "rejected": {reason: count for reason, count in rejected.items() if count},
        "categories": dict(categories),
        "decisions": {action: judged[action] for action in ("accepted", "rejected", "edited")},
    }


def _recorded(database: sqlite3.Connection, target: int) -> tuple[str, str] | None:
    """The reason, if a row does not count, and the category that the run recorded for it."""
    if target > 0:
        sql = "SELECT 'person', g.name FROM rows r JOIN categories g ON g.id = r.category WHERE r.number = ?"
    else:
        sql = "SELECT r.reason, g.name FROM rejections r JOIN categories g ON g.id = r.category WHERE r.id = ?"
    found = database.execute(sql, (abs(target),)).fetchone()
    return None if found is None else (found[0], found[1].decode("utf-8", "surrogatepass"))
