"""The recipe that seeds suggest, as a file to run as it is or to edit: every line says why it is there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfinstruct.recipe import Recipe, to_toml
from selfinstruct.recipe.toml import literal
from selfinstruct.render.text import counted, printable

_LISTED = 24


def starter_recipe(
    recipe: Recipe,
    reasons: Mapping[str, str],
    thresholds: Mapping[str, float],
    seeds: int,
    faults: Sequence[str],
    file: str | os.PathLike[str],
) -> str:
    """The recipe as commented TOML, to stand in ``file``.

    ``thresholds`` are those of its categories, ``faults`` what is wrong with some of its ``seeds`` by its rules.
    """
    asked = literal(recipe.novelty.max_rouge_l)
    comments = {
        **reasons,
        "": _top(recipe, seeds, faults, Path(file)),
        "task": "What the rows are for, in a sentence. A model reads it; the imitator does not.",
        "fields": "The fields of a row, in order. A description is read by a model; the other keys are checked.",
        "categories": "\n".join(filter(None, [_sentence(reasons.get("categories", "")), *_categories(thresholds)])),
        "quota.rows": _sentence(reasons.get("quota.rows", "")),
        "quota": 'To share the rows out unequally, add [quota.weights] with lines such as "a category" = 2',
        "novelty.fields": _sentence(reasons.get("novelty.fields", "")),
        "novelty.max_rouge_l": f"How alike two rows may be: {asked} reads it off the seeds; or a number such as 0.7.",
        "prompt": "How a model is asked: so many examples, so many rows for each request.",
        "model": 'Without [model] the embedded imitator writes the rows. For an endpoint:\n\n[model]\nname = "MODEL"\n'
        'base_url = "http://127.0.0.1:8000/v1"',
    }
    return to_toml(recipe, comments, Path(file).parent)


def _top(recipe: Recipe, seeds: int, faults: Sequence[str], file: Path) -> str:
    lines = [
        f"Inferred from {counted(seeds, 'seed')} in {recipe.seeds.file}. It runs as it is: selfinstruct run {file}"
    ]
    if seeds == 1:
        lines += [
            "",
            "One seed does not show what varies and what stays. Each rule below holds for that row and may be an",
            "accident: look at every one, or add a seed of each kind and run init again.",
        ]
    if faults:
        lines += ["", "These seeds break its rules: mend them, or run with --skip-bad-seeds."]
        lines += [printable(fault) for fault in faults[:_LISTED]]
        lines += [f"and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
    return "\n".join(lines)


def _categories(thresholds: Mapping[str, float]) -> list[str]:
    if len(thresholds) < 2:
        return []
    lines = [f"  {literal(name)}  (max ROUGE-L {threshold:.4f})" for name, threshold in thresholds.items()]
    return lines[:_LISTED] + ([f"  and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else [])


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]
