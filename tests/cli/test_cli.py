"""The command line: exit codes, stdout and stderr, and the messages for mistakes."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import typer
from rich.console import Console

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.cli.progress import show_progress
from selfinstruct.errors import EndpointError
from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.journal import History
from selfinstruct.recipe import parse_recipe

ROOT = Path(__file__).parents[2]
LOGQA = ROOT / "seeds" / "logqa.jsonl"


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def si(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    return call


# The command with an imitator that takes its time after 150 batches, so that a run of more rows is not over before a
# test on a busy machine sees that it has begun.
SLOWING = """
import asyncio, sys
from selfinstruct.backends.imitator import Imitator
from selfinstruct.cli import main
complete = Imitator.complete
async def slowing(self, request):
    await asyncio.sleep(5 if request.batch.number > 150 else 0)
    return await complete(self, request)
Imitator.complete = slowing
sys.exit(main())
"""


def process(*arguments: object, cwd: Path, slowing: bool = False) -> subprocess.Popen[bytes]:
    """The real command, in a process of its own."""
    program = ["-c", SLOWING] if slowing else ["-m", "selfinstruct"]
    command = [sys.executable, *program, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )


def write(path: Path, *rows: object) -> Path:
    """A file of JSON Lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


# --- the process as others see it ---------------------------------------------------------------------------------


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """``--help`` is quick because neither models, nor pools, nor endpoints are imported on the way to it."""
    heavy = [
        "pydantic",
        "rapidfuzz",
        "pandas",
        "numpy",
        "aiohttp",
        "openai",
        "rich.console",
        "selfinstruct.api",
        "asyncio",
        "sqlite3",
    ]
    script = f"""
import contextlib, io, sys
from selfinstruct.cli import main
with contextlib.redirect_stdout(io.StringIO()) as out:
    code = main(["--help"])
print(code, "run" in out.getvalue(), [name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 True []"


def test_json_is_alone_on_stdout_and_quiet_is_silent(tmp_path: Path) -> None:
    """With --json --quiet stdout is the summary object and nothing else, and stderr is empty."""
    command = process("run", LOGQA, "--rows", 40, "--out", "o", "--json", "--quiet", cwd=tmp_path)
    out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, b"")
    summary = json.loads(out)
    assert summary == json.loads((tmp_path / "o" / "summary.json").read_text())
    assert [category["accepted"] for category in summary["categories"].values()] == [10, 10, 10, 10]


def accepted(run: Path) -> int:
    """How many rows a run has by now."""
    if not (run / "run.sqlite").exists():
        return 0
    with History.open(run) as history:
        return history.state().accepted


def test_interrupt_keeps_what_came_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and a line saying what is kept; the same command meets every quota without a duplicate."""
    arguments = ("run", LOGQA, "--rows", 6_000, "--out", "o", "--quiet")
    command = process(*arguments, cwd=tmp_path, slowing=True)
    while not accepted(tmp_path / "o"):
        assert command.poll() is None
        time.sleep(0.02)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=100)
    assert (command.returncode, out) == (130, b"")
    kept = json.loads((tmp_path / "o" / "summary.json").read_text())["accepted"]
    assert 0 < kept < 6_000
    assert err.decode().splitlines() == [
        f"selfinstruct: interrupted; {kept:,} of 6,000 rows are kept in o",
        "  Run the same command to resume.",
    ]
    again = process(*arguments, cwd=tmp_path)
    assert again.communicate(timeout=180) == (b"", b"")
    assert again.returncode == 0
    lines = (tmp_path / "o" / "rows.jsonl").read_text().splitlines()
    assert len(lines) == len(set(lines)) == 6_000


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """A closed pipe ends the command without a word."""
    many = write(tmp_path / "many.jsonl", *({"text": f"word{n} " * 30} for n in range(3000)))
    command = process("dedup", many, cwd=tmp_path)
    assert command.stdout is not None and command.stderr is not None
    with command.stderr as err:
        command.stdout.readline()
        command.stdout.close()
        assert err.read() == b""
    assert command.wait(timeout=60) == 141


