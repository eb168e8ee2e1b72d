"""Tables as people have them, for the benchmark of relations: random, but the same for each seed."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]


def split_words(text: str) -> list[str]:
    """Words between blanks."""
    return text.split()


NAMES = split_words("Ann Bob Eve Jan Kim Lea Max Nia Omar Pia Quin Raj Sue Tom Uma Vic Wes Yan Zoe Ida")
CITIES = split_words("Rome Oslo Lima Cairo Bonn Kyoto Perth Quito Riga Sofia Turin Utrecht Varna Wroclaw Zagreb Accra")
WORDS = split_words(
    "river stone lamp garden window market bridge cloud paper kettle forest engine "
    "signal harbour copper velvet meadow ladder thunder basket anchor pencil mirror desert"
)


def prose(r: random.Random, words: int = 8) -> str:
    """A meaningless sentence."""
    return " ".join(r.choice(WORDS) for _ in range(words)).capitalize() + "."


def day(r: random.Random, year: int = 2023) -> datetime.date:
    """A date."""
    return datetime.date(year, 1, 1) + datetime.timedelta(days=r.randrange(700))


def bookings(r: random.Random) -> Row:
    """Total = nights x rate; nights between two dates."""
    nights, rate = r.randint(1, 9), r.randrange(4000, 30000, 50) / 100
    start = day(r)
    end = start + datetime.timedelta(days=nights)
    return {
        "guest": f"{r.choice(NAMES)} {r.choice(NAMES)}",
        "checkin": f"{start}",
        "checkout": f"{end}",
        "nights": nights,
        "rate": f"{rate:.2f}",
        "total": f"{nights * rate:.2f}",
    }


def invoices(r: random.Random) -> Row:
    """Gross = net + tax; tax a rounded percentage."""
    net, percent = r.randrange(1000, 90000) / 100, r.choice([7, 19, 20])
    tax = round(net * percent / 100 + 1e-9, 2)
    return {"id": r.randrange(10**6), "net": net, "vat": percent, "tax": tax, "gross": round(net + tax, 2)}


def staff(r: random.Random) -> Row:
    """Salary bands; nothing else agrees."""
    low = r.randrange(20, 90) * 1000
    return {
        "name": r.choice(NAMES),
        "age": r.randint(18, 70),
        "salary_min": low,
        "salary_max": low + r.randrange(1, 60) * 500,
        "floor": r.randint(0, 9),
        "city": r.choice(CITIES),
    }


def sensors(r: random.Random) -> Row:
    """Independent numbers."""
    return {f"s{at}": round(r.gauss(20 * at, 5), 1) for at in range(1, 9)}


def small_integers(r: random.Random) -> Row:
    """Independent small integers, of which some agree by accident."""
    return {f"k{at}": r.randint(0, 6) for at in range(10)}


def flags(r: random.Random) -> Row:
    """Independent flags and labels."""
    return {f"f{at}": r.choice(["yes", "no"]) for at in range(6)} | {"label": r.choice(["a", "b", "c"])}


def network(r: random.Random) -> Row:
    """Addresses and ports."""
    return {
        "src": ".".join(str(r.randrange(256)) for _ in range(4)),
        "dst": ".".join(str(r.randrange(256)) for _ in range(4)),
        "mac": ":".join(f"{r.randrange(256):02x}" for _ in range(6)),
        "src_port": r.randint(1024, 65535),
        "dst_port": r.choice([22, 80, 443, 8080]),
        "bytes": r.randrange(10**6),
        "status": r.choice([200, 301, 404, 500]),
    }


def squad(r: random.Random) -> Row:
    """Spans of a context with their positions."""
    name, city, year = r.choice(NAMES), r.choice(CITIES), str(r.randint(1900, 2020))
    context = f"{prose(r, r.randint(2, 9))} {name} moved to {city} in {year}. {prose(r, r.randint(2, 9))}"
    answer = r.choice([city, year])
    return {
        "context": context,
        "question": f"{'Where' if answer == city else 'When'} did {name} move?",
        "answers": {"text": [answer], "answer_start": [context.index(answer)]},
    }


def entities(r: random.Random) -> Row:
    """Entities with starts and ends."""
    text = f"{prose(r, r.randint(1, 6))} {r.choice(NAMES)} met {r.choice(NAMES)} in {r.choice(CITIES)}."
    found = []
    for word in text.replace(".", "").split()[-4:]:
        if word in NAMES or word in CITIES:
            start = text.rindex(word)
            found.append({"text": word, "start": start, "end": start + len(word)})
    return {"text": text, "entities": found, "entity_count": len(found)}


def choices(r: random.Random) -> Row:
    """Options that differ, and the key of one."""
    one, other = r.randint(2, 12), r.randint(2, 12)
    options = [one * other, one * other + r.randint(1, 9), one * other - r.randint(1, 9)]
    r.shuffle(options)
    return {
        "question": f"What is {one} times {other}?",
        **dict(zip("ABC", map(str, options), strict=True)),
        "answer": "ABC"[options.index(one * other)],
    }


def option_lists(r: random.Random) -> Row:
    """Options in a list, and the index of one."""
    return {"question": prose(r), "options": r.sample(WORDS, 4), "answer_index": r.randrange(4)}


def preferences(r: random.Random) -> Row:
    """A better and a worse text."""
    return {"prompt": prose(r), "chosen": prose(r, 12), "rejected": prose(r, 11)}


def weather(r: random.Random) -> Row:
    """Minimum and maximum, correlated."""
    low = round(r.gauss(8, 7), 1)
    return {
        "station": r.choice(CITIES),
        "date": f"{day(r)}",
        "temp_min": low,
        "temp_max": round(low + abs(r.gauss(8, 4)), 1),
        "wind": round(abs(r.gauss(4, 3)), 1),
        "humidity_percent": r.randint(20, 100),
    }


def stocks(r: random.Random) -> Row:
    """Open, high, low, close."""
    start, close = r.uniform(10, 300), 0.0
    close = start * r.uniform(0.95, 1.05)
    high, low = max(start, close) * r.uniform(1, 1.03), min(start, close) * r.uniform(0.97, 1)
    return {
        "date": day(r).strftime("%d.%m.%Y"),
        "open": round(start, 2),
        "high": round(high, 2),
        "low": round(low, 2),
        "close": round(close, 2),
        "volume": r.randrange(10**6),
    }


def matches(r: random.Random) -> Row:
    """Goals with small numbers; the sum is the total."""
    home, away = r.randint(0, 4), r.randint(0, 3)
    return {"home": r.choice(CITIES), "away": r.choice(CITIES), "hg": home, "ag": away, "goals": home + away}


def surveys(r: random.Random) -> Row:
    """Five answers and their sum."""
    answers = {f"q{at}": r.randint(1, 5) for at in range(1, 6)}
    return {"person": r.randrange(10**5), **answers, "score": sum(answers.values())}


def orders(r: random.Random) -> Row:
    """Lists of items with amounts, their sum and number."""
    items = []
    for _ in range(r.randint(1, 5)):
        count, price = r.randint(1, 9), r.randrange(100, 9000) / 100
        items.append({"sku": r.randrange(10**5), "count": count, "price": price, "amount": round(count * price, 2)})
    return {
        "order": r.randrange(10**6),
        "items": items,
        "n_items": len(items),
        "sum": round(sum(i["amount"] for i in items), 2),
    }


def events(r: random.Random) -> Row:
    """Starts and ends of one day, and the minutes between."""
    start = r.randrange(0, 1200)
    minutes = r.randrange(5, 230)
    at = [f"{m // 60:02d}:{m % 60:02d}" for m in (start, start + minutes)]
    date = day(r)
    return {
        "title": prose(r, 3),
        "day": date.strftime("%A"),
        "date": f"{date}",
        "start": at[0],
        "end": at[1],
        "minutes": minutes,
    }


def books(r: random.Random) -> Row:
    """ISBN-13 with their check digits."""
    digits = "978" + "".join(str(r.randrange(10)) for _ in range(9))
    check = -sum(int(d) * (1 + 2 * (at % 2)) for at, d in enumerate(digits)) % 10
    return {
        "title": prose(r, 4),
        "isbn": f"{digits}{check}",
        "year": r.randint(1950, 2023),
        "pages": r.randint(60, 900),
    }


def cards(r: random.Random) -> Row:
    """Card numbers with a check digit."""
    digits = "4" + "".join(str(r.randrange(10)) for _ in range(14))
    total = sum((n := int(d) * (2 if at % 2 == 0 else 1)) - 9 * (n > 9) for at, d in enumerate(reversed(digits)))
    return {"holder": r.choice(NAMES), "card": f"{digits}{-total % 10}", "limit": r.randrange(1, 20) * 500}


def patients(r: random.Random) -> Row:
    """An age in a note, a date in two forms."""
    age, seen = r.randint(1, 95), day(r)
    return {
        "note": f"{r.choice(NAMES)}, {age} y/o, {prose(r, 4)} Seen on {seen.strftime('%B')} {seen.day}, {seen.year}.",
        "age": age,
        "seen": f"{seen}",
        "ward": r.randint(1, 12),
    }


def places_of_people(r: random.Random) -> Row:
    """A label that occurs in the text."""
    city = r.choice(CITIES)
    return {"text": f"{r.choice(NAMES)} {r.choice(['lives', 'works'])} in {city}.", "city": city, "n": r.randint(1, 99)}


def reviews(r: random.Random) -> Row:
    """Free text, a label and numbers that have nothing to do with it."""
    return {
        "review": prose(r, r.randint(6, 20)),
        "stars": r.choices([1, 2, 3, 4, 5], [1, 1, 2, 5, 9])[0],
        "helpful": r.randint(0, 30),
        "verified": r.random() < 0.8,
        "sentiment": r.choice(["positive", "negative"]),
    }


def shares(r: random.Random) -> Row:
    """A percentage of two numbers."""
    whole = r.randint(50, 5000)
    part = r.randint(1, whole)
    return {"region": r.choice(CITIES), "voters": whole, "votes": part, "percent": round(100 * part / whole, 1)}


def accounts(r: random.Random) -> Row:
    """IDs, UUIDs, e-mail addresses and time stamps without relations between them."""
    name = r.choice(NAMES).lower()
    return {
        "id": r.randrange(10**9),
        "uuid": "-".join("".join(r.choice("0123456789abcdef") for _ in range(n)) for n in (8, 4, 4, 4, 12)),
        "email": f"{name}{r.randrange(99)}@example.org",
        "created": f"{day(r)}T{r.randrange(24):02d}:{r.randrange(60):02d}:00Z",
        "logins": r.randrange(500),
    }


def invoices_zh(r: random.Random) -> Row:
    """An amount in Chinese fields."""
    count, price = r.randint(2, 40), r.randint(3, 400)
    return {
        "商品": r.choice("茶书灯椅纸笔") + r.choice("大小新旧"),
        "数量": count,
        "单价": price,
        "金额": count * price,
    }


def exams(r: random.Random) -> Row:
    """Two correlated numbers without a rule."""
    first = r.gauss(60, 15)
    return {"person": r.randrange(10**5), "midterm": round(first), "final": round(first + r.gauss(6, 5))}


def bodies(r: random.Random) -> Row:
    """Numbers that follow from each other on average."""
    height = r.gauss(172, 9)
    return {"height": round(height), "weight": round(0.9 * height - 85 + r.gauss(0, 8)), "shoe": round(height / 4.1)}


def dates(r: random.Random) -> Row:
    """Independent dates, of which one is often the later one."""
    return {f"d{at}": f"{day(r, 2010 + at)}" for at in range(5)}


#: The files by name.
TABLES: Mapping[str, Callable[[random.Random], Row]] = {
    make.__name__: make
    for make in (
        bookings,
        invoices,
        staff,
        sensors,
        small_integers,
        flags,
        network,
        squad,
        entities,
        choices,
        option_lists,
        preferences,
        weather,
        stocks,
        matches,
        surveys,
        orders,
        events,
        books,
        cards,
        patients,
        places_of_people,
        reviews,
        shares,
        accounts,
        invoices_zh,
        exams,
        bodies,
        dates,
    )
}
