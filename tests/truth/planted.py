"""Wrong rows, two or more for each seed file: a seed row with a value changed so that the row is false.

Each entry is the number of a seed row, counted from 0, and the new values by dotted path.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.truth.forms import Row

_Plant = tuple[int, dict[str, Any]]
PLANTED: dict[str, list[_Plant]] = {
    "averages.csv": [(0, {"average": "85.1"}), (1, {"math": "65"})],
    "zh_averages.csv": [(0, {"平均分": "85.1"}), (1, {"语文": "65"})],
    "bmi.jsonl": [(0, {"bmi": 22.9}), (1, {"weight_kg": 80})],
    "shares.csv": [(0, {"yes_pct": "61.0"}), (1, {"no_pct": "78.5"})],
    "conversions.csv": [(0, {"fahrenheit": "53.7"}), (1, {"celsius": "30"})],
    "bases.csv": [(0, {"bin": "1100"}), (1, {"hex": "2b"})],
    "trends.csv": [(0, {"trend": "fall"}), (1, {"close": "14.2"})],
    "few_grades.csv": [(0, {"score": "62"}), (3, {"grade": "A"})],
    "dated_orders.jsonl": [(0, {"date": "2024-03-16"}), (1, {"order_no": "20240231017"})],
    "tagged_tokens.jsonl": [
        (0, {"tokens": ["Diego", "loves", "San Jose", "."]}),
        (1, {"tokens": ["Anna", "visits", "New", "Lima", "."]}),
    ],
    "capitals.jsonl": [(0, {"capital": "Lima"}), (1, {"country": "Peru"})],
    "blood_pressure.jsonl": [
        (0, {"note": "BP 120/811 mmHg, HR 72 bpm", "diastolic": 811}),
        (1, {"systolic": 154}),
    ],
    "gpu_memory.jsonl": [
        (0, {"line": "12:00:11 node-1 GPU0 mem=25110/24576MiB util=88%", "used": 25110}),
        (1, {"used": 513}),
    ],
    "nginx_qa.jsonl": [
        (0, {"Answer": "200"}),
        (3, {"Question": "Which status was returned to 203.0.113.9 for /login?"}),
    ],
    "postgres_qa.jsonl": [(0, {"Answer": "27.03 s"}), (3, {"Answer": "warehouse"}), (6, {"Answer": "order_line"})],
    "kubelet_qa.jsonl": [(0, {"Answer": "worker-5"}), (3, {"Answer": "0"}), (5, {"Answer": "500Mi"})],
    "android_qa.jsonl": [
        (0, {"RawLog": "02-30 16:13:45.316  1702 14640 I AudioService: stream 3 volume 7 device speaker"}),
        (0, {"Answer": "3"}),
        (3, {"Answer": "2031"}),
    ],
    "pallets_number.jsonl": [(0, {"Answer": 311}), (0, {"Answer": "3"}), (6, {"Answer": "21.5"})],
    "towers.jsonl": [(0, {"answer": "553 metres"}), (2, {"question": "How high is Mount Rosa?"})],
    "zh_qa.jsonl": [(0, {"答案": "3"}), (3, {"答案": "2100"}), (0, {"问题": "订单 20816 的重量是多少公斤？"})],
    "ja_qa.jsonl": [
        (0, {"答え": "札幌"}),
        (0, {"本文": "荷物 5512 は 13 月 3 日に大阪へ発送されました。"}),
        (4, {"答え": "8"}),
    ],
    "de_qa.jsonl": [
        (0, {"Protokoll": "Störung 4471 wurde am 31.06.2023 nach 38 Minuten behoben."}),
        (3, {"Antwort": "Jürgen"}),
    ],
    "hi_qa.jsonl": [(0, {"उत्तर": "3 किलो"}), (3, {"उत्तर": "मीन"})],
    "ar_qa.jsonl": [(0, {"الجواب": "48 كيلو"}), (3, {"الجواب": "بغداد"})],
    "fr_qa.jsonl": [
        (0, {"Réponse": "84"}),
        (3, {"Réponse": "14h53"}),
        (3, {"Réponse": "25h10", "Texte": "Le train 8841 part à 25h10 de la voie 6."}),
    ],
    "bookings.csv": [
        (0, {"total": "355.51"}),
        (0, {"nights": "0", "total": "0.00"}),
        (1, {"nights": "2.5", "total": "238.13"}),
    ],
    "invoices.jsonl": [(0, {"items.0.quantity": 11}), (0, {"net": 168.9}), (1, {"tax": 23.4}), (2, {"total": 411.61})],
    "net_gross.csv": [(0, {"gross": "142.08"}), (0, {"vat": "24.00", "gross": "144.00"})],
    "intervals.jsonl": [
        (0, {"minutes": 43}),
        (0, {"end": "2024-03-04T00:15:00", "minutes": -60}),
        (1, {"start": "2024-02-30T02:05:00"}),
    ],
    "shifts.csv": [(0, {"hours": "9"}), (0, {"begins": "26:00"}), (1, {"ends": "07:30", "hours": "-1"})],
    "tag_counts.jsonl": [(0, {"count": 4}), (0, {"tags": ["garden", "garden", "spring"]})],
    "weekdays.csv": [(0, {"weekday": "Tuesday"}), (1, {"date": "2023-02-29"})],
    "written_dates.jsonl": [
        (0, {"date": "2023-03-02"}),
        (3, {"sentence": "The charter was signed on February 29, 2015.", "date": "2015-02-29"}),
    ],
    "ages.jsonl": [(0, {"age": 62}), (0, {"age": 361, "note": "Nora Field, 361 y/o female, knee pain since May."})],
    "lifetimes.jsonl": [
        (0, {"age": 78}),
        (0, {"born": 1902}),
        (1, {"summary": "Rosa Lindqvist lived from 1961 to 1887."}),
    ],
    "sensors.csv": [(0, {"fahrenheit": "70.71"}), (1, {"celsius": "-300.0", "fahrenheit": "-508.00"})],
    "min_max.csv": [(0, {"min": "7.5"}), (1, {"max": "1.7"}), (2, {"unit": "inch"})],
    "hosts.csv": [
        (0, {"ip": "10.20.0.256"}),
        (1, {"mac": "3c:52:82:0b:7d"}),
        (2, {"uuid": "16fd2706-8baf-433b-02eb-8c7fada847da"}),
    ],
    "trips_en.jsonl": [(0, {"took": 81}), (1, {"date": "2023-05-13"})],
    "de_termine.jsonl": [(0, {"Wochentag": "Dienstag"}), (1, {"Datum": "13.04.2024"})],
    "zh_meetings.jsonl": [(0, {"月": 4}), (1, {"日期": "2023-05-15"})],
    "ja_reiwa.jsonl": [
        (0, {"日付": "2023/03/02"}),
        (0, {"本文": "令和5年3月1日（木）に第12便が15時5分に到着した。"}),
    ],
    "us_dates.jsonl": [(0, {"days": 31}), (1, {"due": "11/17/2023"})],
    "cards.jsonl": [(0, {"card": "4539 1488 0343 6468"}), (1, {"expires": "2027-13"})],
    "iban.csv": [(0, {"iban": "DE89370400440532013001"}), (1, {"iban": "DE1121050170100042779"})],
    "isbn.jsonl": [(0, {"isbn": "9780143127742"}), (1, {"isbn": "978030647761"})],
    "clock_seconds.csv": [(0, {"seconds": "3901"}), (1, {"length": "00:12:74"})],
    "number_words.jsonl": [(0, {"times": 4}), (1, {"text": "The child takes many drops a day."})],
    "percent.csv": [(0, {"percent": "75.1"}), (0, {"passed": "29", "percent": "103.6"})],
    "stock.csv": [
        (0, {"closing": "94"}),
        (1, {"issued": "76", "closing": "-1"}),
        (2, dict.fromkeys(("opening", "received", "issued", "closing"), "7")),
    ],
    "series.jsonl": [
        (0, {"readings": [1204, 1219, 1218]}),
        (1, {"times": ["09:05", "09:25", "09:46"]}),
        (2, {"readings": [1, 2]}),
    ],
    "columns.json": [(0, {"area_mm2": 4801}), (1, {"width_mm": "30"})],
    "zh_dates.jsonl": [
        (0, {"日期": "2023-01-03"}),
        (0, {"金额": 5201}),
        (3, {"句子": "合同于2021年2月29日签订，金额990元。", "日期": "2021-02-29"}),
    ],
    "de_rechnung.csv": [(0, {"Summe": "24,01"}), (1, {"Menge": "150,5"})],
    "points.csv": [(0, {"latitude": "91.0000"}), (1, {"longitude": "-181.5000"})],
    "flights.jsonl": [(0, {"departs_utc": "2024-06-03T07:15:00Z"}), (1, {"departs": "2024-06-31T12:40:00+02:00"})],
    "grades.csv": [(0, {"grade": "B"}), (1, {"score": "101", "grade": "A"})],
    "max_of_list.jsonl": [(0, {"best": 14}), (1, {"sum": 77}), (2, {"scores": [8, 12, 41]})],
    "entities_nested.jsonl": [
        (0, {"places": ["Vienna", "Lisbon"]}),
        (0, {"person.name": "Tom Becker"}),
        (1, {"year": 2005}),
    ],
    "squad_flat.jsonl": [
        (0, {"answers.answer_start": [33]}),
        (0, {"answers.text": ["1844"]}),
        (3, {"question": "Where was the Fram launched?"}),
    ],
    "squad_nested.json": [(0, {"answers.answer_start": [33]}), (1, {"answers.text": ["1883"]})],
    "ner_offsets.jsonl": [
        (0, {"entities.0.end": 5}),
        (1, {"entities.1.label": "PLACE"}),
        (2, {"text": "Greta Holms joined Fjordline in Bergen."}),
    ],
    "nginx_parse.jsonl": [(0, {"status": 201}), (1, {"ip": "198.51.100.41"}), (2, {"bytes": 15})],
    "syslog_parse.jsonl": [(0, {"parsed.pid": 2115}), (1, {"parsed.message": "Started rotation"})],
    "json_in_string.jsonl": [(0, {"quantity": 3}), (1, {"payload": '{"order": 48377, "item": "lamp", "quantity": 1'})],
    "urls.jsonl": [(0, {"id": 5513}), (1, {"host": "example.org"}), (2, {"path": "/v2"})],
    "sql.jsonl": [
        (0, {"sql": "SELECT name FROM employees WHERE salary > 40000"}),
        (1, {"sql": "SELECT COUNT(*) FROM employees WHERE city = 'Sales'"}),
        (2, {"question": "Which books were published after 1991?"}),
        (2, {"question": "Which books were published after 7507?", "sql": "SELECT title FROM books WHERE year > 7507"}),
        (3, {"sql": "SELECT COUNT(*) FROM trips WHERE author = 'Woolf'"}),
        (4, {"sql": "SELECT city FROM trips WHERE days < 4"}),
        (5, {"question": "How many trips went to city 'Faro'?"}),
    ],
    "code.jsonl": [
        (0, {"result": 13}),
        (1, {"instruction": "Write a function that multiplies n by 4."}),
        (2, {"code": "def minus10(n):\n    return n - 11"}),
    ],
    "mcq_arithmetic.jsonl": [(0, {"answer": "A"}), (1, {"B": "63"}), (2, {"question": "What is 15 times 5?"})],
    "mcq_reading.jsonl": [
        (0, {"answer": "A"}),
        (0, {"options": ["B41", "B41", "A41"]}),
        (3, {"question": "When does flight SK 673 leave?"}),
    ],
    "mcq_knowledge.jsonl": [(0, {"answer": "A"}), (3, {"question": "Which river runs through Rome?"})],
    "contacts.jsonl": [
        (0, {"name": "Marco Roth"}),
        (1, {"phone": "+49 40 5550178"}),
        (2, {"email": "yuki.tanaka@example.com"}),
    ],
    "tickets.csv": [(0, {"label": "bug"}), (6, {"label": "billing"})],
    "sentiment.jsonl": [(0, {"label": "negative"}), (3, {"label": "neutral"})],
    "aspects.jsonl": [(0, {"aspect": "speaker"}), (1, {"sentiment": "positive"})],
    "dialogues.jsonl": [
        (0, {"conversations.1.value": "Order 73110 is cancelled, and the money is on its way."}),
        (2, {"conversations.0.value": "Please cancel order 74016."}),
    ],
    "faq_de.csv": [(0, {"Antwort": "Ja, bis 30 kg."}), (1, {"Antwort": "Ja, ab einem Warenwert von 200 Euro."})],
    "translation.jsonl": [(0, {"fr": "Où est la gare ?"}), (3, {"en": "She bought four apples."})],
    "arithmetic_prose.jsonl": [
        (0, {"answer": "4 * 12 = 48 pens. 48 - 9 = 38. #### 38"}),
        (1, {"question": "Omar buys 4 crates with 20 pears each and gives away 14 pears. How many pears are left?"}),
    ],
    "handles.jsonl": [
        (0, {"mail": "hanna.mueller@example.org"}),
        (1, {"text": "Hanna Schmidt (@hannas) signed in as hweber."}),
    ],
    "spacy_spans.jsonl": [
        (0, {"entities.0.1": 10}),
        (3, {"text": "From Oslo to Rome it takes Lara Rossi two days."}),
    ],
    "optional_notes.jsonl": [(0, {"note": "Call Tom Stone before the delivery to Oslo."}), (1, {"order": "A-1"})],
    "graph_ids.jsonl": [(0, {"nodes.1.id": 4}), (2, {"edges.0.to": 3}), (3, {"nodes.2.name": "Graz"})],
    "zh_spans.jsonl": [(0, {"标注.0.开始": 3}), (1, {"标注.0.内容": "51775"})],
    "order_items.jsonl": [
        (0, {"main_item": "it-300"}),
        (2, {"items.1.id": "it-400"}),
        (5, {"text": "Order 1 has 3 items."}),
    ],
    "preferences.jsonl": [(0, {"rejected": "An hour has 60 minutes."}), (1, {"chosen": "A spider has 9 legs."})],
    "alerts.jsonl": [(0, {"severity": "warning"}), (0, {"alert": "CPU of db-1 at 89%, threshold 90%"})],
    "ar_digits.jsonl": [(0, {"الجواب": "٢٠٠٣"}), (1, {"السؤال": "متى نُشر الكتاب ٣٧٨؟"})],
    "downloads.jsonl": [
        (0, {"line": "mirror: downloaded 121 of 480 files (25.0%)"}),
        (1, {"line": "cache: downloaded 91 of 77 files (118.2%)"}),
    ],
    "life_texts.jsonl": [
        (0, {"text": "Anna Kim, born in 1956, was 65 years old in 2020."}),
        (1, {"text": "Bob Lang, born in 1971, was 60 years old in 2031."}),
    ],
    "prices.csv": [(0, {"final": "60.01"}), (1, {"discount_pct": "11"})],
    "upgrades.jsonl": [
        (0, {"to": "1.25.0"}),
        (0, {"note": "Upgraded nginx on web1 from version 1.24.0 to 1.26.3 (ticket 4411)", "to": "1.26.3"}),
    ],
}


def planted(name: str, seeds: list[Row]) -> Iterator[Row]:
    """Yield the wrong rows of the seed file ``name``."""
    for number, changes in PLANTED[name]:
        row = copy.deepcopy(seeds[number])
        for path, value in changes.items():
            *way, last = path.split(".") if path not in row else [path]
            place: Any = row
            for part in way:
                place = place[int(part)] if isinstance(place, list) else place[part]
            place[int(last) if isinstance(place, list) else last] = value
        yield row
