"""The documentation: its commands run, its links lead somewhere, its generated pages match the code."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from selfinstruct.api.schemas import FORMATS
from selfinstruct.cli import application
from selfinstruct.testing import server_process

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GENERATED = ["cli.md", "reference/recipe-keys.md", "reference/reasons.md", "reference/api.md"]
GENERATED += [f"schemas/{name}.json" for name in FORMATS]
READMES = ("README.md", "README.zh.md")
PAGES = [*READMES, "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "benchmarks/README.md"]
PAGES += sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))


@cache
def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _has_commands(page: str) -> bool:
    """Whether a page has commands to run; those of a service, which do not end, are screens (``console``)."""
    return re.search("^```(?:bash|python)$", _text(page), re.MULTILINE) is not None


#: Pages whose fenced commands form one session: each is run from its first to its last.
SESSIONS = [
    *READMES,
    "docs/tutorial.md",
    "docs/zh/tutorial.md",
    *sorted(page for page in PAGES if page.startswith("docs/how-to/") and _has_commands(page)),
]


def _script(page: str) -> str:
    """The bash and Python blocks of a page as one shell script; adjacent Python blocks are one program."""
    parts, python = ["set -euo pipefail\n"], ""
    for language, block in re.findall(r"^```(bash|python)\n(.*?)^```", _text(page), re.DOTALL | re.MULTILINE):
        if language == "python":
            python += block
            continue
        parts += [_python(python), block]
        python = ""
    return "".join([*parts, _python(python)])


def _screen_lines(page: str) -> list[str]:
    """The lines of the screens on a page, its ``text`` blocks, each of which the commands print."""
    blocks = re.findall(r"^```text\n(.*?)^```", _text(page), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def _python(code: str) -> str:
    return f"python - <<'END_OF_PYTHON'\n{code}END_OF_PYTHON\n" if code else ""


@pytest.mark.slow
@pytest.mark.parametrize("page", SESSIONS)
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    """Every bash and Python block, in order, in one empty directory; the scripted endpoint is on where it is used."""
    script = _script(page)
    assert "selfinstruct" in script
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in (("selfinstruct", "-m selfinstruct "), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n', encoding="utf-8")
        program.chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "seeds").symlink_to(ROOT / "seeds")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SELFINSTRUCT": str(ROOT),
        "NO_COLOR": "1",
        "SELFINSTRUCT_LANG": "zh" if "zh" in page else "en",
    }

    def run(text: str) -> None:
        command = ["bash", "-c", f"exec 2>&1\n{text}"]
        done = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        missing = [line for line in _screen_lines(page) if line not in done.stdout.splitlines()]
        assert missing == [], done.stdout

    address = "http://127.0.0.1:8751/v1"
    if address not in script:
        run(script)
        return
    with server_process() as base_url:
        run(script.replace(address, base_url))


# ---- Command lines ----


def _commands(page: str) -> list[str]:
    """The command lines of a page that call ``selfinstruct``: in blocks, tables and indented lines."""
    lines = re.findall(r"^(?:    )?((?:\.venv/bin/)?selfinstruct [^\n]+)$", _text(page), re.MULTILINE)
    lines += re.findall(r"`(selfinstruct [a-z]+ [^`\n]+)`", _text(page))
    return [re.sub(r" *(\|\||[|>]|&&).*", "", line) for line in lines]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in {f"docs/{name}" for name in GENERATED}])
def test_every_command_line_parses(page: str) -> None:
    """Each command exists and takes these arguments and options; nothing is executed."""
    group: Any = typer.main.get_command(application())
    for line in _commands(page):
        name, *arguments = shlex.split(line, comments=True)[1:]
        top = group.make_context("selfinstruct", ["--help"], resilient_parsing=True)
        if name.startswith("-"):
            continue
        command = group.get_command(top, name)
        assert command is not None, line
        if hasattr(command, "commands"):
            assert not arguments or command.get_command(top, arguments[0]) is not None, line
            continue
        command.make_context(name, arguments, top)


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page: str) -> None:
    """A page names no target that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:`|^    )make ([a-z-]+)", _text(page), re.MULTILINE)
    assert set(named) <= targets


def test_make_help_lists_every_target() -> None:
    """Each phony target has its line of help."""
    phony = re.search(r"^\.PHONY: (.*)$", _text("Makefile"), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z-]+):[^#\n]*## \S", _text("Makefile"), re.MULTILINE))


def test_both_readmes_have_the_same_commands() -> None:
    """The Chinese README shows commands of the English one only, and both begin with the same two."""
    english, chinese = (set(map(_bare, _commands(page))) for page in READMES)
    assert chinese and chinese <= english
    first = [re.findall(r"^    make (\w+)", _text(page), re.MULTILINE)[:2] for page in READMES]
    assert first == [["run", "test"]] * 2
    assert "(README.zh.md)" in _text("README.md") and "(README.md)" in _text("README.zh.md")


def _bare(line: str) -> str:
    return shlex.join(shlex.split(line, comments=True))


# ---- Chinese pages ----

#: Pages in Chinese, and what they translate.
TRANSLATED = {page: page.replace("docs/zh/", "docs/") for page in PAGES if page.startswith("docs/zh/")}


def _outline(page: str) -> list[str]:
    """What a translation keeps: headings, blocks, commands and options, keys of recipes, first cells of tables."""
    found: list[str] = []
    fence = ""
    for line in _text(page).splitlines():
        if line.startswith("```"):
            fence = "" if fence else line
            found += [line] if fence else []
        elif command := re.match(r"(?:    )?selfinstruct (\w+)(.*)", line):
            options = re.findall(r" (--[a-z-]+)", command[2].partition(" #")[0])
            found.append(" ".join([command[1], *options]))
        elif fence == "```toml" and (key := re.match(r"\[+[a-z]+|(?:# )?\w+(?= = )", line)):
            found.append(key[0])
        elif not fence and (part := re.match(r"#+ |\| `[^`]+`(?:, `[^`]+`)*", line)):
            found.append(part[0])
    return found


