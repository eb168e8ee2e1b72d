"""Bring the catalogues of messages in step with the code: python docs/make_messages.py, or `make messages`.

New messages are added to ``selfinstruct/locale/*/LC_MESSAGES/selfinstruct.po`` without a translation, those that the
code no longer has are removed, and the catalogues are compiled. A message is the first argument of ``Phrase``, ``_``
and of the errors, their hint, a variable of this name, the noun that
is counted, what a recipe expects (``Annotated``), and the help of a command or an option.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import typer
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from selfinstruct.api import recipes
from selfinstruct.cli import application
from selfinstruct.cli.help import commands_of, paragraphs

PACKAGE = Path(__file__).parent.parent / "selfinstruct"
LOCALE = PACKAGE / "locale"
#: Separators such as " <= " are the same in every language.
_HAS_WORDS = re.compile(r"[A-Za-z,;:]|^ $")
#: For each callable: the positions of the arguments that are messages, and their names.
_ONE: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "Phrase": ((0,), ()),
    "_": ((0,), ()),
    "joined": ((1,), ("separator",)),
    "translated": ((0,), ()),
    "InputError": ((0,), ("hint",)),
    "RecipeError": ((0,), ("hint",)),
    "ExtensionError": ((0,), ("hint",)),
    "EndpointError": ((0,), ("hint",)),
    "StorageError": ((0,), ("hint",)),
    "RowError": ((1,), ("hint",)),
    "Problem": ((1, 2), ("hint",)),
    "CallError": ((1, 2), ("hint",)),
    "LossyValueError": ((0, 1), ()),
}


class Found(NamedTuple):
    """A message in the code: one template, or those for one and for many; ``where`` is file:line."""

    texts: tuple[str, ...]
    where: str


def messages() -> Iterator[Found]:
    """Every message of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "testing" not in path.parts:
            yield from messages_of(path.read_text("utf-8"), str(path.relative_to(PACKAGE.parent)))
    yield from _help()
    for recipe in recipes():
        yield Found((recipe.summary,), f"recipe {recipe.name}")


def messages_of(source: str, name: str) -> Iterator[Found]:
    """The messages in the source text of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            for texts in _texts(node):
                if _HAS_WORDS.search(texts[0]):
                    yield Found(texts, f"{name}:{node.lineno}")
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("message", "hint", "note"):
            for text in filter(_HAS_WORDS.search, _literals(node.value)):
                yield Found((text,), f"{name}:{node.lineno}")
        elif isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "Annotated":
            for text in (each for part in getattr(node.slice, "elts", ()) for each in _literals(part)):
                yield Found((text,), f"{name}:{node.lineno}")


def _texts(call: ast.Call) -> Iterator[tuple[str, ...]]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    literals = [list(_literals(argument)) for argument in call.args]
    if name == "counting":
        yield from zip(*literals[:2], strict=True)
    elif name == "counted":
        for noun in literals[1] if literals[1:] else ():
            plural = literals[2][0] if literals[2:] else f"{noun}s"
            yield f"{{count:,}} {noun}", f"{{count:,}} {plural}"
    elif name in _ONE:
        positions, names = _ONE[name]
        chosen = [literals[at] for at in positions if at < len(literals)]
        chosen += [list(_literals(each.value)) for each in call.keywords if each.arg in names]
        for text in (text for texts in chosen for text in texts):
            yield (text,)


def _literals(node: ast.expr) -> Iterator[str]:
    """The texts that an argument may be: a literal, or the two of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _help() -> Iterator[Found]:
    for command in commands_of(typer.main.get_command(application())):
        texts = [*paragraphs(command.help or ""), *paragraphs(command.epilog or "")]
        texts += [parameter.help or "" for parameter in command.params]
        for text in texts:
            if text:
                yield Found((text,), f"selfinstruct/cli: {command.name}")


class _Catalog(Catalog):
    """A catalogue whose header has no dates, so that only messages change it."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def catalogue(old: Catalog) -> Catalog:
    """The messages of the code with the translations of ``old``."""
    new = _Catalog(locale=old.locale, header_comment=old.header_comment, fuzzy=False)
    for found in messages():
        known: Any = old.get(found.texts[0])
        string = known.string if known is not None else ""
        entry = new.get(found.texts[0])
        if entry is not None and (len(found.texts) > 1) != entry.pluralizable:
            sys.exit(f"{found.where}: counted here, and not elsewhere: {found.texts[0]}")
        if entry is None:
            first = string if isinstance(string, str) else string[0]
            if len(found.texts) > 1:
                new.add(found.texts, (first,))
            else:
                new.add(found.texts[0], first)
    return new


def read(path: Path) -> Catalog:
    """The catalogue in a file."""
    with path.open("rb") as file:
        return read_po(file)


def as_po(wanted: Catalog) -> bytes:
    """A catalogue as text."""
    file = BytesIO()
    write_po(file, wanted, width=0, sort_output=True)
    return file.getvalue()


def as_mo(wanted: Catalog) -> bytes:
    """A catalogue, compiled."""
    file = BytesIO()
    write_mo(file, wanted)
    return file.getvalue()


def main() -> None:
    """Write each catalogue anew."""
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        new = catalogue(read(path))
        path.write_bytes(as_po(new))
        path.with_suffix(".mo").write_bytes(as_mo(new))
        missing = [message.id for message in new if message.id and not _is_translated(message.string)]
        print(f"{path.relative_to(PACKAGE.parent)}: {len(new)} messages, {len(missing)} without a translation")


def _is_translated(string: Any) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


if __name__ == "__main__":
    main()