def test_a_full_disk_behind_stdout_is_told(tmp_path: Path) -> None:
    """Where stdout cannot be written: exit 3 and a line, no traceback."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "selfinstruct", "init", str(LOGQA)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.decode().startswith("selfinstruct: cannot write: No space left on device\n  ")
    assert b"Exception" not in done.stderr


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_a_live_board_and_no_escape_of_the_data(tmp_path: Path, colour: bool) -> None:
    """On a terminal progress is drawn, and what rows hold can neither set the title nor colour anything.

    With NO_COLOR there is no colour at all.
    """
    import pty

    evil = "\x1b]0;owned\x07\x1b[31m[red]x[/red]"
    seeds = write(tmp_path / "s.jsonl", *({"text": f"the task {n} ended {evil} on host {n * 7}"} for n in range(3, 9)))
    main_end, terminal = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "selfinstruct", "run", str(seeds), "--rows", "400", "--out", "o"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm",
            "COLUMNS": "100",
            "NO_COLOR": "" if colour else "1",
        },
        stderr=terminal,
        stdout=subprocess.DEVNULL,
    )
    os.close(terminal)
    seen = b""
    while True:
        try:
            chunk = os.read(main_end, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(main_end)
    assert command.wait(timeout=60) == 0
    shown_text = seen.decode()
    assert "━" in shown_text and "rows" in shown_text
    assert "\\x1b]0;owned\\x07" in shown_text and "[red]x[/red]" in shown_text
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", shown_text)) is colour
    assert "\x1b]0;owned" not in shown_text and "\x1b[31m[red]" not in shown_text


# --- run ----------------------------------------------------------------------------------------------------------


def test_run_says_what_it_inferred_and_how_it_ended(si: Run, tmp_path: Path) -> None:
    """First the fields and categories with quota and threshold, at the end counts, files and what to do next."""
    done = si("run", LOGQA, "--rows", 80, "--out", "o")
    assert (done.code, done.out) == (0, "")
    before, after = done.err.split("\n80 rows in ")
    assert "logqa: 80 rows from 10 seeds in o, written by the embedded imitator" in before
    assert "a span of RawLog (10 of 10 seeds)" in before
    assert [line.split()[-2] for line in before.splitlines() if "<*>" in line] == ["20"] * 4
    thresholds = json.loads((tmp_path / "o" / "summary.json").read_text())["categories"].values()
    assert all(f"{category['max_rouge_l']:.4f}" in before for category in thresholds)
    assert after.count("20/20") == 4
    for name in ("rows.jsonl", "report.html", "README.md", "recipe.toml"):
        assert f"o/{name}" in after and (tmp_path / "o" / name).exists()
    assert "--rows 160" in after


def test_the_default_directory_is_named_for_the_seeds(si: Run, tmp_path: Path) -> None:
    """Without --out the run is in outputs/ under the recipe's name."""
    assert si("run", LOGQA, "--per-category", 2, "-q").code == 0
    assert len(rows_of(tmp_path / "outputs" / "logqa" / "rows.jsonl")) == 8


def test_a_larger_quota_grows_the_same_directory(si: Run, tmp_path: Path) -> None:
    """The same directory with more --rows keeps its rows and adds to them; with fewer it is refused."""
    si("run", LOGQA, "--rows", 20, "--out", "o", "-q")
    first = (tmp_path / "o" / "rows.jsonl").read_text()
    assert si("run", LOGQA, "--rows", 40, "--out", "o", "-q").code == 0
    assert (tmp_path / "o" / "rows.jsonl").read_text().startswith(first)
    assert len(rows_of(tmp_path / "o" / "rows.jsonl")) == 40
    assert si("run", LOGQA, "--rows", 30, "--out", "o", "-q").code == 2


