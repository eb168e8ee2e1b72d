"""What holds for the embedded imitator: consistent, grounded, varied, and true to what the seeds show."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from selfinstruct import api
from selfinstruct.backends.imitator import Imitator
from selfinstruct.checks import FIELD_CHECKS
from selfinstruct.mining.lexicon import groups
from selfinstruct.mining.row_template import row_template
from selfinstruct.mining.sentences import compose_text, split_prose
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.infer import context_fields, prose_field
from selfinstruct.preparation.prepare import Prepared, prepare
from selfinstruct.records import Batch, Request, Row
from selfinstruct.rows.leaves import leaves

TRUTH = Path(__file__).parents[1] / "truth" / "seeds"

SEEDS = sorted(Path("seeds").glob("*.[jc]*"))
REFER = {"Question": "RawLog", "Answer": "RawLog"}


def imitate(rows: Sequence[Row], count: int, refer: dict[str, str] | None = None, seed: int = 1) -> list[Row]:
    """New rows after the example of all of ``rows``."""
    references = REFER if refer is None else refer
    return Imitator(ValueStatistics(rows, references), references, seed=seed).imitate(rows, count, 0, Random(seed))


def row(question: str, answer: str, log: str) -> Row:
    """A row of LogQA."""
    return {"Question": question, "Answer": answer, "RawLog": log}


def by_category(prepared: Prepared, count: int) -> dict[str, list[Row]]:
    """For each category, rows imitated from its own seeds."""
    recipe = prepared.recipe
    imitator = Imitator(prepared.statistics, context_fields(recipe), mixed=prose_field(recipe), seed=3)
    return {
        name: imitator.imitate(
            [seed for seed in prepared.seeds.rows if prepared.categories.of(seed) == name], count, 0, Random(3)
        )
        for name in prepared.quotas
    }


@pytest.mark.parametrize("file", SEEDS, ids=lambda file: file.stem)
def test_imitations_of_every_seed_file_keep_its_rules_and_their_category(file: Path) -> None:
    """All are grounded with their identifiers, in the category that they were made for, and hardly one comes twice."""
    prepared = prepare(file)
    for name, rows in by_category(prepared, 200).items():
        for new in rows:
            assert list(new) == list(prepared.recipe.fields)
            assert prepared.categories.of(new) == name
            for check in FIELD_CHECKS:
                for field, rule in prepared.recipe.fields.items():
                    assert check(new, field, rule) is None, new
        assert len({json.dumps(new) for new in rows}) > 150


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    """Draws follow from the seed alone."""
    rows = prepare(SEEDS[0]).seeds.rows
    refer = context_fields(prepare(SEEDS[0]).recipe)
    assert imitate(rows, 40, refer) == imitate(rows, 40, refer)
    assert imitate(rows, 40, refer) != imitate(rows, 40, refer, seed=2)


def test_a_value_changes_alike_in_all_its_places_also_inside_larger_words() -> None:
    """A block's id in its path, a partition's numbers, a task's number padded in two widths."""
    rows = [
        row(
            "What is the path of block blk_-4734847685190690792?",
            "/mnt/dfs/blk_-4734847685190690792.meta",
            "Deleting block blk_-4734847685190690792 file /mnt/dfs/blk_-4734847685190690792.meta",
        )
    ]
    for new in imitate(rows, 30):
        block = re.findall(r"blk_-?\d+", new["RawLog"])
        assert len(set(block)) == 1 and block[0] in new["Question"] and block[0] in new["Answer"]
        assert block[0] != "blk_-4734847685190690792"
    part = [row("Which file?", "task_m_000274_0/part-00274", "allocated task_m_000274_0/part-00274.")]
    for new in imitate(part, 30):
        found = re.fullmatch(r"task_m_(\d{6})_\d+/part-(\d{5})", new["Answer"])
        assert found and int(found[1]) == int(found[2]), new


def test_equal_values_that_mean_two_things_are_told_apart_where_the_row_says_which() -> None:
    """The answer's whole text, or the word before a number, says which of two equal places is meant."""
    rows = [
        row("What stage was the task 28.0 completed in?", "29.0", "Finished task 28.0 in stage 29.0 (TID 13)"),
        row("What stage was the task 42.0 completed in?", "42.0", "Finished task 42.0 in stage 42.0 (TID 12)"),
    ]
    for new in imitate(rows, 200):
        found = re.fullmatch(r"Finished task (.*) in stage (.*) \(TID \d+\)", new["RawLog"])
        assert found
        assert new["Question"] == f"What stage was the task {found[1]} completed in?"
        assert new["Answer"] == found[2]


def test_what_is_always_zero_stays_zero_and_constants_stay_constant() -> None:
    """28.0 stays <int>.0 where all seeds have it so; words and names with digits stay."""
    for new in imitate(prepare(Path("seeds/logqa.jsonl")).seeds.rows, 200):
        for stage in re.findall(r"(?:stage|task) (\S+?)[ ?]", new["RawLog"]):
            assert re.fullmatch(r"\d+\.0", stage), new
        assert "piece" not in new["RawLog"] or "_piece0 " in new["RawLog"]


