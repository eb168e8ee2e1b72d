"""All kinds of findings that look at the texts of rows, in one place: secrets first, so that nothing else prints them.

    row -> its findings by itself (Kinds);  sums over all rows -> findings that only the whole shows (WholeKinds)

Does not handle: the rules of a recipe (``checks``), other rows (``leaks``, duplicates).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from selfinstruct.analysis.gate import balance, characters, personal, secrets, spellings
from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.found import Found
from selfinstruct.analysis.gate.outliers import Outliers
from selfinstruct.analysis.gate.placeholders import Placeholders
from selfinstruct.messages import Phrase
from selfinstruct.mining.labels import LABEL_NAMES
from selfinstruct.preparation.categories import label_of
from selfinstruct.records import Row
from selfinstruct.rows.leaves import leaf_text

_LEAST_CONSTANT = 10


class Sums:
    """What of rows is counted for the findings that only all of them show; that of later rows can be added."""

    def __init__(self, rules: Rules) -> None:
        recipe = rules.criteria.recipe
        self.label = recipe.categories.field if recipe.categories.by == "field" else None
        texts = [name for name, each in recipe.fields.items() if each.type in ("string", "any") and not each.unique]
        self.outliers = {name: Outliers(name) for name in texts if name != self.label}
        self.placeholders = Placeholders(tells_blank=rules.inferred)
        self.choices = {name: Counter[str]() for name, each in recipe.fields.items() if each.one_of}
        self.labels: Counter[str] = Counter()
        #: Of a field whose texts so far are the same, this text; else None.
        self.constants: dict[str, str | None] = {}
        self.rows = 0

    def absorb(self, later: Sums) -> None:
        """Add those of the next rows."""
        for name, outliers in self.outliers.items():
            outliers.absorb(later.outliers[name])
        self.placeholders.absorb(later.placeholders)
        for name, choices in self.choices.items():
            choices.update(later.choices[name])
        self.labels.update(later.labels)
        for name, text in later.constants.items():
            if self.constants.setdefault(name, text) != text:
                self.constants[name] = None
        self.rows += later.rows


class Kinds:
    """The kinds of findings of one data set, as its rows are read."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        recipe = rules.criteria.recipe
        self._personal = recipe.gate.personal_data
        self._sources = {name: each.appears_in for name, each in recipe.fields.items()}
        self.sums = Sums(rules)
        #: The rows that have a label, with it.
        self.labelled: list[tuple[int, str]] = []

    def texts(self, row: Row) -> dict[str, str]:
        """The text of each field that has one."""
        return {
            name: value if isinstance(value, str) else leaf_text(value)
            for name, value in row.items()
            if value is not None
        }

    def of_row(self, at: int, row: Row, texts: dict[str, str]) -> Iterator[Found]:
        """The findings of a row by itself; its texts are counted."""
        sums = self.sums
        sums.rows += 1
        # One look at the whole row saves one at each field.
        whole = "\n".join(texts.values())
        if secrets.may_be_in(whole):
            yield from (found for name, text in texts.items() for found in secrets.find(name, text))
        if personal.may_be_in(whole, self._personal):
            yield from (found for name, text in texts.items() for found in personal.find(name, text, self._personal))
        if characters.may_be_in(whole):
            yield from (found for name, text in texts.items() for found in characters.find(name, text))
        for name, text in texts.items():
            source = self._sources.get(name)
            yield from sums.placeholders.find(at, name, text, texts.get(source) if source else None)
            if (outliers := sums.outliers.get(name)) is not None:
                outliers.add(at, text)
            if name in sums.choices:
                sums.choices[name][text] += 1
            if sums.constants.setdefault(name, text) != text:
                sums.constants[name] = None
        if sums.label is not None and sums.label in row:
            label = label_of(row[sums.label])
            sums.labels[label] += 1
            self.labelled.append((at, label))


class WholeKinds:
    """The findings of the whole data set, by what its rows are together."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self.sums = rules, Sums(rules)

    def of_all(
        self, categories: Counter[str], labelled: Iterable[tuple[int, str]]
    ) -> Iterator[tuple[int | None, Found]]:
        """The findings, each with the index of its row, or None for the data set; ``labelled`` are rows with labels."""
        yield from self.sums.placeholders.doubtful(self.sums.rows)
        for outliers in self.sums.outliers.values():
            yield from outliers.find()
        yield from self._other_names(labelled)
        yield from ((None, found) for found in self._balance(categories))

    def label_shares(self) -> dict[str, dict[str, float]]:
        """The share of rows of each label, by field."""
        label = self.sums.label
        counted = {**self.sums.choices, **({label: self.sums.labels} if label else {})}
        return {
            name: {label: round(count / counts.total(), 4) for label, count in sorted(counts.items())}
            for name, counts in counted.items()
        }

    def _other_names(self, labelled: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Found]]:
        counts = self.sums.labels.copy()
        if not self._rules.inferred:
            for category in self._rules.criteria.thresholds:
                counts[category] += self.sums.rows
        others = spellings.other_names(counts)
        if others and self.sums.label:
            for at, label in labelled:
                yield from ((at, found) for found in spellings.find(self.sums.label, label, others))

    def _balance(self, categories: Counter[str]) -> Iterator[Found]:
        criteria = self._rules.criteria
        table = criteria.recipe.categories
        if table.by == "field" or (not self._rules.inferred and table.by != "none"):
            counts = {name: categories[name] for name in criteria.thresholds}
            yield from balance.find(table.field or "", counts, criteria.recipe.quota.weights)
        for name, choices in self.sums.choices.items():
            if name != table.field:
                allowed = criteria.recipe.fields[name].one_of or ()
                yield from balance.find(name, {label_of(each): choices[label_of(each)] for each in allowed})
        if self._rules.inferred and self.sums.rows >= _LEAST_CONSTANT:
            for name, value in self.sums.constants.items():
                if value and name in criteria.recipe.fields and LABEL_NAMES.fullmatch(name):
                    message = Phrase("every row has the same {field}: {value}", field=name, value=value[:40])
                    yield Found("balance", name, message, {"rows": {value[:40]: self.sums.rows}}, detail="constant")
