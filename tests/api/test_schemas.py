"""The JSON Schemas: what commands really print is valid by them and fully described, and what differs is not valid."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from selfinstruct import api
from selfinstruct.analysis.findings import VERSION
from selfinstruct.cli import main
from selfinstruct.errors import InputError

SEEDS = Path(__file__).parents[2] / "seeds"
LOGQA = str(SEEDS / "logqa.jsonl")
OUTPUTS = [name for name in api.schema_names() if name != "recipe"]


def printed(*arguments: object) -> Any:
    """The JSON that a command prints on stdout; a failed gate and a probe that was cut short print it, too."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        assert main([str(argument) for argument in arguments]) in (0, 1, 4)
    return json.loads(out.getvalue())


BACKEND = """
from selfinstruct.records import Failure, Reply
class Answering:
    name, reads_messages = "answering", True
    async def complete(self, request):
        return Failure("filtered", "withheld") if "rdd" in request.messages[-1].content else Reply("46.0", self.name)
    async def close(self): pass
def make(recipe): return Answering()
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Real outputs of each format: those of commands on a run, on faulty rows, and on rows about passages."""
    where = tmp_path_factory.mktemp("outputs")
    run, baseline, dropped = where / "run", where / "baseline.json", where / "dropped.jsonl"
    rows = [json.loads(line) for line in Path(LOGQA).read_text().splitlines()]
    (where / "log.txt").write_text("".join(f"{row['RawLog']}\n" for row in rows))
    faulty = where / "faulty.jsonl"
    kinds = [{**rows[0], "Answer": "nowhere"}, rows[1], rows[1], {**rows[2], "Question": "Mail a.b@example.com?"}]
    faulty.write_text("".join(f"{json.dumps(row)}\n" for row in [*rows[3:], *kinds]))
    found: dict[str, list[Any]] = {"summary": [printed("run", LOGQA, "--rows", 20, "--out", run, "-q", "--json")]}
    found["summary"].append(json.loads((run / "summary.json").read_bytes()))
    passages = ("--passages", where / "log.txt", "--rows", 4)
    found["dry-run"] = [printed("run", *source, "--dry-run", "--json") for source in ((LOGQA,), passages)]
    found["check"] = [printed("check", faulty, "--format", "json")]
    found["check"].append(printed("check", faulty, "--baseline", baseline, "--update-baseline", "--format", "json"))
    faulty.write_text("".join(f"{json.dumps(row)}\n" for row in rows[3:]))
    found["check"].append(printed("check", faulty, "--baseline", baseline, "--format", "json"))
    assert found["check"][-1]["gate"]["fixed"]
    found["baseline"] = [json.loads(baseline.read_bytes())]
    found["dedup"] = [printed("dedup", LOGQA, "--max-rouge-l", 0.5, "--dropped", dropped, "--json")]
    found["dropped"] = [json.loads(line) for line in dropped.read_text().splitlines()]
    found["verify"] = [printed("verify", run, "--json")]
    found["rejudge"] = [printed("rejudge", run, "--json")]
    options = ("--updates", 20, "--json")
    api.run(LOGQA, rows=20, out=where / "other", seed=5)
    found["evaluation"] = [printed("evaluate", run, "--holdout", where / "other" / "rows.jsonl", *options)]
    found["evaluation"].append(json.loads((run / "evaluation.json").read_bytes()))
    (where / "answering_backend.py").write_text(BACKEND)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(where)
        found["probe"] = [printed("probe", LOGQA, "--backend", "answering_backend:make", "--json")]
    assert main(["export", str(run), "--format", "llama-factory", "--out", str(where / "set")]) == 0
    found["report"] = [printed("report", run, "--json")]
    assert Draft202012Validator(api.schema("summary")).is_valid(found["report"][0])  # it has these figures and more
    found["manifest"] = [json.loads((where / "set" / "manifest.json").read_bytes())]
    found["context"] = [printed("context", "--json")]
    return found


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """The schemas of objects with keys, inside a schema."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for each in schema.values():
            yield from objects(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from objects(each)


@pytest.mark.parametrize("name", OUTPUTS)
def test_real_outputs_are_valid_and_have_no_key_that_is_not_described(
    name: str, outputs: Mapping[str, list[Any]]
) -> None:
    """A schema is one of JSON Schema 2020-12, accepts the outputs, allows more keys, and knows all that are there."""
    schema = api.schema(name)
    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (Draft202012Validator.META_SCHEMA["$id"], f"urn:selfinstruct:{name}:1")
    closed = copy.deepcopy(schema)
    for each in objects(closed):
        each["additionalProperties"] = False
        assert all(value.get("description") for value in each["properties"].values())
    assert outputs[name]
    for output in outputs[name]:
        assert [error.message for error in Draft202012Validator(closed).iter_errors(output)] == []
        assert Draft202012Validator(schema).is_valid({**output, "a_key_of_later": 1})


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_without_a_key_or_with_another_type_is_invalid(name: str, outputs: Mapping[str, list[Any]]) -> None:
    """Keys that are always there are required, and each has its type."""
    schema = api.schema(name)
    validator, (output, *_) = Draft202012Validator(schema), outputs[name]
    for key in schema["required"]:
        assert not validator.is_valid({other: value for other, value in output.items() if other != key}), key
        if schema["properties"][key].keys() > {"description"}:
            assert not validator.is_valid({**output, key: lambda: None}), key


def test_recipes_are_valid_by_their_schema_and_mistakes_are_not() -> None:
    """Every built-in recipe and an inferred one are valid; an unknown key, a wrong type and a bad choice are not."""
    schema = api.schema("recipe")
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    recipes = [api.recipe_text(each.name) for each in api.recipes()] + [api.init(LOGQA)]
    for text in recipes:
        assert [error.message for error in validator.iter_errors(tomllib.loads(text))] == [], text
    for wrong in (
        "[fields.a]\n[quota]\nrow = 5",
        '[fields.a]\nmin_chars = "five"',
        "[fields.a]\nmin_chars = -1",
        '[fields.a]\n[categories]\nby = "size"',
        'language = "fr"\n[fields.a]',
        "[fields.a]\n[attributes.b]\ndraw = [1, 2, 3]",
        "[quota]\nrows = 5",
    ):
        assert not validator.is_valid(tomllib.loads(wrong)), wrong
    assert validator.is_valid(tomllib.loads("[fields.a]\n[attributes.b]\ndraw = 2\n[languages.zh]\ntask = '题'"))
    assert all(value.get("description") for each in objects(schema) for value in each["properties"].values())


def test_the_command_lists_names_prints_one_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name every format is listed; an unknown name is an error that lists the names."""
    assert main(["schema"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(api.schema_names())
    assert main(["schema", "check"]) == 0
    assert json.loads(capsys.readouterr().out) == api.schema("check")
    assert main(["schema", "sumary"]) == 2
    said = capsys.readouterr().err
    assert "sumary: no such schema" in said and "Did you mean summary?" in said and "manifest" in said
    with pytest.raises(InputError, match="no such schema"):
        api.schema("")


def test_version_of_the_check_output_is_that_of_its_schema() -> None:
    """The output states the version that the ``$id`` of its schema has."""
    assert api.schema("check")["$id"].endswith(f":{VERSION}")
