"""What docs/models.md and README's table say of local servers, done: their commands, their recipes, each server's ways.

The servers here are real ones on real ports. What they say is what vLLM, Ollama, llama.cpp and LM Studio were seen to
say; what they write comes from the fault server behind them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
import tomllib
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from selfinstruct import api
from selfinstruct.analysis.summary import Summary
from selfinstruct.backends.openai import EndpointSettings, OpenAIBackend, PreflightSettings
from selfinstruct.cli import main
from selfinstruct.errors import EndpointError
from selfinstruct.preparation.infer import infer
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Model, parse_recipe, to_toml
from selfinstruct.rows import read_rows
from selfinstruct.testing import Behaviour, FaultServer, Ledger, server_process

ROOT = Path(__file__).parents[3]
SEEDS = ROOT / "seeds" / "logqa.jsonl"
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs" / "models.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
ROWS = 40
COMPLETIONS = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No API key is set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


# ---- Servers ----

#: How a server answers a request in its own way, given its body; None: as the fault server does, after a wait perhaps.
Shape: TypeAlias = Callable[[web.Request, Mapping[str, Any]], web.Response | Awaitable[None] | None]


class Call(NamedTuple):
    """A request that a server was sent."""

    path: str
    authorization: str
    body: Mapping[str, Any]


def is_trial(body: Mapping[str, Any]) -> bool:
    """Whether this is the first, small call of a run."""
    return "Reply with this JSON and nothing else" in str(body.get("messages"))


@dataclass
class Local:
    """A local server at ``origin``; ``calls`` has what came, ``ledger`` what reached the model behind it."""

    origin: str
    calls: list[Call]
    ledger: Ledger

    @property
    def base_url(self) -> str:
        """The address that the documents give."""
        return f"{self.origin}/v1"

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        """The bodies of the calls for completions, the preflight's among them."""
        return [call.body for call in self.calls if call.path.endswith("/completions")]

    @property
    def prompts(self) -> list[Mapping[str, Any]]:
        """The bodies of the calls for rows."""
        return [body for body in self.asked if not is_trial(body)]


@asynccontextmanager
async def local(*shapes: Shape, **behaviour: Any) -> AsyncIterator[Local]:
    """A server of these shapes, the first that has an answer gives it, in front of a fault server that behaves so."""
    calls: list[Call] = []

    async with FaultServer(Behaviour(**behaviour)) as behind, aiohttp.ClientSession() as session:

        async def answer(request: web.Request) -> web.StreamResponse:
            """In the server's own way, or as the fault server does."""
            data = await request.read()
            headers = {"Authorization": request.headers.get("Authorization", "")}
            body = json.loads(data) if data else {}
            calls.append(Call(request.path, headers["Authorization"], body))
            for shape in shapes:
                said = shape(request, body)
                if isinstance(said, web.Response):
                    return said
                if said is not None:
                    await said
            url = f"{behind.base_url.removesuffix('/v1')}{request.path}"
            async with session.request(request.method, url, data=data, headers=headers) as reply:
                return web.Response(body=await reply.read(), status=reply.status, content_type=reply.content_type)

        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Local(f"http://127.0.0.1:{runner.addresses[0][1]}", calls, behind.ledger)
        finally:
            await runner.cleanup()


def failure(status: int, message: str, kind: str, **more: Any) -> web.Response:
    """An error in OpenAI's envelope."""
    return web.json_response({"error": {"message": message, "type": kind, **more}}, status=status)


