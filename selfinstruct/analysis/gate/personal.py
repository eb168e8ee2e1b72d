"""``pii``: personal data whose form can be told from a number of a log, with check digits where they have some.

E-mail addresses (not at the domains that RFC 2606 and RFC 6761 reserve for examples), telephone numbers, payment cards
(ISO/IEC 7812-1: the issuer's digits, its length, Luhn), IBANs (ISO 13616: the country's length, MOD 97-10), Chinese
resident identity numbers (GB 11643: a province, a date, the check character), social security numbers of the United
States (areas and groups that are issued). A bare run of digits is a phone or card only where words near it say so:
eleven or sixteen digits are more often a count of bytes, a time or an id.

Does not handle: names, postal addresses; dates of birth.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase
from selfinstruct.text import UNSPACED
from selfinstruct.values.check_digits import is_valid

#: The kinds that are looked for unless a recipe says otherwise: addresses of machines are what logs are about.
USUAL = ("email", "phone", "card", "iban", "resident-id", "ssn")
KINDS = (*USUAL, "ip")

# Between ASCII words: Chinese characters stand next to numbers.
_FREE, _END = r"(?<![A-Za-z0-9_.@/#$%+\-])", r"(?![A-Za-z0-9_@/]|[.\-][A-Za-z0-9_])"
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.+%/\-])([A-Za-z0-9][A-Za-z0-9_.+%\-]{0,63})@((?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.){1,8}([A-Za-z]{2,24}))"
    r"(?![A-Za-z0-9_@/]|[.\-][A-Za-z0-9_])"
)
_RESERVED = re.compile(
    r"(?:.+\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|local|internal|lan)", re.IGNORECASE
)
# Endings of e-mail domains; two letters are a country. A file name such as icon@2x.png has none of these.
_GENERIC_WORDS = (
    "com org net edu gov mil int info biz name pro io dev app xyz online site shop tech cloud email mobi asia "
    "museum aero coop jobs travel blog store club live news today world agency company group team"
)
_GENERIC = frozenset(_GENERIC_WORDS.split())
_NO_ONE = re.compile(r"(?:no-?reply|do-?not-?reply|git|user(?:name)?|your\W?name|mailer-daemon)", re.IGNORECASE)
_PHONE_WORDS = re.compile(
    r"phone|mobile|\btel\b|\btel[.:]|\bcell\b|\bcall(?:ed|s|ing)?\b|\bdial|whatsapp|\bsms\b|\bfax\b|contact"
    r"|reach (?:me|us|him|her)|电话|手机|联系|致电|拨打|来电|号码|微信|短信|热线|手機|電話|聯繫",
    re.IGNORECASE,
)
_CARD_WORDS = re.compile(
    r"\bcard|visa\b|master-?card|\bamex\b|american express|\bcredit\b|\bdebit\b|union ?pay|\bpan\b|payment"
    r"|银行卡|信用卡|卡号|借记卡|银联|卡片",
    re.IGNORECASE,
)
_CHINESE_MOBILE = re.compile(
    rf"{_FREE}(?P<code>(?:\+|00)?86[ \-]?)?1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])"
    rf"(?P<gap>[ \-]?)\d{{4}}(?P=gap)\d{{4}}{_END}"
)
_INTERNATIONAL = re.compile(rf"(?<![A-Za-z0-9_.+\-])\+[1-9]\d{{0,2}}(?:[ \-./]?\(?\d{{1,5}}\)?){{2,6}}{_END}")
_AMERICAN = re.compile(
    rf"(?:{_FREE}(?P<area>[2-9]\d\d)-|(?<![A-Za-z0-9_)])\((?P<area2>[2-9]\d\d)\) ?)[2-9]\d\d-\d{{4}}{_END}"
)
_CARD = re.compile(
    rf"{_FREE}(?:\d{{4}}([ \-])\d{{4}}\1\d{{4}}\1\d{{1,7}}|3[47]\d\d([ \-])\d{{6}}\2\d{{5}}|\d{{13,19}}){_END}"
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Za-z0-9])"
)
_RESIDENT = re.compile(r"(?<![A-Za-z0-9_.\-])[1-8]\d{5}(?:19|20)\d{9}[\dXx](?![A-Za-z0-9_\-]|\.\d)")
_SSN = re.compile(rf"{_FREE}(?!000|666|9)\d{{3}}-(?!00)\d\d-(?!0000)\d{{4}}{_END}")
_IP = re.compile(r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![\w:]|\.\d)")
# What a bare eleven-digit number counts in Chinese text, and so is no telephone.
_UNIT = re.compile(r"\s*(?:字节|[元块个次条秒毫分名人件位]|bytes?\b|[KMGT]?B\b|ms\b)", re.IGNORECASE)
_HAN = re.compile(f"[{UNSPACED}]")
# ISO 13616 registry: the length of an IBAN by country.
_IBAN_LENGTHS = {
    length: frozenset(countries.split())
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE IL TL IQ OM SO", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
}  # fmt: skip
_PROVINCES_WORDS = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
)
_PROVINCES = frozenset(_PROVINCES_WORDS.split())
# What each item contains; times, dates and sizes contain none of these.
_MAY = re.compile(
    r"@|\d{11}|\d{4}[ \-]\d{4}|\d{3}-\d{2,3}-\d{4}|\(\d{3}\)|\+\d|[A-Z]{2}\d\d(?:[A-Z0-9]{11}| [A-Z0-9]{4})"
)
_NEAR = 32
_FICTIONAL = re.compile(
    r"1?\d{3}55501\d\d"
    r"|44(?:1(?:1[3-8]|[2-6]1)4960\d{3}|1914980\d{3}|2079460\d{3}|2896496\d{3}|2920180\d{3}|1632960\d{3}|7700900\d{3}"
    r"|3069990\d{3}|8081570\d{3}|9098790\d{3})"
)


class _Place(NamedTuple):
    """A possible item in a text: the field that it is in, and what stands before it."""

    name: str
    text: str
    match: re.Match[str]

    def says(self, words: re.Pattern[str]) -> bool:
        """Whether words of this kind stand just before it, or name the field."""
        before = self.text[max(0, self.match.start() - _NEAR) : self.match.start()]
        return words.search(before) is not None or words.search(self.name) is not None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _is_email(place: _Place) -> bool:
    local, domain, top = place.match.groups()
    if _RESERVED.fullmatch(domain) or _NO_ONE.fullmatch(local) or ".." in local or local.endswith("."):
        return False
    return len(top) == 2 or top.lower() in _GENERIC


def _is_chinese_mobile(place: _Place) -> bool:
    match = place.match
    if match["code"] or match["gap"] or place.says(_PHONE_WORDS):
        return _UNIT.match(place.text, match.end()) is None
    before = place.text[: match.start()].rstrip(" :：（(,，")[-1:]
    return bool(before) and _HAN.match(before) is not None and _UNIT.match(place.text, match.end()) is None


def _is_international(place: _Place) -> bool:
    count = len(_digits(place.match[0]))
    parted = re.search(r"\d[ \-./()]+\d", place.match[0]) is not None
    return 9 <= count <= 15 and (parted or place.says(_PHONE_WORDS)) and not _is_fictional(place.match[0])


def _is_american(place: _Place) -> bool:
    return not _is_fictional(place.match[0]) and (place.match["area2"] is not None or place.says(_PHONE_WORDS))


def _is_fictional(number: str) -> bool:
    """Whether a number is reserved for fiction: 555-0100 to 555-0199 of North America, and those of Ofcom."""
    return _FICTIONAL.fullmatch(_digits(number)) is not None


def _is_card(place: _Place) -> bool:
    number = _digits(place.match[0])
    if not is_valid(number, "luhn") or len(set(number)) < 2 or not _is_issued(number):
        return False
    return number != place.match[0] or place.says(_CARD_WORDS)


def _is_issued(number: str) -> bool:
    """Whether the first digits are an issuer's whose cards have this many digits."""
    length, two, four = len(number), int(number[:2]), int(number[:4])
    if number[0] == "4":
        return length in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if two == 62:
        return 16 <= length <= 19
    return length == 16 and (two in (64, 65) or four == 6011 or 3528 <= four <= 3589)


