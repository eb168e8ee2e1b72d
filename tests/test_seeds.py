"""The shipped seed files: their shape, their formats, and what seeds/README.md says about them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from selfinstruct.documents.samples import samples
from selfinstruct.documents.sentences import boundaries
from selfinstruct.mining.lexicon import words
from selfinstruct.text import find_span

SEEDS = Path(__file__).parent.parent / "seeds"
#: file -> (question, answer, context) fields, and the number of rows of each kind of question.
QUESTION_FILES = {
    "logqa.jsonl": (("Question", "Answer", "RawLog"), [4, 2, 2, 2]),
    "sshd.jsonl": (("Question", "Answer", "RawLog"), [4, 3, 3, 3, 3, 1]),
    "hdfs.jsonl": (("Question", "Answer", "RawLog"), [4, 3, 3, 3, 2, 2, 1]),
    "classics-zh.jsonl": (("问题", "答案", "原文"), [4, 4, 3, 3, 2, 1]),
}
#: What varies inside the questions of one kind: tokens with digits, account names, 《书名》, “引文”, X卦.
SLOTS = re.compile(r"\S*\d[^\s?]*|(?<=did )\w+(?= log in)|(?<=was )\S+(?= authenticated)|《.+?》|“.+?”|^.{1,2}卦")


def rows_of(name: str) -> list[dict[str, Any]]:
    """The rows of one JSON Lines seed file."""
    return [json.loads(line) for line in (SEEDS / name).read_text(encoding="utf-8").splitlines()]


def tickets() -> list[dict[str, str]]:
    """The rows of the ticket file, read as CSV."""
    with (SEEDS / "tickets.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_answers_are_token_bounded_spans(name: str) -> None:
    """Every answer occurs in its log line or passage, as whole tokens and exactly as written."""
    (_, answer, context), _ = QUESTION_FILES[name]
    assert [row for row in rows_of(name) if find_span(row[answer], row[context]) is None] == []


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_identifiers_of_the_question_occur_in_the_context(name: str) -> None:
    """Every token with a digit in a question occurs in its log line, so the line can answer it."""
    (question, _, context), _ = QUESTION_FILES[name]
    for row in rows_of(name):
        for token in re.findall(r"\S*\d\S*", row[question]):
            assert find_span(token.rstrip("?"), row[context]) is not None, (row, token)


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_question_files_have_one_shape_and_no_duplicate(name: str) -> None:
    """All rows have the same fields in the same order, no value is empty or padded, and no row occurs twice."""
    fields, kinds = QUESTION_FILES[name]
    rows = rows_of(name)
    assert len(rows) == sum(kinds)
    assert all(tuple(row) == fields for row in rows)
    assert all(value and value == value.strip() for row in rows for value in row.values())
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert len({row[fields[0]] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_questions_of_a_kind_share_one_wording(name: str) -> None:
    """Without their slots, the questions fall into the expected kinds, of different sizes."""
    (question, _, _), kinds = QUESTION_FILES[name]
    wordings = Counter(SLOTS.sub("*", row[question]) for row in rows_of(name))
    assert sorted(wordings.values(), reverse=True) == kinds, wordings


def test_logqa_is_the_ten_published_rows_in_order() -> None:
    """logqa.jsonl has LogQA's first ten rows: the first row and all answers are compared."""
    rows = rows_of("logqa.jsonl")
    assert rows[0] == {
        "Question": "What stage was the task 28.0 completed in?",
        "Answer": "29.0",
        "RawLog": "Finished task 28.0 in stage 29.0 (TID 1348). 2128 bytes result sent to driver",
    }
    answers = [row["Answer"] for row in rows]
    assert answers == ["29.0", "318.5", "not", "not", "393.0", "not", "299", "494", "not", "24.0"]


@pytest.mark.parametrize("name", ["sshd.jsonl", "hdfs.jsonl", "classics-zh.jsonl"])
def test_several_kinds_of_question_share_a_kind_of_line(name: str) -> None:
    """At least two kinds of line have questions of two different wordings."""
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


