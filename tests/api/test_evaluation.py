"""``evaluate``: grown rows that carry signal help, others do not, and leaks do not count."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import selfinstruct
from selfinstruct.api import evaluate
from selfinstruct.cli import main
from selfinstruct.errors import ExtensionError, InputError
from selfinstruct.readers import Example, Prediction, Reader

_USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
_WORDS = ("screen", "battery", "keyboard", "speaker", "camera")
Row = dict[str, Any]


def english(numbers: Sequence[int], kinds: Sequence[int]) -> list[Row]:
    """Questions of some kinds about connections; the kinds ask for different places of the line."""
    rows = []
    for n in numbers:
        user, address, port, size = _USERS[n % 7], f"10.{n % 5}.3.{n}", 2000 + 37 * n, 100 + 3 * n
        line = f"session of {user} from {address} port {port} closed, sent {size} KB"
        asked = (
            (f"Which user had a session from {address}?", user),
            (f"Where did the session of {user} come from?", address),
            (f"On which port was {address} connected?", str(port)),
            (f"How many KB were sent by {user}?", str(size)),
        )
        rows += [{"Question": asked[k][0], "Answer": asked[k][1], "RawLog": line} for k in kinds]
    return rows


def chinese(numbers: Sequence[int], kinds: Sequence[int]) -> list[Row]:
    """The same in Chinese."""
    rows = []
    for n in numbers:
        user, address, port, size = _USERS[n % 7], f"10.{n % 5}.3.{n}", 2000 + 37 * n, 100 + 3 * n
        line = f"用户 {user} 断开连接，来源IP：{address}，端口：{port}，流量：{size} KB"
        asked = (
            (f"哪个用户从{address}连接？", user),
            (f"{user}的连接来自哪里？", address),
            (f"{address}用的端口是多少？", str(port)),
            (f"{user}用了多少流量？", str(size)),
        )
        rows += [{"问题": asked[k][0], "答案": asked[k][1], "日志": line} for k in kinds]
    return rows


def labels(numbers: Sequence[int]) -> list[Row]:
    """Reviews whose label depends on one word."""
    return [
        {
            "text": f"order {n}: the {_WORDS[n % 5]} {('works well', 'is broken', 'arrived late')[n % 3]} today",
            "label": ("praise", "defect", "delivery")[n % 3],
        }
        for n in numbers
    ]


def write(path: Path, rows: Sequence[Row]) -> str:
    """Write rows as JSON Lines and return the path."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("make", [english, chinese])
def test_grown_rows_with_new_questions_help_and_wrong_answers_do_not(
    make: Callable[[Sequence[int], Sequence[int]], list[Row]], tmp_path: Path
) -> None:
    """Seeds ask one kind of question, grown rows all of them: they beat the seeds and digit swapping, measurably."""
    seeds = write(tmp_path / "seeds.jsonl", make(range(6), [0]))
    grown = write(tmp_path / "grown.jsonl", make(range(10, 25), [0, 1, 2, 3]))
    holdout = write(tmp_path / "holdout.jsonl", make(range(60, 72), [1, 2, 3]))
    done = evaluate(grown, holdout, seeds=seeds, updates=200)
    best = done.grown
    assert best is not None
    assert best.scores.all.value > 0.9
    for gain in best.gains:
        assert gain.scores.all.low > 0.1, gain.over
    shuffled = done.outcome("shuffled answers")
    assert shuffled is not None
    assert shuffled.scores.all.high < best.scores.all.low
    assert done.rows["new"] == 0
    assert best.scores.new is None


def test_more_of_the_same_is_no_measurable_gain(tmp_path: Path) -> None:
    """Rows that repeat the seeds with other digits bring nothing over digit swapping, and the text says so."""
    from selfinstruct.render.evaluation import evaluation_text

    seeds = write(tmp_path / "seeds.jsonl", english(range(6), [0, 1]))
    grown = write(tmp_path / "grown.jsonl", english(range(7, 27, 2), [0, 1]))
    holdout = write(tmp_path / "holdout.jsonl", english(range(60, 70), [0, 1, 2, 3]))
    done = evaluate(grown, holdout, seeds=seeds, updates=150)
    assert done.grown is not None
    assert not any(gain.scores.all.is_measurable for gain in done.grown.gains if gain.over != "seeds")
    assert "no measurable gain over" in evaluation_text(done).plain
    assert done.rows["new"] == 20
    assert all(each.scores.new is not None for each in done.outcomes)
    assert "20 test rows with a new template" in evaluation_text(done).plain


