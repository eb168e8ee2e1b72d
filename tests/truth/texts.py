"""Texts with spans, parses, options, labels or code: each is parsed, run or looked up."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

from tests.truth import values
from tests.truth.forms import Check, Form, Row, forms, one_of

_SQUAD = forms(
    ("context", "question", "answers.text.0"),
    ("The {name} was last seen alive in {year} in {name1}.", "When was the {name} last seen alive?", "{year}"),
    ("The {name} was launched in {year} in {name1}.", "Where was the {name} launched?", "{name1}"),
)


def _squad(row: Row) -> str | None:
    answers = row["answers"]
    if not answers["text"] or len(answers["text"]) != len(answers["answer_start"]):
        return "no answer"
    for text, start in zip(answers["text"], answers["answer_start"], strict=True):
        if not isinstance(start, int) or row["context"][start : start + len(text)] != text:
            return f"{text!r} is not at {start}"
    return one_of(_SQUAD)(row)


def _spans(row: Row) -> str | None:
    for kind in forms(("text",), ("{name1} joined {name2} in {name3}.",), ("{name1} left {name2} for {name3}.",)):
        if held := kind.slots(row):
            break
    else:
        return "another sentence"
    found = [(entity["label"], row["text"][entity["start"] : entity["end"]]) for entity in row["entities"]]
    expected = [("PERSON", held["name1"]), ("ORG", held["name2"]), ("PLACE", held["name3"])]
    return None if found == expected else f"spans {found}"


def _different_places(row: Row, held: dict[str, str]) -> str | None:
    places = row["places"]
    if len(places) != 2 or len(set(places)) < 2 or not isinstance(row["year"], int):
        return f"places {places}, year {row['year']!r}"
    return None


def _syslog(row: Row) -> str | None:
    parsed = row["parsed"]
    line = f"{parsed['time']} {parsed['host']} {parsed['process']}[{parsed['pid']}]: {parsed['message']}"
    if line != row["raw"] or not isinstance(parsed["pid"], int):
        return "the parse is not that of the line"
    match = re.fullmatch(r"([A-Z][a-z]{2}) (\d\d) (\d\d:\d\d:\d\d)", parsed["time"])
    months = [name[:3] for name in values.MONTHS]
    if match is None or match[1] not in months or not values.is_date(2024, months.index(match[1]) + 1, match[2]):
        return f"time {parsed['time']}"
    port = re.search(r"port (\d+)", parsed["message"])
    return None if port is None or 0 < int(port[1]) < 65_536 else f"port {port[1]}"


def _payload(row: Row) -> str | None:
    try:
        payload = json.loads(row["payload"])
    except ValueError:
        return "the payload is not JSON"
    fields = {key: value for key, value in row.items() if key != "payload"}
    if payload != fields or not isinstance(row["quantity"], int) or row["quantity"] < 1:
        return f"payload {payload}, fields {fields}"
    return None


_ASKED = (
    (r"Which employees earn more than (\d+)\?", "SELECT name FROM employees WHERE salary > ?"),
    (r"How many employees work in dept '([^']+)'\?", "SELECT COUNT(*) FROM employees WHERE dept = ?"),
    (r"Which books were published after (\d+)\?", "SELECT title FROM books WHERE year > ?"),
    (r"How many books are by author '([^']+)'\?", "SELECT COUNT(*) FROM books WHERE author = ?"),
    (r"Which cities were visited for more than (\d+) days\?", "SELECT city FROM trips WHERE days > ?"),
    (r"How many trips went to city '([^']+)'\?", "SELECT COUNT(*) FROM trips WHERE city = ?"),
)


def _sql(row: Row) -> str | None:
    """Run the query and the one that the question asks for on a small table of the schema."""
    asked = next(((match[1], query) for text, query in _ASKED if (match := re.fullmatch(text, row["question"]))), None)
    if asked is None:
        return "another question"
    value, query = asked
    if "year >" in query and not 1000 <= int(value) <= 2040:
        return f"no year {value}"
    table = re.match(r"CREATE TABLE (\w+)", row["schema"])
    if table is None or not row["sql"].startswith("SELECT "):
        return "no table or no query"
    number = int(value) if value.isdecimal() else 5
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(row["schema"])
            for step in range(-2, 3):
                cells = (step, value if step < 1 else f"other{step}", value if step < 0 else f"n{step}", number + step)
                database.execute(f"INSERT INTO {table[1]} VALUES (?, ?, ?, ?)", cells)
                database.execute(f"INSERT INTO {table[1]} VALUES (?, ?, ?, ?)", (step, f"t{step}", number + step, step))
            expected = database.execute(query, (number if value.isdecimal() else value,)).fetchall()
            got = database.execute(row["sql"]).fetchall()
        except sqlite3.Error as error:
            return f"{row['sql']}: {error}"
    return None if got == expected else f"{row['sql']} does not answer {row['question']}"


_COMPUTED: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    (r"Write a function that adds (\d+) to n\.", lambda n, k: n + k),
    (r"Write a function that multiplies n by (\d+)\.", lambda n, k: n * k),
    (r"Write a function that subtracts (\d+) from n\.", lambda n, k: n - k),
    (r"Write a function that returns the square of n()\.", lambda n, _: n * n),
    (r"Write a function that doubles n and adds (\d+)\.", lambda n, k: 2 * n + k),
    (r"Write a function that returns the remainder of n by (\d+)\.", lambda n, k: n % k),
)


def _code(row: Row) -> str | None:
    """Run the function (one return of an arithmetic expression, nothing else) and compare."""
    asked = next(
        ((rule, int(match[1] or 0)) for text, rule in _COMPUTED if (match := re.fullmatch(text, row["instruction"]))),
        None,
    )
    call = re.fullmatch(r"(\w+)\((\d+)\)", row["call"])
    if asked is None or call is None:
        return "another instruction or call"
    allowed = ast.Module | ast.FunctionDef | ast.arguments | ast.arg | ast.Return | ast.BinOp | ast.operator
    try:
        tree = ast.parse(row["code"])
        if not all(isinstance(node, allowed | ast.Name | ast.expr_context | ast.Constant) for node in ast.walk(tree)):
            return "more than arithmetic"
        names: dict[str, object] = {"__builtins__": {}}
        exec(compile(tree, "row", "exec"), names)
        function = names[call[1]]
        got = [function(n) for n in (int(call[2]), 3, 17)]  # type: ignore[operator]
        expected = [asked[0](n, asked[1]) for n in (int(call[2]), 3, 17)]
    except (SyntaxError, KeyError, TypeError, ArithmeticError) as error:
        return f"the code fails: {error!r}"
    return None if got == expected and got[0] == row["result"] else f"{row['call']} gives {got[0]}, not {row['result']}"


def _options(row: Row) -> str | None:
    match = re.fullmatch(r"What is (\d+) times (\d+)\?", row["question"])
    options = {key: row[key] for key in "ABC"}
    if match is None or len(set(options.values())) < 3:
        return f"options {options}"
    right = str(int(match[1]) * int(match[2]))
    return None if options.get(row["answer"]) == right else f"{right} is not option {row['answer']}"


_FLIGHT = "Flight {word} {int} leaves gate {id} at {clock} and lands in {name}."
_FLIGHTS = (
    (Form({"passage": _FLIGHT, "question": "Which gate does flight {word} {int} leave?"}), "id", r"[A-Z]\d\d"),
    (Form({"passage": _FLIGHT, "question": "When does flight {word} {int} leave?"}), "clock", r"\d\d:\d\d"),
)


def _reading(row: Row) -> str | None:
    options = row["options"]
    if len(options) != 3 or len(set(options)) < 3 or row["answer"] not in ("A", "B", "C"):
        return f"options {options}, answer {row['answer']}"
    for form, slot, pattern in _FLIGHTS:
        if held := form.slots(row):
            right = options["ABC".index(row["answer"])]
            if right != held[slot]:
                return f"the text says {held[slot]}, the key {right}"
            return None if all(re.fullmatch(pattern, option) for option in options) else f"options {options}"
    return "question and passage do not agree"


_KNOWN = {
    "Which planet has the most massive storm, the Great Red Spot?": "Jupiter",
    "Which metal is liquid at room temperature?": "Mercury",
    "Which gas do plants take in for photosynthesis?": "Carbon dioxide",
    "Which river runs through Vienna?": "Danube",
    "Which organ pumps blood?": "Heart",
    "Which country has Canberra as its capital?": "Australia",
}


def _knowledge(row: Row) -> str | None:
    options = {key: row[key] for key in "ABC"}
    right = _KNOWN.get(row["question"])
    if right is None or len(set(options.values())) < 3:
        return "an unknown question, or options that are the same"
    return None if options.get(row["answer"]) == right else f"{right} is not option {row['answer']}"


def _contact(row: Row) -> str | None:
    name = row["name"].split(" ")
    expected = ".".join(part.lower() for part in name)
    user, _, domain = row["email"].partition("@")
    if len(name) != 2 or user != expected or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        return f"{row['email']} is not the address of {row['name']}"
    if not re.fullmatch(r"\+\d{2} \d{2,3} \d{7}", row["phone"]):
        return f"phone {row['phone']}"
    message = f"Please write to {row['email']} or call {row['phone']}."
    return None if row["message"] == message else "the message has another address or number"


def _label(text_field: str, label_field: str, cues: dict[str, str]) -> Check:
    """Return a check by cue words: those of a text must be of its label only, and at least one."""

    def check(row: Row) -> str | None:
        found = {
            label for label, words in cues.items() if re.search(rf"\b(?:{words})\b", row[text_field], re.IGNORECASE)
        }
        return None if found == {row[label_field]} else f"cues of {sorted(found)}, label {row[label_field]!r}"

    return check


_SENTIMENT = {
    "positive": "charges quickly|delighted|great picture|feels solid",
    "negative": "broke|nobody answered|lukewarm|leaks|far too small|nothing like",
    "neutral": "it does what lamps do|packed in brown paper",
}
_ASPECT = {
    "positive": "feels sturdy|I love|works perfectly",
    "negative": "crackles|far too hot|looks grainy",
}
_TICKET = {
    "billing": r"invoice|billed|charges",
    "bug": r"app|version|error code",
    "shipping": r"parcel",
}


def _aspect(row: Row) -> str | None:
    if not re.search(rf"\b{re.escape(row['aspect'])}\b", row["text"]):
        return f"no {row['aspect']} in the text"
    return _label("text", "sentiment", _ASPECT)(row)


_LEFT = "Order {int} left our store on {day} {name} and arrives tomorrow."
_CANCELLED = "Order {int} is cancelled, and the money is on its way."
_ADDRESS = "Yes. Which address should order {int} go to?"
_DIALOGUES = forms(
    ("conversations.0.value", "conversations.1.value"),
    ("My order {int} has not arrived.", f"I am sorry. {_LEFT}"),
    ("Where is order {int}?", _LEFT),
    ("Please cancel order {int}.", _CANCELLED),
    ("I want to cancel order {int}.", _CANCELLED),
    ("Can I change the address of order {int}?", _ADDRESS),
    ("I moved; can order {int} go to my new flat?", _ADDRESS),
)


def _known_pairs(first: str, second: str, pairs: Sequence[tuple[str, str]]) -> Check:
    """Return a check by knowledge: only these pairs of texts are known to be right."""
    known = dict(pairs)
    return lambda row: None if known.get(row[first]) == row[second] else f"not known to be right: {row[second]}"


_FAQ = (
    ("Wie lange dauert die Lieferung?", "Die Lieferung dauert zwei bis vier Werktage."),
    ("Kann ich auf Rechnung zahlen?", "Ja, ab einem Warenwert von 20 Euro."),
    ("Wie melde ich eine Störung?", "Über das Formular in Ihrem Kundenkonto."),
    ("Wo finde ich meine Kundennummer?", "Oben rechts auf jeder Rechnung."),
    ("Liefern Sie an Packstationen?", "Ja, bis 30 kg."),
    ("Wie kündige ich?", "Schriftlich bis zum Ende des Monats."),
)
_FRENCH = (
    ("The cat sleeps on the sofa.", "Le chat dort sur le canapé."),
    ("We leave tomorrow morning.", "Nous partons demain matin."),
    ("Where is the station?", "Où est la gare ?"),
    ("She bought three apples.", "Elle a acheté trois pommes."),
    ("The bridge is closed today.", "Le pont est fermé aujourd'hui."),
    ("I have lost my key.", "J'ai perdu ma clé."),
)
_FACTS = (
    ("How many minutes has an hour?", "An hour has {} minutes.", 60),
    ("How many legs has a spider?", "A spider has {} legs.", 8),
    ("At what temperature does water freeze?", "Water freezes at {} degrees Celsius.", 0),
    ("How many strings has a violin?", "A violin has {} strings.", 4),
    ("How many sides has a hexagon?", "A hexagon has {} sides.", 6),
    ("How many days has April?", "April has {} days.", 30),
)


def _preference(row: Row) -> str | None:
    for prompt, text, number in _FACTS:
        if row["prompt"] == prompt:
            if row["chosen"] != text.format(number):
                return f"chosen is false: {row['chosen']}"
            wrong = re.fullmatch(re.escape(text).replace(r"\{\}", r"(\d+)"), row["rejected"])
            return None if wrong and int(wrong[1]) != number else f"rejected: {row['rejected']}"
    return f"an unknown prompt: {row['prompt']}"


def _prose(row: Row) -> str | None:
    asked = re.fullmatch(
        r"\w+ buys (\d+) \w+ with (\d+) (\w+) each and gives away (\d+) \3\. How many \3 are left\?", row["question"]
    )
    if asked is None:
        return "another question"
    boxes, each, thing, away = int(asked[1]), int(asked[2]), asked[3], int(asked[4])
    whole, left = boxes * each, boxes * each - away
    answer = f"{boxes} * {each} = {whole} {thing}. {whole} - {away} = {left}. #### {left}"
    return None if row["answer"] == answer and left >= 0 else f"right is: {answer}"


_ACCESS = '{ip} - - [{clf}] "{method} {path} HTTP/1.1" {status} {int}'

TEXTS: dict[str, Check] = {
    "entities_nested.jsonl": one_of(
        (
            Form(
                {
                    "text": "{name} moved from {name1} to {name2} in {year}.",
                    "person.name": "{name}",
                    "places.0": "{name1}",
                    "places.1": "{name2}",
                    "year": "{year}",
                }
            ),
        ),
        _different_places,
    ),
    "squad_flat.jsonl": _squad,
    "squad_nested.json": _squad,
    "ner_offsets.jsonl": _spans,
    "nginx_parse.jsonl": one_of(
        forms(
            ("line", "ip", "time", "method", "path", "status", "bytes"),
            (_ACCESS, "{ip}", "{clf}", "{method}", "{path}", "{status}", "{int}"),
        )
    ),
    "syslog_parse.jsonl": _syslog,
    "json_in_string.jsonl": _payload,
    "urls.jsonl": one_of(
        forms(("url", "host", "path", "id"), ("https://{package}{path}?id={int}", "{package}", "{path}", "{int}"))
    ),
    "sql.jsonl": _sql,
    "code.jsonl": _code,
    "mcq_arithmetic.jsonl": _options,
    "mcq_reading.jsonl": _reading,
    "mcq_knowledge.jsonl": _knowledge,
    "contacts.jsonl": _contact,
    "tickets.csv": _label("text", "label", _TICKET),
    "sentiment.jsonl": _label("text", "label", _SENTIMENT),
    "aspects.jsonl": _aspect,
    "dialogues.jsonl": one_of(_DIALOGUES),
    "faq_de.csv": _known_pairs("Frage", "Antwort", _FAQ),
    "translation.jsonl": _known_pairs("en", "fr", _FRENCH),
    "arithmetic_prose.jsonl": _prose,
    "preferences.jsonl": _preference,
}
