"""An assistant finds six tools, uses them over the service, and reads its refusals; it reaches no other files."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mcp import Client, StdioServerParameters

from selfinstruct.assistant.client import RefusedError, ServiceClient
from selfinstruct.assistant.local_files import LocalFiles
from selfinstruct.assistant.tools import Tools, make_server, shortened
from selfinstruct.service.serving import listen, running
from selfinstruct.service.settings import Configuration, make_settings

SEEDS = Path(__file__).parents[2] / "seeds"
TOKEN = "a-token-that-only-tests-know"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder whose files the assistant may name, with seeds in it."""
    place = tmp_path.resolve() / "work"
    place.mkdir()
    (place / "logqa.jsonl").write_bytes((SEEDS / "logqa.jsonl").read_bytes())
    return place


@contextlib.asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[Client]:
    """An assistant that is connected to the tools, over a service of its own."""
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    settings = make_settings(folder.parent / "outputs", "127.0.0.1", port, TOKEN, Configuration())
    async with running(settings, listening), aiohttp.ClientSession() as session:
        tools = Tools(ServiceClient(session, f"http://127.0.0.1:{port}", TOKEN), LocalFiles(folder))
        async with Client(make_server(tools)) as client:
            yield client


async def call(assistant: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The result of a tool; AssertionError if it is an error."""
    result = await assistant.call_tool(tool, arguments)
    assert not result.is_error, result.content
    found: dict[str, Any] = result.structured_content or json.loads(getattr(result.content[0], "text", ""))
    return found


async def refusal(assistant: Client, tool: str, **arguments: Any) -> str:
    """The text of the error that a tool answers with."""
    result = await assistant.call_tool(tool, arguments)
    assert result.is_error
    return str(getattr(result.content[0], "text", ""))


@pytest.mark.slow
async def test_from_seeds_to_a_file(folder: Path) -> None:
    """Preview, run, status, sample and export lead from a seed file to a file of rows; check finds no error in it."""
    async with connected(folder) as assistant:
        names = [tool.name for tool in (await assistant.list_tools()).tools]
        assert sorted(names) == ["check", "export", "preview", "run", "sample", "status"]

        seen = await call(assistant, "preview", seeds="logqa.jsonl", rows=30)
        assert {each["name"] for each in seen["fields"]} == {"Question", "Answer", "RawLog"}
        assert sum(each["quota"] for each in seen["categories"]) == 30

        run = (await call(assistant, "run", seeds="logqa.jsonl", rows=30))["id"]
        assert (await call(assistant, "status", run=run, wait=60))["state"] == "done"
        assert [each["id"] for each in (await call(assistant, "status"))["runs"]] == [run]

        rows = (await call(assistant, "sample", run=run, count=3, after=5))["rows"]
        assert [each["number"] for each in rows] == [6, 7, 8]
        done = await call(assistant, "export", run=run, path="grown.jsonl")
        assert len((folder / "grown.jsonl").read_text("utf-8").splitlines()) == 30
        assert done["bytes"] == (folder / "grown.jsonl").stat().st_size
        found = await call(assistant, "check", file="grown.jsonl")
        assert not [each for each in found["findings"] if each["severity"] == "error"]


async def test_refusals_say_what_to_do(folder: Path) -> None:
    """What the service or the server refuses reaches the assistant in words, and the server goes on."""
    async with connected(folder) as assistant:
        assert "more than" in await refusal(assistant, "preview", seeds="logqa.jsonl", rows=10**9)
        assert "no such" in await refusal(assistant, "status", run="no-such-run")
        assert "not the id" in await refusal(assistant, "sample", run="../../v1/service")
        assert "no such file" in await refusal(assistant, "preview", seeds="missing.jsonl")
        assert "already exists" in await refusal(assistant, "export", run="x", path="logqa.jsonl")
        assert "rejections" in await refusal(assistant, "sample", run="x", reason="echo")
        assert (folder / "logqa.jsonl").read_bytes() == (SEEDS / "logqa.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["../outside.jsonl", "/etc/hostname", "link.jsonl", "way/outside.jsonl", "a\0b"])
def test_files_outside_the_folder_are_out_of_reach(folder: Path, name: str) -> None:
    """Neither by an absolute path, nor by dots, nor by a link."""
    outside = folder.parent / "outside.jsonl"
    outside.write_text("{}", encoding="utf-8")
    (folder / "link.jsonl").symlink_to(outside)
    (folder / "way").symlink_to(folder.parent)
    files = LocalFiles(folder)
    with pytest.raises(RefusedError):
        files.existing(name)
    with pytest.raises(RefusedError):
        files.new(name)
    assert files.new("new.jsonl") == folder / "new.jsonl"


def test_results_are_kept_short() -> None:
    """Long texts and lists are cut and say so; the recipe is whole."""
    answer = {"rows": list(range(60)), "row": {"text": "x" * 3000}, "toml": "y" * 3000}
    cut = shortened(answer, whole=("toml",))
    assert cut["rows"] == [*range(50), "... 60 in all"]
    assert cut["row"]["text"] == f"{'x' * 2000}... (3000 characters in all)"
    assert cut["toml"] == answer["toml"]


@pytest.mark.slow
async def test_the_command_speaks_mcp_on_stdio(folder: Path) -> None:
    """`selfinstruct mcp` answers on stdin and stdout, and ends when they are closed."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "selfinstruct", "mcp"], cwd=folder, env=dict(os.environ)
    )
    async with Client(parameters) as client:
        seen = await call(client, "preview", seeds="logqa.jsonl", rows=10)
        assert sum(each["quota"] for each in seen["categories"]) == 10
