"""What holds in the seeds holds in the rows of the imitator: one test for each kind of relation that it keeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from random import Random

from selfinstruct.backends.imitator import Imitator
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.recipe import Relation
from selfinstruct.records import Row


def imitate(rows: Sequence[Row], count: int = 80, mixed: Sequence[str] = (), **references: str) -> list[Row]:
    """New rows after the example of all of ``rows``."""
    imitator = Imitator(ValueStatistics(rows, references), references, mixed=mixed, seed=1)
    return imitator.imitate(rows, count, 0, Random(1))


def test_strings_in_lists_follow_the_text() -> None:
    """A city in a list is that of the text, which is not mixed with the sentences of other rows."""
    rows = [
        {"text": "Ann Reed lives in Rome.", "places": ["Rome"]},
        {"text": "Bob Lang works in Oslo.", "places": ["Oslo"]},
    ]
    new = imitate(rows, mixed=["text"])
    assert all(row["places"] == [row["text"].split(" in ")[1][:-1]] for row in new)
    assert len({row["places"][0] for row in new}) > 30


def test_offsets_are_those_of_the_new_text() -> None:
    """An answer's start is computed, also after a value of another length."""
    contexts = [
        ("Die Vasa wurde von Carlos Weber in Oslo 1961 gehoben.", "1961"),
        ("Von Anna Kim 1901 in Rome.", "1901"),
    ]
    rows = [
        {"context": context, "answers": {"text": [year], "answer_start": [context.index(year)]}}
        for context, year in contexts
    ]
    new = imitate(rows)
    for row in new:
        (text,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
        assert row["context"][start : start + len(text)] == text
    assert len({row["answers"]["answer_start"][0] for row in new}) > 4


def test_numbers_are_replaced_with_their_text_and_keep_their_type() -> None:
    """Integers stay integers, decimals keep their places, in every written form."""
    rows = [
        {"q": f"How heavy is crate {crate}?", "kg": kg, "text": f"Crate {crate} weighs {kg} kg at gate {gate}."}
        for crate, kg, gate in ((305, 410.5, "A"), (771, 95.2, "C"), (118, 233.7, "B"))
    ]
    for row in imitate(rows):
        assert isinstance(row["kg"], float) and f"weighs {row['kg']} kg" in row["text"]
        assert row["q"].split()[-1][:-1] == row["text"].split()[1]
    ages = [{"note": "Ann Reed, 54 y/o, cough.", "age": 54}, {"note": "Bob Lang, 33 y/o, fever.", "age": 33}]
    for row in imitate(ages):
        assert type(row["age"]) is int and f", {row['age']} y/o" in row["note"] and 0 < row["age"] <= 110


def test_ages_in_chinese_and_german_stay_ages() -> None:
    """岁 and Jahre limit a number as years old do, however many rows are drawn."""
    rows = [{"记录": "张三，54岁，头痛。", "年龄": 54}, {"记录": "李四，33岁，发烧。", "年龄": 33}]
    for row in imitate(rows, 300):
        assert f"，{row['年龄']}岁" in row["记录"] and 0 < row["年龄"] <= 110
    german = [{"t": "Anna, 54 Jahre alt."}, {"t": "Felix, 33 Jahre alt."}]
    assert all(0 < int(re.findall(r"\d+", row["t"])[0]) <= 110 for row in imitate(german, 300))


def test_equal_short_numbers_are_one_only_on_evidence() -> None:
    """The month of a time stamp does not follow the answer, nor a day the number of its row."""
    rows = [
        {
            "Question": "Which keycode?",
            "Answer": code,
            "Log": f"03-17 16:13:4{n}.316 D interceptKeyTq keycode={code} down",
        }
        for n, code in enumerate(("4", "3", "24"))
    ]
    for row in imitate(rows, Answer="Log"):
        assert f"keycode={row['Answer']} " in row["Log"]
        datetime.strptime(f"2023-{row['Log'][:14]}", "%Y-%m-%d %H:%M:%S")
    table = [{"Nr": str(n), "Datum": f"0{n}.05.2023", "Menge": str(n + 4)} for n in range(1, 5)]
    new = imitate(table)
    for row in new:
        datetime.strptime(row["Datum"], "%d.%m.%Y")
        assert 5 <= int(row["Menge"]) <= 8
    assert len({row["Nr"] for row in new}) == len(new) and all(int(row["Nr"]) > 4 for row in new)


def test_values_that_differ_in_the_seed_differ_in_its_rows() -> None:
    """Options of a small range are never equal."""
    rows = [{"A": str(n), "B": str(n + 1), "C": str(n + 2)} for n in (3, 4, 6)]
    assert all(len(set(row.values())) == 3 for row in imitate(rows, 200))


def test_years_and_sizes_of_months_stay_plausible() -> None:
    """A year is near those of the seeds."""
    rows = [{"t": "The Vasa was salvaged in 1961."}, {"t": "The okapi was described in 1901."}]
    assert all(1890 <= int(row["t"][-5:-1]) <= 1961 for row in imitate(rows, 300))


def test_a_question_whose_answer_is_not_in_its_text_keeps_its_numbers() -> None:
    """Arithmetic, a comparison and a fact are left as they are."""
    for rows in (
        [
            {"q": "What is 12 times 8?", "a": 96},
            {"q": "What is 9 times 7?", "a": 63},
            {"q": "What is 5 times 6?", "a": 30},
        ],
        [{"q": "17是质数吗？", "a": "是"}, {"q": "18是质数吗？", "a": "否"}, {"q": "19是质数吗？", "a": "是"}],
        [{"q": "What is the capital of France?", "a": "Paris"}, {"q": "What is the capital of Italy?", "a": "Rome"}],
    ):
        assert all(row in rows for row in imitate(rows))


def test_ids_are_new_and_unique_and_found_in_the_text() -> None:
    """An id of the seeds' shape for each row, also where a text mentions it."""
    rows = [{"id": f"ORD-{n}", "text": f"Order ORD-{n} is late."} for n in (481, 512, 600)]
    new = imitate(rows)
    assert len({row["id"] for row in new}) == len(new)
    assert all(re.fullmatch(r"ORD-\d{3}", row["id"]) and row["text"] == f"Order {row['id']} is late." for row in new)
    assert not {row["id"] for row in new} & {row["id"] for row in rows}


def test_weekdays_follow_their_date() -> None:
    """In the same field and in another."""
    rows = [{"d": "2023-03-17", "w": "Friday", "t": "周五"}, {"d": "2023-04-03", "w": "Monday", "t": "周一"}]
    for row in imitate(rows):
        day = datetime.strptime(row["d"], "%Y-%m-%d")
        assert row["w"] == f"{day:%A}" and row["t"] == "周" + "一二三四五六日"[day.weekday()]


def test_questions_are_not_put_to_contexts_of_another_kind() -> None:
    """Neither by crossing nor by mixing."""
    rows = [
        {"question": f"How high is {name}?", "answer": f"{height} metres", "context": context.format(name, height)}
        for name, height, context in (
            ("the Tokyo Tower", 333, "{}, finished in 1958, is {} metres high."),
            ("Mount Fuji", 3776, "{} is a volcano of {} metres between two prefectures."),
            ("the Eiger", 3967, "{} rises {} metres above the sea."),
        )
    ]
    for row in imitate(rows, mixed=["question"], answer="context"):
        name = re.sub(r"How high is (.*)\?", r"\1", row["question"])
        assert name in row["context"] and row["answer"] in row["context"]


def test_mail_addresses_and_telephone_numbers_are_fictional() -> None:
    """In all fields alike."""
    rows = [
        {"text": "Write to ann@firma.de or call (212) 664-7665.", "mail": "ann@firma.de"},
        {"text": "Write to bob@acme.com or call (415) 229-1101.", "mail": "bob@acme.com"},
    ]
    for row in imitate(rows):
        assert re.search(r"@example\.(com|org|net)$", row["mail"]) and row["mail"] in row["text"]
        assert re.search(r"\(\d{3}\) 555-01\d\d", row["text"])


def test_dependent_values_are_computed_from_drawn_ones() -> None:
    """A total, a net amount with tax from it, a count of nights between two dates."""
    rows = [
        {"guest": "Anna", "in": "2023-03-01", "out": "2023-03-04", "nights": "3", "rate": "120.00", "total": "360.00"},
        {"guest": "Felix", "in": "2023-04-10", "out": "2023-04-12", "nights": "2", "rate": "95.50", "total": "191.00"},
    ]
    relations = [
        Relation(product={"total": ("nights", "rate")}, precision=2),
        Relation(difference={"nights": ("out", "in")}, unit="days"),
    ]
    new = Imitator(ValueStatistics(rows, {}), {}, relations=relations).imitate(rows, 60, 0, Random(2))
    assert len(new) == 60 and len({row["total"] for row in new}) > 30
    for row in new:
        assert all(relation.violation(row) is None for relation in relations), row
        assert re.fullmatch(r"\d+\.\d\d", row["total"])


def test_a_relation_that_cannot_be_computed_keeps_the_values_of_the_seed() -> None:
    """A number in words does not vary with its digits, and no row violates the relation."""
    rows = [
        {"zimmer": 3, "text": "three rooms, ticket 48213", "preis": 1.5, "doppelt": 3.0},
        {"zimmer": 5, "text": "five rooms, ticket 51007", "preis": 2.25, "doppelt": 4.5},
    ]
    relations = [Relation(contained=("zimmer", "text")), Relation(ratio={"preis": ("doppelt",)}, factor=0.5)]
    new = Imitator(ValueStatistics(rows, {}), {}, relations=relations).imitate(rows, 40, 0, Random(2))
    assert len(new) == 40 and len({row["text"] for row in new}) > 30
    for row in new:
        assert row["text"].startswith({3: "three", 5: "five"}[row["zimmer"]])
        assert row["preis"] * 2 == row["doppelt"] and isinstance(row["zimmer"], int)


def test_a_share_is_computed_from_the_counts_whichever_of_them_the_relation_names() -> None:
    """The number with the most decimal places is rounded, so that it is the one to compute."""
    counts = ((21, 28), (19, 24), (26, 30), (17, 27), (22, 25), (14, 23))
    rows: list[Row] = [{"class": "a", "passed": p, "all": n, "share": round(100 * p / n, 1)} for p, n in counts]
    relation = Relation(product={"passed": ("all", "share")}, factor=0.01, precision=0)
    new = Imitator(ValueStatistics(rows, {}), {}, seed=1, relations=[relation]).imitate(rows, 80, 0, Random(1))
    assert len(new) > 40 and all(row["share"] == round(100 * row["passed"] / row["all"] + 1e-9, 1) for row in new)


def test_a_computed_value_is_never_below_zero_if_none_in_the_seeds_is() -> None:
    """More than there is cannot be taken out."""
    stocks = ((120, 40, 65), (15, 60, 22), (300, 0, 118), (48, 12, 31), (77, 25, 80))
    rows: list[Row] = [{"opening": o, "received": r, "issued": i, "closing": o + r - i} for o, r, i in stocks]
    relation = Relation(sum={"closing": ("opening", "received")}, minus=("issued",))
    new = Imitator(ValueStatistics(rows, {}), {}, seed=1, relations=[relation]).imitate(rows, 120, 0, Random(1))
    assert len(new) > 80
    assert all(row["closing"] == row["opening"] + row["received"] - row["issued"] >= 0 for row in new)