def test_words_are_replaced_and_not_only_digits() -> None:
    """Users, hosts, titles, persons and dynasties are other ones, drawn from lists of their kind."""
    sshd = by_category(prepare(Path("seeds/sshd.jsonl")), 100)["Which invalid user tried to log in from <*>?"]
    assert len({new["Answer"] for new in sshd}) > 60
    assert len({new["RawLog"].split()[3] for new in sshd}) > 20
    classics = by_category(prepare(Path("seeds/classics-zh.jsonl")), 100)["《<*>》的作者是谁？"]
    assert len({new["答案"] for new in classics}) > 60
    assert all(f"《{new['问题'][1:-7]}》由" in new["原文"] for new in classics)


def test_a_question_is_crossed_with_other_seeds_logs_where_its_kin_license_it() -> None:
    """Log-ins by a method that only another question's seed shows, but never a failed one."""
    prepared = prepare(Path("seeds/sshd.jsonl"))
    (name,) = [name for name in prepared.quotas if name.startswith("From which address")]
    logs = [new["RawLog"] for new in by_category(prepared, 300)[name]]
    assert all(" Accepted " in log for log in logs)
    assert len({log.split(" Accepted ")[1].split()[0] for log in logs}) > 2


def test_one_seed_is_enough_and_a_grown_demonstration_is_passed_over() -> None:
    """A category with one seed grows, and imitations are made of seeds, not of imitations."""
    seed = row("Which port was used by 10.0.0.7?", "5123", "login from 10.0.0.7 port 5123 ssh2")
    grown = row("Which port was used by 999?", "1", "login from 999 port 1 ssh9")
    imitator = Imitator(ValueStatistics([seed], REFER), REFER)
    for new in imitator.imitate([grown, seed], 50, 0, Random(0)):
        assert re.fullmatch(r"login from (\d+\.){3}\d+ port \d+ ssh2", new["RawLog"])


def test_sentences_of_one_class_are_mixed_and_keep_their_role() -> None:
    """A ticket's opening is some ticket's opening, and its values are drawn anew."""
    prepared = prepare(Path("seeds/tickets.csv"))
    openings = {seed["text"].split()[0] for seed in prepared.seeds.rows if seed["label"] == "shipping"}
    new = by_category(prepared, 200)["shipping"]
    assert {ticket["text"].split()[0] for ticket in new} <= openings
    assert all(ticket["label"] == "shipping" for ticket in new)
    assert len({re.sub(r"\W?[A-Z0-9]\S*", "", ticket["text"]) for ticket in new}) > 20


@pytest.mark.parametrize(
    "rows",
    [
        [
            row(
                "Which status did 10.1.2.3 get?",
                "404",
                '10.1.2.3 - - [10/Oct/2023:13:55:36 +0000] "GET /img/a17.png HTTP/1.1" 404 2326',
            ),
            row(
                "Which status did 10.1.9.8 get?",
                "200",
                '10.1.9.8 - - [10/Oct/2023:13:57:01 +0000] "GET /img/a90.png HTTP/1.1" 200 512',
            ),
        ],
        [row("How long did executor 4 take?", "318 ms", "Executor 4 on node-17 finished in 318 ms")],
        [row("Which file was not found?", r"C:\logs\app_12.txt", r"open C:\logs\app_12.txt failed: error 0x80070002")],
        [
            row(
                "Why was pod web-7d4b9c restarted?",
                "OOMKilled",
                "2024-02-29T10:00:00Z pod web-7d4b9c restarted (OOMKilled), exit 137",
            )
        ],
        [row("谁登录了？", "张伟", "用户 张伟 于 2024年2月29日 从 10.0.0.9 登录")],
    ],
    ids=["access-log", "executor", "windows", "kubernetes", "chinese"],
)
def test_rows_of_other_logs_are_imitated_soundly(rows: list[Row]) -> None:
    """Answers stay spans, protocol versions stay, and something varies."""
    new = imitate(rows, 60)
    assert all(each["Answer"] in each["RawLog"] for each in new)
    assert all("HTTP/1.1" in each["RawLog"] for each in new if "HTTP" in each["RawLog"])
    assert len({each["RawLog"] for each in new}) > 30


def test_a_frame_with_its_own_values_is_its_row() -> None:
    """Constants and parts, filled with the values that they were cut from, are the text again."""
    for file in SEEDS:
        prepared = prepare(file)
        statistics = ValueStatistics(prepared.seeds.rows, context_fields(prepared.recipe))
        for seed in prepared.seeds.rows:
            taken = row_template(seed, statistics, 0)
            assert taken.fill(taken.own) == seed


