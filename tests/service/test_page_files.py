"""The files of the page: nothing inline, nothing from elsewhere, no markup from texts, and both languages complete."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

import pytest

import selfinstruct

PAGE = Path(selfinstruct.__file__).parent / "service" / "page"
MODULES = sorted(path.name for path in PAGE.glob("*.js"))
STYLES = sorted(path.name for path in PAGE.glob("*.css"))
#: What would turn a text into markup, code or inline style.
_DANGEROUS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function"
    r"|setAttribute\(\s*[\"']style|\.cssText|srcdoc|javascript:|setHTML"
)


@cache
def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


@cache
def _words(language: str) -> dict[str, str]:
    """The texts of a language by key."""
    return dict(re.findall(r"^  (\w+): (.+),$", _text(f"{language}.js"), re.MULTILINE))


def test_both_languages_have_the_same_texts() -> None:
    """No key is missing or left over, none is twice, and each has the same values to fill in."""
    english, chinese = _words("en"), _words("zh")
    assert list(english) == list(chinese) and len(english) > 200
    assert all(_text(f"{name}.js").count(f"\n  {key}: ") == 1 for name in ("en", "zh") for key in english)
    placeholders = {key: [set(re.findall(r"\{(\w+)\}", words[key])) for words in (english, chinese)] for key in english}
    assert {key: found for key, found in placeholders.items() if found[0] != found[1]} == {}


def test_every_text_is_used_and_every_used_text_exists() -> None:
    """A key in the code is in both languages; a text that no code asks for is removed."""
    code = "\n".join(_text(name) for name in MODULES if name not in ("en.js", "zh.js"))
    keys = _words("en").keys()
    asked = set(re.findall(r"\b(?:t|counted)\(\s*\"(\w+)\"", code))
    families = {family for family in re.findall(r"\bt\(`(\w+_)\$\{", code)}
    assert asked <= keys
    assert all(any(key.startswith(family) for key in keys) for family in families)
    used = {key for key in keys if f'"{key}"' in code or any(key.startswith(family) for family in families)}
    assert used == set(keys)


def test_the_document_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    """Scripts and styles are files of the page, so that the content security policy needs no exception."""
    html = _text("index.html")
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\bstyle=|\son\w+=|https?:|//", html)
    loaded = set(re.findall(r"(?:src|href)=\"([^\"#]+)\"", html)) - {"data:,"}
    assert loaded and all(name.startswith("/static/") and (PAGE / name[8:]).is_file() for name in loaded)
    assert not any(re.search(r"@import|url\(", _text(name)) for name in STYLES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_makes_no_markup_of_texts_and_imports_only_the_page(name: str) -> None:
    """Rows are only ever text nodes; every import is a file that is there."""
    assert _DANGEROUS.findall(_text(name)) == []
    imports = re.findall(r"(?:from |import\()\"([^\"]+)\"", _text(name))
    assert all(each.startswith("./") and (PAGE / each).is_file() for each in imports)
    assert "http://" not in _text(name) and "https://" not in _text(name)
    assert len(_text(name).splitlines()) <= 400


def test_the_page_is_small() -> None:
    """Everything together is under 90 kB as it is sent, and what the first view needs under 40 kB."""
    sent = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in PAGE.iterdir()}
    assert sum(sent.values()) < 90_000
    first = ["index.html", *STYLES, "app.js", "api.js", "dom.js", "words.js", "en.js", "format.js", "keys.js"]
    assert sum(sent[name] for name in [*first, "states.js", "home.js"]) < 40_000
