"""``selfinstruct check``: check the rows of files, for people and as a gate in CI."""

from __future__ import annotations

import contextlib
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfinstruct.cli.console import console, print_data, print_json
from selfinstruct.cli.engine import Engine, EngineOption, RayAddress
from selfinstruct.cli.engine_progress import show_engine
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_count
from selfinstruct.messages import _

if TYPE_CHECKING:
    from selfinstruct.analysis.findings import Findings

GATE_FAILED = 1


class Format(StrEnum):
    """Output formats for findings."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"
    SARIF = "sarif"


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Rows to check, also folders; - reads stdin.")],
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="Rules to check [default: inferred from the rows].")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Other rows that FILE must not repeat; repeatable.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = "utf-8",
    baseline: Annotated[
        str | None, typer.Option(metavar="FILE", help="Committed state: only what is new or worse fails.")
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the present state to the --baseline file.")
    ] = False,
    waivers: Annotated[
        str | None, typer.Option(metavar="FILE", help="Accepted findings, besides those of the recipe (TOML).")
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="Output format [default: text; github inside GitHub Actions].")
    ] = None,
    engine: EngineOption = Engine.LOCAL,
    ray_address: RayAddress = None,
    work: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Checkpoints of --engine ray, seen by every machine [default: FILE.work]."),
    ] = None,
) -> int:
    """Check every row and report each problem with its line; exit 1 if any is an error.

    Duplicates, contradictions and near-duplicates are reported at the later row. Secrets, personal data, placeholders,
    damaged text, unbalanced classes and labels in two spellings are reported too. Without --recipe, the rules are
    inferred from the rows of each file, and breaking an inferred length, category or similarity limit is only a
    warning. So is an answer that a reader, trained on the other rows, contradicts: `unanswered`, in files of 100 to
    2,000 rows or by a recipe with [[verify]].

    With --engine ray the findings are the same, each worker needs little memory, and a killed command resumes.
    """
    from selfinstruct import api

    tune_allocator()
    if format is None:
        format = Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TEXT
    settings: dict[str, Any] = {"others": files[1:], "recipe": recipe, "against": against or (), "encoding": encoding}
    settings |= {"baseline": baseline, "update_baseline": update_baseline, "waivers": waivers}
    settings |= {"ray_address": ray_address, "work": work}
    if engine is Engine.RAY:
        # Ray prints its warnings to stdout, where findings go.
        with show_engine(console()) as watch_stages, contextlib.redirect_stdout(sys.stderr):
            found = api.check(files[0], engine="ray", watch_stages=watch_stages, **settings)
    else:
        with show_count(console(), _("findings")) as watch:
            found = api.check(files[0], watch=watch, **settings)
    _print(found, files, format)
    if update_baseline and baseline is not None:
        from selfinstruct.render.findings import baseline_text

        console().print(baseline_text(found, baseline), soft_wrap=True, end="")
    return GATE_FAILED if found.failed else 0


def _print(found: Findings, files: list[str], format: Format) -> None:
    """Print findings on stdout and, for people, the verdict on stderr."""
    from selfinstruct.render.findings import FINDING_MEANINGS, findings_text, verdict_text

    if format is Format.JSON:
        print_json(found.to_dict())
    elif format is Format.JUNIT:
        from selfinstruct.render.junit import junit_xml

        print_data(junit_xml(found))
    elif format is Format.SARIF:
        from selfinstruct.render.sarif import sarif_json

        print_data(sarif_json(found, FINDING_MEANINGS, Path.cwd()))
    elif format is Format.GITHUB:
        from selfinstruct.render.github import github_text

        print_data(github_text(found, Path.cwd()))
    else:
        console(sys.stdout).print(findings_text(found), soft_wrap=True, end="")
    if format in (Format.TEXT, Format.GITHUB):
        console().print(verdict_text(found, files[0]), soft_wrap=True, end="")
