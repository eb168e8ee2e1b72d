"""The form of the object that ``Report.to_dict`` returns and ``selfinstruct report --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from selfinstruct.analysis.report.figures import Templates
from selfinstruct.analysis.report.growth import Growth
from selfinstruct.analysis.report.rules import Rules
from selfinstruct.analysis.report.shares import Shares
from selfinstruct.analysis.report.similarity import Similarity
from selfinstruct.analysis.report.wording import Wording
from selfinstruct.analysis.summary import Summary


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """The figures of a report that are not in the summary.

    ``growth`` is how rows were accepted over time, ``rules`` how many candidates each rule saw and refused.
    ``sample_size`` is how many grown rows the other figures are computed from, chosen at random by a fixed seed.
    ``to_seeds`` is their similarity to the seeds, None without seeds, ``to_grown`` that to each other. ``wording`` is
    that of the first text fields, ``shares`` the values of each field. ``category_shares`` has the categories of seeds
    and of all grown rows. ``templates`` is None without seeds.
    """

    growth: Growth
    rules: Rules
    sample_size: int
    to_seeds: Similarity | None
    to_grown: Similarity
    wording: Mapping[str, Wording]
    shares: Mapping[str, Shares]
    category_shares: Shares
    templates: Templates | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutput(Summary):
    """The figures of a run's report: the keys of ``summary.json``, and more.

    ``version`` is that of this format. ``figures`` are the figures that the summary does not have.
    """

    version: int
    figures: ReportFigures
