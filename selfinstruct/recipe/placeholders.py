r"""Placeholders: text templates with names in braces, used by the prompts and expansions of a recipe.

``{name}`` and ``{name.key}`` are placeholders; ``{{name}}`` is the text ``{name}``, and every other brace is literal,
so that JSON can be written as it is. Values are data: placeholders in them are not expanded.

Does not handle: conditions, loops, expressions.

>>> fill("Write about {topic}:\n{features}", {"topic": "rain", "features": ["a twist", "a moral"]})
'Write about rain:\n- a twist\n- a moral'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from selfinstruct.records import JSON
from selfinstruct.text import value_text

_NAME = r"[^\W\d][\w-]*(?:\.[^\s{}.]+)*"
_PLACE = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")


def names_in(template: str) -> list[str]:
    """Return the names of a template's placeholders, each once, in their order."""
    return list(dict.fromkeys(place[2] for place in _PLACE.finditer(template) if place[2]))


def literal(text: str) -> str:
    """Return a template that is filled with this text: what looks like a placeholder gets more braces.

    >>> fill(literal("a {name}"), {})
    'a {name}'
    """
    return _PLACE.sub(r"{\g<0>}", text)


def fill(template: str, values: Mapping[str, JSON], otherwise: Callable[[str], str] | None = None) -> str:
    """Return the template with each placeholder replaced by its value.

    A list becomes lines that begin with "- " if its placeholder is alone on a line, else it is joined by commas.
    ``otherwise`` returns the text for a name without a value; without it, raises KeyError.
    """

    def text(place: re.Match[str]) -> str:
        if place[1]:
            return f"{{{place[1]}}}"
        try:
            value = lookup(values, place[2])
        except KeyError:
            if otherwise is None:
                raise
            return otherwise(place[2])
        if not isinstance(value, list | tuple):
            return value_text(value)
        alone = template[place.start() - 1 : place.start()] in ("", "\n")
        alone = alone and template[place.end() : place.end() + 1] in ("", "\n")
        items = [value_text(item) for item in value]
        return "\n".join(f"- {item}" for item in items) if alone else ", ".join(items)

    return _PLACE.sub(text, template)


def lookup(values: Mapping[str, JSON], name: str) -> JSON:
    """Return the value of a name; ``a.b`` is the key ``b`` of the value of ``a``. Raises KeyError if there is none."""
    if name in values:
        return values[name]
    first, *keys = name.split(".")
    value = values[first]
    for key in keys:
        if not isinstance(value, Mapping):
            raise KeyError(name)
        value = value[key]
    return value
