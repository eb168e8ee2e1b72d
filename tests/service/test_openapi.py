"""The OpenAPI document: valid, complete, and true of what the service answers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import ClientResponse

from benchmarks import service_fuzz
from selfinstruct import api
from selfinstruct.service.app import ROUTES
from selfinstruct.service.openapi import document
from selfinstruct.service.settings import Settings
from tests.service.conftest import Client

DOCUMENT = document(ROUTES)


async def checked(answer: ClientResponse, path: str) -> Any:
    """The JSON of an answer, once its status, type and body are found to be those of the document."""
    operation = DOCUMENT["paths"][path][answer.method.lower()]
    said = operation["responses"][str(answer.status)]
    if "$ref" in said:
        said = DOCUMENT["components"]["responses"][said["$ref"].rpartition("/")[2]]
    body = await answer.json(content_type=None)
    schema = {**said["content"][answer.content_type]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)
    return body


async def test_answers_are_as_documented(client: Client, settings: Settings) -> None:
    """Answers of every kind, and problems, have the status, the type and the body that the document says."""
    await api.run_async("seeds/logqa.jsonl", rows=3, out=settings.root / "one")
    for path, wanted in (
        ("/v1/service", "/v1/service"),
        ("/v1/recipes", "/v1/recipes"),
        ("/v1/recipes/logqa", "/v1/recipes/{name}"),
        ("/v1/recipes/none", "/v1/recipes/{name}"),
        ("/v1/runs", "/v1/runs"),
        ("/v1/runs?limit=x", "/v1/runs"),
        ("/v1/runs/one", "/v1/runs/{id}"),
        ("/v1/runs/one/recipe", "/v1/runs/{id}/recipe"),
        ("/v1/runs/two", "/v1/runs/{id}"),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
    ):
        await checked(await client.get(path), wanted)
    body = {"source": {"recipe": "none"}}
    assert "recipe" in (await checked(await client.post("/v1/runs", json=body), "/v1/runs"))["detail"]
    broken = await client.post("/v1/previews", data=b"{", headers={"Content-Type": "application/json"})
    assert (await checked(broken, "/v1/previews"))["status"] == 400
    assert (await checked(await client.post("/v1/previews", data=b"{}"), "/v1/previews"))["status"] == 415


async def test_the_document_and_its_page_are_served(client: Client) -> None:
    """The document describes every route once, and the page names them all, without a script."""
    served = await (await client.get("/openapi.json")).json()
    assert served == DOCUMENT and served["openapi"] == "3.1.0"
    operations = [each for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(operations) == len(ROUTES) == len({each["operationId"] for each in operations})
    page = await (await client.get("/docs")).text()
    assert all(route.path in page for route in ROUTES) and "<script" not in page and "style=" not in page


async def test_metrics_count_requests(client: Client) -> None:
    """The figures name routes, never ids or tokens."""
    await client.get("/v1/runs/secret-name")
    text = await (await client.get("/metrics")).text()
    assert 'selfinstruct_requests_total{method="GET",route="/v1/runs/{id}",status="404"} 1.0' in text
    assert "selfinstruct_runs_growing 0.0" in text and "secret-name" not in text


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_described(route: Any) -> None:
    """A route has a summary and a description, and its models describe themselves."""
    assert route.summary and route.handler.__doc__
    models = [each for each in (route.body, route.answer) if each is not None]
    assert all(model.__doc__ for model in itertools.chain(models, [route.query]))


@pytest.mark.slow
def test_the_service_withstands_requests_made_from_its_document(tmp_path: Path) -> None:
    """A few hundred requests by schemathesis, alone and in sequences: no error of the service, none undocumented."""
    found = service_fuzz.attack(tmp_path, examples=2, seed=1, seconds=300, phases="coverage,stateful")
    assert (found["server_errors"], found["violations"], found["exit"]) == (0, [], 0), found
    assert found["requests"] > 300
