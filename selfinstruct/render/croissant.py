"""``croissant.json``: what a run's rows are and where they came from, for data-set search engines and loaders.

Croissant 1.1 (https://mlcommons.org/croissant/1.1) in JSON-LD: the file of rows with its digest, a record set with a
field for each field of the rows, and the provenance in terms of PROV-O (https://www.w3.org/TR/prov-o/).

Does not handle: ``license``, ``url``, ``creator`` and ``datePublished``, which the specification requires of a
published data set and which only its publisher knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from selfinstruct._version import __version__
from selfinstruct.analysis.summary import Summary
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe.methods import Field
from selfinstruct.render.card import model_names, row_language
from selfinstruct.render.text import counted, printable

_CROISSANT = "http://mlcommons.org/croissant/"
#: Appendix 1 of the specification: the names that its examples use, so that none needs a prefix.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject"),
            *("fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
            *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
            *("separator", "source", "subField", "transform"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": _CROISSANT,
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "prov": "http://www.w3.org/ns/prov#",
    "rai": f"{_CROISSANT}RAI/",
    "sc": "https://schema.org/",
}
_TYPES = {"string": "sc:Text", "integer": "sc:Integer", "number": "sc:Float", "boolean": "sc:Boolean"}
_ROWS = "rows"


def croissant(summary: Summary, prepared: Prepared, rows_name: str, size: int, sha256: str, seeds_digest: str) -> str:
    """Return the metadata of a run as JSON-LD.

    ``rows_name`` is the file of the rows next to it, of ``size`` bytes; ``seeds_digest`` identifies the seed rows.
    """
    recipe = prepared.recipe
    language = row_language(prepared)
    described = recipe.task or f"Rows of {recipe.name}"
    metadata = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": f"{_CROISSANT}1.1",
        "name": printable(recipe.name),
        "description": f"{printable(described)}. {counted(summary.accepted, 'synthetic row')} grown by selfinstruct.",
        **({"dateCreated": summary.started} if summary.started else {}),
        **({"inLanguage": language} if language else {}),
        "keywords": ["synthetic", "selfinstruct"],
        "prov:wasGeneratedBy": _activity(summary, prepared),
        **({"prov:wasDerivedFrom": sources} if (sources := list(_sources(summary, prepared, seeds_digest))) else {}),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": rows_name,
                "name": rows_name,
                "contentUrl": rows_name,
                "contentSize": f"{size} B",
                "encodingFormat": "application/jsonlines",
                "sha256": sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _ROWS,
                "name": _ROWS,
                "field": [_field(name, field, prepared, rows_name) for name, field in recipe.fields.items()],
            }
        ],
    }
    # A name may contain a lone surrogate, which is written as a JSON escape.
    return json.dumps(metadata, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode() + "\n"


def _field(name: str, field: Field, prepared: Prepared, rows_name: str) -> dict[str, Any]:
    recipe = prepared.recipe
    types = [_TYPES[field.type]] if field.type in _TYPES else []
    if recipe.categories.by == "field" and recipe.categories.field == name:
        types.append("cr:Label")
    return {
        "@type": "cr:Field",
        "@id": f"{_ROWS}/{printable(name)}",
        "name": printable(name),
        **({"description": printable(field.description)} if field.description else {}),
        **({"dataType": types if len(types) > 1 else types[0]} if types else {}),
        **({"isArray": True, "arrayShape": "-1"} if field.type == "array" else {}),
        "source": {"fileObject": {"@id": rows_name}, "extract": {"column": name}},
    }


def _activity(summary: Summary, prepared: Prepared) -> dict[str, Any]:
    """The run, and the programs that took part in it."""
    agents = [{"@type": "prov:SoftwareAgent", "prov:label": f"selfinstruct {__version__}"}]
    agents += [
        {"@type": "prov:SoftwareAgent", "prov:label": f"model {name}"} for name in model_names(summary, prepared)
    ]
    return {
        "@type": "prov:Activity",
        "prov:label": "selfinstruct run",
        **({"prov:startedAtTime": summary.started} if summary.started else {}),
        "prov:wasAssociatedWith": agents,
    }


def _sources(summary: Summary, prepared: Prepared, seeds_digest: str) -> Iterator[dict[str, Any]]:
    """What the rows were derived from; documents by their number, since their names may be private."""
    if summary.seeds:
        yield {
            "@type": "prov:Entity",
            "@id": f"urn:sha256:{seeds_digest}",
            "prov:label": f"{counted(summary.seeds, 'seed row')} written by a person",
        }
    if passages := len(prepared.inputs.passages):
        yield {"@type": "prov:Entity", "prov:label": f"{counted(passages, 'passage')} of the user's own text"}
