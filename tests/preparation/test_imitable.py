"""What the embedded imitator can keep true: kinds of seeds that need a model, and kinds that it grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.errors import RowError
from selfinstruct.preparation.imitable import find_obstacles
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.relations import Relation
from selfinstruct.records import Row
from selfinstruct.rows import rows_from_objects

SEEDS = Path(__file__).parents[2] / "seeds"
LOGQA: list[Row] = [json.loads(line) for line in (SEEDS / "logqa.jsonl").read_text(encoding="utf-8").splitlines()]

#: Files that need a model: the kind that the message names, and two or three rows.
NEED_A_MODEL: dict[str, tuple[str, list[Row]]] = {
    "dpo": (
        "preference",
        [
            {
                "prompt": "How many days has February in a leap year?",
                "chosen": "February has 29 days in a leap year.",
                "rejected": "February has 30 days in a leap year.",
            },
            {
                "prompt": "At what temperature does water boil?",
                "chosen": "Water boils at 100 degrees Celsius.",
                "rejected": "Water boils at 90 degrees Celsius.",
            },
        ],
    ),
    "dpo_zh": (
        "preference",
        [
            {"提示": "水在多少度沸腾？", "优选": "水在100度沸腾。", "劣选": "水在90度沸腾。"},
            {"提示": "闰年二月有几天？", "优选": "29天。", "劣选": "30天。"},
        ],
    ),
    "arena": (
        "preference",
        [
            {"question": "How far is the moon?", "response_a": "384,400 km", "response_b": "1 km", "winner": "a"},
            {
                "question": "How hot is the sun?",
                "response_a": "3 degrees",
                "response_b": "5,500 degrees",
                "winner": "b",
            },
        ],
    ),
    "mcq": (
        "multiple choice",
        [
            {"question": "What is the tallest of these 3 peaks?", "A": "Everest", "B": "K2", "answer": "A"},
            {"question": "Which of 4 rivers is longest?", "A": "Rhine", "B": "Nile", "answer": "B"},
        ],
    ),
    "mcq_arith": (
        "multiple choice",
        [
            {"question": "What is 12 times 8?", "A": "86", "B": "96", "answer": "B"},
            {"question": "What is 9 times 7?", "A": "63", "B": "56", "answer": "A"},
        ],
    ),
    "mcq_list_index": (
        "multiple choice",
        [
            {"question": "Which planet is 4th?", "choices": ["Mars", "Venus", "Earth"], "answer": 0},
            {"question": "Which planet is 2nd?", "choices": ["Mars", "Venus", "Earth II"], "answer": 1},
        ],
    ),
    "mcq_zh": (
        "multiple choice",
        [
            {"题目": "第3大行星是？", "选项A": "土星", "选项B": "天王星", "答案": "B"},
            {"题目": "第1大行星是？", "选项A": "木星", "选项B": "水星", "答案": "A"},
        ],
    ),
    "mcq_inline": (
        "multiple choice",
        [
            {"text": "Which gas do plants take in? A. oxygen B. carbon dioxide C. helium 5", "key": "B"},
            {"text": "How many legs has a spider? A. 6 B. 8 C. 10", "key": "B"},
        ],
    ),
    "arith": (
        "arithmetic",
        [
            {"question": "What is 12 times 8?", "answer": "96"},
            {"question": "What is 9 times 7?", "answer": "63"},
        ],
    ),
    "arith_text": (
        "arithmetic",
        [
            {"text": "3 + 4 = 7"},
            {"text": "12 - 5 = 7"},
        ],
    ),
    "arith_zh": (
        "arithmetic",
        [
            {"问题": "12乘以8等于多少？", "答案": 96},
            {"问题": "9加7等于多少？", "答案": 16},
        ],
    ),
    "arith_cmp": (
        "arithmetic",
        [
            {"q": "Is 17 greater than 9?", "a": "yes"},
            {"q": "Is 8 greater than 90?", "a": "no"},
        ],
    ),
    "word": (
        "computed",
        [
            {"question": "Tom has 5 apples and buys 3 more. How many apples does he have?", "answer": "8"},
            {"question": "A box holds 12 eggs. How many eggs are in 4 boxes?", "answer": "48"},
        ],
    ),
    "word_num": (
        "computed",
        [
            {"problem": "Tom has 5 apples and then buys 3 more apples at the market.", "result": 8},
            {"problem": "A single box holds 12 eggs, and there are 4 boxes.", "result": 48},
        ],
    ),
    "word_zh": (
        "computed",
        [
            {"问题": "小明有5个苹果，又买了3个，一共有几个？", "答案": "8个"},
            {"问题": "一盒有12个鸡蛋，4盒有多少个？", "答案": "48个"},
        ],
    ),
    "gsm8k": (
        "arithmetic",
        [
            {
                "question": "Natalia sold 48 clips in April and half as many in May. How many in all?",
                "answer": "She sold 48/2 = <<48/2=24>>24 clips in May. 48+24 = <<48+24=72>>72. #### 72",
            },
            {
                "question": "Weng earns 12 an hour and worked 50 minutes. How much?",
                "answer": "12/60 = <<12/60=0.2>>0.2 per minute. 0.2 x 50 = <<0.2*50=10>>10. #### 10",
            },
        ],
    ),
    "knowledge": (
        "knowledge",
        [
            {"question": "What is the capital of France?", "answer": "Paris"},
            {"question": "Who wrote Faust?", "answer": "Goethe"},
            {"question": "In which year did World War 2 end?", "answer": "1945"},
        ],
    ),
    "knowledge_zh": (
        "knowledge",
        [
            {"问题": "法国的首都是哪里？", "答案": "巴黎"},
            {"问题": "第2次世界大战哪年结束？", "答案": "1945年"},
        ],
    ),
    "code": (
        "code",
        [
            {"task": "Add two numbers", "code": "def add(a, b):\n    return a + b"},
            {"task": "Square 5", "code": "def square():\n    return 5 ** 2"},
        ],
    ),
    "code_tests": (
        "code",
        [
            {
                "prompt": "Write a function f that adds 3",
                "solution": "function f(x) { return x + 3; }",
                "test": "assert f(2) == 5",
            },
            {
                "prompt": "Write a function g that adds 7",
                "solution": "function g(x) { return x + 7; }",
                "test": "assert g(2) == 9",
            },
        ],
    ),
    "sql": (
        "code",
        [
            {
                "question": "How many singers are older than 30?",
                "schema": "CREATE TABLE singer (id INT, age INT)",
                "query": "SELECT count(*) FROM singer WHERE age > 30",
            },
            {
                "question": "How many ships are longer than 100?",
                "schema": "CREATE TABLE ship (id INT, length INT)",
                "query": "SELECT count(*) FROM ship WHERE length > 100",
            },
        ],
    ),
    "code_zh": (
        "code",
        [
            {"要求": "写一个加3的函数", "代码": "def f(x):\n    return x + 3"},
            {"要求": "写一个加7的函数", "代码": "def g(x):\n    return x + 7"},
        ],
    ),
    "translation": (
        "translation",
        [
            {"en": "The train leaves at 9:15 from platform 4.", "zh": "火车9点15分从4号站台出发。"},
            {"en": "I bought 3 apples today.", "zh": "我今天买了3个苹果。"},
        ],
    ),
    "translation_nested": (
        "translation",
        [
            {"translation": {"en": "I bought 3 apples.", "de": "Ich habe 3 Äpfel gekauft."}},
            {"translation": {"en": "It is 5 km away.", "de": "Es ist 5 km entfernt."}},
        ],
    ),
    "translation_scripts": (
        "translation",
        [
            {"source": "Order 48213 has been shipped.", "target": "订单48213已经发货了。"},
            {"source": "Order 51007 has been cancelled.", "target": "订单51007已经取消了。"},
        ],
    ),
    "translation_lang": (
        "translation",
        [
            {
                "source": "The house on the hill is for sale and costs 300 euros.",
                "target": "Das Haus auf dem Hügel ist zu verkaufen und kostet 300 Euro.",
            },
            {
                "source": "I am in the garden with the 2 dogs.",
                "target": "Ich bin in dem Garten mit den 2 Hunden und nicht im Haus.",
            },
        ],
    ),
    "instruct": (
        "instruction",
        [
            {
                "instruction": "Turn the sentence into the passive.",
                "input": "Ann wrote 3 letters.",
                "output": "3 notes were composed by her.",
            },
            {"instruction": "Name the opposite.", "input": "hot 5", "output": "cold"},
        ],
    ),
    "instruct_zh": (
        "instruction",
        [
            {"指令": "写一句关于春天的诗。", "输出": "春眠不觉晓，处处闻啼鸟。"},
            {"指令": "解释什么是光合作用。", "输出": "植物利用阳光把二氧化碳变成糖。"},
        ],
    ),
    "prompt": (
        "instruction",
        [
            {
                "prompt": "Explain why the sky is blue in 2 sentences.",
                "completion": "Air scatters short waves most. So blue light comes from all sides.",
            },
            {
                "prompt": "Write a haiku about 5 frogs.",
                "completion": "Green in the old pond, they jump, and the water speaks, then silence again.",
            },
        ],
    ),
    "summary": (
        "summar",
        [
            {
                "article": "The council decided on Monday to close the pool at Larch Hill, built in 1961.",
                "summary": "The Larch Hill pool will close.",
            },
            {
                "article": "The lift will be replaced in March. It begins on the 3rd and takes about three weeks.",
                "summary": "A new lift arrives in March.",
            },
        ],
    ),
    "summary_zh": (
        "summar",
        [
            {"正文": "市议会周一决定关闭1961年建成的露天游泳池，因为维修需要48万欧元。", "摘要": "露天泳池将关闭。"},
            {"正文": "电梯将于三月更换，工程从3日开始，大约需要三个星期的时间。", "摘要": "三月换电梯。"},
        ],
    ),
}

#: Files that the imitator grows.
GROWN: dict[str, list[Row]] = {
    "num": [
        {
            "Question": "How many kg does pallet 305 weigh?",
            "Answer": 410,
            "Text": "Pallet 305 left dock 2, weight 410 kg, gate A.",
        },
        {
            "Question": "How many kg does pallet 771 weigh?",
            "Answer": 95,
            "Text": "Pallet 771 left dock 2, weight 95 kg, gate A.",
        },
        {
            "Question": "How many kg does pallet 118 weigh?",
            "Answer": 233,
            "Text": "Pallet 118 left dock 2, weight 233 kg, gate A.",
        },
    ],
    "strings": [
        {
            "Question": "How many kg does pallet 305 weigh?",
            "Answer": "410",
            "Text": "Pallet 305 left dock 2, weight 410 kg, gate A.",
        },
        {
            "Question": "How many kg does pallet 771 weigh?",
            "Answer": "95",
            "Text": "Pallet 771 left dock 2, weight 95 kg, gate A.",
        },
        {
            "Question": "How many kg does pallet 118 weigh?",
            "Answer": "233",
            "Text": "Pallet 118 left dock 2, weight 233 kg, gate A.",
        },
    ],
    "nested": [
        {"text": "Ann Reed lives in Rome.", "places": ["Rome"]},
        {"text": "Bob Lang works in Oslo.", "places": ["Oslo"]},
    ],
    "squad": [
        {
            "context": "The okapi was first described in 1901 by Philip Sclater.",
            "question": "When was the okapi described?",
            "answers": {"text": ["1901"], "answer_start": [33]},
        },
        {
            "context": "The Vasa was salvaged in 1961 in Stockholm.",
            "question": "When was the Vasa salvaged?",
            "answers": {"text": ["1961"], "answer_start": [25]},
        },
    ],
    "age": [
        {"note": "Ann Reed, 54 y/o female, chest pain.", "age": 54},
        {"note": "Bob Lang, 33 y/o male, headache.", "age": 33},
    ],
    "idonly": [
        {"id": "c1", "turns": ["My order 48213 is late.", "Order 48213 ships today."]},
        {"id": "c2", "turns": ["Cancel order 51007.", "Order 51007 is cancelled."]},
    ],
    "bookings": [
        {"guest": "Ann Reed", "nights": 3, "rate": 120.0, "total": 360.0},
        {"guest": "Bob Lang", "nights": 2, "rate": 95.5, "total": 191.0},
    ],
    "label_aspect": [
        {"text": "The battery lasts long.", "sentiment": "positive", "aspect": "battery"},
        {"text": "The screen is too dark.", "sentiment": "negative", "aspect": "screen"},
        {"text": "I like the keyboard.", "sentiment": "positive", "aspect": "keyboard"},
        {"text": "The fan is loud.", "sentiment": "negative", "aspect": "fan"},
    ],
    "crossing": [
        {
            "question": "How high is the Tokyo Tower?",
            "answer": "333 metres",
            "context": "The Tokyo Tower, finished in 1958, is 333 metres high.",
        },
        {
            "question": "How high is Mount Fuji?",
            "answer": "3776 metres",
            "context": "Mount Fuji is a volcano of 3776 metres between two prefectures.",
        },
        {
            "question": "How large is Lake Biwa?",
            "answer": "670 square kilometres",
            "context": "Lake Biwa, the largest lake, has 670 square kilometres.",
        },
    ],
    "hindi": [
        {"Question": "किताब 12 किसके पास है?", "Answer": "राम", "Text": "किताब 12 आज राम के पास है।"},
        {"Question": "किताब 48 किसके पास है?", "Answer": "सीता", "Text": "किताब 48 आज सीता के पास है।"},
    ],
    "faq": [
        {
            "Nr.": "1",
            "Frage": "Wie lange dauert der Versand?",
            "Antwort": "Der Versand dauert 2–3 Werktage.",
            "Datum": "03.05.2023",
        },
        {
            "Nr.": "2",
            "Frage": "Wie lange habe ich Rückgaberecht?",
            "Antwort": "Sie haben 30 Tage Rückgaberecht.",
            "Datum": "11.05.2023",
        },
        {
            "Nr.": "3",
            "Frage": "Kann ich stornieren?",
            "Antwort": "Ja, bis zu 24 Stunden nach der Bestellung.",
            "Datum": "12.06.2023",
        },
    ],
    "function_call": [
        {"instruction": "Set a timer for 5 minutes", "output": "set_timer(minutes 5)"},
        {"instruction": "Set a timer for 12 minutes", "output": "set_timer(minutes 12)"},
    ],
    "boolq": [
        {"question": "Is crate 12 in bay 4?", "passage": "Crate 12 stands in bay 4 since Monday.", "answer": True},
        {"question": "Is crate 15 in bay 6?", "passage": "Crate 15 stands in bay 7 since Monday.", "answer": False},
    ],
    "en_question_zh_log": [
        {"Question": "Which order was shipped?", "Answer": "48213", "Log": "订单48213已经发货，承运人顺丰。"},
        {"Question": "Which order was cancelled?", "Answer": "51007", "Log": "订单51007已经取消，原因不明。"},
    ],
    "fixed_options": [
        {"text": "I like it a lot, 5 stars.", "options": ["good", "bad"], "label": "good"},
        {"text": "Broke after 2 days.", "options": ["good", "bad"], "label": "bad"},
    ],
    "mcq_supported": [
        {
            "passage": "The tram leaves from bay 12 at noon.",
            "question": "From which bay does the tram leave?",
            "A": "bay 12",
            "B": "bay 15",
            "answer": "A",
        },
        {
            "passage": "The bus leaves from bay 33 at noon.",
            "question": "From which bay does the bus leave?",
            "A": "bay 81",
            "B": "bay 33",
            "answer": "B",
        },
    ],
    "numbers_in_log": [
        {"log": "Mar 14 02:17:33 bastion sshd[24186]: 3 of 10 done", "level": "info"},
        {"log": "Mar 14 02:19:08 bastion sshd[24231]: 4 of 12 done", "level": "info"},
    ],
    "onlytext": [
        {"t": "Order 48213 is late."},
        {"t": "Order 51007 is late."},
    ],
    "title": [
        {"title": "Crate 12 lost", "text": "The crate 12 was lost between dock 3 and gate B on Monday."},
        {"title": "Crate 19 lost", "text": "The crate 19 was lost between dock 5 and gate C on Monday."},
    ],
    "count3": [
        {"n": 1, "of": 2},
        {"n": 3, "of": 4},
    ],
    "menu": [
        {"text": "Select the option 5 from the menu.", "level": "info"},
        {"text": "Select the option 7 from the menu.", "level": "warn"},
    ],
    "notes": [
        {"text": "Class notes for day 5:\nbring 3 pens"},
        {"text": "Class notes for day 8:\nbring 4 pens"},
    ],
    "guests": [
        {"text": "Create table for 5 guests at bay 481"},
        {"text": "Create table for 8 guests at bay 517"},
    ],
    "inventory": [
        {"item": "lamp 481", "accepted": 12, "rejected": 3},
        {"item": "rug 517", "accepted": 9, "rejected": 1},
    ],
    "match": [
        {"team_a": "New York Reds", "team_b": "Old Town Blues", "winner": "New York Reds", "place": "hall 4"},
        {"team_a": "East End Owls", "team_b": "West End Cats", "winner": "West End Cats", "place": "hall 7"},
    ],
    "features": [
        {"A": 1.5, "B": 2.5, "label": "A"},
        {"A": 3.5, "B": 0.5, "label": "B"},
    ],
    "sensor": [
        {"where": "Reading taken at bay 4 of hall 12 by probe 7 during the night shift", "result": 21.5},
        {"where": "Reading taken at bay 9 of hall 15 by probe 2 during the day shift", "result": 19.5},
    ],
    "intent": [
        {"text": "Where is order 481?", "intent": "track_order"},
        {"text": "Please cancel order 517?", "intent": "cancel_order"},
        {"text": "Where is my bill 99?", "intent": "billing"},
    ],
    "email": [
        {"subject": "Invoice 48213 is overdue", "body": "Dear Ann, the invoice 48213 of 3 March is overdue by 5 days."},
        {"subject": "Invoice 51007 is overdue", "body": "Dear Bob, the invoice 51007 of 8 March is overdue by 9 days."},
    ],
    "prompt_label": [
        {"prompt": "I like the lamp 5", "completion": "positive"},
        {"prompt": "The lamp 7 broke", "completion": "negative"},
        {"prompt": "I love it 9", "completion": "positive"},
        {"prompt": "It broke 3", "completion": "negative"},
    ],
    "extraction": [
        {"input": "Ann Reed, aged 54, from Rome", "output": "name: Ann Reed; age: 54; city: Rome"},
        {"input": "Bob Lang, aged 33, from Oslo", "output": "name: Bob Lang; age: 33; city: Oslo"},
    ],
    "abstract": [
        {"title": "On lamps of type 5", "abstract": "We study 12 lamps of type 5 in hall 4."},
        {"title": "On rugs of type 9", "abstract": "We study 30 rugs of type 9 in hall 7."},
    ],
    "error_code": [
        {"text": "Door 5 jammed at 10:30 - 12:30", "code": "E-4411"},
        {"text": "Door 9 jammed at 11:30 - 13:30", "code": "E-7120"},
    ],
    "period": [
        {"text": "Open 2023-03-01 - 2023-03-05, hall 4"},
        {"text": "Open 2023-04-02 - 2023-04-09, hall 9"},
    ],
    "zh_notice": [
        {"文本": "订单48213已于3月5日发货，共2件。", "标签": "物流"},
        {"文本": "订单51007已于4月9日取消，共3件。", "标签": "售后"},
    ],
    "zh_qa": [
        {"问题": "48213号订单何时发货？", "答案": "3月5日", "上下文": "48213号订单于3月5日发货。"},
        {"问题": "51007号订单何时发货？", "答案": "4月9日", "上下文": "51007号订单于4月9日发货。"},
    ],
    "yesno_log": [
        {
            "Question": "Is partition rdd_42_18 found?",
            "Answer": "not",
            "RawLog": "Partition rdd_42_18 not found, computing it",
        },
        {
            "Question": "Is partition rdd_4_8 found?",
            "Answer": "not",
            "RawLog": "Partition rdd_4_8 not found, computing it",
        },
    ],
    "ner": [
        {"tokens": ["Ann", "lives", "in", "Rome"], "tags": ["PER", "O", "O", "LOC"]},
        {"tokens": ["Bob", "works", "in", "Oslo"], "tags": ["PER", "O", "O", "LOC"]},
    ],
    "chat": [
        {
            "messages": [
                {"role": "user", "content": "Where is order 48213?"},
                {"role": "assistant", "content": "Order 48213 ships today."},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "Cancel order 51007."},
                {"role": "assistant", "content": "Order 51007 is cancelled."},
            ]
        },
    ],
}


def recipe_of(rows: list[Row]) -> Recipe:
    """The recipe inferred from rows."""
    return infer(rows_from_objects(rows, "rows")).recipe


def write(path: Path, rows: list[Row]) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NEED_A_MODEL)
def test_every_row_of_such_a_file_has_an_obstacle_of_its_kind(name: str) -> None:
    """Every row has one, so that none is grown."""
    kind, rows = NEED_A_MODEL[name]
    assert all(each is not None and kind in each.kind for each in find_obstacles(rows, recipe_of(rows)))


@pytest.mark.parametrize("name", GROWN)
def test_rows_whose_truth_follows_from_copied_values_have_no_obstacle(name: str) -> None:
    """No false refusal."""
    assert find_obstacles(GROWN[name], recipe_of(GROWN[name])) == [None] * len(GROWN[name])


@pytest.mark.parametrize(
    "name", ["logqa.jsonl", "sshd.jsonl", "hdfs.jsonl", "tickets.csv", "classics-zh.jsonl", "sentiment/rows.csv"]
)
def test_shipped_seeds_for_the_imitator_have_no_obstacle(name: str) -> None:
    """No false refusal of the shipped seed files."""
    prepared = api.plan(SEEDS / name)
    assert not prepared.skipped


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_run_and_dry_run_refuse_with_the_command_that_asks_a_model(
    options: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, the kind with its fields, and the command; nothing is written."""
    seeds = write(tmp_path / "pairs.jsonl", NEED_A_MODEL["dpo"][1])
    assert main(["run", str(seeds), "--out", str(tmp_path / "out"), *options]) == 2
    printed = capfd.readouterr().err
    assert "preference pairs (chosen, rejected)" in printed
    assert f"selfinstruct run {seeds} --base-url" in printed
    assert not (tmp_path / "out").exists()