def test_test_rows_and_their_contexts_are_taken_out_of_training_and_counted(tmp_path: Path) -> None:
    """Grown rows that copy the test give no advantage."""
    rows = english(range(60, 70), [2])
    seeds = write(tmp_path / "seeds.jsonl", english(range(6), [0]))
    grown = write(tmp_path / "grown.jsonl", [*english(range(10, 22), [0]), *rows, *english(range(60, 64), [3])])
    done = evaluate(grown, write(tmp_path / "test.jsonl", rows), seeds=seeds, updates=100)
    assert done.removed == {"grown": {"row": 10, "context": 4}}
    assert done.rows["grown"] == 12
    nearest = done.outcome("nearest")
    assert nearest is not None
    assert nearest.scores.all.value < 0.2


def test_evaluation_is_kept_and_shown_with_the_run(tmp_path: Path) -> None:
    """A run directory gets evaluation.json, a plot, and a section in its report and card, also in later ones."""
    seeds = write(tmp_path / "seeds.jsonl", english(range(6), [0, 1]))
    run = selfinstruct.run(seeds, rows=20, out=tmp_path / "run")
    assert "Does training" not in (run.directory / "report.html").read_text(encoding="utf-8")
    full = write(tmp_path / "full.jsonl", english(range(30, 40), [0, 1, 2, 3]))
    holdout = write(tmp_path / "<holdout>.jsonl", english(range(60, 70), [2, 3]))
    done = selfinstruct.evaluate(run.directory, holdout, full=full, updates=60)
    kept = json.loads((run.directory / "evaluation.json").read_text(encoding="utf-8"))
    assert selfinstruct.Evaluation.from_dict(kept) == selfinstruct.Evaluation.from_dict(done.to_dict())
    assert kept == json.loads(json.dumps(done.to_dict()))
    selfinstruct.report(run.directory)
    page = (run.directory / "report.html").read_text(encoding="utf-8")
    assert page.count("Does training on the rows help?") == 1
    assert "<holdout>" not in page and "&lt;holdout&gt;" in page
    assert "seeds, human and grown rows" in page
    assert '<path class="line grown"' in page
    assert "## Does training on the rows help?" in (run.directory / "README.md").read_text(encoding="utf-8")
    assert (run.directory / "evaluation.svg").read_text(encoding="utf-8").startswith("<svg ")
    (run.directory / "evaluation.json").write_text('{"task": 1}', encoding="utf-8")
    selfinstruct.report(run.directory)
    assert "Does training" not in (run.directory / "report.html").read_text(encoding="utf-8")


def test_same_evaluation_gives_the_same_figures(tmp_path: Path) -> None:
    """Nothing depends on chance but ``seed``."""
    files = [
        write(tmp_path / f"{name}.jsonl", english(numbers, kinds))
        for name, numbers, kinds in (("s", range(4), [0]), ("g", range(10, 18), [1, 2]), ("h", range(60, 70), [0, 3]))
    ]
    one, again, other = (evaluate(files[1], files[2], seeds=files[0], updates=20, seed=seed) for seed in (0, 0, 7))
    assert one == again
    assert one.to_dict()["outcomes"] != other.to_dict()["outcomes"]


def test_labels_are_read_by_logistic_regression(tmp_path: Path) -> None:
    """Label fields need no question; grown rows that show the other words help."""
    seeds = write(tmp_path / "seeds.jsonl", [row for row in labels(range(30)) if "screen" in row["text"]])
    grown = write(tmp_path / "grown.jsonl", labels(range(100, 160)))
    holdout = write(tmp_path / "holdout.jsonl", [row for row in labels(range(200, 260)) if "screen" not in row["text"]])
    done = evaluate(grown, holdout, seeds=seeds, updates=200)
    assert (done.task, done.fields["answer"], done.fields["question"]) == ("label", ["label"], [])
    assert done.reader == "TF-IDF and logistic regression"
    assert done.grown is not None
    assert done.grown.scores.all.value == 1
    shuffled = done.outcome("shuffled answers")
    assert shuffled is not None
    assert shuffled.scores.all.value < 0.7


# ---- Readers of one's own ----