def exhausting(tmp_path: Path) -> Path:
    """A recipe under which no more than a hundred rows can be grown."""
    write(tmp_path / "s.jsonl", *({"text": f"bay {n} %"} for n in (7, 93)))
    recipe = tmp_path / "r.toml"
    recipe.write_text('[seeds]\nfile = "s.jsonl"\n[fields.text]\n[quota]\nrows = 300\n')
    return recipe


def test_stopping_short_of_the_quota_is_exit_4(si: Run, tmp_path: Path) -> None:
    """An exhausted category is reported with what to do, and the exit code is 4."""
    done = si("run", exhausting(tmp_path), "--out", "o")
    assert done.code == 4
    assert "99 of 300 rows" in done.err and "stopped early: 1 category exhausted" in done.err
    assert "nothing else to vary" in done.err and "--base-url" in done.err
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["stopped"] == "exhausted"


def test_quiet_still_says_that_it_stopped_short(si: Run, tmp_path: Path) -> None:
    """--quiet is silent apart from what went wrong."""
    done = si("run", exhausting(tmp_path), "--out", "o", "--quiet")
    assert done == Outcome(
        4, "", "selfinstruct: stopped early: 99 of 300 rows; exhausted: all\n  The accepted rows are kept in o.\n"
    )


def test_the_summary_names_the_fields_whose_content_is_not_checked(si: Run) -> None:
    """One line; none where rules decide about every field."""
    done = si("run", ROOT / "seeds" / "tickets.csv", "--rows", 8, "--out", "o")
    assert done.err.count("Not checked: the content of text.") == 1
    assert "Not checked" not in si("run", LOGQA, "--rows", 8, "--out", "p").err


def test_seeds_of_which_no_row_passes_are_refused_before_the_run(si: Run, tmp_path: Path) -> None:
    """Exit 2, with the most frequent reason; --dry-run says the same, and nothing is written."""
    write(tmp_path / "s.jsonl", *({"text": f"the task {n} has ended"} for n in range(3)))
    recipe = tmp_path / "r.toml"
    recipe.write_text('[seeds]\nfile = "s.jsonl"\n[fields.text]\n[quota]\nrows = 30\n[novelty]\nmax_rouge_l = 0.1\n')
    for options in ((), ("--dry-run",)):
        done = si("run", recipe, "--out", "o", *options)
        assert done.code == 2 and "near-duplicate" in done.err and "novelty.max_rouge_l" in done.err
    assert not (tmp_path / "o").exists()


