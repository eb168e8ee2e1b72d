"""Rows over HTTP: pages, filters, provenance, and a person's decisions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.service.settings import Settings
from tests.service.conftest import Client


@pytest.fixture
async def run(settings: Settings) -> str:
    """The path of a run of 40 rows."""
    await api.run_async("seeds/logqa.jsonl", rows=40, out=settings.root / "mine")
    return "/v1/runs/mine"


async def get(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    """The JSON of an answer with this status."""
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def test_rows_are_paged_filtered_and_traced(client: Client, run: str, settings: Settings) -> None:
    """Pages follow each other without a gap; spans mark the places of values; each row leads to its reply."""
    first = await get(client, f"{run}/rows?limit=30")
    second = await get(client, f"{run}/rows?limit=30&after={first['next']}")
    assert [row["number"] for row in first["rows"] + second["rows"]] == list(range(1, 41))
    assert (second["next"], first["total"]) == (None, 40)
    row = first["rows"][0]
    ((field, ((start, end),)),) = row["spans"].items()
    assert row["row"][field][start:end] == row["row"]["Answer"]
    text = row["row"]["Answer"]
    found = await get(client, f"{run}/rows?text={text}")
    assert row in found["rows"]
    assert all(text.lower() in str(each["row"]).lower() for each in found["rows"])
    category = await get(client, f"{run}/rows?category={row['category']}")
    assert {each["category"] for each in category["rows"]} == {row["category"]}
    traced = await get(client, f"{run}/rows/1")
    assert traced["row"] == row["row"]
    assert traced["replies"][0]["model"] == "imitator"
    assert traced["nearest"]
    assert (await get(client, f"{run}/rows/s1"))["line"] == 1
    for name in ("0", "41", "s999", "x999999", "row", "1%20"):
        await get(client, f"{run}/rows/{name}", 404)
    await get(client, f"{run}/rows?decision=maybe", 422)
    await get(client, f"{run}/rows?limit=501", 422)


async def test_a_decision_counts_at_once_for_the_page_and_the_run(client: Client, run: str) -> None:
    """It is shown with the row, counted in the run, and can be taken back; what it cannot mean is a problem."""

    async def decide(status: int = 201, **body: Any) -> dict[str, Any]:
        answer = await client.post(f"{run}/decisions", json=body)
        assert answer.status == status, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    row = (await get(client, f"{run}/rows/2"))["row"]
    made = await decide(row="1", action="reject", reason="wrong")
    assert (made["row"], made["by"], made["checks"]) == ("1", "owner", [])
    edited = await decide(row="2", action="edit", values={**row, "Answer": "not in the log"})
    assert [check["reason"] for check in edited["checks"]] == ["ungrounded"]
    listed = (await get(client, f"{run}/rows?limit=2"))["rows"]
    assert [each["decision"]["action"] for each in listed] == ["reject", "edit"]
    assert listed[1]["row"]["Answer"] == "not in the log"
    assert [each["number"] for each in (await get(client, f"{run}/rows?decision=reject"))["rows"]] == [1]
    assert (await get(client, f"{run}/rows?decision=none&limit=1"))["rows"][0]["number"] == 3
    shown = await get(client, run)
    assert (shown["accepted"], shown["state"]) == (39, "short")
    assert shown["decisions"] == {"accepted": 0, "rejected": 1, "edited": 1}
    await decide(row="1", action="undo")
    assert (await get(client, run))["accepted"] == 40
    await decide(422, row="1", action="undo")
    await decide(422, row="3", action="edit", values={"Answer": 1})
    await decide(404, row="999", action="reject")
    await decide(422, row="s1", action="reject")
    page = await get(client, f"{run}/decisions?limit=2")
    assert [each["action"] for each in page["decisions"]] == ["reject", "edit"]
    assert (page["next"], page["total"]) == (2, 3)


async def test_many_decide_at_once(client: Client, run: str) -> None:
    """Decisions of concurrent requests are all recorded, each once."""
    async with asyncio.TaskGroup() as group:
        bodies = [{"row": str(number), "action": "reject"} for number in range(1, 31)]
        sent = [group.create_task(client.post(f"{run}/decisions", json=body)) for body in bodies]
    assert {each.result().status for each in sent} == {201}
    assert (await get(client, f"{run}/decisions"))["total"] == 30
    assert (await get(client, run))["accepted"] == 10


async def test_rejections_are_paged_and_can_be_accepted(client: Client, settings: Settings) -> None:
    """A refused candidate is shown with its reason and its row; accepted, it is a row of the run."""
    await api.run_async("seeds/tickets.csv", rows=120, out=settings.root / "mine")
    page = await get(client, "/v1/runs/mine/rejections?limit=5")
    first = next(each for each in page["rejections"] if each["row"])
    only = await get(client, f"/v1/runs/mine/rejections?reason={first['reason']}")
    assert {each["reason"] for each in only["rejections"]} == {first["reason"]}
    answer = await client.post("/v1/runs/mine/decisions", json={"row": first["name"], "action": "accept"})
    assert answer.status == 201
    accepted = await get(client, "/v1/runs/mine/rejections?decision=accept")
    assert [each["name"] for each in accepted["rejections"]] == [first["name"]]
    assert (await get(client, "/v1/runs/mine"))["accepted"] == 121


async def test_no_query_breaks_the_search(client: Client, run: str) -> None:
    """Wildcards, quotes, control characters and halves of characters are texts like others, or refused."""
    for text in ("%25", "_", "%5C", "'", "%22", "%00", "%0A", "%F0%9F%99%82", "%ED%A0%80", "%FF"):
        for path in ("rows", "rejections"):
            answer = await client.get(f"{run}/{path}?text={text}")
            assert answer.status in (200, 422), (path, text)
            category = await client.get(f"{run}/{path}?category={text}")
            assert category.status in (200, 422), (path, text)
