"""The rows of an export: which of a run's rows, with which others, in which order and split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random

from selfinstruct.analysis.mixing import mix
from selfinstruct.analysis.quality import row_quality
from selfinstruct.analysis.selection import apportion, select
from selfinstruct.analysis.split_groups import CONTEXT, group_rows, near_limits
from selfinstruct.analysis.splits import Group, assign
from selfinstruct.errors import InputError, RowError
from selfinstruct.exports import REAL, SEED, ExportRow, ExportRows, export_rows, shuffled
from selfinstruct.journal import History
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared, chat_roles, prepared_from_journal
from selfinstruct.recipe import Recipe, Roles
from selfinstruct.records import Row
from selfinstruct.rows import read_rows, to_json

#: Rows whose texts tell which field asks, where a run has no seeds.
_EXAMPLES = 50
#: A split whose share is off by more is explained.
_OFF = 0.02


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are exported, as the parameters of ``export`` say."""

    with_seeds: bool = False
    best: int | None = None
    mix: str | Path | None = None
    ratio: float | None = None
    mark: str | None = None
    shuffle: bool = False
    split: Mapping[str, float] | None = None
    split_by: str = CONTEXT
    max_rouge_l: float | None = None
    seed: int = 0

    @property
    def is_streamed(self) -> bool:
        """Whether the rows are written one by one as they are read."""
        return not (self.best or self.mix or self.mark or self.shuffle or self.split)

    @property
    def is_mixed(self) -> bool:
        """Whether some of the rows are not grown."""
        return self.with_seeds or self.mix is not None


