"""Messages to people: written in English, and translated where they are shown.

A `Phrase` is its English text, and knows the template and the values that it was made from. Errors, notes and plans
are built of messages; whoever shows them calls `translated`. Outside of `speaking` that returns English, so a library
call, a log, a journal or a file never depends on the locale of its user:

>>> error = Phrase("cannot write: {problem}", problem=Phrase("no such file"))
>>> print(error)
cannot write: no such file
>>> with speaking("zh"):
...     print(translated(error), "|", error)
无法写入：没有这个文件 | cannot write: no such file

Values that are messages are translated with the message around them. An f-string or a concatenation turns a message
into plain English text; use `joined`, or a template with the parts as values. The catalogues are in ``locale/``;
``docs/make_messages.py`` keeps them in step with the code.

Does not handle: the names of options, reasons, files and formats, which are the same in every language; prompts.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gettext import NullTranslations

LANGUAGES = ("en", "zh")
#: The variables that name the language of messages: the project's own, then those of POSIX (8.2), the first one wins.
_VARIABLES = ("SELFINSTRUCT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")

_HAN, _LATIN, _GAP = re.compile("[\u4e00-\u9fff]"), re.compile("[A-Za-z0-9]"), re.compile(" [\u4e00-\u9fff]")
# One per process, as the locale is: rich draws in a thread of its own, which would not see a context variable.
_catalogue: NullTranslations | None = None


class Phrase(str):
    """An English text that `translated` shows in another language.

    Without values, ``template`` is the text as it is; with values, braces in it name them. Values are never read as
    templates themselves.
    """

    template: str
    #: The template for other counts than 1, and the count; "" for a message that counts nothing.
    plural: str
    number: int
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Phrase:  # noqa: D102
        if isinstance(template, Phrase) and not values:
            return template
        return cls._make(template, "", 0, values)

    @classmethod
    def counting(cls, template: str, plural: str, count: int, /, **values: Any) -> Phrase:
        """Return ``template`` if ``count`` is 1, else ``plural``; ``{count}`` in them is the count."""
        return cls._make(template, plural, count, {"count": count, **values})

    @classmethod
    def _make(cls, template: str, plural: str, count: int, values: Mapping[str, Any]) -> Phrase:
        chosen = plural if plural and count != 1 else template
        message = super().__new__(cls, chosen.format_map(values) if values else chosen)
        message.template, message.plural, message.number, message.values = template, plural, count, values
        return message


#: Stands between the items of a list.
COMMA = Phrase(", ")


def joined(parts: Iterable[str], separator: str = COMMA) -> Phrase:
    """Return the parts as one message, with a separator that is a message, too.

    >>> joined(["a", Phrase("{n} rows", n=2)])
    'a, 2 rows'
    """
    values = {f"part{at}": part for at, part in enumerate(parts)}
    template = "{separator}".join(f"{{{name}}}" for name in values)
    return Phrase(template, **values, separator=Phrase(separator))


def translated(text: str) -> str:
    """Return a message in the language of `speaking`, or in English without one, or where it has no translation."""
    if _catalogue is None or not text:
        return str(text)
    if not isinstance(text, Phrase):
        return _catalogue.gettext(text)
    if text.plural:
        template = _catalogue.ngettext(text.template, text.plural, text.number)
    else:
        template = _catalogue.gettext(text.template)
    if not text.values:
        return template
    shown = {name: translated(value) if isinstance(value, Phrase) else value for name, value in text.values.items()}
    return _set(template, shown, {name for name, value in text.values.items() if isinstance(value, Phrase)})


def _set(template: str, values: Mapping[str, Any], phrases: Collection[str]) -> str:
    """A filled template, spaced as Chinese is: a space between Chinese and Latin, none between two Chinese phrases.

    A template cannot say this, because it does not know which of the two a value is. Only the edges of values change.

    >>> _set("向{model}发送", {"model": "gpt"}, ()), _set("至多 {rows}", {"rows": "全部"}, {"rows"})
    ('向 gpt 发送', '至多全部')
    """
    text, ended = "", ""  # the name of the value that has just ended
    for literal, name, form, conversion in Formatter().parse(template):
        if ended and _meet(text, literal):
            text += " "
        text += literal[1:] if ended in phrases and _HAN.match(text[-1:]) and _GAP.match(literal) else literal
        ended = name or ""
        if name is None:
            continue
        conversion = f"!{conversion}" if conversion else ""
        value = f"{{{name}{conversion}:{form}}}".format_map(values)
        if _meet(text, value):
            text += " "
        elif name in phrases and literal.endswith(" ") and _HAN.match(literal[-2:-1]) and _HAN.match(value):
            text = text[:-1]
        text += value
    return text


def _meet(before: str, after: str) -> bool:
    """Whether Chinese and a Latin letter or digit touch, in either order."""
    one, other = before[-1:], after[:1]
    return bool((_HAN.match(one) and _LATIN.match(other)) or (_LATIN.match(one) and _HAN.match(other)))


def _(template: str, /, **values: Any) -> str:
    """Return a message in the language of `speaking`, for code that shows it at once."""
    return translated(Phrase(template, **values))


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Context manager in which `translated` returns messages in ``language``, one of `LANGUAGES`."""
    global _catalogue
    before = _catalogue
    _catalogue = _read(language)
    try:
        yield
    finally:
        _catalogue = before


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language of messages that an environment asks for; English where it names none that exists.

    >>> language_of({"LANG": "zh_CN.UTF-8"}), language_of({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"})
    ('zh', 'en')
    """
    named = next((value for name in _VARIABLES if (value := environment.get(name))), "")
    language = named.lower().replace("-", "_").partition(".")[0].partition("_")[0]
    return language if language in LANGUAGES else "en"


def _read(language: str) -> NullTranslations | None:
    if language == "en":
        return None
    import gettext
    from pathlib import Path

    return gettext.translation("selfinstruct", Path(__file__).parent / "locale", [language])