def _is_iban(place: _Place) -> bool:
    plain = place.match[0].replace(" ", "")
    return plain[:2] in _IBAN_LENGTHS.get(len(plain), ()) and is_valid(plain, "iban")


def _is_resident(place: _Place) -> bool:
    return place.match[0][:2] in _PROVINCES and is_valid(place.match[0], "resident_id")


def _is_public_ip(place: _Place) -> bool:
    try:
        return ipaddress.ip_address(place.match[0]).is_global
    except ValueError:
        return False


#: Longer numbers first: a part of one is not looked at again.
_ITEMS: tuple[tuple[str, Phrase, re.Pattern[str], Callable[[_Place], bool]], ...] = (
    ("email", Phrase("an e-mail address"), _EMAIL, _is_email),
    ("iban", Phrase("an IBAN"), _IBAN, _is_iban),
    ("resident-id", Phrase("a Chinese resident identity number"), _RESIDENT, _is_resident),
    ("card", Phrase("a payment card number"), _CARD, _is_card),
    ("ssn", Phrase("a social security number"), _SSN, lambda place: True),
    ("phone", Phrase("a telephone number"), _CHINESE_MOBILE, _is_chinese_mobile),
    ("phone", Phrase("a telephone number"), _AMERICAN, _is_american),
    ("phone", Phrase("a telephone number"), _INTERNATIONAL, _is_international),
    ("ip", Phrase("an IP address"), _IP, _is_public_ip),
)


def may_be_in(text: str, kinds: Collection[str] = USUAL) -> bool:
    """Whether a text is worth a closer look; of most texts it is not."""
    return _MAY.search(text) is not None or "ip" in kinds


def find(name: str, text: str, kinds: Collection[str] = USUAL) -> Iterator[Found]:
    """Each item of personal data in the text of a field, masked."""
    taken: list[tuple[int, int]] = []
    for kind, noun, pattern, holds in _ITEMS:
        if kind not in kinds:
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < until and end > since for since, until in taken) or not holds(_Place(name, text, match)):
                continue
            taken.append((start, end))
            shown = _masked(match[0])
            yield Found(
                "pii",
                name,
                Phrase("{field} contains {kind}: {shown}", field=name, kind=noun, shown=shown),
                {"kind": kind, "span": [start, end], "value": shown},
                detail=match[0],
                hidden=match[0],
                shown=shown,
            )


def _masked(item: str) -> str:
    local, at, domain = item.partition("@")
    return f"{local[:1]}…@{domain}" if at else f"{item[:2]}…{item[-2:]}"
