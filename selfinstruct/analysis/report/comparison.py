"""Two runs side by side: what changed between them, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from selfinstruct.analysis.report.figures import VERSION, Report
from selfinstruct.analysis.report.similarity import Similarity

Unit: TypeAlias = Literal["count", "share", "number", "money", "seconds"]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of both runs; None where a run does not have it. A share is in [0, 1]."""

    name: str
    first: float | None
    second: float | None
    unit: Unit = "count"

    @property
    def change(self) -> float | None:
        """The second figure less the first."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True, slots=True)
class Section:
    """Figures of one kind; ``subject`` is the field that they are about, or ""."""

    title: str
    subject: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of two runs. Those of values are computed from a sample of each, as in a report of one run."""

    first: Report
    second: Report
    sections: tuple[Section, ...]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data: the version, the names of the runs, and the sections."""
        names = [self.first.summary.name, self.second.summary.name]
        return {"version": VERSION, "runs": names, "sections": [asdict(section) for section in self.sections]}


def compare(first: Report, second: Report) -> Comparison:
    """Return the figures of two runs side by side, without the sections that neither run has."""
    sections = (
        Section("Rows and cost", "", tuple(_totals(first, second))),
        Section("Rejected, as shares of the candidates", "", tuple(_rejected(first, second))),
        Section("Rows by category", "", tuple(_categories(first, second))),
        Section("Similarity (ROUGE-L F1 with the nearest row)", "", tuple(_similarity(first, second))),
        *(Section("Wording", name, tuple(_wording(name, first, second))) for name in _names(first, second, "wording")),
        *(Section("Shares of values", name, tuple(_shares(name, first, second))) for name in _names(first, second)),
    )
    return Comparison(first, second, tuple(section for section in sections if section.lines))


def _names(first: Report, second: Report, of: Literal["wording", "shares"] = "shares") -> list[str]:
    return list(dict.fromkeys([*getattr(first, of), *getattr(second, of)]))


def _totals(first: Report, second: Report) -> Iterator[Line]:
    a, b = first.summary, second.summary
    yield Line("requested rows", a.requested_rows, b.requested_rows)
    yield Line("accepted rows", a.accepted, b.accepted)
    yield Line("candidates", a.candidates, b.candidates)
    yield _line("accepted of the candidates", (_ratio(each.accepted, each.candidates) for each in (a, b)), "share")
    yield Line("requests", a.requests, b.requests)
    yield Line("unusable replies", sum(a.failed.values()), sum(b.failed.values()))
    tokens = [_ratio(each.tokens.input + each.tokens.output, each.accepted) for each in (a, b)]
    if any(tokens):
        yield _line("tokens per accepted row", tokens, "number")
    if a.cost_per_row or b.cost_per_row:
        yield Line("cost per accepted row", a.cost_per_row, b.cost_per_row, "money")
    yield Line("seconds", a.seconds, b.seconds, "seconds")


def _rejected(first: Report, second: Report) -> Iterator[Line]:
    a, b = first.summary, second.summary
    for reason in sorted({*a.rejected, *b.rejected}):
        yield _line(reason, (_ratio(each.rejected.get(reason, 0), each.candidates) for each in (a, b)), "share")


def _categories(first: Report, second: Report) -> Iterator[Line]:
    a, b = first.summary.growing, second.summary.growing
    for name in dict.fromkeys([*a, *b]):
        yield _line(name, (each[name].accepted if name in each else None for each in (a, b)))


def _similarity(first: Report, second: Report) -> Iterator[Line]:
    for name, a, b in (
        ("seed", first.to_seeds, second.to_seeds),
        ("sampled row", first.to_grown, second.to_grown),
    ):
        for figure in ("median", "ninth_decile", "greatest"):
            values = [_figure(each, figure) for each in (a, b)]
            if values != [None, None]:
                yield _line(f"{figure.replace('_', ' ')}, nearest {name}", values, "number")


def _figure(found: Similarity | None, figure: str) -> float | None:
    return None if found is None or found.grown is None else float(getattr(found.grown, figure))


def _wording(name: str, first: Report, second: Report) -> Iterator[Line]:
    words = [each.wording[name].grown if name in each.wording else None for each in (first, second)]
    yield _line("sampled values", (None if each is None else each.values for each in words))
    yield _line("vocabulary", (None if each is None else each.vocabulary for each in words))
    for at in range(3):
        yield _line(f"distinct-{at + 1}", (None if each is None else each.distinct[at] for each in words), "number")
    lengths = [None if each is None or each.lengths is None else each.lengths.median for each in words]
    yield _line("median length in characters", lengths)


def _shares(name: str, first: Report, second: Report) -> Iterator[Line]:
    """The values that either run lists; where the other does not list one, its share is not known."""
    a, b = (
        {share.value: share.grown for share in each.shares[name].values} if name in each.shares else {}
        for each in (first, second)
    )
    for value in dict.fromkeys([*a, *b]):
        yield Line(value, a.get(value), b.get(value), "share")


def _line(name: str, values: Iterable[float | None], unit: Unit = "count") -> Line:
    first, second = values
    return Line(name, first, second, unit)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