def test_a_model_is_never_refused(tmp_path: Path) -> None:
    """With a model, the same seeds are planned in full."""
    seeds = write(tmp_path / "pairs.jsonl", NEED_A_MODEL["dpo"][1])
    prepared = api.plan(seeds, model="m", base_url="http://127.0.0.1:1/v1")
    assert len(prepared.seeds.rows) == 2 and not prepared.skipped


def test_only_some_seeds_are_left_out_and_named(tmp_path: Path) -> None:
    """The others grow; the plan names the lines."""
    sums: list[Row] = [
        {"Question": "What is 12 times 8?", "Answer": "96", "RawLog": "12 times 8 was computed by node 4."},
        {"Question": "What is 9 plus 7?", "Answer": "16", "RawLog": "9 plus 7 was computed by node 5."},
    ]
    prepared = api.plan(write(tmp_path / "mixed.jsonl", [*LOGQA, *sums]))
    assert len(prepared.seeds.rows) == len(LOGQA)
    assert [fault.split(": ")[0].rsplit(":")[-1] for fault in prepared.skipped] == ["11", "12"]
    assert "arithmetic in prose" in prepared.skipped[0]


def test_fewer_than_two_remaining_seeds_are_refused(tmp_path: Path) -> None:
    """One good seed does not show what varies."""
    rows = [*NEED_A_MODEL["arith"][1], {"question": "Where is crate 4?", "answer": "bay 7 of crate 4"}]
    with pytest.raises(RowError, match="arithmetic in prose"):
        api.plan(write(tmp_path / "few.jsonl", rows))


