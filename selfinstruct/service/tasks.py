"""What child processes do for requests about finished rows: export, report, compare, check, judge again, evaluate.

Each function gets a spec of plain values and returns a plain result; what it raises is an error of the library.

Does not handle: growing (``growing``), previews (``previewing``).
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selfinstruct import api
from selfinstruct.exports import FORMATS
from selfinstruct.files import open_whole
from selfinstruct.recipe import accept_unimported, parse_recipe
from selfinstruct.run_directory import open_history
from selfinstruct.service.child import Say
from selfinstruct.service.planning import RECIPE, parsed_recipe

#: Findings that an answer lists; the measures count all of them.
_LISTED = 1_000


def export(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Write an export of ``run`` to the file ``out``; a folder becomes an archive."""
    options = spec["options"]
    if not is_archive(options):
        done = api.export(spec["run"], spec["out"], force=True, **options)
    else:
        with TemporaryDirectory(dir=Path(spec["out"]).parent) as folder:
            done = api.export(spec["run"], f"{folder}/", force=True, **options)
            _pack(Path(folder), Path(spec["out"]))
    return {"rows": done.rows, "note": done.note}


def is_archive(options: Mapping[str, Any]) -> bool:
    """Whether an export with these options is a folder, which is sent as an archive."""
    return options.get("split") is not None or FORMATS[options["format"]].is_folder


def _pack(folder: Path, out: Path) -> None:
    with open_whole(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))


def report(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Write the report of ``run`` to ``out``; changes nothing in the run."""
    with open_whole(spec["out"]) as file:
        file.write(api.report_html(spec["run"]).encode())
    return {}


def settle(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Move the decisions of ``run`` into its journal, and write its files anew."""
    os.nice(10)
    return {"settled": api.settle(spec["run"])}


def compare(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """The figures of the runs ``first`` and ``second`` side by side."""
    found, _ = api.compare_runs(spec["first"], spec["second"])
    return found.to_dict()


def rejudge(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Judge the recorded replies of ``run`` again, perhaps by the text of another recipe."""
    recipe = None
    if spec["toml"] is not None:
        with open_history(spec["run"]) as history:
            text = history.metadata().recipe
        recipe = parsed_recipe(spec["toml"], parse_recipe(text, RECIPE, spec["run"], importer=accept_unimported))
    done = api.rejudge(spec["run"], recipe=recipe)
    return {**asdict(done), "identical": done.identical}


def evaluate(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Measure whether training on the rows of ``run`` helps to answer those of ``holdout``, which has a ``name``."""
    done = api.evaluate(spec["run"], spec["holdout"], holdout_name=spec["name"], updates=spec["updates"])
    return done.to_dict()


def check(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Check the rows of ``file`` by the text of a recipe, or by what they suggest themselves."""
    recipe = None
    if spec["toml"] is not None:
        parsed_recipe(spec["toml"])  # refuses what a recipe from a request must not have
        recipe = Path("recipe.toml")
        recipe.write_text(spec["toml"], encoding="utf-8")
    found = api.check(spec["file"], recipe=recipe).to_dict()
    return {**found, "findings": found["findings"][:_LISTED], "more": max(len(found["findings"]) - _LISTED, 0)}


def dedup(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Write the rows of ``file`` without near-duplicates to ``out``."""
    return api.dedup(spec["file"], fields=spec["fields"], max_rouge_l=spec["max_rouge_l"], out=spec["out"]).to_dict()