def test_addresses_are_private_or_for_documentation() -> None:
    """All addresses are private (RFC 1918) or for documentation (RFC 5737), so no seed names a real machine."""
    reserved = re.compile(r"10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.")
    for row in rows_of("sshd.jsonl") + rows_of("hdfs.jsonl"):
        for address in re.findall(r"\d+\.\d+\.\d+\.\d+", row["RawLog"]):
            assert reserved.match(address), address


def test_word_slots_of_the_seeds_are_in_the_lexicon() -> None:
    """The seeds' own user names, hosts, cities and so on are in the word lists, by which they are recognised."""
    lines = [row["RawLog"] for row in rows_of("sshd.jsonl")]
    users = {match[1] for line in lines if (match := re.search(r"(?:user|Accepted \S+ for) (\S+) from", line))}
    assert users <= set(words("user-names"))
    assert {line.split()[3] for line in lines} <= set(words("host-names"))
    text = " ".join(ticket["text"] for ticket in tickets())
    for name, some in {"cities": "Lyon", "browsers": "Firefox", "companies": "Fenwick Audio", "apps": "Tallywise",
                       "products": "side table", "first-names": "Priya", "surnames": "Okafor"}.items():  # fmt: skip
        assert some in text and some in words(name)


def test_tickets_have_four_unequal_classes() -> None:
    """The tickets have four labels of different frequency, and no text occurs twice."""
    assert Counter(ticket["label"] for ticket in tickets()) == {"billing": 7, "bug": 5, "account": 4, "shipping": 3}
    assert len({ticket["text"] for ticket in tickets()}) == 19


