"""Runs from upload to deletion, grown by child processes of a service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.service.queue import next_job, order
from selfinstruct.service.service import Service
from selfinstruct.service.settings import Settings
from selfinstruct.service.store import Job
from tests.service.conftest import Client

SEEDS = Path("seeds/logqa.jsonl").read_bytes()


async def upload(client: Client, data: bytes, name: str = "logqa.jsonl") -> str:
    """Upload a file and return its id."""
    headers = {"Content-Type": "application/octet-stream"}
    answer = await client.post("/v1/files", params={"name": name}, data=data, headers=headers)
    assert answer.status == 201, await answer.text()
    found: str = (await answer.json())["id"]
    return found


async def create(client: Client, source: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Create a run."""
    answer = await client.post("/v1/runs", json={"source": source}, headers=headers)
    assert answer.status == 202, await answer.text()
    run: dict[str, Any] = await answer.json()
    assert answer.headers["Location"] == f"/v1/runs/{run['id']}"
    return run


async def ended(client: Client, run: str, seconds: float = 60) -> dict[str, Any]:
    """The run, once it neither grows nor waits."""
    async with asyncio.timeout(seconds):
        while True:
            found: dict[str, Any] = await (await client.get(f"/v1/runs/{run}")).json()
            if found["state"] not in ("queued", "running"):
                return found
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_run_from_upload_to_deletion(client: Client, settings: Settings) -> None:
    """Uploaded rows are previewed, grown, followed, grown further, and deleted with a confirmation."""
    file = await upload(client, SEEDS)
    answer = await client.post("/v1/previews", json={"file": file, "rows": 12})
    preview = await answer.json()
    assert answer.status == 200, preview
    assert preview["name"] == "logqa" and preview["seeds"] == 10 and preview["messages"] is None
    assert [field["name"] for field in preview["fields"]] == ["Question", "Answer", "RawLog"]
    assert sum(each["quota"] for each in preview["categories"]) == 12
    assert f'file = "upload:{file}.jsonl"' in preview["toml"]

    run = await create(client, {"toml": preview["toml"]})
    assert (run["name"], run["origin"], run["user"]) == ("logqa", "service", "owner")
    stream = await client.get(f"/v1/runs/{run['id']}/events")
    assert stream.content_type == "text/event-stream"
    events = (await stream.text()).strip().split("\n\n")
    assert events[-1].split("\n")[1] == "event: end"
    last = json.loads(events[-1].split("\n")[2].removeprefix("data: "))
    assert (last["state"], last["accepted"], last["candidates"] >= 12) == ("done", 12, True)
    assert last == await ended(client, run["id"])

    assert (await client.post(f"/v1/runs/{run['id']}/grow", json={"rows": 20})).status == 202
    assert (await ended(client, run["id"]))["accepted"] == 20
    rows = (settings.root / run["id"] / "rows.jsonl").read_text().splitlines()
    assert len(rows) == len(set(rows)) == 20

    recipe = await (await client.get(f"/v1/runs/{run['id']}/recipe")).json()
    assert f'file = "upload:{file}.jsonl"' in recipe["toml"] and str(settings.root) not in recipe["toml"]
    assert (await client.delete(f"/v1/files/{file}")).status == 204
    assert (await client.delete(f"/v1/runs/{run['id']}?token=guess")).status == 403
    asked = await (await client.post(f"/v1/runs/{run['id']}/deletion")).json()
    assert (await client.delete(f"/v1/runs/{run['id']}", params={"token": asked["token"]})).status == 204
    assert (await client.get(f"/v1/runs/{run['id']}")).status == 404
    assert not (settings.root / run["id"]).exists() and not list((settings.own / "inputs").iterdir())


@pytest.fixture
def full(service: Service) -> Iterator[None]:
    """A service all of whose places are taken, so that every run waits."""
    service.jobs._closed = True
    yield
    service.jobs._closed = False


@pytest.mark.usefixtures("full")
async def test_an_idempotency_key_creates_one_run(client: Client) -> None:
    """Repeated requests with a key, also at the same moment, create one run; the key of another request is refused."""
    source = {"recipe": "logqa", "rows": 5}
    headers = {"Idempotency-Key": "k1"}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(create(client, source, **headers)) for _ in range(5)]
    assert len({task.result()["id"] for task in tasks}) == 1
    assert (await create(client, source))["id"] != tasks[0].result()["id"]
    other = await client.post("/v1/runs", json={"source": {**source, "rows": 6}}, headers=headers)
    assert (other.status, (await other.json())["type"]) == (422, "urn:selfinstruct:problem:idempotency-key")
    assert (await client.post("/v1/runs", json={"source": source}, headers={"Idempotency-Key": "a b"})).status == 422
    assert len((await (await client.get("/v1/runs")).json())["runs"]) == 2


