"""The task "preview": what a run of a spec would start from; sends no request, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from selfinstruct import api
from selfinstruct.analysis.dry_run import DryRun
from selfinstruct.messages import Phrase, translated
from selfinstruct.preparation import Prepared
from selfinstruct.recipe import Recipe, to_toml
from selfinstruct.records import Row
from selfinstruct.render.description import unchecked_phrase, writer_phrase
from selfinstruct.render.plan import field_rules
from selfinstruct.service.child import Say
from selfinstruct.service.planning import plan_spec, without_endpoint
from selfinstruct.text import value_text

_ROWS = 5
#: Characters of an example that are shown.
_EXAMPLE = 300


def preview(spec: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """The fields of ``previews.Preview``."""
    prepared = plan_spec(spec, needs_writer=False)
    recipe, seeds = prepared.recipe, prepared.seeds.rows
    expected = api.dry_run(prepared, spec["seed"])
    warnings = [*prepared.skipped, *prepared.warnings]
    if recipe.needs_model and not recipe.all_models:
        warnings.append(Phrase("{name}: needs a model: choose an endpoint", name=recipe.name))
    return {
        "name": recipe.name,
        "toml": to_toml(without_endpoint(recipe), prepared.reasons),
        "model": translated(writer_phrase(prepared)),
        "fields": [
            {
                "name": name,
                "type": field.type,
                "rules": list(map(translated, field_rules(name, field, prepared))),
                "example": _example(value_text(seeds[0].get(name, ""))) if seeds else "",
            }
            for name, field in recipe.fields.items()
        ],
        "categories": list(_categories(prepared)),
        "relations": [
            translated(prepared.reasons.get(f"relations.{at}", "") or relation.describe())
            for at, relation in enumerate(recipe.relations)
        ],
        "unchecked": [
            translated(Phrase("{field}: {problem}", field=name, problem=remark))
            for name in recipe.fields
            if (remark := unchecked_phrase(recipe, name))
        ],
        "inferred": [
            {"key": key, "value": _value_at(recipe, key), "reason": translated(reason)}
            for key, reason in prepared.reasons.items()
            if not key.startswith("relations.")
        ],
        "notes": list(map(translated, (*prepared.seeds.notes, *prepared.notes))),
        "warnings": list(map(translated, warnings)),
        "seeds": len(seeds),
        "sample": list(islice(seeds, _ROWS)),
        "messages": _first_prompt(recipe, expected),
        "forecast": _forecast(recipe, expected),
    }


def _categories(prepared: Prepared) -> Iterator[dict[str, Any]]:
    members: dict[str, list[Row]] = {}
    for row in prepared.seeds.rows:
        members.setdefault(prepared.categories.of(row), []).append(row)
    table = prepared.recipe.categories
    shown = table.field or next(iter(prepared.recipe.novelty.fields), "")
    for name, quota in prepared.quotas.items():
        rows = members.get(name, [])
        yield {
            "name": name,
            "quota": quota,
            "seeds": len(rows),
            "max_rouge_l": prepared.thresholds[name],
            "example": _example(value_text(rows[0].get(shown, ""))) if rows else "",
        }


def _first_prompt(recipe: Recipe, expected: DryRun) -> list[dict[str, str]] | None:
    """The first request to a model; None where no model is asked."""
    if not recipe.all_models:
        return None
    messages = next(iter(expected.prompts.values()), ())
    return [{"role": each.role, "content": each.content} for each in messages]


def _forecast(recipe: Recipe, expected: DryRun) -> dict[str, Any]:
    if not recipe.all_models:
        return {"requests": 0, "tokens": None, "cost": None}
    (least_in, most_in), (least_out, most_out) = expected.input_range, expected.output_range
    most = None if most_in is None or most_out is None else most_in + most_out
    cost = None if expected.cost_range is None else list(expected.cost_range)
    return {"requests": sum(expected.requests.values()), "tokens": [least_in + least_out, most], "cost": cost}


def _value_at(recipe: Recipe, key: str) -> str:
    """The value of an inferred key, as text; "" if it is a table."""
    value: Any = recipe.model_dump(mode="json")
    for part in key.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ""
    return "" if isinstance(value, Mapping) or value is None else value_text(value)


def _example(text: str) -> str:
    return text if len(text) <= _EXAMPLE else f"{text[:_EXAMPLE]}…"