class ExportedRun:
    """A run that is exported, and what an export asks about it, read on first use."""

    def __init__(self, history: History) -> None:
        self.history = history
        #: What the user should know about the rows.
        self.notes: list[str] = []
        #: The numbers of rows by origin, where not all of them are grown.
        self.origins: Counter[str] = Counter()

    @cached_property
    def prepared(self) -> Prepared:
        """The run as it was prepared."""
        return prepared_from_journal(self.history)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run."""
        return self.prepared.recipe

    @cached_property
    def _passages(self) -> Mapping[int, int]:
        """The passages of the calls of a run about passages."""
        return self.history.passage_of_calls() if self.recipe.documents or self.recipe.passages else {}

    def roles(self) -> tuple[Roles | None, Roles | None]:
        """The roles of chats that the recipe names, and else those that its rules suggest."""
        if self.recipe.roles is not None:
            return self.recipe.roles, None
        seeds = self.prepared.seeds.rows
        return None, chat_roles(
            self.recipe, seeds or [grown.row for grown in islice(self.history.final_rows(), _EXAMPLES)]
        )

    def splits(self, choice: Choice, *, counted: bool) -> dict[str, ExportRows]:
        """The rows of each split; of an export that is not split, those of ``train``. ``counted`` fills ``origins``."""
        found = export_rows(self.history, with_seeds=choice.with_seeds)
        if choice.is_streamed and not (counted and choice.is_mixed):
            return {"train": found}
        rows, fields = list(found.each), list(found.fields)
        if choice.best is not None:
            rows = self._best(rows, choice.best)
        if choice.mix is not None:
            rows = self._mixed(rows, choice.mix, choice)
        if choice.is_mixed:
            self.origins.update(row.origin for row in rows)
        if choice.mark is not None:
            if choice.mark in fields:
                raise InputError(
                    "`mark`: the rows have a field {field} already", hint="Choose another name.", field=choice.mark
                )
            rows = [_marked(row, choice.mark) for row in rows]
            fields.append(choice.mark)
        splits = {"train": rows} if choice.split is None else self._split(rows, choice, choice.split)
        if choice.shuffle:
            splits = {name: shuffled(each, Random(choice.seed), self._passages) for name, each in splits.items()}
        return {name: ExportRows(iter(each), fields) for name, each in splits.items()}

    def _best(self, rows: Sequence[ExportRow], count: int) -> list[ExportRow]:
        """The seeds, and the best grown rows: of each category its share of the quota."""
        grown = [row for row in rows if row.origin != SEED]
        if count > len(grown):
            self.notes.append(
                Phrase("`best`: the run has {rows:,} rows, fewer than {count:,}", rows=len(grown), count=count)
            )
        categories = [row.category for row in grown]
        quotas = apportion(count, self.history.metadata().current_quotas, Counter(categories))
        points = row_quality(self.history, self.prepared)
        chosen = select(
            [row.row for row in grown],
            categories,
            quotas,
            self.recipe.novelty,
            quality=[points.get(row.number, 1.0) for row in grown] if points else None,
            given=[(row.row, row.category) for row in rows if row.origin == SEED],
        )
        return [row for row in rows if row.origin == SEED] + [grown[at] for at in chosen]

    def _mixed(self, rows: Sequence[ExportRow], file: str | Path, choice: Choice) -> list[ExportRow]:
        """The seeds, real rows, and grown rows."""
        real = self._real_rows(file)
        seeds = [row for row in rows if row.origin == SEED]
        grown = [row for row in rows if row.origin != SEED]
        mixture = mix(
            [row.row for row in grown],
            [row.category for row in grown],
            self._limits([row.category for row in grown], choice, CONTEXT),
            real,
            [row.row for row in seeds],
            self.recipe,
            ratio=choice.ratio,
            key=lambda row: _digest(to_json(row), choice.seed),
        )
        self.notes += [
            note
            for count, note in (
                (
                    mixture.repeated,
                    Phrase.counting(
                        "{count:,} real row repeats another one or a seed row, and was left out",
                        "{count:,} real rows repeat another one or a seed row, and were left out",
                        mixture.repeated,
                    ),
                ),
                (
                    mixture.near,
                    Phrase.counting(
                        "{count:,} grown row is a near-duplicate of a real one, and was left out",
                        "{count:,} grown rows are near-duplicates of real ones, and were left out",
                        mixture.near,
                    ),
                ),
                (
                    mixture.surplus,
                    Phrase.counting(
                        "{count:,} grown row was left out, since there are too few real rows for this ratio",
                        "{count:,} grown rows were left out, since there are too few real rows for this ratio",
                        mixture.surplus,
                    ),
                ),
            )
            if count
        ]
        categorize = self.prepared.categories.of
        last = len(seeds)
        mixed = [
            ExportRow(to_json(real[at]), categorize(real[at]), subject=-last - number, origin=REAL)
            for number, at in enumerate(mixture.real, 1)
        ]
        return [*seeds, *mixed, *(grown[at] for at in mixture.grown)]

    def _real_rows(self, path: str | Path) -> list[Row]:
        """The rows of a file, with the fields of the run alone. Raises RowError for a row that lacks one."""
        file = read_rows(path, uniform=False)
        needed = [name for name, field in self.recipe.fields.items() if not field.optional]
        rows = []
        for row, line in zip(file.rows, file.lines, strict=True):
            if missing := [name for name in needed if name not in row]:
                raise RowError(
                    f"{file.path}:{line}",
                    "the field {field} of the run is missing",
                    hint="Real rows need the fields of the run: {fields}.",
                    field=missing[0],
                    fields=", ".join(needed),
                )
            rows.append({name: row[name] for name in self.recipe.fields if name in row})
        if others := [name for name in file.fields if name not in self.recipe.fields]:
            self.notes.append(Phrase("fields of real rows that were left out: {fields}", fields=", ".join(others)))
        return rows

    def _limits(self, categories: Sequence[str], choice: Choice, by: str) -> list[float]:
        """The ROUGE-L F1 above which rows of these categories are near-duplicates."""
        if choice.max_rouge_l is not None:
            return [choice.max_rouge_l] * len(categories)
        return near_limits(categories, self.prepared, by)

    def _split(
        self, rows: Sequence[ExportRow], choice: Choice, shares: Mapping[str, float]
    ) -> dict[str, list[ExportRow]]:
        """The rows of each split, in their order. Raises InputError where a split would be empty."""
        values = [row.row for row in rows]
        categories = [row.category for row in rows]
        limits = self._limits(categories, choice, choice.split_by)
        passages = [self._passages.get(row.subject) for row in rows]  # the subject of a grown row is its call
        members = group_rows(values, categories, passages, limits, self.prepared, choice.split_by)
        keys = [_digest(row.line, choice.seed) for row in rows]
        groups = []
        for own in members:
            smallest = min(own, key=keys.__getitem__)
            stratum = categories[smallest] if choice.split_by != "category" else ""
            groups.append(Group(len(own), stratum, keys[smallest]))
        split_of = {at: split for own, split in zip(members, assign(groups, shares), strict=True) for at in own}
        splits: dict[str, list[ExportRow]] = {name: [] for name in shares}
        for at, row in enumerate(rows):
            splits[split_of[at]].append(row)
        self._explain(splits, shares, max(map(len, members), default=0))
        return splits

    def _explain(self, splits: Mapping[str, Sequence[ExportRow]], shares: Mapping[str, float], largest: int) -> None:
        """Note shares that could not be met. Raises InputError where a split is empty."""
        total = sum(map(len, splits.values()))
        if empty := next((name for name, rows in splits.items() if not rows), ""):
            raise InputError(
                "`split`: no rows are left for {split}: {largest:,} of {total:,} rows must stay together",
                hint="Export more rows, choose other shares, or keep fewer rows together: `split_by`, `max_rouge_l`.",
                split=empty,
                largest=largest,
                total=total,
            )
        if any(abs(len(rows) / total - shares[name]) > _OFF for name, rows in splits.items()):
            self.notes.append(
                Phrase(
                    "the shares differ from those asked for: {largest:,} of {total:,} rows must stay together",
                    largest=largest,
                    total=total,
                )
            )


def _marked(row: ExportRow, name: str) -> ExportRow:
    return row._replace(line=to_json({**row.row, name: row.origin}))


def _digest(line: str, seed: int) -> bytes:
    return hashlib.blake2b(line.encode(), digest_size=16, salt=seed.to_bytes(16, "big", signed=True)).digest()
