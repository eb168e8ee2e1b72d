"""The recipe inferred from seeds, as a commented file to edit or to run as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfinstruct.recipe import Attribute, Recipe, attributes_to_toml, to_toml
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
    needing_model: Sequence[str] = (),
    attributes: Mapping[str, Attribute] | None = None,
) -> str:
    """Return the recipe as commented TOML for ``file``.

    ``thresholds`` are those of its categories; ``seeds`` counts the seeds, and ``faults`` describes those that break
    its rules, ``needing_model`` those that the embedded imitator cannot imitate. ``attributes`` are written as a
    comment: the imitator has no use for them.
    """
    measured = literal(recipe.novelty.max_rouge_l)
    comments = {
        **reasons,
        "": _top(recipe, seeds, faults, Path(file), needing_model),
        "task": "The purpose of the rows, in a sentence. Models read it; the imitator does not.",
        "fields": "The fields of a row, in order. Models read the description; the other keys are checked.",
        "categories": "\n".join(filter(None, [_sentence(reasons.get("categories", "")), *_categories(thresholds)])),
        "quota.rows": _sentence(reasons.get("quota.rows", "")),
        "quota": 'For unequal shares, add [quota.weights] with lines such as "a category" = 2',
        "novelty.fields": _sentence(reasons.get("novelty.fields", "")),
        "novelty.max_rouge_l": f"How similar two rows may be: {measured} measures it on the seeds; "
        "or a number such as 0.7.",
        "prompt": "Examples in each prompt, and rows per request. The imitator ignores the examples.",
        "model": 'Without [model], the embedded imitator writes the rows. For an endpoint:\n\n[model]\nname = "MODEL"\n'
        'base_url = "http://127.0.0.1:8000/v1"',
    }
    if attributes:
        comments["attributes"] = _attributes(recipe, attributes)
    return to_toml(recipe, comments, Path(file).parent)


def _attributes(recipe: Recipe, attributes: Mapping[str, Attribute]) -> str:
    lines = [
        "For a model: what the seeds ask for. Each request names one value of each, those with the fewest accepted"
    ]
    lines += ["rows first. To use them, remove the # from the tables below."]
    if recipe.categories.by == "template":
        lines += ['A template decides them too: also replace the keys of [categories] by this one: by = "none"']
    return "\n".join([*lines, "", attributes_to_toml(attributes)])


def _top(recipe: Recipe, seeds: int, faults: Sequence[str], file: Path, needing_model: Sequence[str]) -> str:
    lines = [f"Inferred from {counted(seeds, 'seed')} in {recipe.seeds.file}. Run it: selfinstruct run {file}"]
    if seeds == 1:
        lines += [
            "",
            "One seed does not show what varies. Each rule below holds for that row, perhaps by accident:",
            "review every rule, or add a seed of each kind and run init again.",
        ]
    if needing_model:
        lines += ["", "The embedded imitator cannot keep rows like these true. Set [model] below, or run with"]
        lines += ["--base-url http://127.0.0.1:8000/v1 --model NAME."]
        lines += [printable(line) for line in needing_model[:_LISTED]]
    if faults:
        lines += ["", "These seeds break the rules. Fix them, or run with --skip-bad-seeds."]
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