def test_tickets_survive_a_csv_round_trip() -> None:
    """Commas, quotation marks and a line break are quoted as in CSV: reading and writing yields the same file."""
    with (SEEDS / "tickets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["text", "label"] and all(len(row) == 2 for row in rows)
    again = io.StringIO()
    csv.writer(again, lineterminator="\n").writerows(rows)
    assert again.getvalue() == (SEEDS / "tickets.csv").read_text(encoding="utf-8")
    assert sum("\n" in text for text, _ in rows) == 1
    assert sum('"' in text for text, _ in rows) >= 3


def test_ticket_sentences_are_independent() -> None:
    """No sentence refers to the one before it, so sentences of one class can be recombined."""
    referring = re.compile(r"(It|They|He|She|This|That|These|Those|Both|Then|So|But)\b")
    for ticket in tickets():
        sentences = re.split(r"(?<=[.?!])\s+", ticket["text"])
        assert 3 <= len(sentences) <= 4, ticket
        assert not any(referring.match(sentence) for sentence in sentences), ticket


def test_seeds_readme_names_every_file() -> None:
    """Each seed file has a line in seeds/README.md with its number of rows."""
    readme = (SEEDS / "README.md").read_text(encoding="utf-8")
    for path in SEEDS.iterdir():
        if path.suffix in {".jsonl", ".csv"}:
            rows = len(rows_of(path.name)) if path.suffix == ".jsonl" else len(tickets())
            assert f"| `{path.name}` | {rows} |" in readme


def table() -> dict[str, int | None]:
    """The files in the tables of seeds/README.md with the number of rows given there."""
    lines = (SEEDS / "README.md").read_text(encoding="utf-8").splitlines()
    found = [match for line in lines if (match := re.match(r"\| `([\w/.-]+)` \| (\d*) ?\|", line))]
    return {match[1]: int(match[2]) if match[2] else None for match in found}


def length(path: Path) -> int | None:
    """The number of rows, entries or samples in a seed file; None for a document."""
    if path.parent.name.startswith("documents"):
        return None
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return len(list(csv.DictReader(io.StringIO(text))))
    return len(samples(text) if path.name.startswith(("passages.", "raw.")) else text.splitlines())


def test_seeds_readme_lists_every_file_with_its_length() -> None:
    """The tables have exactly the files below seeds/, with the number of rows in each."""
    files = [path for path in SEEDS.rglob("*") if path.is_file() and path.name != "README.md"]
    assert table() == {path.relative_to(SEEDS).as_posix(): length(path) for path in files}


@pytest.mark.parametrize(("name", "count"), [("bonito/passages.txt", 50), ("classics/raw.txt", 12)])
def test_passages_are_separated_and_neither_short_nor_long(name: str, count: int) -> None:
    """Blank lines separate the samples, none occurs twice, and each has two to eight sentences."""
    text = (SEEDS / name).read_text(encoding="utf-8")
    passages = [text[start:end] for start, end in samples(text)]
    assert len(set(passages)) == count
    for passage in passages:
        assert 2 <= len(list(boundaries(passage))) <= 8, passage
        assert 100 <= len(passage) <= (300 if "classics" in name else 800), len(passage)


#: The task types of Bonito, by the names that it was trained with.
TASK_TYPES = {
    "extractive question answering", "multiple-choice question answering", "question generation",
    "question answering without choices", "yes-no question answering", "coreference resolution",
    "paraphrase generation", "paraphrase identification", "sentence completion", "sentiment", "summarization",
    "text generation", "topic classification", "word sense disambiguation", "textual entailment",
    "natural language inference",
}  # fmt: skip
LABELLED = sorted(path.stem for path in (SEEDS / "ctga" / "rows").glob("*.jsonl"))
#: A doubled brace, or a field in braces.
PLACE = re.compile(r"\{\{|\}\}|\{(\w+)\}")


#: The versions of templates and rows: English, Chinese.
versions = pytest.mark.parametrize("version", ["", ".zh"], ids=["en", "zh"])


def fitting(template: dict[str, Any], version: str) -> list[tuple[str, dict[str, Any]]]:
    """The rows that have all fields that a template needs, each with the name of its file."""
    every = [(name, row) for name in LABELLED for row in rows_of(f"ctga/rows{version}/{name}.jsonl")]
    return [(name, row) for name, row in every if row.keys() >= set(template["needs"])]


@versions
def test_templates_name_exactly_the_fields_that_they_use(version: str) -> None:
    """Ids and texts are unique, `needs` lists the names in braces, each instruction contains its context once."""
    templates = rows_of(f"ctga/templates{version}.jsonl")
    assert len({(template["instruction"], template["response"]) for template in templates}) == len(templates)
    assert len({template["id"] for template in templates}) == len(templates)
    for template in templates:
        parts = [template[part] for part in ("context", "instruction", "response")]
        used = [{match[1] for match in PLACE.finditer(part) if match[1]} for part in parts]
        assert set().union(*used) - {"context"} == set(template["needs"]), template["id"]
        assert template["instruction"].count("{context}") == 1 and used[0] and "context" not in used[0] | used[2]
        assert not re.search(r"[{}]", "".join(PLACE.sub("", part) for part in parts)), template["id"]


@versions
def test_every_task_type_has_templates_and_every_file_is_used(version: str) -> None:
    """150 templates, at least six a type, each of which fits a file; each file has 12 rows and fits a template."""
    templates = rows_of(f"ctga/templates{version}.jsonl")
    counts = Counter(template["task_type"] for template in templates)
    assert len(counts) == len(TASK_TYPES) and (version or counts.keys() == TASK_TYPES)
    assert len(templates) >= 150 and min(counts.values()) >= 6
    assert all(len(rows_of(f"ctga/rows{version}/{name}.jsonl")) >= 12 for name in LABELLED)
    reached = {template["id"]: {name for name, _ in fitting(template, version)} for template in templates}
    assert all(reached.values()) and set().union(*reached.values()) == set(LABELLED)
    types = {name: {t["task_type"] for t in templates if name in reached[t["id"]]} for name in LABELLED}
    assert sum(len(some) > 1 for some in types.values()) >= 10, types
    made = sum(len(fitting(template, version)) for template in templates)
    assert f" {made} tasks" in (SEEDS / "README.md").read_text(encoding="utf-8")


@versions
def test_templates_fit_whole_files(version: str) -> None:
    """A template fits all rows of a file or none; only files with questions about passages share templates."""
    for template in rows_of(f"ctga/templates{version}.jsonl"):
        fits = Counter(name for name, _ in fitting(template, version))
        sizes = {name: len(rows_of(f"ctga/rows{version}/{name}.jsonl")) for name in fits}
        assert fits == sizes, template["id"]
        assert len(fits) == 1 or fits.keys() <= {"qa", "multiple_choice", "yes_no"}, template["id"]


@versions
@pytest.mark.parametrize("name", LABELLED)
def test_labelled_rows_have_one_shape_and_no_duplicate(name: str, version: str) -> None:
    """All rows of a file have the same fields, no value is empty or padded, and no row occurs twice."""
    rows = rows_of(f"ctga/rows{version}/{name}.jsonl")
    assert len({tuple(row) for row in rows}) == 1
    assert all(
        value and value == (value.strip() if isinstance(value, str) else value) for r in rows for value in r.values()
    )
    assert len({json.dumps(row) for row in rows}) == len(rows)


@versions
def test_labels_are_consistent_with_their_rows(version: str) -> None:
    """Answers are spans, the right choice is among the choices at varying places, and labels are the expected ones."""
    yes, no, entailment, *others = ("是", "否", "蕴含", "中性", "矛盾") if version else (
        "yes", "no", "entailment", "neutral", "contradiction")  # fmt: skip
    word = "{}" if version else r"\b{}\b"
    rows = {name: rows_of(f"ctga/rows{version}/{name}.jsonl") for name in LABELLED}
    for row in rows["qa"] + rows["multiple_choice"]:
        assert find_span(row["answer"], row["passage"]) is not None, row
    for name, among, chosen in (
        ("multiple_choice", "choices", "answer"),
        ("senses", "senses", "sense"),
        ("coreference", "candidates", "referent"),
    ):
        assert all(row[among].count(row[chosen]) == 1 and len(set(row[among])) == len(row[among]) for row in rows[name])
        assert len({row[among].index(row[chosen]) for row in rows[name]}) > 1
    for row in rows["senses"]:
        assert len(re.findall(word.format(row["word"]), row["text"], re.IGNORECASE)) == 1, row
    for row in rows["coreference"]:
        assert len(re.findall(word.format(row["pronoun"]), row["text"], re.IGNORECASE)) == 1, row
    for name, label in (("yes_no", "yes_no"), ("paraphrase", "same")):
        assert Counter(row[label] for row in rows[name]) == {yes: 6, no: 6}
    assert all((row["entailed"] == yes) == (row["label"] == entailment) for row in rows["nli"])
    assert Counter(row["label"] for row in rows["nli"]) == dict.fromkeys([entailment, *others], 4)
    assert sorted(Counter(row["sentiment"] for row in rows["sentiment"]).values()) == [4, 4, 4]


@versions
def test_templates_list_the_labels_of_their_rows(version: str) -> None:
    """A template that lists the labels to choose from lists the one of its response."""
    word = "{}" if version else r"\b{}\b"
    for template in rows_of(f"ctga/templates{version}.jsonl"):
        if template["response"] in {"{topic}", "{sentiment}", "{label}", "{entailed}", "{same}", "{yes_no}"}:
            label = template["response"][1:-1]
            for _, row in fitting(template, version):
                assert re.search(word.format(row[label]), template["instruction"]), (template["id"], row[label])


def test_classics_questions_are_twenty_phrasings_of_one_question() -> None:
    """Each contains the subject once and none occurs twice; the rows have a short subject and a long answer."""
    questions = (SEEDS / "classics" / "questions.txt").read_text(encoding="utf-8").splitlines()
    assert len(set(questions)) == 20 and all(question.count("{内容}") == 1 for question in questions)
    rows = rows_of("classics/rows.jsonl")
    assert all(list(row) == ["内容", "概要"] and len(row["内容"]) <= 20 and len(row["概要"]) >= 80 for row in rows)


def test_classics_questions_do_not_contain_their_answer() -> None:
    """Apart from the subject, no question shares more than three consecutive characters with its answer."""
    for row in rows_of("classics/rows.jsonl"):
        for question in (SEEDS / "classics" / "questions.txt").read_text(encoding="utf-8").splitlines():
            for part in question.split("{内容}"):
                assert not any(part[at : at + 4] in row["概要"] for at in range(len(part) - 3)), (question, row)


def test_classics_rows_come_from_the_samples() -> None:
    """All books and years that a row names occur in one sample, so the demonstrations add no facts."""
    raw = (SEEDS / "classics" / "raw.txt").read_text(encoding="utf-8")
    passages = [raw[start:end] for start, end in samples(raw)]
    for row in rows_of("classics/rows.jsonl"):
        names = re.findall(r"《.+?》|\d+年", row["内容"] + row["概要"])
        assert names and any(all(name in passage for name in names) for passage in passages), row