def _spans(page: str) -> list[set[str]]:
    """The words in backquotes of each section of a page, without those that end on another line."""
    text = re.sub(r"^```.*?^```", "", _text(page), flags=re.DOTALL | re.MULTILINE)
    return [set(re.findall(r"`([^`\n]+)`", section)) for section in re.split(r"^#+ ", text, flags=re.MULTILINE)]


@pytest.mark.parametrize("page", sorted(set(TRANSLATED) - {"docs/zh/index.md"}))
def test_a_chinese_page_has_all_of_its_english_one(page: str) -> None:
    """It may have more. Where this fails, the English page has something new to translate."""
    missing = Counter(_outline(TRANSLATED[page])) - Counter(_outline(page))
    assert not missing
    for english, own in zip(_spans(TRANSLATED[page]), _spans(page), strict=True):
        assert {
            each for each in english if not re.fullmatch(r"[A-Z][A-Za-z]+", each)
        } <= own  # other seeds, other fields


@pytest.mark.parametrize("page", sorted(TRANSLATED))
def test_a_page_and_its_translation_lead_to_each_other(page: str) -> None:
    """In the first lines of both; the index in Chinese names each page in Chinese."""
    english = TRANSLATED[page]
    assert f"]({os.path.relpath(english, Path(page).parent)})" in _text(page)[:200]
    assert f"]({os.path.relpath(page, Path(english).parent)})" in _text(english)[:200]
    assert page == "docs/zh/index.md" or f"]({page.removeprefix('docs/zh/')})" in _text("docs/zh/index.md")


# ---- Links and generated pages ----


def test_the_map_names_files_that_exist() -> None:
    """Every file and folder that ARCHITECTURE.md names is there, and every package is in its table."""
    text = _text("ARCHITECTURE.md")
    named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.[a-z]+)?|[a-z_]+\.py)`", text)
    assert len(named) > 60
    missing = [name for name in named if not (ROOT / "selfinstruct" / name).exists() and not (ROOT / name).exists()]
    assert missing == []
    packages = {path.parent.name for path in (ROOT / "selfinstruct").glob("*/__init__.py")}
    assert packages <= {name.rstrip("/") for name in named}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    """Every relative link and picture is a file of the repository."""
    for target in re.findall(r"\]\(([^)#\s]+)", _text(page)) + re.findall(r'src="([^"]+)"', _text(page)):
        if not re.match(r"[a-z]+:", target):
            assert ((ROOT / page).parent / target).exists(), target


def test_the_index_links_every_page() -> None:
    """docs/index.md names each page of docs/."""
    linked = set(re.findall(r"\]\(([^)#]+)\)", _text("docs/index.md")))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"index.md"}
    assert pages <= linked


@cache
def _generated() -> dict[str, str]:
    pages: dict[str, str] = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    return pages


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_matches_the_code(name: str) -> None:
    """Each is what `make docs` writes."""
    pages = _generated()
    assert sorted(pages) == sorted(GENERATED)
    assert _text(f"docs/{name}") == pages[name], "run `make docs`"


def test_the_pictures_are_small() -> None:
    """The pictures of the READMEs take less than 300 kB together."""
    pictures = list((DOCS / "images").iterdir())
    assert pictures and sum(path.stat().st_size for path in pictures) < 300_000
