"""The calls of batch jobs: what the openai client makes of them reaches the endpoint as every other call does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from selfinstruct.backends.openai import OpenAIBackend
from selfinstruct.backends.openai.batches.client import BatchClient
from selfinstruct.backends.openai.batches.job import Job
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.recipe import Model

KEY = "sk-a-key-that-nobody-sees"


@asynccontextmanager
async def answering(answer: web.Response) -> AsyncIterator[tuple[BatchClient, list[web.Request]]]:
    """A client of an endpoint behind a user, a query and a header that gives one answer, and the requests it got."""
    requests: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        """The answer, whatever is asked."""
        await request.read()
        requests.append(request)
        headers = {"Location": "/elsewhere"} if answer.status == 302 else None
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        model = Model(
            name="m",
            base_url=f"http://{server.host}:{server.port}/v1?version=7",
            extra_headers={"X-Gateway": "${GATEWAY}"},
        )
        environ = {"OPENAI_API_KEY": KEY, "GATEWAY": "a-token-of-the-gateway"}
        endpoint = await OpenAIBackend.connect(model, preflight=False, environ=environ)
        try:
            yield BatchClient(endpoint.wire), requests
        finally:
            await endpoint.close()


async def test_a_call_carries_what_every_call_carries() -> None:
    """The key, the header and the query of the recipe are sent, an id is quoted, and nothing of the client's own."""
    async with answering(web.json_response({"id": "b/1", "status": "completed"})) as (client, requests):
        job = await client.retrieve("b/1")
        assert isinstance(job, Job) and job.status == "completed"
        assert await client.upload("in.jsonl", b"{}\n") == "b/1"
    polled, uploaded = requests
    assert polled.path_qs == "/v1/batches/b%2F1?version=7" and uploaded.path_qs == "/v1/files?version=7"
    for request in requests:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["X-Gateway"] == "a-token-of-the-gateway"
        assert not [name for name in request.headers if name.lower().startswith("x-stainless")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (web.Response(text="<html>Sign in</html>", content_type="text/html"), "page"),
        (web.Response(text='{"id": ', content_type="application/json"), "garbled"),
        (web.json_response([1, 2]), "garbled"),
        (web.Response(status=302), "not-found"),
        (web.json_response({"error": {"message": f"no such key: {KEY}"}}, status=401), "denied"),
        (web.json_response({"error": {"message": "slow down"}}, status=429), "rate-limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_wrong_is_told_as_of_any_call(answer: web.Response, reason: str) -> None:
    """An upload and a poll end in the same errors as a chat completion would, without the key."""
    async with answering(answer) as (client, _):
        for error in (await client.upload("in.jsonl", b"{}\n"), await client.retrieve("batch-1")):
            assert isinstance(error, CallError) and error.reason == reason and KEY not in error.message
        await client.delete("file-1")
