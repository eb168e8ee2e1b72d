"""The types of a recipe's keys, with the descriptions that error messages use."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, AllowInfNan, BaseModel, ConfigDict, Strict, StringConstraints

from selfinstruct.errors import InputError
from selfinstruct.rows.encoding import known_encoding


def _known(name: str) -> str:
    try:
        return known_encoding(name)
    except InputError as exc:
        raise ValueError(exc.message) from exc


# The last argument of each alias is its description in error messages.
Count = Annotated[int, Ge(1), "a whole number, 1 or more"]
CountOrNone = Annotated[int, Ge(0), "a whole number, 0 or more"]
Share = Annotated[float, Gt(0), Le(1), "a number above 0 and at most 1"]
Part = Annotated[float, Gt(0), Lt(1), "a number above 0 and below 1"]
Weight = Annotated[float, Gt(0), AllowInfNan(False), "a number above 0"]
Amount = Annotated[float, Ge(0), AllowInfNan(False), "a number, 0 or more"]
Names = Annotated[tuple[str, ...], Strict(False), 'a list of field names such as ["Question", "RawLog"]']
Label = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x1f\x7f/\\:.][^\x00-\x1f\x7f/\\:]*$", max_length=80),
    "text of at most 80 characters that can name a folder: no / \\ : and no dot at its start",
]
FileName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$"), "the name of a file, in quotes"]
Encoding = Annotated[str, AfterValidator(_known), 'the name of an encoding such as "gb18030", "big5" or "utf-16"']
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"),
    'a URL such as "http://127.0.0.1:8000/v1", without user, key or query',
]
Variable = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$"),
    'the name of an environment variable in capitals such as "OPENAI_API_KEY", never the key itself',
]
#: ``package.module:object``, with the dots of nested packages and attributes.
REFERENCE = r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*$"
Reference = Annotated[
    str,
    StringConstraints(pattern=REFERENCE),
    'a function of your own such as "package.module:function"',
]
#: The languages that recipes can be written in.
Language: TypeAlias = Literal["en", "zh"]
NonEmpty = Annotated[str, StringConstraints(min_length=1), "text in quotes, not empty"]


class Table(BaseModel):
    """A table of a recipe: frozen, and unknown keys are errors."""

    # Most tables are validated as parts of a recipe, without a validator of their own.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True)
