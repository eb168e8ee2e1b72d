"""HTML from the templates in ``templates/``, with autoescape on.

Values are data from a model or a stranger. Every value that a template prints is escaped as HTML, and each of its
characters without a look of its own is written as its escape, so that the page always encodes as UTF-8.

Does not handle: what a page says; see ``report`` and ``notebook``.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from selfinstruct.render.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def render_template(template: str, /, **values: Any) -> str:
    """Render ``templates/template``. A value that is missing raises jinja2.UndefinedError."""
    return _environment().get_template(template).render(**values)


def style_sheet(name: str) -> str:
    """Return the text of the style sheet ``templates/name``; pass it to a template as ``markupsafe.Markup``."""
    return files("selfinstruct.render").joinpath("templates", name).read_text(encoding="utf-8")


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
