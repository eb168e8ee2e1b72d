"""Texts, logs and nested rows in many languages, for the benchmark of relations: random, but the same for each seed."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping

from benchmarks.relation_tables import CITIES, NAMES, WORDS, Row, day, prose


def rechnungen(r: random.Random) -> Row:
    """German invoices: decimal commas, dates with full stops, a reference with the number in it."""
    menge, preis, nummer = r.randint(1, 40), r.randrange(100, 9000), r.randrange(10**4, 10**5)
    return {
        "Rechnung": nummer,
        "Datum": day(r).strftime("%d.%m.%Y"),
        "Menge": menge,
        "Einzelpreis": f"{preis // 100},{preis % 100:02d}",
        "Verwendungszweck": f"RE {nummer} vom Lager {r.choice('ABC')}",
        "Ort": r.choice(["Köln", "Bonn", "Jena", "Lübeck", "Gießen", "Trier", "Kiel"]),
    }


def pedidos(r: random.Random) -> Row:
    """Spanish orders: the total is the sum of quantity times price."""
    items = [{"cantidad": r.randint(1, 9), "precio": r.randrange(100, 9000) / 100} for _ in range(r.randint(1, 4))]
    total = round(sum(item["cantidad"] * item["precio"] for item in items) + 1e-9, 2)
    return {"pedido": r.randrange(10**6), "lineas": items, "total": total, "ciudad": r.choice(CITIES)}


def contracts_zh(r: random.Random) -> Row:
    """A sentence in Chinese with a date and an amount, which are fields of their own."""
    on, amount = day(r), r.randrange(1000, 90000, 10)
    return {
        "句子": f"合同于{on.year}年{on.month}月{on.day}日签订，金额{amount}元。",
        "日期": f"{on}",
        "金额": amount,
        "城市": r.choice(["北京", "上海", "广州", "成都", "西安"]),
    }


def reading_zh(r: random.Random) -> Row:
    """A Chinese passage, options of which one is in it, and the letter of that."""
    options = r.sample(["北京", "上海", "广州", "成都", "西安", "南京", "杭州", "武汉"], 3)
    answer = r.randrange(3)
    passage = f"列车{r.randrange(100, 999)}次于{r.randrange(6, 22)}:{r.randrange(60):02d}抵达{options[answer]}。"
    return {"文章": passage, "options": options, "answer": "ABC"[answer]}


def parcels_ja(r: random.Random) -> Row:
    """Japanese parcels: the text has the number and the weight."""
    number, weight = r.randrange(1000, 99999), r.randrange(1, 300) / 10
    return {
        "本文": f"荷物{number}番は{weight}キロで、{r.randint(1, 12)}月{r.randint(1, 28)}日に発送されました。",
        "番号": number,
        "重量": weight,
    }


def orders_hi(r: random.Random) -> Row:
    """Hindi orders with a product of two numbers."""
    count, price = r.randint(2, 60), r.randint(5, 900)
    return {"वस्तु": r.choice(["चावल", "दाल", "चाय", "चीनी", "तेल"]), "मात्रा": count, "दर": price, "कुल": count * price}


def shelves_ar(r: random.Random) -> Row:
    """Arabic sentences with a number that is a field."""
    number = r.randrange(100, 99999)
    city = r.choice(["بغداد", "القاهرة", "تونس", "دمشق", "الرباط"])
    return {"النص": f"الكتاب رقم {number} موجود في مكتبة {city} منذ سنوات.", "الرقم": number, "المدينة": city}


def trains_fr(r: random.Random) -> Row:
    """French trains: hours such as 14h35 in a text, and minutes between two times."""
    start, minutes = r.randrange(300, 1000), r.randrange(10, 300)
    leaves_at, arrives = (f"{at // 60:02d}:{at % 60:02d}" for at in (start, start + minutes))
    return {
        "texte": f"Le train {r.randrange(9999)} part à {start // 60:02d}h{start % 60:02d}, voie {r.randint(1, 9)}.",
        "départ": leaves_at,
        "arrivée": arrives,
        "durée": minutes,
    }


def access_log(r: random.Random) -> Row:
    """A line of a web server's log and its columns."""
    ip = ".".join(str(r.randrange(1, 255)) for _ in range(4))
    at = day(r).strftime("%d/%b/%Y") + f":{r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d} +0000"
    method, path = r.choice(["GET", "POST", "PUT"]), f"/{r.choice(WORDS)}/{r.choice(WORDS)}"
    status, size = r.choice([200, 201, 304, 404, 500]), r.randrange(100, 10**6)
    line = f'{ip} - - [{at}] "{method} {path} HTTP/1.1" {status} {size}'
    return {"line": line, "ip": ip, "time": at, "method": method, "path": path, "status": status, "bytes": size}


def syslog(r: random.Random) -> Row:
    """A line of a system log and its parts, nested."""
    at = day(r).strftime("%b %d") + f" {r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}"
    parts = {
        "time": at,
        "host": f"{r.choice(['web', 'db', 'mail'])}{r.randint(1, 40):02d}",
        "process": r.choice(["cron", "sshd", "systemd", "postfix"]),
        "pid": r.randrange(100, 99999),
        "message": prose(r, r.randint(3, 9)),
    }
    return {"raw": "{time} {host} {process}[{pid}]: {message}".format(**parts), "parsed": parts}


def sql(r: random.Random) -> Row:
    """A schema, a question and a query with the question's number."""
    table, columns = r.choice(WORDS) + "s", r.sample(WORDS, 3)
    limit = r.randrange(10, 10**5)
    return {
        "schema": f"CREATE TABLE {table} (id INTEGER, {', '.join(f'{each} INTEGER' for each in columns)})",
        "question": f"Which {table} have a {columns[1]} above {limit}?",
        "sql": f"SELECT {columns[0]} FROM {table} WHERE {columns[1]} > {limit}",
    }


