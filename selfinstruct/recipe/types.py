"""The types of a recipe's keys, with the descriptions that error messages use."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, AllowInfNan, BaseModel, ConfigDict, Strict, StringConstraints

from selfinstruct.errors import InputError
from selfinstruct.recipe.endpoint_url import VARIABLE, is_secret_name
from selfinstruct.rows.encoding import known_encoding

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Options that are no free choice: they are what a request is, or are bounded by a budget.
_SET_ELSEWHERE = {"model", "messages", "prompt", "n", "stream", "max_tokens", "max_completion_tokens"}


def _known(name: str) -> str:
    try:
        return known_encoding(name)
    except InputError as exc:
        raise ValueError(exc.message) from exc


def _headers(table: dict[str, str]) -> dict[str, str]:
    for name, value in table.items():
        if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise ValueError("not a header")
        if name.lower() in ("host", "content-length", "content-type", "transfer-encoding", "connection"):
            raise ValueError("set by the client")
    return _query(table)


def _query(table: dict[str, str]) -> dict[str, str]:
    if any(is_secret_name(name) and not VARIABLE.search(value) for name, value in table.items()):
        raise ValueError("a secret")
    return table


def _body(table: dict[str, Any]) -> dict[str, Any]:
    if _SET_ELSEWHERE & table.keys():
        raise ValueError("set by another key")
    try:
        json.dumps(table, allow_nan=False)
    except TypeError as exc:
        raise ValueError("not JSON") from exc
    return table


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
    StringConstraints(pattern=r"^https?://([^/?#@\s]+@)?[^/?#@\s]+(/[^?#\s]*)?(\?[^#\s]*)?$"),
    'a URL such as "http://127.0.0.1:8000/v1"',
]
Headers = Annotated[
    dict[str, str],
    AfterValidator(_headers),
    'a table of texts such as { X-Team = "data", api-key = "${MY_KEY}" }; secrets must be in environment variables',
]
Query = Annotated[
    dict[str, str],
    AfterValidator(_query),
    'a table of texts such as { api-version = "2024-10-21" }; secrets must be in environment variables',
]
Body = Annotated[
    dict[str, Any],
    AfterValidator(_body),
    "a table of options such as { top_k = 40 }, other than model, messages, n, stream and token limits",
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
