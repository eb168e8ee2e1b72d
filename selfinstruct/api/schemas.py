"""The JSON Schemas of what the command line writes for programs, each by its name.

A schema is made from the type that is written, so it cannot differ from the output. Its ``$id`` contains a version,
which changes only where a key is renamed, removed or means something else; new keys may come at any time.

>>> schema("rejudge")["$id"]
'urn:selfinstruct:rejudge:1'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from selfinstruct.errors import InputError
from selfinstruct.json_schema import DIALECT, Schema, object_schema
from selfinstruct.messages import Phrase
from selfinstruct.recipe.errors import nearest


@dataclass(frozen=True, slots=True)
class Format:
    """A format of JSON or TOML: ``title`` says what is written so, ``home`` is the type ("module:name").

    ``version`` is the last part of the ``$id``.
    """

    title: str
    home: str
    version: int = 1


#: Every format that has a schema. The types are imported on use.
FORMATS: Mapping[str, Format] = {
    "recipe": Format("A recipe (TOML)", ""),
    "summary": Format(
        "The figures of a run: summary.json, selfinstruct run --json", "selfinstruct.analysis.summary:Summary"
    ),
    "report": Format(
        "The figures of a run's report: selfinstruct report --json", "selfinstruct.analysis.report.output:ReportOutput"
    ),
    "dry-run": Format(
        "The plan of a run: selfinstruct run --dry-run --json", "selfinstruct.render.dry_run_json:DryRunOutput"
    ),
    "check": Format(
        "Findings in row files: selfinstruct check --format json", "selfinstruct.analysis.findings:CheckOutput"
    ),
    "baseline": Format(
        "A committed state of row files: selfinstruct check --baseline FILE",
        "selfinstruct.analysis.gate.baseline_file:BaselineFile",
    ),
    "dedup": Format(
        "The counts of a deduplication: selfinstruct dedup --json", "selfinstruct.analysis.cleaning:Cleaning"
    ),
    "dropped": Format(
        "One dropped row, a line of JSON: selfinstruct dedup --dropped FILE",
        "selfinstruct.analysis.cleaning:DroppedRow",
    ),
    "verify": Format("The audit of a run: selfinstruct verify --json", "selfinstruct.analysis.audit:Audit"),
    "rejudge": Format(
        "The replies of a run judged again: selfinstruct rejudge --json", "selfinstruct.analysis.rejudge:Rejudged"
    ),
    "probe": Format(
        "What a model knows already: selfinstruct probe --json", "selfinstruct.analysis.knowledge:Knowledge"
    ),
    "evaluation": Format(
        "What training on a run's rows brings: evaluation.json, selfinstruct evaluate --json",
        "selfinstruct.analysis.evaluate.evaluation:Evaluation",
    ),
    "manifest": Format("The files of an exported folder: manifest.json", "selfinstruct.exports.manifest:Manifest"),
    "context": Format("This tool for an assistant: selfinstruct context --json", "selfinstruct.render.context:Context"),
}
#: What is written beside the fields of a type: its properties of these names.
_COMPUTED = {
    "Audit": ("holds",),
    "Claim": ("holds",),
    "Rejudged": ("identical",),
    "Knowledge": ("answered", "known", "exact", "rouge_l"),
    "Answered": ("known", "exact", "rouge_l"),
    "Evaluation": ("gap_closed",),
}


def schema(name: str) -> Schema:
    """Return the JSON Schema (2020-12) of a format. Raises InputError if there is none of this name."""
    form = FORMATS.get(name)
    if form is None:
        near = nearest(name, FORMATS)
        hint = Phrase(
            "Did you mean {near}? The names are {names}." if near else "The names are {names}.",
            near=near,
            names=", ".join(FORMATS),
        )
        raise InputError("{name}: no such schema", hint=hint, name=name)
    head = {"$schema": DIALECT, "$id": f"urn:selfinstruct:{name}:{form.version}", "title": form.title}
    return {**head, **_content(form)}


def schema_names() -> dict[str, str]:
    """Return the names of all formats, each with what is written so."""
    return {name: form.title for name, form in FORMATS.items()}


def _content(form: Format) -> Schema:
    if not form.home:
        from selfinstruct.recipe.schema import recipe_schema

        return recipe_schema()
    module, _, name = form.home.partition(":")
    return object_schema(getattr(import_module(module), name), _COMPUTED)