@pytest.mark.usefixtures("full")
async def test_a_waiting_run_is_cancelled_and_queued_again(client: Client, settings: Settings) -> None:
    """A run that waits tells its place; it can be cancelled, then resumed at the end of the queue, then deleted."""
    first, second = [await create(client, {"recipe": "logqa", "rows": 5}) for _ in range(2)]
    assert (first["state"], first["position"], second["position"]) == ("queued", 1, 2)
    path = f"/v1/runs/{first['id']}"
    assert (await client.post(f"{path}/resume")).status == 409
    assert (await client.post(f"{path}/deletion")).status == 200
    cancelled = await client.post(f"{path}/cancel")
    assert (cancelled.status, (await cancelled.json())["state"]) == (202, "cancelled")
    assert (await client.post(f"{path}/cancel")).status == 409
    resumed = await (await client.post(f"{path}/resume")).json()
    assert (resumed["state"], resumed["position"], resumed["created"]) == ("queued", 2, first["created"])
    settings.limits.__dict__["jobs"] = 2
    full = await client.post("/v1/runs", json={"source": {"recipe": "logqa"}})
    assert (full.status, full.headers["Retry-After"]) == (429, "60")
    assert (await client.get("/v1/runs?limit=1")).status == 200


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"recipe": "no-such"},
        {"recipe": "../logqa"},
        {"recipe": "logqa", "toml": "name = 'x'"},
        {"recipe": "logqa", "rows": 10**7},
        {"recipe": "logqa", "rows": 1, "per_category": 1},
        {"recipe": "logqa", "rows": "5"},
        {"recipe": "logqa", "rows": True},
        {"recipe": "logqa", "endpoint": "none"},
        {"recipe": "logqa", "model": "gpt"},
        {"recipe": "logqa", "budget": 1.0},
        {"recipe": "logqa", "base_url": "http://evil.example"},
        {"file": "a" * 16},
        {"toml": "[seeds]\nfile = 'upload:aaaaaaaaaaaaaaaa'"},
    ],
)
async def test_a_source_that_cannot_be_used_is_refused(client: Client, source: dict[str, Any]) -> None:
    """What names nothing, two things, or what there is not, creates nothing."""
    for path, body in (("/v1/runs", {"source": source}), ("/v1/previews", source)):
        answer = await client.post(path, json=body)
        assert (answer.status, answer.content_type) == (422, "application/problem+json"), await answer.text()
    assert (await (await client.get("/v1/runs")).json())["runs"] == []


async def test_an_upload_is_bytes_under_an_id_of_the_service(client: Client, settings: Settings) -> None:
    """The name of an upload is shown and no more; a larger one, another type, and another id are refused."""
    file = await upload(client, b"x", "../../etc/p\x1b[31masswd\u202e.jsonl")
    found = await (await client.get(f"/v1/files/{file}")).json()
    assert (found["name"], found["bytes"]) == ("p[31masswd.jsonl", 1)
    assert [each.name for each in (settings.own / "uploads").iterdir()] == [file]
    for other in ("..%2Fjobs.sqlite", file[:-1], file.upper(), "jobs.sqlite"):
        assert (await client.get(f"/v1/files/{other}")).status == 404
    assert (await client.post("/v1/files", data=b"x", headers={"Content-Type": "text/plain"})).status == 415
    settings.limits.__dict__["upload_bytes"] = 10
    headers = {"Content-Type": "application/octet-stream"}

    async def chunks() -> AsyncIterator[bytes]:
        """A body of an unknown length."""
        for _ in range(3):
            yield b"12345"

    for data in (b"12345678901", chunks()):
        assert (await client.post("/v1/files", data=data, headers=headers)).status == 413
    assert [each.name for each in (settings.own / "uploads").iterdir()] == [file]


def _job(number: int, user: str) -> Job:
    return Job(number, f"r{number}", user, "", "queued", {}, None)


