"""Extensions: how references are written, refused, imported and kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selfinstruct.errors import ExtensionError, RecipeError
from selfinstruct.recipe import (
    accept_unimported,
    extension_error,
    frozen_changes,
    import_extension,
    is_reference,
    parse_recipe,
    to_toml,
)

RECIPE = """\
name = "logs"
backend = "{backend}"

[seeds]
file = "rows.jsonl"

[fields.Question]
[fields.RawLog]

[checks]
use = ["{check}"]

[categories]
by = "{by}"
"""
Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Writes a module of the user's own into the working directory; returns its name, of which no two are the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    made: list[str] = []

    def write(text: str) -> str:
        made.append(f"own_{tmp_path.name}_{len(made)}")
        (tmp_path / f"{made[-1]}.py").write_text(text)
        return made[-1]

    yield write
    for name in made:
        sys.modules.pop(name, None)


def recipe_text(name: str, **references: str) -> str:
    """A recipe that names the objects of one module."""
    defaults = {"backend": f"{name}:connect", "check": f"{name}:check", "by": f"{name}:kind"}
    return RECIPE.format(**{**defaults, **references})


OWN = "def connect(recipe): ...\ndef check(row, recipe): ...\nclass Kinds:\n    kind = staticmethod(str)\nkind = str\n"


def test_a_recipe_with_extensions_is_refused_unless_they_are_allowed(module: Module, tmp_path: Path) -> None:
    """Every reference is refused with its line, and nothing is imported: such a recipe may be an upload."""
    name = module("raise SystemExit('imported')\n")
    with pytest.raises(RecipeError) as refused:
        parse_recipe(recipe_text(name), "logs.toml", tmp_path)
    said = str(refused.value)
    for line, key in ((2, "backend"), (11, "checks.use"), (14, "categories.by")):
        assert f"logs.toml:{line}: {key}: " in said
    assert said.count("extensions are not allowed here") == 3
    assert "remove the key" in said
    assert name not in sys.modules


def test_the_working_directory_is_searched_last(module: Module, tmp_path: Path) -> None:
    """A module there is found, and hides none that is installed."""
    name = module(OWN)
    assert import_extension(f"{name}:check").__name__ == "check"
    assert import_extension(f"{name}:Kinds.kind") is str
    assert sys.path[-1] == str(tmp_path)
    (tmp_path / "colorsys.py").write_text("raise RuntimeError('shadowed')\n")
    sys.modules.pop("colorsys", None)
    assert import_extension("colorsys:rgb_to_hls")(0, 0, 0) == (0, 0, 0)


def test_a_recipe_with_extensions_is_kept_as_it_is(module: Module, tmp_path: Path) -> None:
    """The resolved recipe names the same objects, and loads back to an equal one, imported or not."""
    text = recipe_text(module(OWN))
    recipe = parse_recipe(text, "logs.toml", tmp_path, importer=import_extension)
    written = to_toml(recipe, {}, tmp_path)
    assert recipe.backend is not None
    assert f'backend = "{recipe.backend}"' in written
    for importer in (import_extension, accept_unimported):
        assert parse_recipe(written, "recipe.toml", tmp_path, importer=importer) == recipe


def test_other_checks_or_categories_make_another_run(module: Module, tmp_path: Path) -> None:
    """They judge earlier rows by another rule; a backend, as a model, may change."""
    name = module(OWN)
    old, new = (
        parse_recipe(recipe_text(name, **changed), "logs.toml", tmp_path, importer=accept_unimported)
        for changed in ({}, {"backend": "b:c", "check": "b:c", "by": "b:c"})
    )
    assert frozen_changes(old, new) == ["categories.by", "checks.use"]


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        ({"backend": "nowhere_at_all:connect"}, 2, "backend: nowhere_at_all:connect: no module named 'nowhere_at_all'"),
        ({"backend": "json.nowhere:connect"}, 2, "no module named 'json.nowhere'"),
        ({"backend": "json.decoder.x:connect"}, 2, "no module named 'json.decoder.x'"),
        ({"check": "{}:chek"}, 11, "{}.py); did you mean 'check'?"),
        ({"check": "{}:KINDS"}, 11, "{}:KINDS: expected a function, got list"),
        ({"check": "no reference"}, 11, 'a list of functions of your own such as ["package.module:function"]'),
        ({"by": "{}:"}, 14, 'a function of your own such as "package.module:function", got'),
        ({"backend": "{}"}, 2, 'a function of your own such as "package.module:function", got'),
    ],
)
def test_an_unusable_reference_is_an_error_with_its_line(
    changed: dict[str, str], line: int, said: str, module: Module, tmp_path: Path
) -> None:
    """What is wrong, in which line, and what to do."""
    name = module(f"{OWN}KINDS = ['a']\n")
    text = recipe_text(name, **{key: value.format(name) for key, value in changed.items()})
    with pytest.raises(RecipeError) as refused:
        parse_recipe(text, "logs.toml", tmp_path, importer=import_extension)
    assert f"logs.toml:{line}: " in str(refused.value)
    assert said.format(name) in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ny = z\n", "NameError: name 'z' is not defined ({}:2)"),
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all' ({}:1)"),
        ("def check(:\n", "SyntaxError: invalid syntax ({}:1)"),
        ("import sys\nsys.exit('no')\n", "SystemExit: no ({}:2)"),
    ],
)
def test_a_module_that_fails_is_reported_with_its_line(text: str, said: str, module: Module, tmp_path: Path) -> None:
    """The exception, and the line of the user's module that raised it."""
    name = module(text)
    with pytest.raises(RecipeError) as failed:
        import_extension(f"{name}:check")
    assert f"cannot import {name}:check: {said.format(tmp_path / f'{name}.py')}" in failed.value.message


def test_an_exception_is_reported_with_the_own_line_and_not_that_of_a_library() -> None:
    """A user can change their own call, not the standard library."""

    def check() -> None:
        import json

        json.loads("{")

    with pytest.raises(ValueError, match="Expecting") as raised:
        check()
    error = extension_error("own:check", raised.value)
    assert isinstance(error, ExtensionError)
    assert error.message.startswith("own:check: json.decoder.JSONDecodeError: ")
    assert error.message.endswith(f"({__file__}:{check.__code__.co_firstlineno + 3})")


@pytest.mark.parametrize("text", ["a:b", "a.b:c.d", "_a1:_b", "模块:函数"])
def test_references_have_a_module_and_an_object(text: str) -> None:
    """Both by their dotted names."""
    assert is_reference(text)


@pytest.mark.parametrize("text", ["a", "a:", ":b", "a.:b", "a:b:c", "1a:b", "a b:c", "C:\\x", "a:b\n", "http://x"])
def test_other_texts_are_no_references(text: str) -> None:
    """Such as the built-in backends' names, URLs and paths."""
    assert not is_reference(text)


def test_a_function_of_the_row_takes_no_field(tmp_path: Path) -> None:
    """A key that would have no effect is an error."""
    text = recipe_text("own").replace('by = "own:kind"', 'by = "own:kind"\nfield = "Question"')
    with pytest.raises(RecipeError, match=r"logs.toml:15: categories.field: unused: the function in by is given"):
        parse_recipe(text, "logs.toml", tmp_path, importer=accept_unimported)


def test_a_function_of_the_row_needs_seeds(tmp_path: Path) -> None:
    """Its categories are those of the seeds."""
    text = recipe_text("own").replace('[seeds]\nfile = "rows.jsonl"', "")
    with pytest.raises(RecipeError, match=r"categories\.by: needs seeds; none are configured"):
        parse_recipe(text, "logs.toml", tmp_path, importer=accept_unimported)