def test_a_failing_endpoint_is_exit_3_with_what_is_kept(si: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the endpoint fails, the accepted rows are counted, and the error and a hint are printed."""
    si("run", LOGQA, "--rows", 20, "--out", "o", "-q")

    async def fail(*args: object, **options: object) -> None:
        raise EndpointError("10 calls in a row failed", hint="Run the same command again.")

    monkeypatch.setattr(api, "run_async", fail)
    done = si("run", LOGQA, "--rows", 40, "--out", "o", "-q")
    assert done.code == 3
    assert "20 of 20 rows are kept in o" in done.err
    assert done.err.endswith("selfinstruct: 10 calls in a row failed\n  Run the same command again.\n")


def test_an_unexpected_fault_asks_for_a_report(si: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug shows its traceback and a line that asks to report it, with an exit code that no gate has."""

    def fail(*args: object, **options: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(api, "plan", fail)
    done = si("run", LOGQA)
    assert done.code == 70
    assert "Traceback" in done.err
    assert "selfinstruct: internal error: ZeroDivisionError: by zero\n  This is a bug. Please report it" in done.err


@pytest.mark.parametrize("text", ["a row", "一行数据"])
def test_a_terminal_shows_the_first_rows_as_they_come(text: str) -> None:
    """The first three accepted rows are printed once each, above the board, on one line."""
    file = io.StringIO()
    screen = Console(file=file, force_terminal=True, width=60, markup=False, emoji=False, highlight=False)
    counts = {"a": CategoryCount(9, 1, 0, False)}
    with show_progress(screen, lambda: 0.0) as watch:
        for number in (None, 1, 1, 2, 3, 4):
            row = None if number is None else {"text": f"{text} {number}\n\x1b[31m", "more": "x" * 80}
            watch(Snapshot(counts, 1, 1, {}, {}, 1, 0, row))
    lines = [line for line in file.getvalue().split("\n") if text in line and '"text"' in line]
    assert [f"{text} {number}" in line for number, line in zip((1, 2, 3), lines, strict=True)] == [True] * 3
    assert all("\x1b[31m" not in line and "…" in line for line in lines)


def test_plain_lines_now_and_then_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """A pipe or a log gets a line every ten seconds of the run's clock, and none before."""
    from selfinstruct.cli.console import console

    now = 0.0
    with show_progress(console(), lambda: now) as watch:
        for now in (0.0, 5.0, 10.0, 12.0, 20.0):
            done = int(now)
            watch(Snapshot({"a": CategoryCount(100, done, 1, False)}, done, done + 1, {"echo": 1}, {}, 3, 2, None))
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        "10 of 100 rows · 1.0 rows/s · 1 min 30 s left · 2 in flight · 1 rejected",
        "20 of 100 rows · 1.0 rows/s · 1 min 20 s left · 2 in flight · 1 rejected",
    ]


# --- dry run ------------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_everything_and_does_nothing(si: Run, tmp_path: Path) -> None:
    """--dry-run prints the plan, the number of requests and a whole prompt a category, and writes no file."""
    done = si("run", LOGQA, "--rows", 1000, "--dry-run")
    assert done.code == 0 and not list(tmp_path.iterdir())
    assert "52 requests" in done.out
    assert done.out.count("--- system") == done.out.count("--- user") == 4
    assert "Finished task 42.0 in stage 24.0" in done.out
    assert "the embedded imitator" in done.out


def test_a_dry_run_as_json_counts_requests_tokens_and_money(si: Run, tmp_path: Path) -> None:
    """The object has requests by category, tokens, the cost by the recipe's prices and the prompts."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        f'[seeds]\nfile = "{LOGQA}"\n[fields.Question]\n[fields.Answer]\n[fields.RawLog]\n[quota]\nrows = 45\n'
        '[model]\nname = "m"\nprice = { input = 2.0, output = 3.0 }\n'
    )
    plan = json.loads(si("run", recipe, "--dry-run", "--json").out)
    assert plan["requests"] == {"all": 3}
    tokens = plan["tokens"]
    assert plan["cost"] == pytest.approx((2 * tokens["input"] + 3 * tokens["output"]) / 1e6, rel=1e-3)
    assert [message["role"] for message in plan["prompts"]["all"]] == ["system", "user"]


# --- what cannot be used ------------------------------------------------------------------------------------------

GOOD = {"Question": "Is rdd_1_2 found?", "Answer": "not", "RawLog": "Partition rdd_1_2 not found"}
OTHER = {"Question": "Is rdd_3_4 found?", "Answer": "not", "RawLog": "Partition rdd_3_4 not found, computing it"}
LINES = "".join(f"{json.dumps(row)}\n" for row in (GOOD, OTHER))


def ungrounded() -> str:
    """Twelve seeds, the third of which gives an answer that its log does not hold."""
    rows = [
        {"Question": f"Is rdd_{n} found?", "Answer": "lost" if n == 3 else "not", "RawLog": f"rdd_{n} not found"}
        for n in range(1, 13)
    ]
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.mark.parametrize(
    ("content", "where", "says"),
    [
        (None, "s.jsonl", "no such file"),
        (b"", "s.jsonl", "the file is empty"),
        (b'{"a": "caf\xe9"}\n', "s.jsonl:1", "not UTF-8"),
        ((LINES * 3 + '{"Question": ').encode(), "s.jsonl:7", "JSON"),
        ((LINES + '{"Question": "?"}\n').encode(), "s.jsonl:3", "fields differ from line 1"),
        ((LINES + json.dumps(GOOD)).encode(), "s.jsonl:3", "the same row as line 1"),
        (json.dumps(GOOD).encode(), "s.jsonl:1", "need at least two seed rows"),
        (ungrounded().encode(), "s.jsonl:3", 'Answer "lost" does not occur in RawLog'),
    ],
    ids=["missing", "empty", "not UTF-8", "broken line 7", "differing fields", "duplicate", "one seed", "ungrounded"],
)
def test_seeds_that_cannot_be_used(si: Run, tmp_path: Path, content: bytes | None, where: str, says: str) -> None:
    """Each bad seed file: exit 2, file and line, what is wrong, a remedy, no traceback, and nothing written."""
    if content is not None:
        (tmp_path / "s.jsonl").write_bytes(content)
    done = si("run", "s.jsonl", "--out", "o")
    assert (done.code, done.out) == (2, "")
    first, *remedy = done.err.splitlines()
    assert first.startswith(f"selfinstruct: {where}: ") and says in first
    assert remedy and all(line.startswith("  ") for line in remedy)
    assert not (tmp_path / "o").exists()


def test_bad_seeds_may_be_left_out(si: Run, tmp_path: Path) -> None:
    """--skip-bad-seeds goes on without the seeds that break the rules, and names them."""
    (tmp_path / "s.jsonl").write_text(ungrounded())
    done = si("run", "s.jsonl", "--out", "o", "--rows", 10, "--skip-bad-seeds")
    assert done.code == 0
    assert 'skipped s.jsonl:3: Answer "lost" does not occur in RawLog' in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Usage: selfinstruct"),
        (["foo"], "No such command 'foo'"),
        (["run"], "no seeds, recipe or passages"),
        (["run", LOGQA, "--rows", "many"], "--rows"),
        (["run", LOGQA, "--rows", "0"], "--rows: expected a whole number of at least 1, got 0"),
        (["run", LOGQA, "--rows", "-5"], "--rows: expected a whole number of at least 1, got -5"),
        (["run", LOGQA, "--per-category", "0"], "--per-category: expected a whole number"),
        (["run", LOGQA, "--rows", "9", "--per-category", "3"], "--rows and --per-category exclude each other"),
        (["run", LOGQA, "--backend", "gpt"], "--backend: unknown value 'gpt'"),
        (["run", LOGQA, "--concurrency", "0"], "--concurrency"),
        (["run", LOGQA, "--nonsense"], "--nonsense"),
        (["run", LOGQA, "--out", "file/o"], "cannot use it as the output directory"),
        (["run", LOGQA, "--out", "full"], "contains other files"),
        (["show", "nowhere", "1"], "nowhere: not a run directory"),
        (["check", LOGQA, "--recipe", LOGQA], "contains rows, not a recipe"),
        (["check", LOGQA, "--format", "xml"], "xml"),
        (["dedup", LOGQA, "--max-rouge-l", "0"], "--max-rouge-l: expected a number above 0"),
        (["dedup", LOGQA, "--fields", "question"], "Did you mean Question?"),
        (["init", "nowhere.jsonl"], "no such file"),
    ],
)
def test_a_command_line_that_cannot_be_used(si: Run, tmp_path: Path, arguments: Sequence[object], says: str) -> None:
    """Each mistake: exit 2, on stderr what is wrong and what to do, stdout empty, nothing written."""
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = si(*arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err and "Traceback" not in done.err
    assert len(done.err.splitlines()) > 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_directory_of_another_recipe_is_left_alone(si: Run, tmp_path: Path) -> None:
    """A run does not go on with the rows of other seeds; the message names what differs."""
    si("run", LOGQA, "--rows", 8, "--out", "o", "-q")
    before = (tmp_path / "o" / "rows.jsonl").read_bytes()
    done = si("run", ROOT / "seeds" / "sshd.jsonl", "--rows", 8, "--out", "o", "-q")
    assert done.code == 2 and "this run has other settings" in done.err and "the seed rows" in done.err
    assert (tmp_path / "o" / "rows.jsonl").read_bytes() == before


def test_control_characters_of_an_error_are_escaped(si: Run, tmp_path: Path) -> None:
    """A file's name or content cannot drive the terminal through an error message."""
    done = si("run", "no\x1b[31m\nsuch")
    assert done.code == 2
    assert "\x1b" not in done.err and "\\x1b[31m" in done.err


# --- init ---------------------------------------------------------------------------------------------------------


def test_init_prints_a_recipe_that_runs_as_it_is(si: Run, tmp_path: Path) -> None:
    """What init prints is the recipe that run infers, and run takes it."""
    done = si("init", LOGQA)
    assert done.code == 0
    recipe = parse_recipe(done.out, "recipe.toml", tmp_path)
    inferred = api.plan(LOGQA).recipe
    assert recipe.fields == inferred.fields and recipe.categories == inferred.categories
    assert recipe.novelty == inferred.novelty and recipe.quota == inferred.quota
    (tmp_path / "recipe.toml").write_text(done.out)
    assert si("run", "recipe.toml", "--rows", 8, "--out", "o", "-q").code == 0
    assert len(rows_of(tmp_path / "o" / "rows.jsonl")) == 8


def test_init_names_the_seeds_as_the_recipe_sees_them(si: Run, tmp_path: Path) -> None:
    """The path of the seeds is relative to the recipe's own folder."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "s.jsonl").write_text(LINES)
    (tmp_path / "recipes").mkdir()
    assert si("init", "data/s.jsonl", "-o", "recipes/r.toml").code == 0
    assert tomllib.loads((tmp_path / "recipes" / "r.toml").read_text())["seeds"]["file"] == "../data/s.jsonl"
    assert si("run", "recipes/r.toml", "--rows", 2, "-q", "--out", "o").code == 0


def test_init_does_not_write_over_a_file(si: Run, tmp_path: Path) -> None:
    """A file that is there is left alone, unless --force says otherwise."""
    (tmp_path / "r.toml").write_text("mine")
    done = si("init", LOGQA, "-o", "r.toml")
    assert done.code == 2 and "--force" in done.err
    assert (tmp_path / "r.toml").read_text() == "mine"
    assert si("init", LOGQA, "-o", "r.toml", "--force").code == 0
    assert "RawLog" in (tmp_path / "r.toml").read_text()


def test_init_takes_one_seed_and_says_what_that_cannot_show(si: Run, tmp_path: Path) -> None:
    """One seed gives a recipe that grows; its head warns that one row proves no rule."""
    write(tmp_path / "one.jsonl", GOOD)
    done = si("init", "one.jsonl", "-o", "r.toml")
    assert done.code == 0
    assert "One seed does not show what varies" in (tmp_path / "r.toml").read_text()
    assert si("run", "r.toml", "--rows", 10, "--out", "o", "-q").code == 0
    grown = rows_of(tmp_path / "o" / "rows.jsonl")
    assert len(grown) == 10 and all(row["Answer"] in row["RawLog"] for row in grown)


def test_init_notes_the_seeds_that_break_its_rules(si: Run, tmp_path: Path) -> None:
    """A recipe of seeds of which some break its rules says which, so that the first run is no surprise."""
    (tmp_path / "s.jsonl").write_text(ungrounded())
    assert '# s.jsonl:3: Answer "lost" does not occur in RawLog' in si("init", "s.jsonl").out


def test_init_of_a_recipe_is_refused(si: Run, tmp_path: Path) -> None:
    """A recipe is no seed file."""
    (tmp_path / "r.toml").write_text(si("init", LOGQA).out)
    done = si("init", "r.toml")
    assert done.code == 2 and "already a recipe" in done.err


# --- show ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with four hundred rows and some rejections."""
    where = tmp_path_factory.mktemp("grown") / "o"
    assert api.run(LOGQA, rows=400, out=where).summary.rejected
    return where


def test_show_tells_where_a_row_came_from(si: Run, grown: Path) -> None:
    """A row by its line: its values, category, batch, model, demonstrations, its words in the reply, its nearest."""
    row = rows_of(grown / "rows.jsonl")[11]
    done = si("show", grown, 12)
    assert (done.code, done.err) == (0, "")
    for value in row.values():
        assert value in done.out
    assert "written by imitator in batch 1, 20 rows requested, candidate 12 of the reply" in done.out
    assert json.dumps(row) in done.out
    found = api.show(grown, "12")
    assert {near.name for near in found.demos} <= {"s1", "s10"}
    assert found.nearest is not None and len(found.nearest) == 5
    scores = [near.score or 0 for near in found.nearest]
    threshold = json.loads((grown / "summary.json").read_text())["categories"][found.category]["max_rouge_l"]
    assert scores == sorted(scores, reverse=True) and 0 < scores[0] <= threshold
    assert all(near.name != "12" for near in found.nearest)


def test_show_tells_why_a_candidate_was_rejected(si: Run, grown: Path) -> None:
    """A rejection by its number: the reason, the message, what it clashes with and how closely."""
    found = api.show(grown, "x1")
    assert found.rejection is not None and found.nearest is not None
    done = si("show", grown, "x1")
    assert found.rejection.reason in done.out and found.rejection.message in done.out
    assert f"{found.rejection.score:.4f}  " in done.out
    assert found.nearest[0].name in done.out


def test_show_tells_of_a_seed(si: Run, grown: Path) -> None:
    """A seed by its number: its line in the seed file."""
    done = si("show", grown, "s3")
    assert done.code == 0 and "Partition rdd_42_18 not found" in done.out and "line 3 of" in done.out


@pytest.mark.parametrize("name", ["0", "401", "s11", "x9999", "-1", "seed", "1.5", "x"])
def test_show_of_a_row_that_is_not_there(si: Run, grown: Path, name: str) -> None:
    """A name of no row: exit 2 and which names there are, or how rows are named."""
    done = si("show", grown, "--", name)
    assert (done.code, done.out) == (2, "")
    assert "s1 to s10" in done.err or "Give the number of a row" in done.err


# --- the help, written down ---------------------------------------------------------------------------------------


def test_the_documented_help_is_the_help() -> None:
    """docs/cli.md is what the commands say; where it is not: python docs/generate_cli.py."""
    page = runpy.run_path(str(ROOT / "docs" / "generate_cli.py"))["text"]()
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page


def test_the_version_is_told(si: Run) -> None:
    """--version says the version and nothing else."""
    from selfinstruct._version import __version__

    assert si("--version") == Outcome(0, f"selfinstruct {__version__}\n", "")


def test_typer_is_the_only_one_to_read_the_command_line() -> None:
    """What main takes for a usage error is typer's own class, of which a bad parameter is one."""
    from selfinstruct.cli import _UsageError

    assert issubclass(typer.BadParameter, _UsageError) and issubclass(_UsageError, Exception)
    assert _UsageError.__name__ == "UsageError"


@pytest.mark.parametrize("command", [("check", "--format", "json"), ("init",), ("dedup",), ("dedup", "--json")])
def test_data_on_stdout_is_utf8_in_every_locale(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The same bytes on a terminal that is not UTF-8."""
    rows = [{"Text": f"La caisse {number} est chez Zoë 😀.", "Où": "café"} for number in (12, 48, 87)]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    outputs = []
    for variables in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = subprocess.run(
            [sys.executable, "-m", "selfinstruct", command[0], "f.jsonl", *command[1:]],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "", **variables},
            capture_output=True,
            check=False,
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] and outputs[0]
    assert "\\x" not in outputs[0].decode("utf-8")