def test_nobody_waits_behind_all_runs_of_another_user() -> None:
    """Users take turns, whoever asked for more; within a user, the first one asked for is the first."""
    waiting = [*(_job(number, "anna") for number in range(1, 5)), _job(5, "ben"), _job(6, "cid"), _job(7, "ben")]
    assert order(waiting, [], {}) == ["r1", "r5", "r6", "r2", "r7", "r3", "r4"]
    assert order(waiting, ["ben"], {"ben": 1}) == ["r1", "r6", "r2", "r3", "r4", "r5", "r7"]
    assert next_job([], ["anna"], {}) is None


@pytest.mark.slow
async def test_a_run_of_the_command_line_grows_further_here(client: Client, settings: Settings) -> None:
    """A run that another process made, whose seed file has gone, grows here from its journal."""
    seeds = settings.root.parent / "mine.jsonl"
    for name, rows in (("short", 20), ("whole", 60)):
        seeds.write_bytes(SEEDS)
        await api.run_async(seeds, rows=rows, out=settings.root / name)
    seeds.unlink()
    grown = await client.post("/v1/runs/short/grow", json={"rows": 60})
    assert grown.status == 202, await grown.text()
    found = await ended(client, "short")
    assert (found["state"], found["accepted"], found["origin"]) == ("done", 60, "command line"), found
    grown_here, there = (
        set((settings.root / name / "rows.jsonl").read_text().splitlines()) for name in ("short", "whole")
    )
    assert len(grown_here) == 60 and len(grown_here & there) >= 20


@pytest.mark.slow
async def test_a_recipe_of_a_request_reaches_nothing(client: Client, settings: Settings) -> None:
    """Code, files outside, standard input, endpoints and keys in the text of a recipe are refused, with the line."""
    secret = settings.root.parent / "secret.jsonl"
    secret.write_bytes(SEEDS)
    (settings.root.parent / "evil.py").write_text(f"open({str(settings.root / 'pwned')!r}, 'w')\ndef check(*_): pass\n")
    file = await upload(client, SEEDS)
    head = f'name = "x"\n[seeds]\nfile = "upload:{file}"\n[fields.Question]\n[fields.Answer]\n[fields.RawLog]\n'
    quota, said = "[quota]\nrows = 3\n", dict[str, Any]()
    for text, problem in (
        (f'{head}{quota}[checks]\nuse = ["evil:check"]\n', "extensions are not allowed"),
        (f'backend = "evil:check"\n{head}{quota}', "extensions are not allowed"),
        (f'{head}{quota}[categories]\nby = "evil:check"\n', "extensions are not allowed"),
        (head.replace(f"upload:{file}", str(secret)) + quota, "names a file"),
        (head.replace(f"upload:{file}", "../../../secret.jsonl") + quota, "names a file"),
        (head.replace(f"upload:{file}", "-") + quota, "names a file"),
        (f'{head}{quota}[documents]\nfiles = ["/etc/*"]\n', ""),
        (f'{head}{quota}[model]\nname = "m"\nbase_url = "http://evil.example/v1"\n', "model.base_url is not allowed"),
        (f'{head}{quota}[model]\nname = "m"\napi_key_env = "AWS_SECRET_ACCESS_KEY"\n', "api_key_env is not allowed"),
        (f"{head}[quota]\nrows = 2000000\n", "the service allows 1,000,000"),
        (f"{head}[quota]\nrows = = 3\n", ""),
        (f"{head}{quota}[novelty]\nmax_rouge_l = 7\n", "max_rouge_l"),
    ):
        answer = await client.post("/v1/previews", json={"toml": text})
        said = await answer.json()
        assert (answer.status, problem in said["detail"]) == (422, True), (text, said)
        assert str(settings.root) not in json.dumps(said) and "evil.example" not in said["detail"]
    assert said["errors"][0]["line"] == 10 and "max_rouge_l" in said["errors"][0]["message"]
    as_upload = await upload(client, f'{head}{quota}[checks]\nuse = ["evil:check"]\n'.encode(), "recipe.toml")
    answer = await client.post("/v1/previews", json={"file": as_upload})
    assert answer.status == 422 and "extensions are not allowed" in (await answer.json())["detail"]
    assert not (settings.root / "pwned").exists()
    chinese = await client.post("/v1/previews", json={"toml": "x = 1"}, headers={"Accept-Language": "zh"})
    assert any("\u4e00" <= character <= "\u9fff" for character in (await chinese.json())["detail"])