def contacts(r: random.Random) -> Row:
    """A name, the address made of it, and a message with address and number."""
    first, last = r.choice(NAMES), r.choice(CITIES)
    email, phone = f"{first}.{last}@example.org".lower(), f"+49 {r.randrange(20, 90)} {r.randrange(10**6, 10**7)}"
    return {
        "name": f"{first} {last}",
        "email": email,
        "phone": phone,
        "message": f"Please write to {email} or call {phone}.",
    }


def meters(r: random.Random) -> Row:
    """Readings that ascend, at times of equal distance, with their extremes."""
    start, count = r.randrange(300, 1000), r.randint(3, 6)
    readings = sorted(r.sample(range(10**4), count))
    return {
        "meter": f"M-{r.randrange(100)}",
        "times": [f"{(start + 20 * at) // 60:02d}:{(start + 20 * at) % 60:02d}" for at in range(count)],
        "readings": readings,
    }


def players(r: random.Random) -> Row:
    """Scores with the best, the worst and the mean."""
    scores = [r.randint(1, 99) for _ in range(r.randint(3, 7))]
    mean = f"{sum(scores) / len(scores) + 1e-9:.2f}"
    return {
        "player": f"P{r.randrange(1000)}",
        "scores": scores,
        "best": max(scores),
        "worst": min(scores),
        "mean": mean,
    }


def spans(r: random.Random) -> Row:
    """Entities by their positions, with labels."""
    name, city = f"{r.choice(NAMES)} {r.choice(NAMES)}", r.choice(CITIES)
    text = f"{prose(r, r.randint(1, 6))} {name} met us in {city}, {prose(r, 3).lower()}"
    found = []
    for value, label in ((name, "PERSON"), (city, "PLACE")):
        found.append({"start": text.rindex(value), "end": text.rindex(value) + len(value), "label": label})
    return {"text": text, "entities": found}


def grades(r: random.Random) -> Row:
    """A grade by score."""
    score = r.randint(40, 100)
    return {
        "student": f"S{r.randrange(10**5)}",
        "score": score,
        "grade": "FFFFDCBAA"[(score - 10) // 10] if score < 100 else "A",
    }


def flights(r: random.Random) -> Row:
    """A local time with its zone, and the same in UTC."""
    local = datetime.datetime(2024, 1, 1) + datetime.timedelta(minutes=r.randrange(500_000))
    utc = local - datetime.timedelta(hours=2)
    return {
        "flight": f"XA{r.randrange(100, 999)}",
        "departs": f"{local:%Y-%m-%dT%H:%M:00}+02:00",
        "departs_utc": f"{utc:%Y-%m-%dT%H:%M:00}Z",
        "seats": r.randrange(50, 400),
    }


def dialogues(r: random.Random) -> Row:
    """Turns, of which the second has the order of the first."""
    order, days = r.randrange(10**4, 10**5), r.randint(2, 9)
    ask = r.choice(["Where is order {}?", "My order {} has not arrived.", "Please check order {} for me."]).format(
        order
    )
    answer = f"Order {order} left our store and arrives in {days} days."
    return {"conversations": [{"from": "human", "value": ask}, {"from": "gpt", "value": answer}]}


def payloads(r: random.Random) -> Row:
    """An object in JSON within a string, and its fields."""
    order, item, count = r.randrange(10**5), r.choice(WORDS), r.randint(1, 9)
    text = f'{{"order": {order}, "item": "{item}", "quantity": {count}}}'
    return {"payload": text, "order": order, "item": item, "quantity": count}


def ledgers(r: random.Random) -> Row:
    """Closing = opening + received - issued."""
    opening, received = r.randint(50, 400), r.randint(0, 120)
    issued = r.randint(0, opening)
    return {
        "article": f"B-{r.randrange(1000)}",
        "opening": opening,
        "received": received,
        "issued": issued,
        "closing": opening + received - issued,
    }


def towers(r: random.Random) -> Row:
    """Questions about a name in a text."""
    name, height = f"{r.choice(CITIES)} {r.choice(['Tower', 'Gate', 'Hall'])}", r.randint(40, 800)
    text = f"The {name} was built in {r.randint(1700, 2020)} and is {height} metres high."
    return {"context": text, "question": f"How high is the {name}?", "answer": f"{height} metres"}


def translations(r: random.Random) -> Row:
    """English and French with the same numbers."""
    count, price = r.randint(2, 900), r.randint(2, 900)
    return {
        "en": f"She sold {count} {r.choice(['lamps', 'chairs', 'books'])} for {price} euros.",
        "fr": f"Elle a vendu {count} {r.choice(['lampes', 'chaises', 'livres'])} pour {price} euros.",
    }


def stays(r: random.Random) -> Row:
    """Lengths of two forms, quantities, optional remarks."""
    seconds = r.randrange(60, 20000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    row = {"clip": f"c{r.randrange(1000)}", "length": clock, "seconds": seconds, "views": r.randrange(10**6)}
    return row | ({"remark": f"cut at {clock}"} if r.random() < 0.5 else {})


#: The files by name.
TEXTS: Mapping[str, Callable[[random.Random], Row]] = {
    make.__name__: make
    for make in (
        rechnungen,
        pedidos,
        contracts_zh,
        reading_zh,
        parcels_ja,
        orders_hi,
        shelves_ar,
        trains_fr,
        access_log,
        syslog,
        sql,
        contacts,
        meters,
        players,
        spans,
        grades,
        flights,
        dialogues,
        payloads,
        ledgers,
        towers,
        translations,
        stays,
    )
}
