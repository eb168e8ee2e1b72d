"""Extensions in use: each command honours them, and what they raise ends it cleanly with everything kept."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.backends import Imitator
from selfinstruct.cli import main
from selfinstruct.errors import ExtensionError, InputError, RecipeError
from selfinstruct.preparation.prepare import prepare
from selfinstruct.run_directory import open_history

SEEDS = Path(__file__).parents[2] / "seeds" / "sshd.jsonl"
RECIPE = """\
name = "own"
{top}
[seeds]
file = "rows.jsonl"

[fields.Question]
[fields.Answer]
appears_in = "RawLog"
[fields.RawLog]

{tables}
[quota]
rows = 40
"""
CHECK = """\
def no_even_answer(row, recipe):
    assert recipe.name == "own" and list(row) == ["Question", "Answer", "RawLog"]
    return "an even answer" if row["Answer"][-1:] in "02468" else None
"""
Write = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes the module ``own_checks`` into the working directory, and has it imported anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    rows = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
    odd = [row for row in rows if row["Answer"][-1:] not in "02468"]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in odd), encoding="utf-8")

    def write(text: str) -> str:
        sys.modules.pop("own_checks", None)
        Path("own_checks.py").write_text(text, encoding="utf-8")
        return text

    yield write
    sys.modules.pop("own_checks", None)


def recipe_file(top: str = "", tables: str = "", name: str = "own.toml") -> Path:
    """A recipe with some keys at the top and some tables of its own."""
    Path(name).write_text(RECIPE.format(top=top, tables=tables), encoding="utf-8")
    return Path(name)


USING = '[checks]\nuse = ["own_checks:no_even_answer"]\n'


def answers(run: Path) -> list[str]:
    """The answers of a run's accepted rows."""
    return [json.loads(line)["Answer"] for line in (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


def rejections(run: Path) -> dict[str, int]:
    """The rejections of a run by reason."""
    with open_history(run) as history:
        return history.state().rejected


def test_run_and_resume_honour_a_check(module: Write) -> None:
    """A run, and the run that goes on with a larger quota, have no row that the check rejects."""
    module(CHECK)
    recipe = recipe_file(tables=USING)
    first = api.run(recipe, out="run", rows=20).summary
    assert (first.stopped, first.accepted) == ("done", 20)
    before = rejections(Path("run"))["check"]
    sys.modules.pop("own_checks")
    grown = api.run("run/recipe.toml", out="run", rows=60).summary
    assert (grown.stopped, grown.accepted, grown.conserved) == ("done", 60, True)
    assert rejections(Path("run"))["check"] > before > 0
    assert not [answer for answer in answers(Path("run")) if answer[-1] in "02468"]
    assert 'use = ["own_checks:no_even_answer"]' in Path("run/recipe.toml").read_text(encoding="utf-8")


def test_a_run_cannot_go_on_with_other_checks(module: Write) -> None:
    """Its earlier rows were judged by another rule."""
    module(CHECK)
    api.run(recipe_file(tables=USING), out="run", rows=10)
    with pytest.raises(InputError, match=r"checks\.use"):
        api.run(recipe_file(name="other.toml"), out="run", rows=10)


def test_rejudge_honours_a_check(module: Write) -> None:
    """By the run's own recipe nothing changes; by one with a check, what it rejects goes."""
    module(CHECK)
    plain, checked = recipe_file(name="plain.toml"), recipe_file(tables=USING)
    api.run(checked, out="run", rows=20)
    again = api.rejudge("run")
    assert again.identical
    assert again.after.rejected["check"] == rejections(Path("run"))["check"] > 0
    api.run(plain, out="plain", rows=20)
    even = sum(answer[-1] in "02468" for answer in answers(Path("plain")))
    after = api.rejudge("plain", recipe=checked).after
    assert after.rejected["check"] == even > 0
    assert after.accepted == 20 - even


def test_check_honours_a_check(module: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding of the row as a whole, and exit code 1."""
    module(CHECK)
    recipe = recipe_file(tables=USING)
    assert main(["check", str(SEEDS), "--recipe", str(recipe), "--format", "json"]) == 1
    found = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["reason"] == "check"]
    rows = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
    even = [at for at, row in enumerate(rows, 1) if row["Answer"][-1] in "02468"]
    assert [each["line"] for each in found] == even
    assert {(each["field"], each["message"]) for each in found} == {("", "no_even_answer: an even answer")}


def test_seeds_must_pass_the_check(module: Write) -> None:
    """As they must keep the other rules of the recipe, before anything is written."""
    module(CHECK)
    recipe = recipe_file(tables=USING)
    Path("rows.jsonl").write_bytes(SEEDS.read_bytes())
    with pytest.raises(InputError, match=r"rows.jsonl:\d+: no_even_answer: an even answer"):
        api.run(recipe, out="run")
    assert not Path("run").exists()
    assert api.run(recipe, out="run", skip_bad_seeds=True, rows=10).summary.accepted == 10


def test_a_check_that_raises_stops_the_run_with_everything_kept(
    module: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 with the line of the check; once it is mended the same command goes on, and no reply is lost."""
    calls = "calls = []\n\n" + CHECK.replace("    assert", "    calls.append(row)\n    assert")
    module(calls.replace("    return", '    if len(calls) == 60:\n        raise KeyError("nothing")\n    return'))
    recipe = recipe_file(tables=USING)
    assert main(["run", str(recipe), "--out", "run", "--rows", "100", "-q"]) == 2
    said = capsys.readouterr().err
    line = Path("own_checks.py").read_text(encoding="utf-8").splitlines().index('        raise KeyError("nothing")') + 1
    assert "own_checks:no_even_answer: KeyError: 'nothing' (" in said
    assert f"own_checks.py:{line})" in said
    assert "Traceback" not in said
    kept = api.open_run("run").summary
    assert 0 < kept.accepted < 100
    assert kept.stopped == "extension"
    assert kept.conserved
    rows = answers(Path("run"))
    module(CHECK)
    assert main(["run", str(recipe), "--out", "run", "--rows", "100", "-q"]) == 0
    assert answers(Path("run"))[: len(rows)] == rows
    assert len(answers(Path("run"))) == 100
    assert api.rejudge("run").identical


def test_a_check_that_raises_is_no_finding(module: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` and `rejudge` end with the same error."""
    module(CHECK)
    recipe = recipe_file(tables=USING)
    api.run(recipe, out="run", rows=10)
    module("def no_even_answer(row, recipe):\n    return row['Nothing']\n")
    assert main(["check", "rows.jsonl", "--recipe", str(recipe)]) == 2
    assert main(["rejudge", "run"]) == 2
    assert capsys.readouterr().err.count("own_checks:no_even_answer: KeyError: 'Nothing' (") == 2


def test_a_missing_module_is_an_error_with_its_line(module: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is written; a recipe that is only shown or exported needs none of its modules."""
    recipe = recipe_file(tables=USING)
    assert main(["run", str(recipe), "--out", "run"]) == 2
    said = capsys.readouterr().err
    assert "own.toml:12: checks.use: own_checks:no_even_answer: no module named 'own_checks'" in said
    assert "PYTHONPATH" in said
    assert not Path("run").exists()
    module(CHECK)
    api.run(recipe, out="run", rows=10)
    Path("own_checks.py").unlink()
    sys.modules.pop("own_checks")
    assert main(["show", "run", "1"]) == main(["report", "run"]) == main(["export", "run", "-o", "rows.out"]) == 0
    assert main(["rejudge", "run"]) == 2
    assert "own_checks:no_even_answer: no module named 'own_checks'" in capsys.readouterr().err


# --- categories ----------------------------------------------------------------------------------------------

KIND = "def kind(row):\n    return row['Question'].split()[0]\n"
BY = '[categories]\nby = "own_checks:kind"\n'


def test_categories_by_a_function_are_those_of_the_seeds(module: Write) -> None:
    """In the order of their first seed, each with its quota; the run's own recipe gives the same when it goes on."""
    module(KIND)
    seeds = [json.loads(line) for line in Path("rows.jsonl").read_text(encoding="utf-8").splitlines()]
    names = list(dict.fromkeys(row["Question"].split()[0] for row in seeds))
    run = api.run(recipe_file(tables=BY), out="run", per_category=5)
    assert list(run.summary.categories) == names
    assert Counter(row["Question"].split()[0] for row in run.rows()) == dict.fromkeys(names, 5)
    again = api.run("run/recipe.toml", out="run", per_category=7)
    assert Counter(row["Question"].split()[0] for row in again.rows()) == dict.fromkeys(names, 7)
    assert api.rejudge("run").identical
    assert api.report("run").summary.categories.keys() == dict.fromkeys(names).keys()


def test_a_row_of_another_category_is_rejected(module: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason `label`, as for a label that no seed has."""
    module(KIND)
    recipe = recipe_file(tables=BY)
    row = {"Question": "Zounds, what port?", "Answer": "22", "RawLog": "Server listening on 0.0.0.0 port 22."}
    Path("new.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert main(["check", "new.jsonl", "--recipe", str(recipe), "--format", "json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["reason"], finding["field"]) == ("label", "")
    assert "categories of the seeds" in finding["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def kind(row):\n    return 7\n", "own_checks:kind: expected the category as text, got 7"),
        ("def kind(row):\n    return ''\n", "own_checks:kind: returned no category for seed row 1"),
        ("def kind(row):\n    return row['x']\n", "own_checks:kind: KeyError: 'x' ("),
    ],
)
def test_a_category_function_that_fails_is_reported(text: str, said: str, module: Write) -> None:
    """Before anything is written."""
    module(text)
    with pytest.raises(InputError) as failed:
        api.run(recipe_file(tables=BY), out="run")
    assert said in str(failed.value)
    assert not Path("run").exists()


def test_a_model_is_asked_for_the_category(module: Write) -> None:
    """By the name that the function has for it."""
    module(KIND)
    plan = api.plan(recipe_file(tables=BY), model="m", base_url="http://127.0.0.1:9/v1")
    for name, prompt in api.dry_run(plan).prompts.items():
        assert f'Every new row is of the category "{name}".' in prompt[-1].content


# --- backends ------------------------------------------------------------------------------------------------

BACKEND = """\
import json
from selfinstruct.backends import Backend
from selfinstruct.records import Reply

class Counting:
    name = "counting"
    reads_messages = True

    async def complete(self, request):
        assert request.messages
        rows = []
        for n in range(request.batch.count):
            number = 1000 + request.batch.number * 50 + n
            log = f"Accepted password for user{number} from 10.0.{number % 250}.7 port {number} ssh2"
            rows.append({"Question": f"Which port did user{number} use?", "Answer": str(number), "RawLog": log})
        return Reply(json.dumps({"rows": rows}), self.name)

    async def close(self):
        open("closed", "w").close()

def connect(recipe):
    assert recipe.backend in ("own_checks:connect", "own_checks:connect_later") and recipe.quota.rows == 15
    return Counting()

async def connect_later(recipe):
    return connect(recipe)

def unfinished(recipe):
    return object()

def refuse(recipe):
    raise OSError("no licence")

class Failing(Counting):
    async def complete(self, request):
        raise ValueError("no answer")

def fail(recipe):
    return Failing()

class Silent(Counting):
    async def complete(self, request):
        return "rows"

def silent(recipe):
    return Silent()
"""
LOOSE = "[novelty]\nmax_rouge_l = 1.0\n"


@pytest.mark.parametrize("factory", ["connect", "connect_later"])
def test_a_backend_by_option_is_kept_in_the_recipe(factory: str, module: Write) -> None:
    """It writes the rows, is closed at the end, and the run's own recipe has it when the run goes on."""
    module(BACKEND)
    reference = f"own_checks:{factory}"
    run = api.run(recipe_file(tables=LOOSE), out="run", backend=reference, rows=15)
    assert (run.summary.accepted, run.summary.model) == (15, "counting")
    assert Path("closed").exists()
    assert f'backend = "{reference}"' in Path("run/recipe.toml").read_text(encoding="utf-8")
    assert reference in Path("run/README.md").read_text(encoding="utf-8")
    rows = list(run.rows())
    module(BACKEND.replace("quota.rows == 15", "quota.rows == 25"))
    grown = api.run("run/recipe.toml", out="run", rows=25)
    assert (grown.summary.accepted, list(grown.summary.models)) == (25, ["counting"])
    assert list(grown.rows())[:15] == rows
    assert api.rejudge("run").identical
    replayed = api.run("run/recipe.toml", out="again", backend="replay", recording="run", rows=25)
    assert replayed.summary.accepted == 25


def test_a_backend_of_the_recipe_gives_way_to_the_option(module: Write) -> None:
    """`--backend imitator` grows the same recipe without it, and keeps it out of the run's recipe."""
    module(BACKEND)
    recipe = recipe_file(top='backend = "own_checks:connect"', tables=LOOSE)
    assert api.run(recipe, out="own", rows=15).summary.model == "counting"
    assert api.run(recipe, out="imitated", rows=15, backend="imitator").summary.model == "imitator"
    assert "own_checks" not in Path("imitated/recipe.toml").read_text(encoding="utf-8")


def test_a_backend_serves_recipes_that_need_a_model(module: Write) -> None:
    """Steps are answered by it as by a model."""
    module(BACKEND.replace('return Reply(json.dumps({"rows": rows}), self.name)', "return Reply('{\"x\": 1}', 'c')"))
    text = (
        'name = "steps"\nbackend = "own_checks:connect"\n[fields.x]\ntype = "integer"\n[[steps]]\nname = "s"\n'
        'prompt = "One."\nwrites = ["x"]\n[quota]\nrows = 15\n[novelty]\nmax_rouge_l = 1.0\n'
    )
    Path("steps.toml").write_text(text, encoding="utf-8")
    assert api.run("steps.toml", out="run").summary.accepted == 1


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("unfinished", "expected a backend, got object without name, reads_messages, complete, close"),
        ("refuse", "OSError: no licence ("),
        ("fail", "ValueError: no answer ("),
        ("silent", "complete() returned 'rows'"),
        ("nothing", "no 'nothing' in own_checks ("),
    ],
)
def test_a_backend_that_fails_ends_the_run_cleanly(
    factory: str, said: str, module: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, with the line of the user's code."""
    module(BACKEND)
    recipe = recipe_file(tables=LOOSE)
    assert main(["run", str(recipe), "--out", "run", "--backend", f"own_checks:{factory}", "-q"]) == 2
    shown = capsys.readouterr().err
    assert f"own_checks:{factory}: {said}" in shown
    assert "Traceback" not in shown


def test_a_budget_is_refused_where_it_cannot_be_enforced(module: Write) -> None:
    """A limit that would not hold is worse than none."""
    module(BACKEND)
    with pytest.raises(InputError, match="own_checks:connect: cannot enforce"):
        api.run(recipe_file(tables=LOOSE), out="run", backend="own_checks:connect", max_requests=3)
    imitator = Imitator(prepare(recipe_file(tables=LOOSE)).statistics, {})
    with pytest.raises(InputError, match=f"{imitator.name}: cannot enforce"):
        api.run(recipe_file(tables=LOOSE), out="run", backend=imitator, budget=1.0)


# --- who may use them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("top", "tables"), [("", USING), ("", BY), ('backend = "own_checks:connect"', "")], ids=["check", "by", "backend"]
)
def test_preparing_refuses_extensions_unless_they_are_allowed(top: str, tables: str, module: Write) -> None:
    """A service prepares uploads without an importer, so that their code never runs."""
    module("raise SystemExit('imported')\n")
    with pytest.raises(RecipeError, match="extensions are not allowed here"):
        prepare(recipe_file(top, tables))
    assert "own_checks" not in sys.modules


def test_extension_errors_are_input_errors() -> None:
    """With exit code 2."""
    error: Any = ExtensionError("a:b: failed")
    assert isinstance(error, InputError)
    assert error.exit_code == 2