def test_rows_in_memory_are_refused_with_the_parameters() -> None:
    """A caller of the library is told parameters, not a command."""
    with pytest.raises(RowError, match="preference pairs") as caught:
        api.plan(NEED_A_MODEL["dpo"][1])
    assert "`base_url=" in caught.value.hint


def test_an_answer_that_a_relation_computes_has_no_obstacle() -> None:
    """The imitator computes it; without the relation, nothing does."""
    rows: list[Row] = [
        {"question": "How many items has order 481?", "items": ["a lamp", "a rug"], "answer": 2},
        {"question": "How many items has order 517?", "items": ["a cup", "a bowl", "a jar"], "answer": 3},
    ]
    recipe = recipe_of(rows).model_copy(update={"relations": ()})
    assert all(find_obstacles(rows, recipe))
    counted = recipe.model_copy(update={"relations": (Relation(count=("answer", "items")),)})
    assert find_obstacles(rows, counted) == [None, None]


def test_init_names_the_lines_that_need_a_model(tmp_path: Path) -> None:
    """The recipe is written, with the reason at its top; it runs with a model."""
    text = api.init(write(tmp_path / "pairs.jsonl", NEED_A_MODEL["dpo"][1]))
    assert "# lines 1, 2: preference pairs (chosen, rejected): " in text
    assert "needs" not in api.init(SEEDS / "logqa.jsonl").split("[seeds]")[0]
