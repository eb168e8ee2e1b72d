"""The public names of the library: which they are, how fast they import, and that they are fully typed."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import selfinstruct

NAMES = [
    *(
        "Backend",
        "Bill",
        "CategorySummary",
        "Check",
        "Cleaning",
        "Evaluation",
        "Exported",
        "Finding",
        "Findings",
        "Measures",
        "Message",
    ),
    *(
        "Prepared",
        "Provenance",
        "Recipe",
        "Rejection",
        "Rejudged",
        "Reply",
        "Request",
        "Run",
        "Snapshot",
        "Summary",
        "__version__",
    ),
    *(
        "check",
        "check_async",
        "decide",
        "dedup",
        "dedup_async",
        "errors",
        "evaluate",
        "export",
        "init",
        "load_recipe",
        "open_run",
    ),
    *("plan", "rejudge", "report", "run", "run_async", "show"),
]
#: Uses every public name, as a user's strictly typed code would.
TYPED = '''
import asyncio
from collections.abc import Mapping
from pathlib import Path

import selfinstruct
from selfinstruct import errors

prepared: selfinstruct.Prepared = selfinstruct.plan("seeds.jsonl", rows=100)
recipe: selfinstruct.Recipe = selfinstruct.load_recipe("recipe.toml")


class Echo:
    """A backend of the user's own."""

    name = "echo"
    reads_messages = True

    async def complete(self, request: selfinstruct.Request) -> selfinstruct.Reply:
        message: selfinstruct.Message = request.messages[-1]
        return selfinstruct.Reply(text=message.content, model="echo")

    async def close(self) -> None: ...


backend: selfinstruct.Backend = Echo()


def units_agree(row: dict[str, object], recipe: selfinstruct.Recipe) -> str | selfinstruct.Rejection | None:
    if str(row["unit"]) in str(row["text"]):
        return None
    return selfinstruct.Rejection("ungrounded", f"{recipe.name}: the unit is not in the text")


check: selfinstruct.Check = units_agree


def watch(snapshot: selfinstruct.Snapshot) -> None:
    print(snapshot.accepted)


try:
    run: selfinstruct.Run = selfinstruct.run("seeds.jsonl", rows=100, backend=backend, watch=watch, prepared=prepared)
except errors.InputError as error:
    print(error.hint)
summary: selfinstruct.Summary = run.summary
bills: Mapping[str, selfinstruct.Bill] = summary.models
categories: Mapping[str, selfinstruct.CategorySummary] = summary.categories
print([row["Answer"] for row in run.rows()], summary.to_dict()["accepted"], summary.tokens.input + 1)
found: selfinstruct.Findings = selfinstruct.check("rows.jsonl", recipe=Path("recipe.toml"))
first: selfinstruct.Finding = found.findings[0]
measures: selfinstruct.Measures = found.measures
cleaning: selfinstruct.Cleaning = selfinstruct.dedup("rows.jsonl", max_rouge_l=0.9, out="kept.jsonl")
print(cleaning.kept / cleaning.rows, measures.errors, first.line, selfinstruct.init("seeds.jsonl").splitlines())
exported: selfinstruct.Exported = selfinstruct.export(run.directory, "rows.csv", format="csv")
again: selfinstruct.Rejudged = selfinstruct.rejudge(run.directory)
origin: selfinstruct.Provenance = selfinstruct.show(run.directory, 1)
print(selfinstruct.decide(run.directory, 1, "reject", person="ann").decision.at)
evaluation: selfinstruct.Evaluation = selfinstruct.evaluate(run.directory, "human.jsonl", updates=100)
print(evaluation.gap_closed)
print(exported.rows, again.identical, origin.category, selfinstruct.report(run.directory).summary.stopped)
print(selfinstruct.open_run(run.directory).directory.name, selfinstruct.__version__.split("."))


async def main() -> None:
    grown: selfinstruct.Run = await selfinstruct.run_async([{"Q": "a"}], rows=10)
    found: selfinstruct.Findings = await selfinstruct.check_async([{"Q": "a"}], against=["other.jsonl"])
    cleaning: selfinstruct.Cleaning = await selfinstruct.dedup_async("rows.jsonl", fields=["Q"])
    print(grown.summary.cost, found.failed, cleaning.dropped)


asyncio.run(main())
'''


def test_the_public_names_are_these() -> None:
    """The package exports exactly these names, and each can be imported."""
    assert selfinstruct.__all__ == NAMES == dir(selfinstruct)
    assert all(getattr(selfinstruct, name) is not None for name in NAMES)


@pytest.mark.slow
def test_every_public_name_is_typed(tmp_path: Path) -> None:
    """``mypy --strict`` accepts code that uses every public name, and rejects a wrong argument."""
    assert all(f"selfinstruct.{name}" in TYPED for name in NAMES if name != "errors")
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(TYPED)
    bad.write_text("import selfinstruct\nselfinstruct.run('seeds.jsonl', rows='many', nonsense=1)\n")
    root = Path(selfinstruct.__file__).parents[1]
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--follow-imports=silent",
        "good.py",
        "bad.py",
    ]
    env = {**os.environ, "MYPYPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert [line.partition(":")[0] for line in errors] == ["bad.py"] * 2, done.stdout
    assert "[arg-type]" in done.stdout and "[call-arg]" in done.stdout


@pytest.mark.parametrize("name", ["run", "check", "dedup"])
def test_twins_have_the_same_signature(name: str) -> None:
    """A function and its async twin take the same parameters with the same types and defaults."""
    one, other = (inspect.signature(getattr(selfinstruct, each)) for each in (name, f"{name}_async"))
    assert one == other


def test_no_public_function_takes_arbitrary_options() -> None:
    """Every parameter of every public function has a name, a type and, except for ``source``, a default if optional."""
    for name in NAMES:
        function = getattr(selfinstruct, name)
        if inspect.isfunction(function):
            signature = inspect.signature(function)
            assert signature.return_annotation is not inspect.Signature.empty
            for parameter in signature.parameters.values():
                assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL), name
                assert parameter.annotation is not parameter.empty, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """An unknown name raises AttributeError, and the message contains the name."""
    with pytest.raises(AttributeError, match="nonsense"):
        selfinstruct.nonsense  # noqa: B018 - looking it up is the test


def test_names_survive_the_import_of_their_modules() -> None:
    """A function is not replaced by a subpackage of the same name once that is imported."""
    script = (
        "import importlib, pkgutil, selfinstruct\n"
        "for module in pkgutil.iter_modules(selfinstruct.__path__):\n"
        "    if module.name not in ('__main__', 'testing'):\n"
        "        importlib.import_module(f'selfinstruct.{module.name}')\n"
        "print(callable(selfinstruct.export) and callable(selfinstruct.check) and callable(selfinstruct.run))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_importing_the_package_imports_none_of_its_parts() -> None:
    """``import selfinstruct`` loads the errors, their messages and nothing else of the package, nor any dependency."""
    script = "import sys, selfinstruct; print(sorted(n for n in sys.modules if n.startswith('selfinstruct')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = ["selfinstruct", "selfinstruct._version", "selfinstruct.errors", "selfinstruct.messages"]
    assert done.stdout.strip() == str(loaded)
