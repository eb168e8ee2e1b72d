"""Whether a computation is that of the numbers as printed, rather than of numbers that were rounded for printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from selfinstruct.mining.targets import Numbers, Target
from selfinstruct.recipe import Relation


def fits_exactly(product: Relation, targets: Mapping[str, Target]) -> bool:
    """Whether the product of the numbers as printed is the target, without any rounding."""
    target, *operands = (targets[path] for path in product.paths)
    with np.errstate(all="ignore"):
        errors = np.abs(np.prod([each.values for each in operands], axis=0) * (product.factor or 1.0) - target.values)
    agreeing = errors[np.isfinite(errors) & (errors <= target.tolerance)]
    return bool((agreeing <= 1e-6 * target.tolerance).all())


def is_exact_product(target: Target, operands: Sequence[Target], factor: float) -> bool:
    """Whether a product is that of the numbers as printed, and not of numbers that were rounded for printing.

    Of a percentage of one decimal place the product may be right by accident, as long as the whole is small. So where
    the products are not exact, each operand with decimal places must have been precise enough for all of them: were it
    rounded, the chance of errors as small as these would be below 1 in 1000.
    """
    first, second = operands
    with np.errstate(all="ignore"):
        errors = np.abs(first.values * second.values * factor - target.values)
        bounds = [np.abs(second.values) * factor * first.tolerance, np.abs(first.values) * factor * second.tolerance]
    return _are_determined(target, errors, operands, bounds)


def is_exact_ratio(target: Target, part: Target, whole: Target) -> bool:
    """Whether a ratio is that of the numbers as printed; see ``is_exact_product``."""
    with np.errstate(all="ignore"):
        scale = np.abs(target.values)
        bounds = [scale / np.abs(part.values) * part.tolerance, scale / np.abs(whole.values) * whole.tolerance]
    return _are_determined(target, np.full(len(scale), np.inf), (part, whole), bounds)


def is_exact_line(goal: Target, given: Target, factor: float, plus: float) -> bool:
    """Whether the given number is precise enough to determine the other one."""
    if given.precision == 0:
        return True
    errors = np.abs(given.values * factor + plus - goal.values)
    exact = bool((errors[np.isfinite(errors)] <= 0.02 * goal.tolerance).all())
    return exact or given.tolerance * factor <= 0.25 * goal.tolerance


def _are_determined(target: Target, errors: Numbers, operands: Sequence[Target], bounds: Sequence[Numbers]) -> bool:
    """Whether the rounding of operands, which could cause errors up to ``bounds``, is too small or shown to be none."""
    known = np.isfinite(target.values) & np.isfinite(bounds[0]) & np.isfinite(bounds[1])
    if (errors[known] <= 0.02 * target.tolerance).all():
        return True
    for operand, bound in zip(operands, bounds, strict=True):
        harmless = not operand.precision or bool((bound[known] <= 0.25 * target.tolerance).all())
        with np.errstate(all="ignore"):
            likely = np.log10(np.minimum(1.0, target.tolerance / bound[known])).sum()
        if not harmless and likely > -3:
            return False
    return True
