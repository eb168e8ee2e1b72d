"""The seed files that ship with the project: what every one of them promises."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from selfinstruct.lexicon import words
from selfinstruct.text import find_span

SEEDS = Path(__file__).parent.parent / "seeds"
#: file -> (question, answer, context) fields, and how many rows of each kind of question it holds.
QUESTION_FILES = {
    "logqa.jsonl": (("Question", "Answer", "RawLog"), [4, 2, 2, 2]),
    "sshd.jsonl": (("Question", "Answer", "RawLog"), [4, 3, 3, 3, 3, 1]),
    "hdfs.jsonl": (("Question", "Answer", "RawLog"), [4, 3, 3, 3, 2, 2, 1]),
    "classics-zh.jsonl": (("问题", "答案", "原文"), [4, 4, 3, 3, 2, 1]),
}
#: What varies inside the questions of one kind: tokens with digits, account names, 《书名》, “引文”, X卦.
SLOTS = re.compile(r"\S*\d[^\s?]*|(?<=did )\w+(?= log in)|(?<=was )\S+(?= authenticated)|《.+?》|“.+?”|^.{1,2}卦")


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of one JSON Lines seed file."""
    return [json.loads(line) for line in (SEEDS / name).read_text(encoding="utf-8").splitlines()]


def tickets() -> list[dict[str, str]]:
    """The rows of the ticket file, read as CSV."""
    with (SEEDS / "tickets.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_answers_are_token_bounded_spans(name: str) -> None:
    """Every answer is found in its log line or passage, whole tokens and as written."""
    (_, answer, context), _ = QUESTION_FILES[name]
    assert [row for row in rows_of(name) if find_span(row[answer], row[context]) is None] == []


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_identifiers_of_the_question_occur_in_the_context(name: str) -> None:
    """Every digit-bearing token of a question is in its log line, so that the line can answer it."""
    (question, _, context), _ = QUESTION_FILES[name]
    for row in rows_of(name):
        for token in re.findall(r"\S*\d\S*", row[question]):
            assert find_span(token.rstrip("?"), row[context]) is not None, (row, token)


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_question_files_have_one_shape_and_no_duplicate(name: str) -> None:
    """All rows have the same fields in the same order, none of them empty or padded, and no row is there twice."""
    fields, kinds = QUESTION_FILES[name]
    rows = rows_of(name)
    assert len(rows) == sum(kinds)
    assert all(tuple(row) == fields for row in rows)
    assert all(value and value == value.strip() for row in rows for value in row.values())
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert len({row[fields[0]] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_questions_of_a_kind_share_one_wording(name: str) -> None:
    """With the slots taken out, the questions fall into the kinds that the file promises, unequal in size."""
    (question, _, _), kinds = QUESTION_FILES[name]
    wordings = Counter(SLOTS.sub("*", row[question]) for row in rows_of(name))
    assert sorted(wordings.values(), reverse=True) == kinds, wordings


def test_logqa_is_the_ten_published_rows_in_order() -> None:
    """The main job's input is LogQA's own first ten rows: checked by the first row and all the answers."""
    rows = rows_of("logqa.jsonl")
    assert rows[0] == {
        "Question": "What stage was the task 28.0 completed in?",
        "Answer": "29.0",
        "RawLog": "Finished task 28.0 in stage 29.0 (TID 1348). 2128 bytes result sent to driver",
    }
    answers = [row["Answer"] for row in rows]
    assert answers == ["29.0", "318.5", "not", "not", "393.0", "not", "299", "494", "not", "24.0"]


@pytest.mark.parametrize("name", ["sshd.jsonl", "hdfs.jsonl", "classics-zh.jsonl"])
def test_several_kinds_ask_about_the_same_kind_of_line(name: str) -> None:
    """Crossing needs licence from the seeds: some kind of line is asked about in two different ways."""
    (question, _, context), _ = QUESTION_FILES[name]
    constants = ("Accepted", "Failed password for invalid user", "DataXceiver", "addStoredBlock", "所撰", "卦辞为")
    asked: dict[str, set[str]] = {}
    for row in rows_of(name):
        for constant in constants:
            if constant in row[context]:
                asked.setdefault(constant, set()).add(SLOTS.sub("*", row[question]))
    assert sum(len(kinds) >= 2 for kinds in asked.values()) >= 2, asked


def test_log_lines_have_the_real_formats() -> None:
    """Every sshd line has syslog's header, every HDFS line log4j's (date, time, thread, level, class)."""
    sshd = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w-]+ sshd\[\d+\]: \S")
    hdfs = re.compile(r"\d{6} \d{6} \d+ (INFO|WARN) dfs\.[\w$]+: \S")
    assert all(sshd.match(row["RawLog"]) for row in rows_of("sshd.jsonl"))
    assert all(hdfs.match(row["RawLog"]) for row in rows_of("hdfs.jsonl"))


def test_sshd_addresses_belong_to_nobody() -> None:
    """Addresses are private (RFC 1918) or for documentation (RFC 5737): no seed names a real machine."""
    reserved = re.compile(r"10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.")
    for row in rows_of("sshd.jsonl") + rows_of("hdfs.jsonl"):
        for address in re.findall(r"\d+\.\d+\.\d+\.\d+", row["RawLog"]):
            assert reserved.match(address), address


def test_word_slots_of_the_seeds_are_in_the_lexicon() -> None:
    """What may be redrawn is recognised by its list: the seeds' own values are among the words."""
    lines = [row["RawLog"] for row in rows_of("sshd.jsonl")]
    users = {match[1] for line in lines if (match := re.search(r"(?:user|Accepted \S+ for) (\S+) from", line))}
    assert users <= set(words("user-names"))
    assert {line.split()[3] for line in lines} <= set(words("host-names"))
    text = " ".join(ticket["text"] for ticket in tickets())
    for name, some in {"cities": "Lyon", "browsers": "Firefox", "companies": "Fenwick Audio", "apps": "Tallywise",
                       "products": "side table", "first-names": "Priya", "surnames": "Okafor"}.items():  # fmt: skip
        assert some in text and some in words(name)


def test_tickets_have_four_unequal_classes() -> None:
    """The label field has the classes that quotas are counted in, of different sizes."""
    assert Counter(ticket["label"] for ticket in tickets()) == {"billing": 7, "bug": 5, "account": 4, "shipping": 3}
    assert len({ticket["text"] for ticket in tickets()}) == 19


def test_tickets_survive_a_csv_round_trip() -> None:
    """Commas, quotation marks and a line break are quoted as CSV has it: writing what was read gives the same file."""
    with (SEEDS / "tickets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["text", "label"] and all(len(row) == 2 for row in rows)
    again = io.StringIO()
    csv.writer(again, lineterminator="\n").writerows(rows)
    assert again.getvalue() == (SEEDS / "tickets.csv").read_text(encoding="utf-8")
    assert sum("\n" in text for text, _ in rows) == 1
    assert sum('"' in text for text, _ in rows) >= 3


def test_tickets_are_sentences_that_stand_alone() -> None:
    """No sentence leans on the one before it, so that sentences of one class can be recombined."""
    leaning = re.compile(r"(It|They|He|She|This|That|These|Those|Both|Then|So|But)\b")
    for ticket in tickets():
        sentences = re.split(r"(?<=[.?!])\s+", ticket["text"])
        assert 3 <= len(sentences) <= 4, ticket
        assert not any(leaning.match(sentence) for sentence in sentences), ticket


def test_seeds_readme_names_every_file() -> None:
    """Each seed file is described: what it is, where from, under which terms."""
    readme = (SEEDS / "README.md").read_text(encoding="utf-8")
    for path in SEEDS.iterdir():
        if path.suffix in {".jsonl", ".csv"}:
            rows = len(rows_of(path.name)) if path.suffix == ".jsonl" else len(tickets())
            assert f"| `{path.name}` | {rows} |" in readme
