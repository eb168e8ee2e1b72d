"""Waivers: findings that are accepted, by fingerprint, each with the reason that a person gave.

A waiver whose day has passed accepts nothing and is told, and so is one that no finding needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from selfinstruct.analysis.findings import Finding
from selfinstruct.errors import InputError
from selfinstruct.recipe import Waiver, WaiverFile, toml
from selfinstruct.recipe.errors import recipe_error, validation_problems


@dataclass(frozen=True, slots=True)
class Waived:
    """Findings with their status, and the fingerprints of waivers that no finding needs, and of those that expired."""

    findings: list[Finding]
    unused: list[str]
    expired: list[str]


def read_waivers(path: str | Path) -> tuple[Waiver, ...]:
    """The waivers of a TOML file: ``[[waivers]]`` with fingerprint, reason and, if they end, expires.

    Raises InputError if the file cannot be read, RecipeError with file, line and key for a waiver without a reason.
    """
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as exc:
        problem = exc.strerror or str(exc)
        raise InputError(
            "{name}: cannot read the waivers: {problem}", hint="Check the path.", name=name, problem=problem
        ) from exc
    except UnicodeDecodeError as exc:
        raise InputError("{name}: not UTF-8 text", hint="Save the waivers as UTF-8.", name=name) from exc
    data = toml.read(text, name)
    try:
        return WaiverFile.model_validate(data).waivers
    except ValidationError as exc:
        problems = validation_problems(exc, WaiverFile, data)
    raise recipe_error(problems, name, text)


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Waiver], today: str) -> Waived:
    """The findings, those with a waiver as waived with its reason in the evidence; ``today`` is an ISO date.

    >>> apply_waivers([], [Waiver(fingerprint="3f0c9a417be2", reason="a test key")], "2026-12-01").unused
    ['3f0c9a417be2']
    """
    waivers = list(waivers)
    expired = [each for each in waivers if each.expires is not None and each.expires < today]
    valid = {each.fingerprint: each for each in waivers if each not in expired}
    used: set[str] = set()
    kept: list[Finding] = []
    for finding in findings:
        waiver = valid.get(finding.fingerprint)
        if waiver is not None:
            used.add(finding.fingerprint)
            evidence = {**finding.evidence, "waived": waiver.reason}
            finding = replace(finding, status="waived", evidence=evidence)
        kept.append(finding)
    unused = [fingerprint for fingerprint in valid if fingerprint not in used]
    return Waived(kept, unused, [each.fingerprint for each in expired])