async def test_it_answers_like_a_model() -> None:
    """Through the protocol: a reply that parses into as many rows as were asked for, at no cost."""
    rows = prepare(Path("seeds/logqa.jsonl")).seeds.rows
    request = Request(Batch(1, "x", 7, 0, (1, 2)), "imitate", (), tuple(rows[:2]), seed=5)
    reply = await Imitator(ValueStatistics(rows, REFER), REFER).complete(request)
    assert len(json.loads(reply.text)["rows"]) == 7
    assert reply.usage.input == reply.usage.output == 0


def test_counts_stay_small_where_other_values_tell_rows_apart() -> None:
    """A single digit (an attempt, a team's size) stays one in a log with other values, and in prose."""
    rows = by_category(prepare(Path("seeds/hdfs.jsonl")), 400)["Which file was block <*> allocated for?"]
    assert all(re.search(r"_[mr]_\d{6}_\d/part-", new["Answer"]) for new in rows)
    tickets = by_category(prepare(Path("seeds/tickets.csv")), 400)["bug"]
    for ticket in tickets:
        assert not re.search(r"team of \d\d|version \d\d|after loading for \d{3}", ticket["text"]), ticket


def test_a_name_with_a_number_in_it_is_one_value() -> None:
    """Windows 11 becomes another system, never Windows 47."""
    tickets = by_category(prepare(Path("seeds/tickets.csv")), 400)["bug"]
    systems = {found for ticket in tickets for found in re.findall(r"Windows \d+", ticket["text"])}
    assert systems <= {"Windows 10", "Windows 11"}
    assert any(" on macOS" in ticket["text"] or " on Debian" in ticket["text"] for ticket in tickets)


def test_phrases_of_prose_are_replaced_by_others_of_the_same_meaning() -> None:
    """A phrase with synonyms is usually kept and sometimes replaced, with its capital; other words never change."""
    english, chinese = groups("en")[0], groups("zh")[0]
    text = f"{english[0].capitalize()} the parcel, {chinese[0]}"
    prose = split_prose([text], None)
    texts = {compose_text([prose], place, Random(place)) for place in range(200)}
    openings = {each.partition(" the parcel, ")[0] for each in texts}
    assert openings == {phrase[0].upper() + phrase[1:] for phrase in english}
    assert {each.partition(" the parcel, ")[2] for each in texts} == set(chinese)
    kept = sum(compose_text([prose], 0, Random(seed)).startswith(english[0].capitalize()) for seed in range(200))
    assert 100 < kept < 160


def test_the_rows_of_a_label_with_prose_use_synonyms() -> None:
    """The imitator replaces phrases too: its rows contain synonyms that no seed contains."""
    prepared = prepare(Path("seeds/tickets.csv"))
    seeds = " ".join(str(row["text"]) for row in prepared.seeds.rows).lower()
    grown = " ".join(str(row["text"]) for rows in by_category(prepared, 100).values() for row in rows).lower()
    added = [phrase for group in groups("en") for phrase in group if phrase not in seeds and f" {phrase} " in grown]
    assert len(added) >= 10


def test_statistics_are_built_once_per_seed_file() -> None:
    """Inference, categories, thresholds and the imitator share one object; only other fixed fields need another."""
    prepared = prepare(SEEDS[0])
    references = context_fields(prepared.recipe)
    assert prepared.statistics.rows == tuple(prepared.seeds.rows)
    assert prepared.statistics.with_fixed([]) is prepared.statistics
    assert prepared.statistics.with_fixed(["Answer"]) is not prepared.statistics
    assert prepared.statistics.describes(prepared.seeds.rows, references)
    assert not prepared.statistics.describes(
        [dict(row) for row in prepared.seeds.rows], context_fields(prepared.recipe)
    )
    assert not prepared.statistics.describes(prepared.seeds.rows, {})


def test_rows_without_a_question_are_not_crossed(tmp_path: Path) -> None:
    """Entities in an object beside their text: no field asks about another, and the run does not fail."""
    seeds = [json.loads(line) for line in (TRUTH / "entities_nested.jsonl").read_text(encoding="utf-8").splitlines()]
    run = api.run(seeds, rows=8, out=tmp_path / "run")
    assert run.summary.accepted
    assert all(str(value) in row["text"] for row in run.rows() for path, value in leaves(row).items() if path[1:])


def test_tied_numbers_of_prose_stay_tied() -> None:
    """Sentences are mixed only where no number is computed from others, and numbers in order stay so."""
    rows: list[Row] = [
        {"text": f"Job {n} read {part} of {whole} files ({round(100 * part / whole, 1)}%). Nothing else happened."}
        for n, part, whole in ((104, 120, 480), (233, 77, 91), (341, 31, 250), (402, 410, 512))
    ]
    new = Imitator(ValueStatistics(rows, {}), {}, mixed=["text"], seed=1).imitate(rows, 60, 0, Random(1))
    assert len(new) > 30
    for row in new:
        words = str(row["text"]).split()
        part, whole = int(words[3]), int(words[5])
        assert part <= whole and abs(100 * part / whole - float(words[7].strip("(%)."))) <= 0.0501
