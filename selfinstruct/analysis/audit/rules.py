"""What each accepted row must satisfy by itself: the rules and relations of the recipe, its category, its spans.

The rules are read from the recipe anew and applied by the pure checks, without the run's own state. A grounded value is
also looked at by other means: the recorded span, cut from the context, must read like the value.

Does not handle: comparing rows (``pairs``); judges and readers, whose opinions are in the journal alone.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from selfinstruct.analysis.audit.claims import Claim, row_name, seed_name
from selfinstruct.checks import Criteria, relation, schema
from selfinstruct.journal import Decision, GrownRow, History, seeds_digest
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared
from selfinstruct.records import Rejection
from selfinstruct.similarity import unique_field_names
from selfinstruct.text import number_value, value_text

#: Where a category follows from what a batch was asked for, and not from the row.
_BY_BATCH = ("attribute", "passage")
#: Characters of a value that a message shows.
_SHOWN = 80


def audit_seeds(history: History) -> Claim:
    """The recorded seeds are those that the run started from."""
    seeds = [seed.row for seed in history.seeds()]
    changed = seeds_digest(seeds) != history.metadata().seeds_digest
    problems = [Phrase("the recorded seeds do not have the recorded digest")] if changed else []
    return Claim.of("seeds", Phrase("the seeds are those that the run started from"), "seed", len(seeds), problems)


def audit_rules(history: History, prepared: Prepared) -> Claim:
    """Every accepted row obeys every rule and relation of the recipe, and is of the category that it counts in."""
    recipe = prepared.recipe
    criteria = Criteria(recipe, prepared.thresholds, prepared.categories.of, prepared.inputs.marks)
    own_category = recipe.categories.by not in _BY_BATCH

    def fault(grown: GrownRow) -> str:
        row = grown.row
        rejection = schema.check(row, recipe.fields) or _first(criteria, grown)
        if rejection is not None:
            return Phrase("{reason}: {message}", reason=rejection.reason, message=rejection.message)
        if own_category and prepared.categories.of(row) != grown.category:
            return Phrase(
                "counted in {recorded!r}, but its category is {own!r}",
                recorded=grown.category,
                own=prepared.categories.of(row),
            )
        return next(_spans_apart(grown, prepared), "")

    def problems() -> Iterator[str]:
        for grown in history.rows():
            if said := fault(grown):
                yield Phrase("{name}: {problem}", name=row_name(grown.number), problem=said)

    rules = len(criteria.applied) + len(recipe.relations) + len(criteria.custom)
    return Claim.of(
        "rules",
        Phrase("every row obeys the rules of the recipe"),
        "row",
        history.state().accepted,
        problems(),
        detail=Phrase.counting("{count} rule or relation each", "{count} rules and relations each", rules),
    )


def audit_passages(history: History, prepared: Prepared) -> Claim | None:
    """Each row about a passage has the passage word for word; None for a run without passages."""
    name = _passage_field(prepared)
    if not name:
        return None
    known = {value_text(passage["passage"]) for passage in history.passages()}
    problems = (
        Phrase("{row}: its {name} is not one of the passages", row=row_name(grown.number), name=name)
        for grown in history.rows()
        if value_text(grown.row[name]) not in known
    )
    total = history.state().accepted
    return Claim.of(
        "passages", Phrase("{name} of every row is a passage, word for word", name=name), "row", total, problems
    )


def audit_quotas(history: History, prepared: Prepared) -> Claim:
    """No category has more rows than its quota; each has exactly as many in a run that says that it is done.

    A person may have left it with more or fewer: at most as many as there are decisions on its rows.
    """
    accepted = Counter(grown.category for grown in history.final_rows())
    decided = Counter(name for decision in history.decisions.log for name in _decided_categories(history, decision))
    done = history.metadata().stopped == "done"

    def problems() -> Iterator[str]:
        for name, quota in prepared.quotas.items():
            more = accepted[name] - quota
            if more > decided[name] or (done and -more > decided[name]):
                yield Phrase("{name}: {rows:,} rows, quota {quota:,}", name=name, rows=accepted[name], quota=quota)
        recorded = history.metadata().current_quotas
        for name in recorded:
            if recorded[name] != prepared.quotas.get(name):
                yield Phrase(
                    "{name}: a quota of {recorded:,} is recorded; by the recipe it is {quota:,}",
                    name=name,
                    recorded=recorded[name],
                    quota=prepared.quotas.get(name, 0),
                )
        for name in accepted.keys() - prepared.quotas.keys():
            yield Phrase(
                "{name}: {rows:,} rows of a category that the recipe does not have", name=name, rows=accepted[name]
            )

    full = sum(accepted[name] == quota for name, quota in prepared.quotas.items())
    exact = Phrase("every category has exactly its quota")
    if decided:
        exact = Phrase("every category has its quota, but for what a person decided")
    statement = exact if done else Phrase("no category exceeds its quota")
    detail = Phrase(
        "{full:,} full; {rows:,} of {quota:,} rows",
        full=full,
        rows=sum(accepted.values()),
        quota=sum(prepared.quotas.values()),
    )
    return Claim.of("quotas", statement, "category", len(prepared.quotas), problems(), detail=detail)


def audit_duplicates(history: History, prepared: Prepared) -> Claim:
    """No row stands twice, and none is a seed; values of unique fields do not count, and must differ."""
    unique = unique_field_names(prepared.recipe)
    seen: dict[str, Phrase] = {}
    used: dict[tuple[str, str], Phrase] = {}

    def problems() -> Iterator[str]:
        seeds = [(seed_name(number), seed.row) for number, seed in enumerate(history.seeds(), 1)]
        rows = ((row_name(grown.number), grown.row) for grown in history.rows())
        for at, (name, row) in enumerate(chain(seeds, rows)):
            key = json.dumps({k: v for k, v in row.items() if k not in unique}, sort_keys=True)
            first = seen.setdefault(key, name)
            if first != name and at >= len(seeds):
                yield Phrase("{name}: the same as {other}", name=name, other=first)
            for field in unique:
                value = (field, json.dumps(row.get(field), sort_keys=True))
                if row.get(field) is not None and used.setdefault(value, name) != name:
                    yield Phrase("{name}: its {field} is that of {other}", name=name, field=field, other=used[value])

    return Claim.of(
        "duplicates", Phrase("no row repeats a seed or another row"), "row", history.state().accepted, problems()
    )


def _decided_categories(history: History, decision: Decision) -> set[str]:
    """The categories whose number of rows a decision may have changed."""
    outcome = history.outcome_of(decision.target)
    recorded = outcome.category if outcome is not None else None
    written = {each.category for each in history.decisions.on(decision.target) if each.line is not None}
    return written | ({recorded} if recorded is not None else set())


def _first(criteria: Criteria, grown: GrownRow) -> Rejection | None:
    """The first rule of the recipe that a row of the right fields and types breaks."""
    row = grown.row
    by_field = (each.rejection(row) for each in criteria.applied)
    return (
        next((rejection for rejection in by_field if rejection is not None), None)
        or relation.check(row, criteria.recipe.relations)
        or criteria.custom_rejection(row)
    )


def _spans_apart(grown: GrownRow, prepared: Prepared) -> Iterator[str]:
    """The grounded values that are not what stands at their recorded span of the context."""
    row = grown.row
    for name, (start, end) in grown.spans.items():
        context = prepared.recipe.fields[name].appears_in
        if context is None or prepared.recipe.fields[name].match == "inflected":
            continue
        found, value = row[context][start:end], value_text(row[name])
        same_number = number_value(found) is not None and number_value(found) == number_value(value)
        if _folded(found) != _folded(value) and not same_number:
            yield Phrase(
                "{name} {value!r} is recorded at {start}:{end} of {context}, where {found!r} stands",
                name=name,
                value=value[:_SHOWN],
                start=start,
                end=end,
                context=context,
                found=found[:_SHOWN],
            )


def _folded(text: str) -> str:
    """A text without differences of width, letter case, white space and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(mark for mark in folded if not mark.isspace() and unicodedata.category(mark) != "Cf")


def _passage_field(prepared: Prepared) -> str:
    """The field that has the passage of a row, or ""."""
    fields = prepared.recipe.fields
    return next((name for name, field in fields.items() if field.source == "passage"), "")
