"""The use case of judging by hand: a person accepts, rejects or edits a row, or takes that back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from selfinstruct.analysis.provenance import Provenance, trace_row
from selfinstruct.analysis.summary import summarise
from selfinstruct.checks import Criteria, examine, grounding, schema
from selfinstruct.errors import InputError, StorageError
from selfinstruct.journal import ACTIONS, Action, Decision, History, Journal, holder_of, post, row_name, waiting
from selfinstruct.preparation import Prepared, prepared_from_journal
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.rows import to_json
from selfinstruct.run_directory import journal_checksum, lock_directory, open_history, write_derived
from selfinstruct.similarity.neighbour_index import NeighbourIndex

#: In a larger run an edited row is not compared with the others: that takes about 50 us a row.
_MAX_COMPARED = 5_000
#: The last run that was prepared.
_KEPT: dict[Hashable, Prepared] = {}


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that is recorded, and what the ``checks`` say of the row that it gives: the person has the last word.

    In a run of more than 5,000 rows, an edited row is not compared with the others.
    """

    decision: Decision
    checks: Sequence[Rejection] = ()


def decide(
    directory: str | Path,
    row: str | int,
    action: Action,
    *,
    reason: str = "",
    values: Mapping[str, JSON] | None = None,
    person: str = "",
) -> Decided:
    """Record what a person decides about a row of a run, also while the run is in progress.

    ``row`` is the number of a row, or ``"x17"`` for a rejection. ``action`` is ``"accept"``, ``"reject"``, ``"edit"``
    with the new ``values`` of the whole row, or ``"undo"``, which takes the last decision on the row back. A rejected
    row does not count: its quota is open again, and resuming the run fills it with rows that are not like it. An
    accepted rejection is a row of the data set. ``reason`` and ``person`` are recorded with it.

    On return the decision is on the disk, and everything that reads the run counts it. The files of a run that is not
    in progress are written anew by ``settle``, ``report``, or resuming it.

    Raises InputError if there is no such run or row, or nothing to take back, or if the values do not have the fields,
    types and categories of the run; StorageError if the disk fails.
    """
    with open_history(directory) as history:
        decided = _decided(history, str(row), action, values)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        decision = replace(decided.decision, key=str(uuid4()), reason=reason, person=person, at=at)
        post(Path(directory), decision)
        return replace(decided, decision=decision)


def settle(directory: str | Path) -> bool:
    """Move the recorded decisions of a run into its journal, and write the files of the run anew.

    Returns False, and does nothing, while the run is in progress: it does this itself. Raises InputError if there is
    no such run, StorageError if the disk fails.
    """
    place = Path(directory)
    open_history(place).close()
    if not waiting(place):
        return True
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock_directory(place))
        except StorageError:
            if holder_of(place) is not None:
                return False
            raise
        begin_writing = stack.enter_context(journal_checksum(place))
        journal = stack.enter_context(Journal.open(place))
        begin_writing()
        journal.take_decisions()
        prepared = prepared_from_journal(journal.history)
        write_derived(place, journal.history, prepared, summarise(journal.history, prepared))
    return True


def _decided(history: History, name: str, action: Action, values: Mapping[str, JSON] | None) -> Decided:
    """The decision without its key, person and time."""
    if action not in ACTIONS:
        raise InputError(
            "`action`: unknown value {action!r}",
            hint="Choose one of {actions}.",
            action=action,
            actions=", ".join(ACTIONS),
        )
    if (values is not None) != (action == "edit"):
        raise InputError("`values`: they are given with an edit, and only then", hint="Set `action` to edit.")
    target = _target(history, name)
    if action == "undo" and history.decisions.of(target) is None:
        raise InputError("{name}: there is no decision to take back", hint="Choose another row.", name=name)
    if action == "edit" and values is not None:
        return _edited(history, target, dict(values))
    standing = history.decisions.of(target)
    if action == "accept" and target < 0 and (standing is None or standing.line is None):
        return _accepted(history, target)
    return Decided(Decision("", target, action))


def _target(history: History, name: str) -> int:
    """The number of a row, or minus the id of a rejection. Raises InputError if the run has none of this name."""
    number = name.removeprefix("x")
    target = int(number) * (-1 if name.startswith("x") else 1) if number.isascii() and number.isdigit() else 0
    last = history.last_row() if target > 0 else history.last_rejection()
    if not 0 < abs(target) <= last:
        raise InputError(
            "{run}: no row {name} to judge",
            hint="Give the number of a row, or x17 for rejection 17.",
            run=history.path.parent,
            name=name,
        )
    return target


def _accepted(history: History, target: int) -> Decided:
    """The decision to accept a rejection, with the row that it was."""
    found = trace_row(history, f"x{-target}")
    if found.row is None:
        raise InputError(
            "{name}: the candidate is not a row",
            hint="Give it the values of a row: set `action` to edit.",
            name=found.name,
        )
    # What is wrong with it is known: it was rejected for that.
    return replace(_edited(history, target, found.row, found, compared=False), checks=())


def _edited(
    history: History, target: int, row: Row, found: Provenance | None = None, *, compared: bool = True
) -> Decided:
    """The decision to have these values in a row, and what the checks say of them."""
    prepared = _prepared(history)
    recipe = prepared.recipe
    if (fault := schema.check(row, recipe.fields)) is not None:
        raise InputError("`values`: {problem}", hint="Give every field of the row.", problem=fault.message)
    category = _category(history, prepared, target, row, found)
    criteria = Criteria(recipe, prepared.thresholds, lambda row: category)
    spans = {name: list(span) for name, span in grounding.spans(row, recipe.fields).items()}
    action: Action = "edit" if compared else "accept"
    decision = Decision("", target, action, line=to_json(row), spans_line=json.dumps(spans), category=category)
    if not compared:
        return Decided(decision)
    faults = examine(row, criteria, _others(history, prepared, target))
    return Decided(decision, tuple(fault.rejection for fault in faults))


def _prepared(history: History) -> Prepared:
    """The run as it was prepared, kept for the next decision: measuring its thresholds takes a while."""
    metadata = history.metadata()
    key = (history.path, metadata.recipe, metadata.seeds_digest, len(metadata.quotas))
    prepared = _KEPT.get(key)
    if prepared is None:
        prepared = prepared_from_journal(history)
        _KEPT.clear()
        _KEPT[key] = prepared
    return prepared


def _category(history: History, prepared: Prepared, target: int, row: Row, found: Provenance | None) -> str:
    """The category in which a row counts. Raises InputError if it is none of the run."""
    outcome = history.outcome_of(target)
    if prepared.recipe.categories.by not in ("attribute", "passage"):
        category = prepared.categories.of(row)
    elif outcome is not None and outcome.category is not None:
        category = outcome.category
    else:
        category = (found or trace_row(history, row_name(target))).category
    if category not in prepared.quotas:
        raise InputError(
            "`values`: {category!r} is not a category of the run",
            hint="The categories are {categories}.",
            category=category,
            categories=", ".join(list(prepared.quotas)[:20]),
        )
    return category


def _others(history: History, prepared: Prepared, target: int) -> NeighbourIndex:
    """The other rows of the run to compare with; none where there are too many."""
    index = NeighbourIndex(prepared.recipe, min_threshold=min(prepared.thresholds.values(), default=0.7))
    if history.last_row() <= _MAX_COMPARED:
        index.add_all(prepared.seeds.rows)
        index.add_all(grown.row for grown in history.final_rows() if grown.number != target)
    return index
