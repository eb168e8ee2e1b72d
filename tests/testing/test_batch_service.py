"""Batch jobs of the fault server: OpenAI's protocol as its own client speaks it, and faults that are what they say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI

from selfinstruct.errors import InputError
from selfinstruct.testing import BatchBehaviour, Behaviour, FaultServer


@asynccontextmanager
async def serving(**batches: Any) -> AsyncIterator[tuple[FaultServer, AsyncOpenAI]]:
    """A server with these settings of batch jobs, and a client of it."""
    async with (
        FaultServer(Behaviour(batches=BatchBehaviour(**batches))) as server,
        AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client,
    ):
        yield server, client


def lines(count: int, **changes: Any) -> bytes:
    """The input file of ``count`` requests."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    each = {"method": "POST", "url": "/v1/chat/completions", "body": body} | changes
    return "".join(json.dumps({"custom_id": f"r{number}"} | each) + "\n" for number in range(count)).encode()


async def created(client: AsyncOpenAI, data: bytes) -> Any:
    """A job with these lines."""
    file = await client.files.create(file=("in.jsonl", data), purpose="batch")
    return await client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"}
    )


async def entries(client: AsyncOpenAI, file_id: str | None) -> list[Any]:
    """The lines of an output file."""
    return [] if file_id is None else [json.loads(line) for line in (await client.files.content(file_id)).iter_lines()]


async def test_a_job_is_processed_and_billed_once() -> None:
    """The client of OpenAI creates, polls, lists and reads; the replies come in another order, each billed once."""
    async with serving(seconds=0.05) as (server, client):
        job = await created(client, lines(20))
        seen = [job.status]
        while seen[-1] != "completed":
            await asyncio.sleep(0.01)
            job = await client.batches.retrieve(job.id)
            seen.append(job.status)
        assert [*dict.fromkeys(seen)] == ["validating", "in_progress", "finalizing", "completed"]
        output = await entries(client, job.output_file_id)
        ids = [line["custom_id"] for line in output]
        assert ids != sorted(ids, key=lambda each: int(each[1:]))
        assert {*ids} == {f"r{n}" for n in range(20)}
        assert all(line["response"]["body"]["choices"][0]["message"]["content"] for line in output)
        assert job.request_counts is not None and job.request_counts.completed == 20
        assert [each.id for each in (await client.batches.list(limit=1)).data] == [job.id]
        assert server.ledger.counts["batch-requests"] == len(server.ledger.billed) == 20
        assert server.ledger.counts["batch-repeated"] == 0


async def test_a_job_that_is_not_polled_is_billed_too() -> None:
    """Time alone processes a job; the same custom_id in a second job counts as repeated."""
    async with serving() as (server, client):
        await created(client, lines(3))
        second = await created(client, lines(3))
        await client.batches.retrieve(second.id)
        assert server.ledger.counts["batch-requests"] == 6
        assert server.ledger.counts["batch-repeated"] == 3


async def test_a_cancelled_job_has_the_replies_until_then() -> None:
    """Half of the requests are in the output, and an error for each of the others; only the replies are billed."""
    async with serving(seconds=0.1) as (server, client):
        job = await created(client, lines(100))
        await asyncio.sleep(0.15)
        assert (await client.batches.cancel(job.id)).status == "cancelling"
        await asyncio.sleep(0.12)
        job = await client.batches.retrieve(job.id)
        output, errors = await entries(client, job.output_file_id), await entries(client, job.error_file_id)
        assert job.status == "cancelled" and 0 < len(output) < 100 and len(output) + len(errors) == 100
        assert {line["error"]["code"] for line in errors} == {"batch_cancelled"}
        assert server.ledger.counts["batch-requests"] == len(output)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"no json\n", "invalid_json_line"),
        (lines(1) * 2, "duplicate_custom_id"),
        (lines(1, url="/v1/embeddings"), "mismatched_url"),
    ],
)
async def test_a_bad_file_fails_its_validation(data: bytes, code: str) -> None:
    """The job fails with the reason and the line, and nothing is billed."""
    async with serving() as (server, client):
        job = await client.batches.retrieve((await created(client, data)).id)
        assert job.status == "failed" and job.errors is not None and job.errors.data is not None
        assert job.errors.data[0].code == code and job.output_file_id is None
        assert not server.ledger.billed


@pytest.mark.parametrize(
    ("fault", "status", "completed", "failed"),
    [
        ("expired", "expired", 10, 10),
        ("cancelled", "cancelled", 10, 10),
        ("invalid", "failed", 0, 0),
        ("token-limit", "failed", 0, 0),
        ("line-429", "completed", 0, 20),
        ("line-400", "completed", 0, 20),
        ("line-missing", "completed", 0, 0),
        ("line-twice", "completed", 40, 0),
        ("line-unknown", "completed", 40, 0),
    ],
)
async def test_faults_of_jobs_and_lines(fault: str, status: str, completed: int, failed: int) -> None:
    """Each fault leaves the state and the lines that it describes."""
    async with serving(faults={fault: 1.0}) as (server, client):
        job = await client.batches.retrieve((await created(client, lines(20))).id)
        assert job.status == status
        assert len(await entries(client, job.output_file_id)) == completed
        assert len(await entries(client, job.error_file_id)) == failed
        assert server.ledger.counts[fault] > 0


@pytest.mark.parametrize(("fault", "jobs"), [("create-lost", 1), ("create-refused", 0)])
async def test_a_job_may_be_created_without_a_reply(fault: str, jobs: int) -> None:
    """Both faults are a 5xx; after one of them the job exists all the same."""
    async with serving(faults={fault: 1.0}) as (_, client):
        with pytest.raises(APIError):
            await created(client, lines(1))
        assert len((await client.batches.list()).data) == jobs


@pytest.mark.parametrize("fault", ["poll-503", "file-cut", "file-503"])
async def test_polls_and_files_fail(fault: str) -> None:
    """The state or the file of a job that is processed does not arrive."""
    async with serving() as (server, client):
        job = await client.batches.retrieve((await created(client, lines(5))).id)
        server.behaviour = Behaviour(batches=BatchBehaviour(faults={fault: 1.0}))
        with pytest.raises(Exception, match=r"503|peer closed|not completed|payload|incomplete|Connection"):
            await client.batches.retrieve(job.id)
            await client.files.content(job.output_file_id or "")


async def test_the_other_shape_has_its_own_words() -> None:
    """Together's: another purpose and path of files, a job in a wrapper, states in capitals, a list without pages."""
    async with serving(shape="together") as (_, client):
        with pytest.raises(APIError, match="batch-api"):
            await client.files.create(file=("in.jsonl", lines(2)), purpose="batch")
        file: Any = await client.post(
            "/files/upload",
            cast_to=object,
            files={"file": ("in.jsonl", lines(2))},
            body={"purpose": "batch-api"},
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )
        body = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions"}
        made: Any = await client.post("/batches", cast_to=object, body=body)
        shown: Any = await client.get(f"/batches/{made['job']['id']}", cast_to=object)
        assert shown["status"] == "COMPLETED" and shown["progress"] == 100
        listed: Any = await client.get("/batches", cast_to=object)
        assert [each["input_file_id"] for each in listed] == [file["id"]]


def test_an_unknown_batch_fault_is_an_error() -> None:
    """It would never occur, and a test would pass in vain."""
    with pytest.raises(InputError, match="unknown name 'lines-429'"):
        FaultServer(Behaviour(batches=BatchBehaviour(faults={"lines-429": 0.5})))
