"""Runs, as the service lists and reads them."""

from __future__ import annotations

from selfinstruct import api
from selfinstruct.service.settings import Settings
from tests.service.conftest import Client


async def test_a_run_of_the_command_line_is_shown(client: Client, settings: Settings) -> None:
    """A run that another process made in the directory is listed and read, with the figures of its summary."""
    await api.run_async("seeds/logqa.jsonl", rows=12, out=settings.root / "mine")
    listed = await (await client.get("/v1/runs")).json()
    assert [run["id"] for run in listed["runs"]] == ["mine"] and listed["next"] is None
    run = await (await client.get("/v1/runs/mine")).json()
    assert run == listed["runs"][0]
    assert (run["state"], run["origin"], run["name"], run["accepted"]) == ("done", "command line", "logqa", 12)
    assert run["last_row"]["number"] == 12 and set(run["last_row"]["row"]) == {"Question", "Answer", "RawLog"}
    assert sum(each["accepted"] for each in run["categories"]) == 12
    (settings.root / "mine" / "SHA256SUMS").unlink()  # as after a crash: the journal is read instead
    again = await (await client.get("/v1/runs/mine")).json()
    for key in ("accepted", "candidates", "rejected", "requests", "state", "seeds", "requested_rows"):
        assert again[key] == run[key], key


async def test_an_id_is_never_a_path(client: Client, settings: Settings) -> None:
    """An id with parts of a path, encoded or not, is that of no run, even where there is one."""
    await api.run_async("seeds/logqa.jsonl", rows=1, out=settings.root.parent / "elsewhere")
    for run in (
        "..%2Felsewhere",
        "%2e%2e%2felsewhere",
        ".service",
        "x%00",
        "..",
        "%2e%2e",
        "mine%2f..%2f..%2felsewhere",
    ):
        answer = await client.get(f"/v1/runs/{run}", allow_redirects=False)
        assert answer.status == 404, run


async def test_what_a_request_must_not_have_is_refused(client: Client) -> None:
    """Unknown, repeated and malformed query keys, and bodies where none is expected, are answered with 422."""
    for query in (
        "limit=0",
        "limit=101",
        "limit=1.0",
        "limit=%201",
        "limit=1_0",
        "limit=1&limit=2",
        "more=1",
        "after=x",
    ):
        answer = await client.get(f"/v1/runs?{query}")
        assert (answer.status, answer.content_type) == (422, "application/problem+json"), query
    assert (await client.get("/v1/runs", data=b"x")).status == 422
