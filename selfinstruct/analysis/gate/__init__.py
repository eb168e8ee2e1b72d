"""The gate: every problem of rows that people keep in files, and what of it is new.

    sources -> data sets -> rules (a recipe's, or inferred) -> examined rows -> verdict (baseline, waivers) -> Findings

One kind of finding is one file: ``secrets``, ``personal``, ``placeholders``, ``characters``, ``spellings``,
``balance``, ``outliers``, ``leaks``, ``regressions``. The rules that candidates of a run are judged by are those of
``checks``, here too.

Does not handle: a file that cannot be read, which is an InputError; words for people (``render``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from selfinstruct.analysis.findings import Findings
from selfinstruct.analysis.gate.baseline import Recorded, read_baseline, set_name
from selfinstruct.analysis.gate.criteria import Rules, given_rules, inferred_rules
from selfinstruct.analysis.gate.data_set import Examined, WholeSet
from selfinstruct.analysis.gate.earlier import EarlierRows
from selfinstruct.analysis.gate.examining import examine_rows
from selfinstruct.analysis.gate.leaks import Contexts
from selfinstruct.analysis.gate.reasons import check_severities
from selfinstruct.analysis.gate.sources import read_any, read_sources
from selfinstruct.analysis.gate.verdict import judge
from selfinstruct.analysis.gate.waivers import read_waivers
from selfinstruct.analysis.unanswered import contradicted
from selfinstruct.checks import schema
from selfinstruct.preparation.source import Source
from selfinstruct.recipe import Importer
from selfinstruct.remote import is_remote
from selfinstruct.rows import UTF_8, RowFile

__all__ = ["Examine", "find_problems", "next_baseline"]

#: Examines the data sets, and, if it is asked to, looks for all rows that are alike; each has its rules.
Examine: TypeAlias = Callable[[bool], list[tuple[Examined, Rules]]]


def find_problems(
    *sources: Source,
    recipe: str | None = None,
    against: Sequence[Source] = (),
    encoding: str = UTF_8,
    importer: Importer | None = None,
    baseline: str | Path | None = None,
    waivers: str | Path | None = None,
    today: str = "",
    watch: Callable[[int, int], None] = lambda rows, findings: None,
    examine: Examine | None = None,
) -> Findings:
    """Check every row of ``sources`` (paths, "-", rows, DataFrames) by the rules of a recipe.

    ``recipe`` is a path; without one the rules are inferred from the rows of each data set. ``encoding`` is that of row
    files which are not UTF-8. ``importer`` is as for ``parse_recipe``. Rows must not repeat rows of ``against``, nor,
    by a recipe, each other in different files. ``baseline`` is a file of ``next_baseline``, ``waivers`` one of waivers,
    ``today`` their day. ``watch`` is called every 500 rows with the number of rows checked and of findings. ``examine``
    examines the data sets in another way than here, in which ``watch`` is not called.

    Raises RowError if a file cannot be read, RecipeError if the recipe is invalid, InputError for the other files.
    """
    accepted = () if waivers is None else read_waivers(waivers)
    recorded = None if baseline is None else read_baseline(baseline)
    examined = (
        _examine(sources, recipe, against, encoding, importer, watch, with_alike=baseline is not None)
        if examine is None
        else examine(baseline is not None)
    )
    if recorded is not None and baseline is not None:
        named = {each.data_set.name: set_name(each.data_set.name, baseline) for each, _ in examined}
        recorded = {name: recorded[key] for name, key in named.items() if key in recorded}
    shown = "" if baseline is None else str(baseline)
    return judge(examined, recorded=recorded, baseline=shown, waivers=accepted, today=today)


def next_baseline(
    *sources: Source,
    recipe: str | None = None,
    against: Sequence[Source] = (),
    encoding: str = UTF_8,
    importer: Importer | None = None,
    baseline: str | Path,
    waivers: str | Path | None = None,
    today: str = "",
    watch: Callable[[int, int], None] = lambda rows, findings: None,
    examine: Examine | None = None,
) -> tuple[Findings, dict[str, Recorded]]:
    """As ``find_problems``; the findings are those of the state that becomes the baseline, which is returned too.

    Data sets of the existing baseline that were not checked are kept, unless their file is gone; those at a URL always.
    """
    accepted = () if waivers is None else read_waivers(waivers)
    before = read_baseline(baseline) if Path(baseline).exists() else {}
    examined = (
        _examine(sources, recipe, against, encoding, importer, watch, with_alike=True)
        if examine is None
        else examine(True)
    )
    kept = {name: each for name, each in before.items() if is_remote(name) or (Path(baseline).parent / name).exists()}
    waived = {each.fingerprint for each in accepted}
    own: dict[str, Recorded] = {}
    for each, rules in examined:
        skipped = waived | {waiver.fingerprint for waiver in rules.gate.waivers}
        lasting = [finding for finding in each.findings if finding.fingerprint not in skipped]
        own[each.data_set.name] = Recorded.of(replace(each, findings=lasting))
    found = judge(examined, recorded=own, baseline=str(baseline), waivers=accepted, today=today)
    return found, kept | {set_name(name, baseline): each for name, each in own.items()}


def _examine(
    sources: Sequence[Source],
    recipe: str | None,
    against: Sequence[Source],
    encoding: str,
    importer: Importer | None,
    watch: Callable[[int, int], None],
    *,
    with_alike: bool,
) -> list[tuple[Examined, Rules]]:
    apart = [read_any(other, encoding) for other in against]
    shared: tuple[Rules, EarlierRows, Contexts] | None = None
    examined: list[tuple[Examined, Rules]] = []
    rows = findings = 0

    def told(done: int, found: int) -> None:
        watch(rows + done, findings + found)

    for file in read_sources(sources, against, encoding):
        if recipe is None:
            rules = inferred_rules(file, whatever_order=with_alike)
            earlier, contexts = _compared(rules, apart)
        else:
            if shared is None:
                given = given_rules(recipe, importer)
                check_severities(given.gate)
                shared = (given, *_compared(given, apart))
            rules, earlier, contexts = shared
        earlier.begin(file)
        doubts = contradicted(file.rows, rules.criteria.recipe, inferred=rules.inferred)
        part = examine_rows(file, 0, rules, earlier, contexts, doubts, with_links=with_alike, watch=told)
        whole = WholeSet(rules)
        whole.add(part)
        each = whole.result(file, file.path, file.names, file.notes, part.labelled)
        rows, findings = rows + len(file.rows), findings + len(each.findings)
        examined.append((each, rules))
    return examined


def _compared(rules: Rules, apart: Sequence[RowFile]) -> tuple[EarlierRows, Contexts]:
    """The rows to keep apart, as what the rows of a data set are compared with."""
    criteria = rules.criteria
    earlier = EarlierRows(criteria.recipe, min(criteria.thresholds.values()))
    contexts = Contexts(criteria.recipe)
    for file in apart:
        earlier.begin(file)
        for at, row in enumerate(file.rows):
            if schema.check(row, criteria.recipe.fields) is None:
                earlier.add(row, at)
                contexts.add(row, file.file(at), file.lines[at])
    return earlier, contexts
