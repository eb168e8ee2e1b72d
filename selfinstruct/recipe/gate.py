"""``[gate]``: what ``check`` reports, how bad it is, what a baseline tolerates, and what is accepted."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field as Key
from pydantic import Strict, StringConstraints

from selfinstruct.recipe.types import Amount, Table

Fraction = Annotated[float, Ge(0), Le(1), "a number from 0 to 1"]
Fingerprint = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{12}$"), 'a fingerprint of a finding such as "3f0c9a417be2", in quotes'
]
Explanation = Annotated[str, StringConstraints(pattern=r"\S"), "the reason in words, in quotes, not empty"]
Date = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"),
    'a date in quotes such as "2027-01-31"',
]
Kinds = Annotated[
    tuple[Literal["email", "phone", "card", "iban", "resident-id", "ssn", "ip"], ...],
    Strict(False),
    'a list of "email", "phone", "card", "iban", "resident-id", "ssn" and "ip"',
]


class Tolerances(Table):
    """``[gate.tolerances]``: how much worse than its baseline a measure may be before the gate fails.

    ``category_rows`` is the share of its rows that a category may lose, ``diversity`` the share that distinct-2 may
    fall by, ``lengths`` the share that a median length may change by. ``grounding``, ``duplicates`` and ``labels`` are
    differences of shares of rows: 0.01 is one row in a hundred.
    """

    category_rows: Fraction = 0.1
    grounding: Fraction = 0.01
    duplicates: Fraction = 0.01
    diversity: Fraction = 0.1
    lengths: Amount = 0.25
    labels: Fraction = 0.1


class Waiver(Table):
    """``[[gate.waivers]]``: a finding that is accepted, by its fingerprint, with the reason.

    It holds through the day ``expires``.
    """

    fingerprint: Fingerprint
    reason: Explanation
    expires: Date | None = None


Waivers = Annotated[tuple[Waiver, ...], Strict(False)]


class Gate(Table):
    """``[gate]``: how ``check`` judges a file.

    ``severity`` sets how bad a reason is: "error" fails the gate, "warning" and "note" do not, "off" is not reported.
    ``personal_data`` are the kinds of the reason ``pii``; "ip" is not among the usual ones.
    """

    severity: dict[str, Literal["error", "warning", "note", "off"]] = Key(default={})
    personal_data: Kinds = ("email", "phone", "card", "iban", "resident-id", "ssn")
    tolerances: Tolerances = Tolerances()
    waivers: Waivers = ()


class WaiverFile(Table):
    """A file of waivers, for data sets without a recipe: ``[[waivers]]`` with the same keys."""

    waivers: Waivers = ()
