"""Downloads, reports and file jobs over HTTP, made in child processes."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.api.evaluation import evaluate
from selfinstruct.journal import waiting
from selfinstruct.service import settling
from selfinstruct.service.service import Service
from selfinstruct.service.settings import Settings
from tests.service.conftest import Client


@pytest.fixture
async def run(settings: Settings) -> Path:
    """A run of 30 rows."""
    return (await api.run_async("seeds/tickets.csv", rows=30, out=settings.root / "mine")).directory


async def post(client: Client, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """The JSON of an answer with this status."""
    answer = await client.post(path, json=body)
    assert answer.status == status, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def upload(client: Client, name: str, data: bytes) -> str:
    """Upload a file and return its id."""
    headers = {"Content-Type": "application/octet-stream"}
    answer = await client.post(f"/v1/files?name={name}", data=data, headers=headers)
    assert answer.status == 201, await answer.text()
    found: str = (await answer.json())["id"]
    return found


def first_lines(path: str, count: int) -> str:
    """The first lines of a file."""
    return "".join(Path(path).read_text(encoding="utf-8").splitlines(keepends=True)[:count])


async def test_an_export_is_a_file_that_can_be_resumed_and_follows_decisions(client: Client, run: Path) -> None:
    """The bytes are those of the library; parts and the ETag work; a decision gives another file."""
    answer = await client.get("/v1/runs/mine/export")
    whole, etag = await answer.read(), answer.headers["ETag"]
    assert whole == (run / "rows.jsonl").read_bytes()
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="mine.jsonl"')
    part = await client.get("/v1/runs/mine/export", headers={"Range": "bytes=10-19"})
    assert (part.status, await part.read()) == (206, whole[10:20])
    same = await client.get("/v1/runs/mine/export", headers={"If-None-Match": etag})
    assert same.status == 304
    assert (await client.get("/v1/runs/mine/export", headers={"Range": "bytes=999999-"})).status == 416
    await post(client, "/v1/runs/mine/decisions", {"row": "1", "action": "reject"}, 201)
    less = await (await client.get("/v1/runs/mine/export?format=jsonl")).read()
    assert less == whole.partition(b"\n")[2]
    split = await client.get("/v1/runs/mine/export?split=0.8,0.2")
    with zipfile.ZipFile(io.BytesIO(await split.read())) as archive:
        lines = [line for name in ("train", "test") for line in archive.read(f"data/{name}.jsonl").splitlines()]
    assert len(lines) == 29
    for query in ("format=exe", "split=0.5", "split=a=b", "best=0", "mix=/etc/passwd"):
        assert (await client.get(f"/v1/runs/mine/export?{query}")).status == 422, query


async def test_the_report_is_a_page_in_a_sandbox(client: Client, run: Path) -> None:
    """It counts decisions, and its policy allows its own script and nothing else."""
    await post(client, "/v1/runs/mine/decisions", {"row": "1", "action": "reject"}, 201)
    answer = await client.get("/v1/runs/mine/report")
    assert answer.content_type == "text/html"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-scripts" in policy
    assert "unsafe" not in policy
    page = await answer.text()
    assert "A person judged 1 row" in page
    again = await client.get("/v1/runs/mine/report", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    for source in policy.replace(";", " ").split():
        assert not source.startswith("'sha256-") or source.strip("'") in page


async def test_files_are_checked_and_cleaned(client: Client, run: Path) -> None:
    """Findings and kept rows are those of the library; a recipe that would read a file or run code is refused."""
    rows = (run / "rows.jsonl").read_bytes()
    file = await upload(client, "rows.jsonl", rows + rows.partition(b"\n")[0] + b"\n")
    found = await post(client, "/v1/checks", {"file": file})
    assert "duplicate" in [finding["reason"] for finding in found["findings"]]
    for toml in ('[checks]\nuse = ["os:system"]', '[seeds]\nfile = "/etc/passwd"', "no toml ="):
        refused = await client.post("/v1/checks", json={"file": file, "toml": toml})
        assert refused.status == 422, toml
        assert str(run.parent) not in await refused.text()
    done = await post(client, "/v1/dedup", {"file": file, "max_rouge_l": 1.0})
    assert done["kept"] == done["rows"] - done["dropped"]
    assert done["file"]["name"] == "rows-kept.jsonl"
    await post(client, "/v1/dedup", {"file": "a" * 16}, 404)


@pytest.mark.slow
async def test_a_run_is_judged_again_and_compared(client: Client, run: Path, settings: Settings) -> None:
    """A stricter recipe shows what it would refuse; two runs stand side by side; the run itself does not change."""
    before = (run / "run.sqlite").read_bytes()
    assert (await post(client, "/v1/runs/mine/rejudge", {}))["identical"]
    toml = (await (await client.get("/v1/runs/mine/recipe")).json())["toml"]
    strict = await post(client, "/v1/runs/mine/rejudge", {"toml": toml.replace('"seeds"', "0.3")})
    assert strict["after"]["accepted"] < 30
    await post(client, "/v1/runs/mine/rejudge", {"toml": "[checks]\nuse = ['os:system']"}, 422)
    await api.run_async("seeds/tickets.csv", rows=8, out=settings.root / "other")
    found = await (await client.get("/v1/comparison?first=mine&second=other")).json()
    assert found["runs"] == ["tickets", "tickets"]
    assert any(line["first"] == 30 and line["second"] == 8 for each in found["sections"] for line in each["lines"])
    assert (await client.get("/v1/comparison?first=mine&second=none")).status == 404
    assert (run / "run.sqlite").read_bytes() == before


@pytest.mark.slow
async def test_a_run_is_evaluated_on_an_uploaded_file(client: Client, settings: Settings) -> None:
    """The answer is that of the library for the same file and number of examples; too few rows are refused."""
    own = (await api.run_async("seeds/logqa.jsonl", rows=40, out=settings.root / "logs")).directory
    held = first_lines("seeds/sshd.jsonl", 12)
    asked = {"holdout": await upload(client, "held-out.jsonl", held.encode()), "updates": 100}
    found = await post(client, "/v1/runs/logs/evaluation", asked)
    file = settings.root / "held-out.jsonl"
    await asyncio.to_thread(file.write_text, held, encoding="utf-8")
    expected = await asyncio.to_thread(evaluate, own, file, updates=100)
    assert found == json.loads(json.dumps(expected.to_dict()))
    few = await upload(client, "few.jsonl", held.partition("\n")[0].encode())
    problem = await post(client, "/v1/runs/logs/evaluation", {"holdout": few}, 422)
    assert problem["detail"].startswith("few.jsonl: ")


async def test_decisions_settle_when_nobody_judges(
    client: Client, run: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A while after the last one they are in the journal, and the files of the run are written anew."""
    monkeypatch.setattr(settling, "QUIET", 0.05)
    await post(client, "/v1/runs/mine/decisions", {"row": "1", "action": "reject"}, 201)
    await service.settling._tasks["mine"]
    assert not waiting(run)
    assert json.loads((run / "summary.json").read_text(encoding="utf-8"))["accepted"] == 29
    assert api.verify(run).holds
