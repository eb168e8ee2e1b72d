"""The reader of docs/how-to/evaluate-a-run.md, with doubles of torch and transformers that learn from the left word."""

from __future__ import annotations

import re
import sys
from collections import Counter, UserDict, defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from selfinstruct.api import evaluate
from selfinstruct.readers import Example, Prediction

PAGE = Path(__file__).parents[2] / "docs/how-to/evaluate-a-run.md"


class Encoding(UserDict[str, Any]):
    """What a tokenizer returns: tensors by name, and which part of the input each token is of."""

    parts: Sequence[Sequence[int | None]]

    def sequence_ids(self, at: int) -> Sequence[int | None]:
        """0 for a token of the question, 1 for one of the context, None for special ones and padding."""
        return self.parts[at]


class Tokenizer:
    """Words are tokens, numbered as they come; a special token begins, separates and pads."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    @classmethod
    def from_pretrained(cls, name: str) -> Tokenizer:
        """Load nothing."""
        return cls()

    def __call__(self, questions: Sequence[str], contexts: Sequence[str], **options: Any) -> Encoding:
        """Encode pairs of texts. The options are those that offsets and batches need."""
        assert options["return_offsets_mapping"] and options["padding"] and options["return_tensors"] == "pt"
        assert options["truncation"] == "only_second"
        lines = []
        for question, context in zip(questions, contexts, strict=True):
            line: list[tuple[int, tuple[int, int], int | None]] = [(0, (0, 0), None)]
            for part, text in enumerate((question, context)):
                for word in re.finditer(r"\w+", text):
                    line.append((self.numbers.setdefault(word[0], len(self.numbers) + 1), word.span(), part))
                line.append((0, (0, 0), None))
            lines.append(line)
        length = max(map(len, lines))
        padded = [line + [(0, (0, 0), None)] * (length - len(line)) for line in lines]
        made = Encoding(
            input_ids=np.array([[each[0] for each in line] for line in padded]),
            offset_mapping=np.array([[each[1] for each in line] for line in padded]),
        )
        made.parts = [[each[2] for each in line] for line in padded]
        return made


class Model:
    """Points at the token that follows what preceded most answers to questions with the same first word."""

    def __init__(self) -> None:
        self.seen: dict[int, Counter[int]] = defaultdict(Counter)
        self.waiting: list[tuple[int, int]] = []
        self.is_training = False

    @classmethod
    def from_pretrained(cls, name: str) -> Model:
        """Load nothing."""
        return cls()

    def parameters(self) -> list[Model]:
        """The model is its own parameter."""
        return [self]

    def train(self) -> None:
        """From now on, learn."""
        self.is_training = True

    def eval(self) -> None:
        """From now on, answer."""
        self.is_training = False

    def __call__(self, input_ids: Any, start_positions: Any = None, end_positions: Any = None) -> SimpleNamespace:
        """Return logits; with positions, a loss whose ``backward`` remembers them for the next step."""
        if start_positions is not None:
            assert self.is_training and len(start_positions) == len(end_positions) == len(input_ids)
            assert (np.asarray(start_positions) <= np.asarray(end_positions)).all()
            pairs = [
                (int(line[1]), int(line[at - 1])) for line, at in zip(input_ids, start_positions, strict=True) if at > 0
            ]
            return SimpleNamespace(loss=SimpleNamespace(backward=lambda: self.waiting.extend(pairs)))
        assert not self.is_training
        logits = np.array(
            [
                [float(at and self.seen[int(line[1])][int(line[at - 1])]) for at in range(len(line))]
                for line in input_ids
            ]
        )
        return SimpleNamespace(start_logits=logits, end_logits=logits)


class Optimizer:
    """Learns what the losses remembered."""

    def __init__(self, parameters: Sequence[Model], lr: float) -> None:
        (self.model,) = parameters

    def step(self) -> None:
        """Learn."""
        for question, before in self.model.waiting:
            self.model.seen[question][before] += 1

    def zero_grad(self) -> None:
        """Forget what has been learnt from."""
        self.model.waiting = []


def softmax(values: Any, axis: int) -> Any:
    """Exponentials that add to 1."""
    powers = np.exp(values - values.max(axis))
    return powers / powers.sum(axis)


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of the page in the working directory, and doubles of what it imports."""
    torch, optim, transformers = ModuleType("torch"), ModuleType("torch.optim"), ModuleType("transformers")
    vars(optim).update(AdamW=Optimizer)
    vars(torch).update(
        optim=optim, tensor=np.array, softmax=softmax, no_grad=nullcontext, manual_seed=lambda seed: None
    )
    vars(transformers).update(AutoTokenizer=Tokenizer, AutoModelForQuestionAnswering=Model)
    for module in (torch, optim, transformers):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "transformers_reader", raising=False)
    (block,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (tmp_path / "transformers_reader.py").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "transformers_reader:make"


def rows(numbers: Sequence[int]) -> list[dict[str, str]]:
    """Two questions about each line."""
    made = []
    for n in numbers:
        line = f"session of user{n} on port {1000 + n} closed"
        made.append({"Question": f"Who had the port {1000 + n}?", "Answer": f"user{n}", "RawLog": line})
        made.append({"Question": f"Where was user{n} connected?", "Answer": str(1000 + n), "RawLog": line})
    return made


def test_the_reader_of_the_page_learns_and_answers(reader: str, tmp_path: Path) -> None:
    """It trains in one pass over the examples and answers with a span of the context."""
    sys.path_importer_cache.pop(str(tmp_path), None)
    module = __import__("transformers_reader")
    made = module.make(0)
    made.fit([Example(each["Question"], each["RawLog"], each["Answer"]) for each in rows(range(20))])
    found = made.predict("Who had the port 1077?", "session of user77 on port 1077 closed")
    assert isinstance(found, Prediction)
    assert found.answer == "user77"
    assert 0 < found.confidence <= 1
    assert made.predict("Where was user77 connected?", "session of user77 on port 1077 closed").answer == "1077"


def test_the_reader_of_the_page_can_be_named(reader: str, tmp_path: Path) -> None:
    """``--reader`` takes it; with grown rows that ask what the seeds do not, it answers what it could not."""
    import json

    def write(name: str, made: Sequence[dict[str, str]]) -> str:
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(row)}\n" for row in made), encoding="utf-8")
        return str(path)

    done = evaluate(
        write("grown.jsonl", rows(range(10, 20))),
        write("holdout.jsonl", rows(range(60, 70))),
        seeds=write("seeds.jsonl", rows(range(8))[::2]),
        reader=reader,
        updates=60,
    )
    seeds = done.outcome("seeds")
    assert seeds is not None and done.grown is not None
    assert seeds.scores.all.value == 0.5
    assert done.grown.scores.all.value == 1
