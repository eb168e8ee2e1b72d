"""Relations in words, for plans, recipes and reports.

Does not handle: rows; ``violations`` says what is wrong with one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from selfinstruct.messages import Phrase, joined
from selfinstruct.recipe.relation_values import listed

if TYPE_CHECKING:
    from selfinstruct.recipe.relations import Relation

#: The units of counts and distances.
UNITS: tuple[str, ...] = (
    Phrase("items"),
    Phrase("words"),
    Phrase("lines"),
    Phrase("characters"),
    Phrase("days"),
    Phrase("hours"),
    Phrase("minutes"),
    Phrase("seconds"),
)
_SYMBOLS = {"sum": " + ", "difference": " - ", "product": " x ", "ratio": " / "}
_OTHERS = {"max": ", ", "min": ", ", "mean": ", ", "sum_product": " x "}


def description(relation: Relation) -> str:
    """Return a relation in words."""
    kind, paths = relation.kind, relation.paths
    if kind in _SYMBOLS:
        return Phrase("{target} = {formula}", target=relation.target, formula=formula(relation))
    if kind == "range":
        ranges = (relation.range or {}).items()
        return joined(_bounds(path, least, most, relation.step) for path, (least, most) in ranges)
    if kind == "format":
        return joined(_format_words(path, name) for path, name in (relation.format or {}).items())
    if kind in ("max", "min", "mean"):
        return Phrase("{target} is the {kind} of {paths}", target=relation.target, kind=kind, paths=joined(paths[1:]))
    if kind == "sum_product":
        return Phrase("{target} is the sum of {formula} over the list", target=paths[0], formula=formula(relation))
    if kind == "composed":
        forms = (relation.composed or {}).items()
        return joined(Phrase("{path} is written {form}", path=path, form=_unescaped(form)) for path, form in forms)
    if kind == "labels":
        sets = (relation.labels or {}).items()
        return joined(Phrase("{path} is one of {values}", path=path, values=listed(known)) for path, known in sets)
    if kind == "bands":
        limits = (relation.limits or {}).items()
        bands = [
            Phrase("{label} {least:g} to {most:g}", label=label, least=least, most=most)
            for label, (least, most) in limits
        ]
        return Phrase("{path} follows {other}: {bands}", path=paths[0], other=paths[1], bands=joined(bands))
    return _words(relation)


def _words(relation: Relation) -> Phrase:
    """Return the words of a relation that says only which values agree."""
    kind, paths = relation.kind, relation.paths
    named = dict(zip(("one", "two", "three"), paths, strict=False))
    if kind == "order":
        return _order_words(relation)
    if kind == "offset":
        words = Phrase("{one} is the position of {two} in {three}", **named)
        return Phrase("{position}, which ends at {end}", position=words, end=relation.end) if relation.end else words
    if kind == "one_of":
        others = joined(paths[1:])
        return {
            "value": Phrase("{path} is one of {values}", path=paths[0], values=others),
            "name": Phrase("{path} is the name of one of {values}", path=paths[0], values=others),
            "index": Phrase("{path} is the index of one of {values}", path=paths[0], values=others),
        }.get(relation.by, Phrase("{path} is the letter of one of {values}", path=paths[0], values=others))
    if kind == "count":
        return Phrase("{one} is the number of {unit} of {two}", **named, unit=Phrase(relation.unit or "items"))
    if kind == "contained" and relation.by == "words":
        return Phrase("{one} occurs in {two} by its words", **named)
    if kind == "contained" and relation.by == "end":
        return Phrase("{one} is the end of {two}", **named)
    if kind in ("distinct", "same_length"):
        all_paths = joined(paths)
        same = Phrase("{paths} have as many items", paths=all_paths)
        return Phrase("{paths} differ", paths=all_paths) if kind == "distinct" else same
    return Phrase(_TEMPLATES[kind], **named)


#: The words of the kinds that are about their paths alone.
_TEMPLATES = {
    "equal": Phrase("{one} equals {two}"),
    "contained": Phrase("{one} occurs in {two}"),
    "weekday": Phrase("{one} is the weekday of {two}"),
    "numbers_in": Phrase("numbers, dates and quoted words of {one} occur in {two}"),
    "names_in": Phrase("names in {one} occur in {two}"),
    "query": Phrase("tables and columns of {one} occur in {two}"),
    "supported": Phrase("the option that {two} names occurs in {one}"),
    "span": Phrase("{one} and {two} enclose whole words of {three}"),
}


def _order_words(relation: Relation) -> Phrase:
    if len(relation.paths) > 1:
        return joined(relation.paths, " <= ")
    words = Phrase("{path} is in ascending order", path=relation.target)
    if not relation.step:
        return words
    if relation.unit:
        return Phrase("{order}, {step:g} {unit} apart", order=words, step=relation.step, unit=Phrase(relation.unit))
    return Phrase("{order}, {step:g} apart", order=words, step=relation.step)


def formula(relation: Relation) -> str:
    """Return what a relation computes, such as nights x rate."""
    minus = relation.minus or ()
    terms = (_SYMBOLS | _OTHERS)[relation.kind].join(relation.paths[1 : len(relation.paths) - len(minus)])
    terms += "".join(f" - {path}" for path in minus)
    if relation.unit is not None:
        terms = Phrase("{terms} in {unit}", terms=terms, unit=Phrase(relation.unit))
    if relation.factor is not None:
        terms = Phrase("{terms} x {factor:g}", terms=terms, factor=relation.factor)
    return terms if relation.plus is None else Phrase("{terms} + {plus:g}", terms=terms, plus=relation.plus)


def named_formula(relation: Relation) -> str:
    """Return what a relation computes, with the name of a statistic: max of a, b."""
    if relation.kind in _SYMBOLS:
        return formula(relation)
    kind = "sum" if relation.kind == "sum_product" else relation.kind
    return Phrase("{kind} of {formula}", kind=kind, formula=formula(relation))


def range_words(least: float, most: float) -> Phrase:
    """Return the bounds of a number in words."""
    if math.isinf(most):
        return Phrase("at least {least}", least=least)
    return Phrase("between {least} and {most}", least=least, most=most)


def _bounds(path: str, least: float, most: float, step: float | None) -> Phrase:
    if math.isinf(most):
        bounds = Phrase("at least {least}", least=least)
    else:
        bounds = Phrase("from {least} to {most}", least=least, most=most)
    if step == 1:
        return Phrase("{path} is a whole number {bounds}", path=path, bounds=bounds)
    if math.isinf(most):
        words = Phrase("{path} is {bounds}", path=path, bounds=bounds)
    else:
        words = Phrase("{path} {bounds}", path=path, bounds=bounds)
    return Phrase("{range} in steps of {step:g}", range=words, step=step) if step else words


def _format_words(path: str, name: str) -> Phrase:
    if name == "dated":
        return Phrase("dates and times in {path} exist", path=path)
    if name == "arithmetic":
        return Phrase("equations in {path} hold", path=path)
    return Phrase("{path} is a valid {name}", path=path, name=name)


def _unescaped(form: str) -> str:
    return form.replace("{{", "{").replace("}}", "}").replace("\n", "\\n")
