"""HTML from the templates in ``templates/``, with autoescape on.

Values are data from a model or a stranger. Every value that a template prints is escaped as HTML, and each of its
characters without a look of its own is written as its escape, so that the page always encodes as UTF-8.

Does not handle: what a page says; see ``report`` and ``notebook``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from selfinstruct.render.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

#: No character of JSON that HTML gives a meaning to, inside or outside of a script.
_JSON_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def render_template(template: str, /, **values: Any) -> str:
    """Render ``templates/template``. A value that is missing raises jinja2.UndefinedError."""
    return _environment().get_template(template).render(**values)


def compile_template(template: str) -> None:
    """Compile ``templates/template``; it is kept."""
    _environment().get_template(template)


def own_text(name: str) -> str:
    """Return the text of the style sheet or script ``templates/name``; give it to a template as `markup`."""
    return files("selfinstruct.render").joinpath("templates", name).read_text(encoding="utf-8")


def markup(text: str) -> Any:
    """Return text that a template prints as it is: the package's own, or `json_text`."""
    from markupsafe import Markup

    return Markup(text)


def digest(text: str) -> str:
    """Return the SHA-256 of a style sheet or a script as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def json_text(value: Any) -> str:
    r"""Return plain data as JSON to print inside a ``script`` element, with its texts as the page would show them.

    >>> json_text({"a": "</script>"})
    '{"a":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(_shown(value), ensure_ascii=False, separators=(",", ":"))
    return text.translate(_JSON_ESCAPES)


def _shown(value: Any) -> Any:
    """Plain data with every text as a template would print it."""
    if isinstance(value, dict):
        return {_visible(name): _shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return _visible(value)


@cache
def _environment() -> Environment:
    # Imported here: a command that writes no page does not need it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("selfinstruct.render"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: Any) -> Any:
    """Text with its lines kept and every other unseen character escaped; markup of the templates as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "\n".join(map(printable, value.split("\n")))