def vllm(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
    """One model; FastAPI's 404 for an address that is none."""
    if not request.path.startswith("/v1/"):
        return web.json_response({"detail": "Not Found"}, status=404)
    if "model" in body and body["model"] != SERVERS["vLLM"].models[0]:
        message = f"The model `{body['model']}` does not exist."
        return failure(404, message, "NotFoundError", param="model", code=404)
    return None


def ollama(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
    """A bare text at an address that is none; a model must have been pulled."""
    if not request.path.startswith("/v1/"):
        return web.Response(text="404 page not found", status=404)
    if "model" in body and body["model"] not in SERVERS["Ollama"].models:
        return failure(404, f"model '{body['model']}' not found", "not_found_error", param=None, code=None)
    return None


def llama_cpp(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
    """For any requested model, on the fault server."""
    return None


def lm_studio(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
    """Status 200 where nothing is; JSON mode is refused; models are those that are downloaded."""
    if not request.path.startswith("/v1/"):
        return web.json_response({"error": f"Unexpected endpoint or method. ({request.method} {request.path})"})
    if body.get("response_format", {}).get("type") == "json_object":
        return web.json_response({"error": "'response_format.type' must be 'json_schema' or 'text'"}, status=400)
    if "model" in body and body["model"] not in SERVERS["LM Studio"].models:
        return failure(404, f"Model {body['model']!r} not found", "invalid_request_error", code="model_not_found")
    return None


class Server(NamedTuple):
    """A server of the documents: its shape, and the models that it lists, the documents' own the last of them."""

    shape: Shape
    models: tuple[str, ...]


SERVERS = {
    "vLLM": Server(vllm, ("Qwen/Qwen3-4B-Instruct-2507",)),
    "Ollama": Server(ollama, ("llama3.2:1b", "gemma3:4b")),
    "llama.cpp": Server(llama_cpp, ("ggml-org/gemma-3-4b-it-GGUF",)),
    "LM Studio": Server(lm_studio, ("text-embedding-nomic-embed-text-v1.5", "qwen/qwen3-4b-2507")),
}


def served(name: str, *shapes: Shape, **behaviour: Any) -> Any:
    """A server of the documents, with ways of the moment before its own."""
    return local(*shapes, SERVERS[name].shape, models=SERVERS[name].models, **behaviour)


async def grow(folder: Path, source: Path | str = SEEDS, **options: Any) -> Summary:
    """The summary of a run that met its quota."""
    run = await api.run_async(source, **{"rows": ROWS, "out": folder / "out", **options})
    assert (run.summary.stopped, run.summary.accepted) == ("done", options.get("rows", ROWS))
    return run.summary


# ---- The documents ----


def commands(text: str, program: str = "selfinstruct") -> list[str]:
    """The indented lines of a page that call a program, without their comments."""
    return [shlex.join(shlex.split(line, comments=True)) for line in re.findall(rf"^    ({program} .*)$", text, re.M)]


def table() -> dict[str, tuple[str, str]]:
    """README's table: server -> how it is started, and the run."""
    rows = re.findall(r"^\| ([^|]+) \| `([^`]+)` \| `([^`]+)` \|$", README, re.MULTILINE)
    return {name: (start, run) for name, start, run in rows}


def option(command: str, name: str) -> str | None:
    """The value of a command's option; None where it has none."""
    words = shlex.split(command)
    return words[words.index(name) + 1] if name in words else None


def completed(block: str, folder: Path, rows_per_request: int = 20) -> str:
    """A block of the page with the rest of a recipe, as ``init`` infers it, before it."""
    recipe = infer(read_rows(SEEDS)).recipe
    prompt = recipe.prompt.model_copy(update={"rows_per_request": rows_per_request})
    return f"{to_toml(recipe.model_copy(update={'prompt': prompt}), {}, folder)}\n{block}"


def written(block: str, folder: Path, **options: Any) -> Path:
    """The same as a file."""
    path = folder / "recipe.toml"
    path.write_text(completed(block, folder, **options))
    return path


def test_readme_and_the_page_give_the_same_commands() -> None:
    """Each server of README's table has a section, whose commands are the table's, word for word."""
    assert list(table()) == list(SERVERS)
    for name, (start, run) in table().items():
        assert f"\n    {start}\n" in SECTIONS[name]
        assert commands(SECTIONS[name]) == [run]


def test_what_is_started_is_what_is_asked() -> None:
    """A command asks at the port, for the model and with as many calls as the one before it starts."""
    for name, (start, run) in table().items():
        port = urlsplit(option(run, "--base-url") or "").port
        assert port == int(option(start, "--port") or {"vLLM": 8_000, "Ollama": 11_434}[name])
        assert option(start, "-np") in (None, option(run, "--concurrency"))
        for pulled in re.findall(r"(?:ollama pull|lms load) (\S+)", SECTIONS[name]):
            assert pulled == option(run, "--model")
    lms = re.search(r"`(lms load [^`]+)`", SECTIONS["LM Studio"])
    assert lms and option(lms[1], "--parallel") == option(table()["LM Studio"][1], "--concurrency")
    assert tomllib.loads(BLOCKS[0])["model"]["base_url"] == option(table()["vLLM"][1], "--base-url")


@pytest.mark.parametrize("name", SERVERS)
async def test_a_documented_command_grows_the_rows(name: str, tmp_path: Path) -> None:
    """As it stands but for the port: the model that the page names, no key, the calls at once that it allows."""
    command = table()[name][1]
    address = urlsplit(option(command, "--base-url") or "")
    shutil.copy(SEEDS, tmp_path / "my-seeds.jsonl")
    environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    async with served(name, latency=0.1) as server:
        words = shlex.split(command.replace(f"{address.scheme}://{address.netloc}", server.origin))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *words, "--rows", str(ROWS)),
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    out = tmp_path / "outputs" / "my-seeds"
    assert (out / "rows.jsonl").read_bytes().count(b"\n") == ROWS
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["stopped"], summary["failed"], summary["notes"]) == ("done", {}, [])
    listing = [] if "--model" in words else ["/v1/models"]
    assert [call.path for call in server.calls] == listing + [COMPLETIONS] * len(server.asked)
    assert {call.authorization for call in server.calls} == {"Bearer no-key-needed"}
    assert {body["model"] for body in server.asked} == {SERVERS[name].models[-1]}
    assert {body["response_format"]["type"] for body in server.asked} == {"json_schema"}
    assert len({body["seed"] for body in server.asked}) == len(server.asked) > len(summary["categories"])
    assert 1 < server.ledger.peak <= int(option(command, "--concurrency") or 16)


# ---- Recipes ----


def test_every_recipe_of_the_page_is_read(tmp_path: Path) -> None:
    """Each block, with the rest of a recipe, is one, and says what it says."""
    assert len(BLOCKS) == PAGE.count("```toml")
    for block in BLOCKS:
        said = tomllib.loads(block)
        tables = said.get("models") or [said["model"]]
        authors = parse_recipe(completed(block, tmp_path), "recipe.toml", tmp_path).all_models
        assert [author.model_dump(exclude_unset=True) for author in authors] == tables


def test_the_keys_and_addresses_of_the_page_are_those_that_a_recipe_takes() -> None:
    """The table of keys is the model's, with its defaults; each hosted endpoint's address and variable is one."""
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", PAGE.partition("## ")[0], re.MULTILINE)
    said = {key: meaning for keys, meaning in rows for key in re.findall(r"`(\w+)`", keys)}
    assert said.keys() == Model.model_fields.keys() - {"weight"}
    assert f"(default: {Model.model_fields['concurrency'].default})" in said["concurrency"]
    assert f"(default: `{Model.model_fields['api_key_env'].default}`)" in said["api_key_env"]
    hosted = re.findall(r"^\| \w[^|]* \|(?: `([^`]+)`)? \| `(\w+_KEY)` \|", SECTIONS["Hosted endpoints"], re.MULTILINE)
    assert len(hosted) == 4
    for base_url, variable in hosted:
        assert Model(name="m", base_url=base_url or None, api_key_env=variable).api_key_env == variable


async def test_the_recipe_for_vllm_runs(tmp_path: Path) -> None:
    """The model that is served is asked, and replies are bounded as it says, those under a budget too."""
    async with served("vLLM") as server:
        recipe = written(BLOCKS[0], tmp_path)
        await grow(tmp_path, recipe, base_url=server.base_url, max_tokens=200_000)
    assert {body["model"] for body in server.asked} == set(SERVERS["vLLM"].models)
    assert {body["max_tokens"] for body in server.prompts} == {4_096}


async def test_the_recipe_for_several_shares_the_prompts_out(tmp_path: Path) -> None:
    """Three prompts in four go to the one, each row is credited to its model, and the summary counts both."""
    async with served("vLLM") as first, served("Ollama") as second:
        block = BLOCKS[2].replace("http://127.0.0.1:8000", first.origin)
        block = block.replace("http://192.168.1.20:11434", second.origin)
        summary = await grow(tmp_path, written(block, tmp_path, rows_per_request=5), rows=160)
    assert abs(len(first.prompts) - 3 * len(second.prompts)) <= 3
    models = summary.models
    assert list(models) == [SERVERS["vLLM"].models[0], SERVERS["Ollama"].models[-1]]
    assert [bill.requests for bill in models.values()] == [len(first.asked), len(second.asked)]
    assert sum(bill.accepted for bill in models.values()) == 160
    assert all(bill.accepted and bill.tokens.output for bill in models.values())


async def test_the_hosted_recipe_counts_money(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key comes from OPENAI_API_KEY; tokens cost what the recipe says; a budget bounds replies as the page says."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test-and-no-one-else")
    async with local(models=("gpt-4.1-mini",), any_model=False, key="sk-of-a-test-and-no-one-else") as server:
        summary = await grow(tmp_path, written(BLOCKS[3], tmp_path), base_url=server.base_url, budget=5)
    price = tomllib.loads(BLOCKS[3])["model"]["price"]
    spent = sum(each.input * price["input"] + each.output * price["output"] for each in server.ledger.billed) / 1e6
    assert summary.cost == pytest.approx(spent)
    bound = re.search(r"`--budget` limit replies to ([0-9,]+) tokens unless", PAGE)
    assert bound and max(body["max_tokens"] for body in server.prompts) <= int(bound[1].replace(",", ""))


def test_the_commands_of_what_it_costs_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run calls nothing; each limit takes the run on; the recording is judged again and serves as a model."""
    listed = [command for command in commands(SECTIONS["Cost"]) if "--batch" not in command]  # which takes a while
    assert ["--dry-run" in listed[0], "--budget" in listed[1], " rejudge " in listed[4]] == [True] * 3
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # One call at a time: the recording is then planned again just as it was.
    block = '[quota]\nrows = 24\n[model]\nname = "default"\nconcurrency = 1\nprice = { input = 0.4, output = 1.6 }\n'
    recipe = re.sub(r"\[quota\]\n(?:[^\[\n]*\n)+", "", completed("", tmp_path)) + block

    def calls() -> int:
        """How many requests for completions there have been."""
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/ledger") as reply:
            return int(json.load(reply).get("requests", 0))

    with server_process() as url:
        Path("recipe.toml").write_text(f'{recipe}base_url = "{url}"\n')
        made = []
        for command in listed:
            assert main(shlex.split(command)[1:]) == 0, command
            made.append(calls())
        assert made[0] == 0 < made[1]
        assert made[3:] == made[3:4] * 3
    assert Path("outputs/logqa/rows.jsonl").read_bytes().count(b"\n") == 24
    assert Path("outputs/again/rows.jsonl").read_bytes() == Path("outputs/logqa/rows.jsonl").read_bytes()


# ---- What each does in its own way ----


def demonstrations(body: Mapping[str, Any]) -> int:
    """How many rows a prompt shows."""
    return str(body["messages"][-1]["content"]).count("\n{")


@pytest.mark.parametrize(("name", "left"), [("vLLM", "json_object"), ("LM Studio", "plain text")])
async def test_what_is_refused_of_the_form_is_found_by_the_first_call(name: str, left: str, tmp_path: Path) -> None:
    """JSON schema, then a JSON object, which LM Studio refuses in its own words, then text; the summary says it."""
    async with served(name, refuses=frozenset({"json_schema"})) as server:
        summary = await grow(tmp_path, model=SERVERS[name].models[-1], base_url=server.base_url)
    formats = [body.get("response_format", {"type": "plain text"})["type"] for body in server.asked]
    steps = ["json_schema", "json_object", "plain text"]
    tried = steps[: steps.index(left) + 1]
    assert formats == tried + [left] * len(server.prompts)
    assert [note.rpartition("requesting replies as ")[2] for note in summary.notes] == tried[1:]
    assert summary.failed == {}


async def test_a_server_that_loads_its_model_is_waited_for(tmp_path: Path) -> None:
    """llama.cpp's 503 while it loads, to the list of models and then to the first call, costs no row."""
    left = {"/v1/models": 2, COMPLETIONS: 2}

    def loading(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
        """Not ready yet."""
        left[request.path] -= 1
        return failure(503, "Loading model", "unavailable_error", code=503) if left[request.path] >= 0 else None

    async with served("llama.cpp", loading) as server:
        summary = await grow(tmp_path, base_url=server.base_url)
    assert (summary.failed, len(server.asked)) == ({}, len(server.prompts) + 3)


async def test_a_model_that_is_loaded_by_the_first_call_gets_the_time(tmp_path: Path) -> None:
    """Ollama loads the model during the first call, which is not given up for its silence."""
    loaded = asyncio.Event()

    async def loading(request: web.Request, body: Mapping[str, Any]) -> None:
        """A load, which ends without a model where the client leaves."""
        if not loaded.is_set():
            await asyncio.sleep(0.3)
            loaded.set()

    async with served("Ollama", loading) as server:
        backend = await OpenAIBackend.connect(
            Model(name="gemma3:4b", base_url=server.base_url),
            settings=EndpointSettings(preflight=PreflightSettings(silent=0.1)),
        )
        summary = await grow(tmp_path, backend=backend)
    assert len(server.asked) - len(server.prompts) > 1
    assert summary.failed == {}


async def test_llama_cpp_answers_for_any_requested_model(tmp_path: Path) -> None:
    """A name that it does not list is no error, and rows are credited to it."""
    async with served("llama.cpp") as server:
        summary = await grow(tmp_path, model="another-one", base_url=server.base_url)
    assert {body["model"] for body in server.asked} == set(summary.models) == {"another-one"}


async def test_a_prompt_that_does_not_fit_brings_fewer_demonstrations(tmp_path: Path) -> None:
    """llama.cpp's refusal is a failure each; from then on half as many are shown, until they fit."""

    def small(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
        """A context that is too small for more than two demonstrations and what is around them."""
        if "messages" not in body or demonstrations(body) <= 2:
            return None
        tokens = sum(estimate_tokens(message["content"]) for message in body["messages"])
        message = f"request ({tokens} tokens) exceeds the available context size (256 tokens), try increasing it"
        return failure(400, message, "exceed_context_size_error", code=400, n_prompt_tokens=tokens, n_ctx=256)

    async with served("llama.cpp", small) as server:
        recipe = written("", tmp_path, rows_per_request=5)
        summary = await grow(tmp_path, recipe, base_url=server.base_url, rows=120, concurrency=4)
    shown = [demonstrations(body) for body in server.prompts]
    refused = [count for count in shown if count > 2]
    assert summary.failed == {"context": len(refused)}
    assert 0 < len(refused) < len(shown) / 2 and shown[-1] <= 2
    assert any("demonstrations are too long for the model" in note for note in summary.notes)


async def test_cut_prompts_are_noticed_and_told(tmp_path: Path) -> None:
    """Ollama's few tokens counted for a long prompt, and no rows: fewer demonstrations, and how many in the notes."""
    async with served("Ollama", faults={"context:cut": 1.0}) as server:
        recipe = written("", tmp_path, rows_per_request=5)
        options: dict[str, Any] = {"base_url": server.base_url, "model": "gemma3:4b", "concurrency": 2}
        summary = await grow(tmp_path, recipe, rows=120, **options)
    cut = server.ledger.counts["context:cut"]
    assert summary.failed == {"context": cut}
    assert 0 < cut < len(server.prompts) / 2
    assert f"gemma3:4b: the endpoint seems to have truncated {cut} prompts" in summary.notes
    assert any("demonstrations are too long for the model" in note for note in summary.notes)


async def test_a_full_queue_is_waited_out(tmp_path: Path) -> None:
    """Ollama's 503 past its longest queue: each such call is made again, and none is lost."""
    sent: Counter[int] = Counter()

    def busy(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
        """Every other prompt is one too many when it first comes."""
        if "messages" not in body or is_trial(body):
            return None
        sent[body["seed"]] += 1
        if sent[body["seed"]] > 1 or len(sent) % 2:
            return None
        return failure(503, "server busy, please try again.  maximum pending requests exceeded", "api_error")

    async with served("Ollama", busy) as server:
        summary = await grow(tmp_path, model="gemma3:4b", base_url=server.base_url)
    assert set(sent.values()) == {1, 2}
    assert summary.failed == {}


async def test_reasoning_beside_the_reply_is_in_no_row(tmp_path: Path) -> None:
    """llama.cpp's ``reasoning_content`` is left where it is."""
    async with served("llama.cpp", faults={"reasoning:field": 1.0}) as server:
        summary = await grow(tmp_path, base_url=server.base_url)
    assert server.ledger.counts["reasoning:field"] == len(server.asked)
    assert (summary.failed, summary.rejected.get("schema")) == ({}, None)


async def refusal(folder: Path, **options: Any) -> EndpointError:
    """What ends a run before its first row, or with none."""
    with pytest.raises(EndpointError) as caught:
        await api.run_async(SEEDS, rows=ROWS, out=folder / "out", **options)
    return caught.value


@pytest.mark.parametrize("name", ["vLLM", "Ollama", "LM Studio"])
async def test_a_model_that_is_not_there_is_told_with_those_that_are(name: str, tmp_path: Path) -> None:
    """One call; for any wording of the error, the hint lists the server's models that can write."""
    async with served(name) as server:
        error = await refusal(tmp_path, model="nowhere", base_url=server.base_url)
    assert "no such model" in str(error)
    writers = [each for each in SERVERS[name].models if "embedding" not in each]
    assert f"the endpoint has: {', '.join(writers)}." in error.hint
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("vLLM", True),
        ("vLLM", False),
        ("Ollama", True),
        ("Ollama", False),
        ("LM Studio", True),
        ("LM Studio", False),
    ],
)
async def test_the_error_for_an_address_without_v1_names_the_right_one(name: str, named: bool, tmp_path: Path) -> None:
    """For any answer at a wrong path, the hint is the right base URL; no files are written."""
    async with served(name) as server:
        model = SERVERS[name].models[-1] if named else None
        error = await refusal(tmp_path, model=model, base_url=server.origin)
    assert f'`base_url="{server.base_url}"`' in error.hint
    assert not (tmp_path / "out").exists()


async def test_a_bound_of_replies_beyond_the_context_is_lowered(tmp_path: Path) -> None:
    """A prompt and ``max_tokens`` that do not fit together are refused by vLLM: it becomes what fits, with a note."""

    def bounded(request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
        """A context of 4,096 tokens, of which the prompt takes 700."""
        if body.get("max_tokens", 0) <= 4_096 - 700:
            return None
        message = (
            "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 4096 "
            "tokens and your request has 700 input tokens (4096 > 4096 - 700)."
        )
        return failure(400, message, "BadRequestError", param="max_tokens", code=400)

    async with served("vLLM", bounded) as server:
        run = await api.run_async(
            written(BLOCKS[0], tmp_path), rows=100, out=tmp_path / "out", base_url=server.base_url
        )
    assert run.summary.stopped == "done"
    (note,) = run.summary.notes
    assert "rejects max_tokens" in note and note.endswith("using 2,972")


async def test_a_server_that_was_given_a_key_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of vLLM with ``--api-key``: without the key the error names OPENAI_API_KEY, with it there the run runs."""
    async with served("vLLM", key="token-of-a-test") as server:
        assert "OPENAI_API_KEY" in (await refusal(tmp_path, base_url=server.base_url)).hint
        monkeypatch.setenv("OPENAI_API_KEY", "token-of-a-test")
        await grow(tmp_path, base_url=server.base_url)
