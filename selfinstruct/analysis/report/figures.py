"""The figures of a run's report, in a time and a size that are limited for any number of rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from selfinstruct.analysis.report.browsing import Browsed, browse
from selfinstruct.analysis.report.growth import Growth, growth
from selfinstruct.analysis.report.rules import Rules, rules
from selfinstruct.analysis.report.shares import Shares, counted_shares, field_shares
from selfinstruct.analysis.report.similarity import Similarity, among_grown, with_seeds
from selfinstruct.analysis.report.wording import Wording, wording
from selfinstruct.analysis.split_groups import templates_of
from selfinstruct.analysis.summary import Summary
from selfinstruct.journal import GrownRow, History, RefusedCandidate
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.namings import OF_PASSAGES

#: The version of the object that ``Report.to_dict`` returns; it is raised when a key changes its meaning or goes.
VERSION = 1
#: Rows of a page without its script, and rejections for each reason.
_SHOWN, _EXAMPLES = 10, 3
#: Figures of the rows' values are computed from a sample.
_SAMPLE = 1000
#: Fields in a report, and text fields with figures of their wording.
_FIELDS, _TEXTS = 24, 4


class Templates(NamedTuple):
    """Templates of the seeds, and of sampled rows.

    ``seeds`` counts those of the seeds, ``covered`` those of them that sampled rows have, ``other_rows`` the sampled
    rows of another template.
    """

    seeds: int
    covered: int
    other_rows: int


@dataclass(frozen=True, slots=True)
class Report:
    """The data of a report besides the summary.

    ``rows`` are some accepted rows, of every category while there is room. ``rejections`` has for each reason its
    first ones. ``sample_size`` is how many grown rows the figures are computed from, chosen at random by a fixed seed:
    ``to_seeds`` (None without seeds), ``to_grown``, ``wording`` of the first text fields that are written, and not
    drawn or taken from a passage, ``shares`` by field, and ``templates`` (None without seeds, or where seeds have no
    category). ``category_shares``, ``growth`` and ``rules`` are of all rows.
    """

    summary: Summary
    rows: Sequence[GrownRow]
    browsed: Browsed
    rejections: Mapping[str, Sequence[RefusedCandidate]]
    sample_size: int
    to_seeds: Similarity | None
    to_grown: Similarity
    wording: Mapping[str, Wording]
    shares: Mapping[str, Shares]
    category_shares: Shares
    templates: Templates | None
    growth: Growth
    rules: Rules

    def to_dict(self) -> dict[str, Any]:
        """The numbers of the report: those of ``summary.json``, with the others under ``figures``, and the version."""
        names = ("growth", "rules", "sample_size", "to_seeds", "to_grown", "wording", "shares", "category_shares")
        figures = {name: _plain(getattr(self, name)) for name in names}
        templates = None if self.templates is None else self.templates._asdict()
        return {"version": VERSION, **self.summary.to_dict(), "figures": {**figures, "templates": templates}}


def build_report(history: History, prepared: Prepared, summary: Summary) -> Report:
    """Return the figures of a run, read from its journal."""
    seeds, recipe = prepared.seeds.rows, prepared.recipe
    sample = _sample(history, history.decisions.recorded_rows(summary.accepted))
    rows = [grown.row for grown in sample]
    shuffled = random.Random(0).sample(rows, len(rows))  # those that are compared are spread over the run
    texts = [name for name, field in recipe.fields.items() if field.type == "string"]
    texts = [name for name in texts if name in _written_fields(recipe)] or texts
    # The category of a row about a passage cannot be told from the row, so that seeds have none.
    by_row = recipe.categories.by not in ("passage", "attribute")
    seed_categories = [prepared.categories.of(row) for row in seeds] if by_row else []
    accepted = {name: category.accepted for name, category in summary.growing.items()}
    return Report(
        summary=summary,
        rows=_diverse(sample),
        browsed=browse(history, sample),
        rejections={reason: list(islice(history.rejections(reason), _EXAMPLES)) for reason in summary.rejected},
        sample_size=len(sample),
        to_seeds=with_seeds(seeds, shuffled, recipe.novelty) if seeds else None,
        to_grown=among_grown(seeds, shuffled, recipe.novelty),
        wording={name: wording(name, seeds, rows) for name in texts[:_TEXTS]},
        shares={name: field_shares(name, seeds, rows) for name in [*recipe.fields][:_FIELDS]},
        category_shares=counted_shares(Counter(seed_categories), accepted),
        templates=_templates(sample, seed_categories, prepared) if seed_categories and sample else None,
        growth=growth(history),
        rules=rules(history, recipe, summary.candidates, summary.rejected),
    )


def _plain(value: Any) -> Any:
    """A data class or a mapping of them as plain dicts; named tuples as dicts, too."""
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _written_fields(recipe: Recipe) -> set[str]:
    """Return the fields whose values are neither drawn nor taken from a passage."""
    steps = {name for step in recipe.steps for name in step.writes}
    given = {*recipe.attributes, *(OF_PASSAGES if recipe.documents is not None else ())} - steps
    sources = {name: field.source or name for name, field in recipe.fields.items()}
    return {name for name, source in sources.items() if source.partition(".")[0] not in given}


def _sample(history: History, total: int) -> list[GrownRow]:
    """Return the first of ``total`` grown rows and others chosen at random, in order, the same ones each time.

    Those that a person rejected are left out.
    """
    chosen = {1, *random.Random(0).sample(range(1, total + 1), min(_SAMPLE, total))} if total else set()
    chosen.discard(max(chosen, default=0) if len(chosen) > _SAMPLE else 0)
    return [grown for number in sorted(chosen) if (grown := history.final_row(number)) is not None]


def _evenly_spaced(total: int, count: int) -> list[int]:
    """Return at most ``count`` evenly spaced numbers of 1..``total``, starting with 1."""
    count = min(count, total)
    return [1 + place * total // count for place in range(count)]


def _diverse(sample: Sequence[GrownRow]) -> list[GrownRow]:
    """Choose rows to show, about the same number from each category."""
    by_category: dict[str, list[GrownRow]] = {}
    for grown in sample:
        by_category.setdefault(grown.category, []).append(grown)
    share, rest = divmod(_SHOWN, max(len(by_category), 1))
    chosen: list[GrownRow] = []
    for at, members in enumerate(list(by_category.values())[:_SHOWN]):
        chosen += [members[place - 1] for place in _evenly_spaced(len(members), share + (at < rest))]
    return chosen


def _templates(sample: Sequence[GrownRow], seed_categories: Sequence[str], prepared: Prepared) -> Templates:
    seeds = prepared.seeds.rows
    categories = [*seed_categories, *(grown.category for grown in sample)]
    found = templates_of([*seeds, *(grown.row for grown in sample)], categories, prepared)
    own, theirs = set(found[: len(seeds)]), found[len(seeds) :]
    return Templates(len(own), len(own.intersection(theirs)), sum(1 for template in theirs if template not in own))
