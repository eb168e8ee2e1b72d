"""The commands and recipes that the documentation gives for local servers, run against servers of the same shape."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from selfinstruct.recipe import parse_recipe
from selfinstruct.testing.author import ScriptedAuthor

ROOT = Path(__file__).parent.parent
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVERS = ("vLLM", "Ollama", "llama.cpp", "LM Studio")
_COMMAND = re.compile(r"selfinstruct run my-seeds\.jsonl [^\n`|]*")
#: What a good prompt of these tests is at most, in characters.
_CONTEXT = 20_000


def documented(server: str) -> str:
    """The command that docs/models.md gives for a server."""
    section = MODELS.split(f"\n## {server}\n")[1].split("\n## ")[0]
    return _COMMAND.search(section)[0].strip()  # type: ignore[index]


def error(status: int, message: str, **more: Any) -> web.Response:
    """An error as OpenAI words it."""
    return web.json_response({"error": {"message": message, **more}}, status=status)


class Local:
    """A local server: one of four shapes. ``requests`` are the bodies of completions, ``keys`` what came as the key."""

    def __init__(self, shape: str, *, loading: int = 0, context: int = _CONTEXT) -> None:
        self.shape = shape
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.port = 0
        self._loading = loading
        self._context = context
        self._author = ScriptedAuthor()
        self._has = {
            "vLLM": ["Qwen/Qwen3-4B-Instruct-2507"],
            "Ollama": ["gemma3:4b", "nomic-embed-text:latest"],
            "llama.cpp": ["gemma-3-4b-it-Q4_K_M.gguf"],
            "LM Studio": ["text-embedding-nomic-embed-text-v1.5", "qwen/qwen3-4b-2507"],
        }[shape]

    async def models(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/models."""
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self._has]})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        body = await request.json()
        self.requests.append(body)
        self.keys.add(request.headers.get("Authorization", ""))
        if self._loading:
            self._loading -= 1
            return error(503, "Loading model", type="unavailable_error", code=503)
        if self.shape != "llama.cpp" and body["model"] not in self._has:
            return error(404, f"The model `{body['model']}` does not exist.", code="model_not_found")
        form = body.get("response_format", {}).get("type", "text")
        if self.shape == "LM Studio" and form not in ("json_schema", "text"):
            return error(400, "'response_format.type' must be 'json_schema' or 'text'")
        read = sum(len(message["content"]) for message in body["messages"])
        if read > self._context and self.shape != "Ollama":
            said = f"request ({read // 4} tokens) exceeds the available context size ({self._context // 4} tokens)"
            return error(400, said, type="exceed_context_size_error", code=400)
        messages = body["messages"]
        if read > self._context:  # cut in silence, from the beginning: the examples go
            messages = [{"role": "user", "content": "Write 20 new rows."}]
        content = self._author(messages, Random(len(self.requests)))
        usage = {"prompt_tokens": min(read, self._context) // 4, "completion_tokens": len(content) // 4 + 1}
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        return web.json_response(
            {"object": "chat.completion", "model": self._has[0], "choices": [choice], "usage": usage}
        )

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Whatever is no endpoint."""
        if self.shape == "LM Studio":
            return web.json_response({"error": f"Unexpected endpoint or method. ({request.method} {request.path})"})
        return error(404, "Not Found")


@asynccontextmanager
async def serving(local: Local) -> AsyncIterator[Local]:
    """The server on a port of its own."""
    app = web.Application()
    app.router.add_get("/v1/models", local.models)
    app.router.add_post("/v1/chat/completions", local.complete)
    app.router.add_route("*", "/{path:.*}", local.elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    local.port = runner.addresses[0][1]
    try:
        yield local
    finally:
        await runner.cleanup()


async def run(command: str, local: Local, where: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """A documented command in a process of its own, at the test's server: exit code, summary, what it said."""
    shutil.copy(ROOT / "seeds" / "logqa.jsonl", where / "my-seeds.jsonl")
    words = shlex.split(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{local.port}", command))
    assert words[0] == "selfinstruct"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "selfinstruct", *words[1:], "--out", "out", "--json", *more],
        cwd=where,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr


@pytest.mark.parametrize("server", SERVERS)
async def test_the_documented_command_grows_rows_without_a_key(server: str, tmp_path: Path) -> None:
    """As it stands in the documentation, but for the port: quota met, no key sent, the model that is named asked."""
    command = documented(server)
    async with serving(Local(server)) as local:
        code, summary, said = await run(command, local, tmp_path, "--rows", "60")
    assert code == 0, said
    assert summary["accepted"] == 60 and summary["stopped"] == "done"
    assert local.keys == {"Bearer no-key-needed"}
    named = re.search(r"--model (\S+)", command)
    assert {body["model"] for body in local.requests} == {named[1] if named else local._has[0]}
    last = local.requests[-1].get("response_format", {}).get("type")
    assert last == "json_schema"


@pytest.mark.parametrize("server", SERVERS)
def test_the_readme_gives_the_same_command(server: str) -> None:
    """The table on the first page and the page on models do not differ, and start the server on the port they name."""
    line = next(line for line in README.split("\n") if line.startswith(f"| {server} |"))
    assert _COMMAND.search(line)[0].strip() == documented(server)  # type: ignore[index]
    started = line.split("|")[2].strip().strip("`")
    assert started in MODELS
    port = urlsplit(re.search(r"--base-url (\S+)", line)[1]).port  # type: ignore[index]
    given = re.search(r"--port (\d+)", started)
    assert port == (int(given[1]) if given else {"vLLM": 8000, "Ollama": 11434}[server])


async def test_a_model_that_loads_is_waited_for(tmp_path: Path) -> None:
    """llama.cpp answers 503 until it has loaded; the first call outlasts that."""
    async with serving(Local("llama.cpp", loading=2)) as local:
        code, summary, said = await run(documented("llama.cpp"), local, tmp_path, "--rows", "20")
    assert code == 0, said
    assert summary["accepted"] == 20


async def test_a_prompt_that_is_too_long_is_made_shorter(tmp_path: Path) -> None:
    """Refused for its length, a prompt shows half as many demonstrations from then on, and the summary says so."""
    async with serving(Local("llama.cpp", context=1_850)) as local:
        code, summary, said = await run(documented("llama.cpp"), local, tmp_path, "--rows", "40")
    assert code == 0, said
    assert summary["failed"]["context"] >= 1
    assert any("demonstrations are too long" in note for note in summary["notes"])


async def test_a_prompt_that_was_cut_is_told(tmp_path: Path) -> None:
    """Ollama cuts a prompt in silence; the count of tokens gives it away, and the summary's notes tell."""
    async with serving(Local("Ollama", context=600)) as local:
        code, _, said = await run(documented("Ollama"), local, tmp_path, "--rows", "20", "--max-requests", "12")
    assert code == 3, said
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert any("read only the beginning" in note for note in summary["notes"]), summary


@pytest.mark.parametrize("server", SERVERS)
async def test_a_base_url_without_its_v1_is_told_with_the_right_one(server: str, tmp_path: Path) -> None:
    """LM Studio answers 200 with an error there, the others 404: the message names the URL that works."""
    async with serving(Local(server)) as local:
        code, _, said = await run(documented(server).replace("/v1", ""), local, tmp_path, "--rows", "20")
    assert code == 3
    assert f"http://127.0.0.1:{local.port}/v1" in said
    assert not (tmp_path / "out").exists()


def completed(block: dict[str, Any]) -> bool:
    """Whether a block of TOML is a recipe by itself."""
    return "fields" in block


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", MODELS, re.DOTALL))
def test_every_recipe_in_the_documentation_is_one(block: str) -> None:
    """Completed by seeds and fields, each is read without a mistake."""
    rest: Callable[[str], str] = lambda text: f'[seeds]\nfile = "rows.jsonl"\n[fields.text]\n{text}'  # noqa: E731
    assert not completed(tomllib.loads(block))
    recipe = parse_recipe(rest(block), "r.toml", ".")
    assert recipe.authors
