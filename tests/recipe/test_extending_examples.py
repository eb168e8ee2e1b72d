"""The examples of docs/extending.md run as they stand there."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import CustomCheck
from selfinstruct.checks.table import REASONS
from selfinstruct.cli import main
from selfinstruct.recipe import Field, Recipe

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]

NAMES = ("checked", "shelf", "plain", "chain", "local")


class ChatModel:
    """A double of a chat model of LangChain: ``ainvoke`` takes (role, text) pairs and returns an AIMessage."""

    async def ainvoke(self, messages: Sequence[tuple[str, str]]) -> SimpleNamespace:
        """Answer as the plain function does, in parts of content."""
        assert [role for role, _ in messages] in (["user"], ["system", "user"])
        text = importlib.import_module("plain").ask([{"role": role, "content": text} for role, text in messages])
        usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
        return SimpleNamespace(content=[{"type": "text", "text": text}], usage_metadata=usage)


def make_pipeline(task: str, *, model: str, device_map: str) -> Callable[..., list[dict[str, Any]]]:
    """A double of ``transformers.pipeline`` for chats, which returns the chat with one more message."""
    assert (task, device_map) == ("text-generation", "auto") and "/" in model

    def generate(messages: list[dict[str, str]], **options: Any) -> list[dict[str, Any]]:
        """Answer as the plain function does."""
        assert options["max_new_tokens"] > 0
        reply = {"role": "assistant", "content": importlib.import_module("plain").ask(messages)}
        return [{"generated_text": [*messages, reply]}]

    return generate


def add_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the doubles importable under the names of their libraries."""
    models = ModuleType("langchain.chat_models")
    vars(models)["init_chat_model"] = lambda name, *, model_provider, temperature: ChatModel()
    transformers = ModuleType("transformers")
    vars(transformers)["pipeline"] = make_pipeline
    for module in (ModuleType("langchain"), models, transformers):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Afterwards the modules of the page are not imported any more; those of the library stay the same."""
    yield
    for language, text in BLOCKS:
        if language == "python":
            sys.modules.pop(text.split("\n")[0].removeprefix("# ").removesuffix(".py"), None)


@pytest.mark.usefixtures("forgotten")
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file is written under the name in its first line, then each command ends with exit code 0."""
    monkeypatch.chdir(tmp_path)
    add_doubles(monkeypatch)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for language, text in BLOCKS:
        if language == "json":
            Path("kitchen.jsonl").write_text(text, encoding="utf-8")
        elif language != "sh":
            Path(text.split("\n")[0].removeprefix("# ")).write_text(text, encoding="utf-8")
    importlib.invalidate_caches()
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "selfinstruct"
        code = main(arguments)
        assert code == 0, (command, capsys.readouterr().err)
    accepted = {name: api.open_run(f"outputs/{name}").summary.accepted for name in NAMES}
    assert accepted == {"checked": 4, "shelf": 8, "plain": 4, "chain": 4, "local": 4}
    assert (
        api.open_run("outputs/chain").summary.tokens.input % 11
        == 0
        < api.open_run("outputs/chain").summary.tokens.input
    )
    categories = api.open_run("outputs/by-verb").summary.categories
    assert {name: each.accepted for name, each in categories.items()} == {"Weigh": 2, "Pour": 2}
    assert api.open_run("outputs/replayed").summary.accepted == 8
    privacy = importlib.import_module("privacy")
    check = CustomCheck("privacy:no_mail_address", privacy.no_mail_address)
    rejection = check.check({"text": "Write to a@b.example."}, Recipe(name="r", fields={"text": Field()}), REASONS)
    assert rejection is not None
    assert (rejection.reason, rejection.message) == ("pii", "a mail address: a@b.example.")