MODULE = '''
from collections import Counter
from selfinstruct.readers import Prediction

class Most:
    """Answers what is the most frequent, after having counted how often it was asked to train."""
    def __init__(self, seed): self.seed = seed
    def fit(self, rows): self.answer = Counter(row.answer for row in rows).most_common(1)[0][0]; self.rows = len(rows)
    def predict(self, question, context):
        assert self.rows == 30
        return Prediction(self.answer, 1.0)

class Broken(Most):
    def predict(self, question, context): return self.missing

class Wordy(Most):
    def predict(self, question, context): return "alice"

def nothing(seed): return seed
'''


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Seeds, grown rows and test rows, and a module of readers in the working directory."""
    (tmp_path / "my_readers.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_readers", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return [
        write(tmp_path / "seeds.jsonl", english(range(4), [0])),
        write(tmp_path / "grown.jsonl", english(range(10, 16), [0, 1])),
        write(tmp_path / "holdout.jsonl", english(range(60, 72), [0])),
    ]


def test_reader_of_ones_own_is_trained_and_asked(files: list[str]) -> None:
    """It gets the number of examples that was asked for, and its answers are scored."""
    seeds, grown, holdout = files
    done = evaluate(grown, holdout, seeds=seeds, reader="my_readers:Most", updates=30)
    assert done.reader == "my_readers:Most"
    assert all(each.scores.all.value <= 0.3 for each in done.outcomes if each.family != "nearest")


def test_reader_may_be_a_function_in_python(files: list[str]) -> None:
    """The library takes the factory itself."""

    class Perfect:
        """Knows every answer."""

        def fit(self, rows: Sequence[Example]) -> None:
            """Learn nothing."""

        def predict(self, question: str, context: str) -> Prediction:
            """Return the user of the session."""
            return Prediction(context.split()[2], 1.0)

    def make(seed: int) -> Reader:
        return Perfect()

    seeds, grown, holdout = files
    done = evaluate(grown, holdout, seeds=seeds, reader=make, updates=5)
    assert done.grown is not None
    assert done.grown.scores.all.value == done.grown.scores.all.low == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Broken", "has no attribute 'missing'"),
        ("Wordy", "predict() returned 'alice'"),
        ("nothing", "expected a reader, got int without fit and predict"),
        ("Absent", "no 'Absent' in my_readers"),
    ],
)
def test_reader_that_fails_is_an_error_of_the_reader(
    name: str, message: str, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, with the place in the user's code, and no traceback."""
    seeds, grown, holdout = files
    options = ["--seeds", seeds, "--holdout", holdout, "--reader", f"my_readers:{name}", "--updates", "30"]
    assert main(["evaluate", grown, *options]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown


def test_reader_error_is_an_extension_error(files: list[str]) -> None:
    """In Python it can be told from invalid rows."""
    seeds, grown, holdout = files
    with pytest.raises(ExtensionError):
        evaluate(grown, holdout, seeds=seeds, reader="my_readers:Broken", updates=30)


# ---- The command line ----


def test_command_prints_a_table_or_json(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``--json`` prints what ``to_dict`` returns; the table has a line for each condition."""
    seeds, grown, holdout = files
    options = [grown, "--seeds", seeds, "--holdout", holdout, "--updates", "20"]
    assert main(["evaluate", *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fields"] == {"question": ["Question"], "answer": ["Answer"], "context": ["RawLog"]}
    assert main(["evaluate", *options]) == 0
    shown = capsys.readouterr().out
    assert len(found["outcomes"]) == 8
    assert "seeds and grown rows, 1x" in shown
    assert "Question asks, Answer is found in RawLog" in shown


def test_unusable_input_exits_with_2_and_says_why(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing files, fields, seeds, and tests that are too small or the seeds themselves."""
    seeds, grown, holdout = files
    other = write(tmp_path / "other.jsonl", [{"Question": "who?", "Line": "x"}] * 12)
    few = write(tmp_path / "few.jsonl", english(range(60, 63), [0]))
    same = write(tmp_path / "same.jsonl", english(range(0, 12), [0]))
    free = write(
        tmp_path / "free.jsonl",
        [{"instruction": f"Describe a {word} at length.", "output": f"It is {word * 2}."} for word in _WORDS],
    )
    (tmp_path / "folder").mkdir()
    cases = [
        ([grown, "--holdout", holdout], "without the seeds"),
        ([grown, "--seeds", seeds, "--holdout", other], "no field 'RawLog', 'Answer'; the fields are Question, Line"),
        ([grown, "--seeds", seeds, "--holdout", other], "Question asks, Answer is found in RawLog"),
        ([grown, "--seeds", seeds, "--holdout", few], "3 rows with a value in"),
        ([grown, "--seeds", seeds, "--holdout", same], "every seed is in it"),
        ([grown, "--seeds", free, "--holdout", holdout], "no field can be scored as an answer"),
        ([grown, "--seeds", seeds, "--holdout", holdout, "--trainings", "3"], "--trainings: expected at least 5"),
        ([grown, "--seeds", seeds, "--holdout", holdout, "--updates", "0"], "--updates: expected at least 1"),
        ([str(tmp_path / "folder"), "--holdout", holdout], "not a run directory"),
        ([other, "--seeds", seeds, "--holdout", holdout], "no grown row has a value in"),
        ([grown, "--seeds", seeds, "--holdout", str(tmp_path / "none.jsonl")], "none.jsonl"),
    ]
    for arguments, message in cases:
        assert main(["evaluate", *arguments]) == 2, arguments
        assert message in capsys.readouterr().err


def test_missing_scikit_learn_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels need the extra; the error says how to install it."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    files = [write(tmp_path / f"{n}.jsonl", labels(range(n, n + 30))) for n in (0, 100, 200)]
    with pytest.raises(InputError) as error:
        evaluate(files[1], files[2], seeds=files[0])
    assert "pip install 'selfinstruct[evaluate]'" in error.value.hint
