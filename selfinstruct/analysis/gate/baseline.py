"""A baseline: the measures and the findings of data sets as a committed file, which later states are compared with.

    {"kind": "selfinstruct baseline", "version": 1, "data_sets": {"seeds.jsonl": {"measures": {...}, "findings":
    [...]}}}

The file is the same whatever the order of the rows: findings are listed by their fingerprints, one a line. Which of
several similar rows is reported depends on their order, so those are listed together, as ``alike``.

Does not handle: deciding what is a regression (``regressions``).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfinstruct.analysis.findings import Finding
from selfinstruct.analysis.gate.data_set import Examined
from selfinstruct.analysis.gate.sources import BASELINE_KIND
from selfinstruct.errors import InputError

_VERSION = 1
_MEASURES = ("rows", "grounding", "duplicates", "near_duplicates", "diversity", "lengths", "labels")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One data set of a baseline: measures, findings with ``count``, and groups of rows that are alike."""

    measures: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] = ()
    alike: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, examined: Examined) -> Recorded:
        """What a baseline keeps of a data set."""
        measures = examined.data_set.measures.to_dict()
        kept = {key: measures[key] for key in _MEASURES}
        if examined.has_classes:
            kept["categories"] = measures["categories"]
        counts: Counter[str] = Counter()
        lines: dict[str, dict[str, Any]] = {}
        reasons: dict[str, str] = {}
        for finding in examined.findings:
            if (alike := examined.alike.get(finding.fingerprint)) is not None:
                reasons.update({each: min(reasons.get(each, finding.reason), finding.reason) for each in alike.pair})
                continue
            counts[finding.fingerprint] += 1
            lines[finding.fingerprint] = {
                "fingerprint": finding.fingerprint,
                "reason": finding.reason,
                "field": finding.field,
                "severity": finding.severity,
                "message": finding.message,
            }
        findings = [{**lines[each], "count": counts[each]} for each in sorted(lines)]
        groups = [
            {"reason": min(reasons[each] for each in group if each in reasons), "rows": group}
            for group in grouped(alike.near for alike in examined.alike.values())
        ]
        return cls(kept, findings, groups)

    def known(self, examined: Examined) -> set[int]:
        """The positions of the findings that the baseline has: no more of each than it counted."""
        left = Counter({each["fingerprint"]: each["count"] for each in self.findings})
        group_of = {row: at for at, group in enumerate(self.alike) for row in group["rows"]}
        found: set[int] = set()
        for at, finding in enumerate(examined.findings):
            alike = examined.alike.get(finding.fingerprint)
            if alike is not None:
                groups = {group_of.get(row) for row in alike.pair}
                if len(groups) == 1 and None not in groups:
                    found.add(at)
            elif left[finding.fingerprint] > 0:
                left[finding.fingerprint] -= 1
                found.add(at)
        return found

    def fixed(self, examined: Examined) -> list[tuple[str, str, str, int]]:
        """Fingerprint (or first row), reason, message and number of the recorded findings that no row has any more."""
        now = Counter(finding.fingerprint for finding in examined.findings)
        gone = [
            (each["fingerprint"], each["reason"], each["message"], each["count"] - now[each["fingerprint"]])
            for each in self.findings
            if now[each["fingerprint"]] < each["count"]
        ]
        pairs = [alike.pair for alike in examined.alike.values()]
        for group in self.alike:
            if not any(pair <= set(group["rows"]) for pair in pairs):
                gone.append((group["rows"][0], group["reason"], f"{len(group['rows'])} rows were alike", 1))
        return gone


def grouped(linked: Iterable[Iterable[str]]) -> list[list[str]]:
    """Groups of names that are linked with each other, directly or by others; each sorted, in the order of their first.

    >>> grouped([("a", "c"), ("d", "e"), ("c", "b")])
    [['a', 'b', 'c'], ['d', 'e']]
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for names in linked:
        first, *others = names
        for other in others:
            parent[root(other)] = root(first)
    groups: dict[str, list[str]] = {}
    for name in sorted(parent):
        groups.setdefault(root(name), []).append(name)
    return sorted(groups.values())


def set_name(name: str, baseline: str | Path) -> str:
    """The name of a data set in a baseline: its path as seen from there, so that it is the same in every checkout."""
    if name.startswith("<") or not Path(name).exists():
        return name
    return Path(os.path.relpath(name, Path(baseline).parent)).as_posix()


def read_baseline(path: str | Path) -> dict[str, Recorded]:
    """The data sets of a baseline by name. Raises InputError if it cannot be read or is none."""
    name = str(path)
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise InputError("{name}: no such baseline", hint="Write it: add `update_baseline=True`.", name=name) from exc
    except OSError as exc:
        problem = exc.strerror or str(exc)
        raise InputError(
            "{name}: cannot read the baseline: {problem}", hint="Check the path.", name=name, problem=problem
        ) from exc
    except ValueError as exc:  # not JSON, or not UTF-8
        raise _no_baseline(name) from exc
    if not isinstance(data, dict) or data.get("kind") != BASELINE_KIND:
        raise _no_baseline(name)
    if data.get("version") != _VERSION:
        raise InputError(
            "{name}: a baseline of version {version}, not {known}",
            hint="Write it again with this version: add `update_baseline=True`.",
            name=name,
            version=data.get("version"),
            known=_VERSION,
        )
    try:
        return {key: _recorded(each) for key, each in data["data_sets"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise _no_baseline(name) from exc


def _no_baseline(name: str) -> InputError:
    return InputError(
        "{name}: not a baseline",
        hint="Restore it from version control, or name another file with `baseline`.",
        name=name,
    )


def _recorded(data: Mapping[str, Any]) -> Recorded:
    findings = [
        {**each, "count": int(each["count"]), "fingerprint": str(each["fingerprint"])} for each in data["findings"]
    ]
    for each in findings:
        each["reason"], each["message"]
    return Recorded(dict(data["measures"]), findings, [{**each, "rows": list(each["rows"])} for each in data["alike"]])


def baseline_text(data_sets: Mapping[str, Recorded]) -> str:
    """A baseline as JSON that a diff shows well: sorted, one measure and one finding a line."""
    blocks = []
    for name, each in sorted(data_sets.items()):
        measures = json.dumps(each.measures, ensure_ascii=True, indent=2, sort_keys=True).replace("\n", "\n      ")
        lists = [
            f'      "{key}": {_lines(items)}' for key, items in (("findings", each.findings), ("alike", each.alike))
        ]
        blocks.append(f'    {json.dumps(name)}: {{\n      "measures": {measures},\n' + ",\n".join(lists) + "\n    }")
    inside = "{\n" + ",\n".join(blocks) + "\n  }" if blocks else "{}"
    return f'{{\n  "kind": "{BASELINE_KIND}",\n  "version": {_VERSION},\n  "data_sets": {inside}\n}}\n'


def _lines(items: Iterable[Mapping[str, Any]]) -> str:
    lines = [f"        {json.dumps(each, ensure_ascii=False)}" for each in items]
    return "[\n" + ",\n".join(lines) + "\n      ]" if lines else "[]"


def unlisted(findings: Sequence[Finding], known: set[int]) -> list[Finding]:
    """The findings that are not known."""
    return [finding for at, finding in enumerate(findings) if at not in known]
