"""The kinds of findings on texts: each planted item is found, masked, and what only looks like one is not."""

from __future__ import annotations

import base64
import json
import zlib
from itertools import pairwise
from random import Random

import pytest

from selfinstruct.analysis.gate import characters, outliers, personal, secrets, spellings
from selfinstruct.analysis.gate.found import Found
from selfinstruct.analysis.gate.placeholders import Placeholders

_RANDOM = Random(7)
_BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def letters(count: int, alphabet: str = _BASE_62) -> str:
    """Random characters: no token stands in this file as it is, where a scanner of secrets would find it."""
    return "".join(_RANDOM.choice(alphabet) for _ in range(count))


def github(prefix: str) -> str:
    """A token of the published form, with its checksum."""
    body, digits = letters(30), ""
    rest = zlib.crc32(body.encode())
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE_62[digit] + digits
    return f"{prefix}_{body}{digits:0>6}"


def part(value: object) -> str:
    """A part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


SECRETS = {
    "AWS access key id": "AKIA" + letters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "AWS secret access key": "aws_secret_access_key = " + letters(40),
    "GitHub token": github("ghp"),
    "GitHub token of a server": github("ghs"),
    "GitHub fine-grained token": f"github_pat_{letters(22)}_{letters(59)}",
    "GitLab token": "glpat-" + letters(20),
    "Slack token": f"xoxb-{letters(12, '0123456789')}-{letters(13, '0123456789')}-{letters(24)}",
    "Slack webhook": f"https://hooks.slack.com/services/T{letters(8).upper()}/B{letters(8).upper()}/{letters(24)}",
    "Stripe key": "sk_live_" + letters(24),
    "OpenAI key": "sk-proj-" + letters(48),
    "OpenAI key of the old form": f"sk-{letters(20)}T3BlbkFJ{letters(20)}",
    "Anthropic key": f"sk-ant-api03-{letters(93)}AA",
    "Google API key": "AIza" + letters(35),
    "npm token": "npm_" + letters(36),
    "PyPI token": "pypi-"
    + base64.urlsafe_b64encode(b"\x02\x01\x08pypi.org" + letters(60).encode()).decode().rstrip("="),
    "Hugging Face token": "hf_" + letters(34),
    "JSON Web Token": f"{part({'alg': 'HS256'})}.{part({'sub': 'ann'})}.{letters(43)}",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{letters(64)}\n{letters(64)}\n-----END RSA PRIVATE KEY-----",
    "password in a URL": f"postgres://ann:{letters(12)}@db.internal:5432/app",
}
NO_SECRETS = [
    "ghp_" + "a" * 30 + "000000",  # another checksum
    "sk-" + "x" * 40,
    "AIzaSy" + "A" * 33,
    "task-" + letters(40),
    "eyJub3QiOiJhIn0.eyJ0b2tlbiI6MX0." + "a" * 20,  # a header without alg
    "-----BEGIN PRIVATE KEY-----",
    "postgres://user:password@localhost/app",
    "blk_8255835495596186171 of size 67108864 from /10.44.149.62",
    "sha256:" + letters(64, "0123456789abcdef"),
]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("frame", ["{}", "The key is {}, do not share it.", "密钥：{}。"])
def test_a_secret_is_found_and_never_shown(name: str, frame: str) -> None:
    """Each kind, alone and in English and Chinese text; the finding contains no dozen characters of it."""
    text = frame.format(SECRETS[name])
    found = list(secrets.find("Answer", text))
    assert [each.reason for each in found] == ["secret"], text
    assert secrets.may_be_in(text)
    told = found[0].message + json.dumps(dict(found[0].evidence))
    hidden = found[0].hidden
    body = (
        hidden.rpartition("services/T")[2]
        if "hooks.slack" in hidden
        else hidden.removeprefix("-----BEGIN RSA PRIVATE KEY-----")
    )
    assert hidden in text
    assert not any(body[at : at + 12] in told for at in range(len(body) - 12))


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_looks_like_a_secret_is_none(text: str) -> None:
    """A wrong checksum, a header that is none, a repeated character, an id of a log."""
    assert list(secrets.find("RawLog", f"It says {text} here")) == []


PERSONAL = [
    ("email", "Write to ann.lee@brightleaf.de today."),
    ("email", "联系邮箱：zhang.wei@163.com。"),
    ("phone", "call me at +49 30 1234567"),
    ("phone", "Reach me on (415) 867-5309."),
    ("phone", "我的手机是13812345678。"),
    ("phone", "请拨打138 1234 5678"),
    ("phone", "张三 13912345678"),
    ("phone", "+86 13812345678"),
    ("card", "card 4111 1111 1111 1111 was charged"),
    ("card", "信用卡 6222021234567890128"),
    ("card", "my Visa 4539578763621486"),
    ("card", "3782 822463 10005"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "IBAN GB82WEST12345698765432"),
    ("resident-id", "身份证号11010519491231002X"),
    ("ssn", "SSN 536-22-1234"),
]
IMPERSONAL = [
    "081109 203615 148 INFO dfs.DataNode: Received block blk_13812345678 of size 13421772800",
    "block 4539578763621486 at 1700000000123456",
    "took 13812345678 ns, 4111111111111111 bytes",
    "文件大小为13812345678字节",
    "uuid 12345678-4111-1111-1111-123456789012",
    "2024-03-14 02:17:33,123 job_1712345678901_0042",
    "Write to ann@mail.example or to support@example.com, or root@10.0.0.1, git@github.com",
    "icon@2x.png java.lang.Object@1a2b3c4d user@host",
    "call 555-0142 or +1 (212) 555-0199, +44 20 7946 0123",
    "GB82WEST12345698765433 110105194912310021 000-12-3456 666-12-3456",
    "version 4.2.1-2345-6789 at 203.0.113.45:52210",
    "0x7fff5fbff8c0 deadbeefcafebabe1234567890abcdef",
]


@pytest.mark.parametrize(("kind", "text"), PERSONAL)
def test_personal_data_is_found_and_masked(kind: str, text: str) -> None:
    """Each kind in a sentence, with the place and without the item itself."""
    (found,) = personal.find("text", text)
    start, end = found.evidence["span"]
    assert (found.reason, found.evidence["kind"], text[start:end]) == ("pii", kind, found.hidden)
    assert personal.may_be_in(text)
    assert found.hidden not in found.message


@pytest.mark.parametrize("text", IMPERSONAL)
def test_numbers_of_logs_are_not_personal(text: str) -> None:
    """Block ids, sizes, times, hexadecimal digits, versions, numbers and addresses reserved for examples."""
    assert list(personal.find("RawLog", text)) == []


def test_addresses_of_machines_are_found_where_asked_for() -> None:
    """Off as usual; on, those of the public Internet."""
    text = "from 8.8.8.8 to 10.0.0.7"
    assert list(personal.find("RawLog", text)) == []
    assert [found.hidden for found in personal.find("RawLog", text, ("ip",))] == ["8.8.8.8"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A cafÃ© in KÃ¶ln", "encoding"),
        ("itâ€™s late", "encoding"),
        ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "encoding"),
        ("中文".encode().decode("latin-1"), "encoding"),
        ("lost \ufffd here", "encoding"),
        ("half \ud83d here", "encoding"),
        ("锟斤拷", "encoding"),
        ("red \x1b[31m text", "control"),
        ("nul \x00 byte", "control"),
        ("turned \u202e round", "control"),
        ("zero\u200bwidth", "control"),
    ],
)
def test_damaged_text_is_found(text: str, reason: str) -> None:
    """Misread UTF-8, lost bytes, and what no reader sees."""
    assert [found.reason for found in characters.find("text", text)] == [reason]


@pytest.mark.parametrize(
    "text", ["CAFÉ «Ouvert» à 5 °C", "»GRÜSSE«", "乾卦的卦辞", "हिन्दी क्‍ष", "👩‍👩‍👧", "tab\tand\r\nline", "שלום \u202b"]
)
def test_sound_text_of_any_script_is_sound(text: str) -> None:
    """Quotation marks after capitals, joiners of emoji and Indic scripts, marks of direction in Hebrew."""
    assert list(characters.find("text", text)) == []


def placeholders(values: list[str], context: str | None = None) -> list[tuple[int, str]]:
    """The rows whose value is a placeholder."""
    all_rows = Placeholders()
    sure = [
        (at, found.detail) for at, value in enumerate(values) for found in all_rows.find(at, "Answer", value, context)
    ]
    return sorted(sure + [(at, found.detail) for at, found in all_rows.doubtful(len(values))])


def test_placeholders_are_told_where_the_rest_has_values() -> None:
    """Certain ones always, N/A and the like where they are rare, and none that the row's text contains."""
    values = [f"value {n}" for n in range(20)]
    odd = ["N/A", "TODO: write this", "...", "Lorem ipsum", "<noinput>", "待补充"]
    assert placeholders([*values, *odd]) == list(enumerate(odd, 20))
    assert placeholders(["none", "some"] * 10) == []
    assert placeholders([*values, "None"], context="user None logged in") == []
    assert placeholders(["{answer}", "{question}"] * 4) == []


def test_one_label_has_one_spelling() -> None:
    """Case, blanks, width, and one wrong letter in a rare label; opposites and scales are different labels."""
    counts = {
        "billing": 9,
        "Billing ": 2,
        "ｂｉｌｌｉｎｇ": 1,
        "biling": 1,
        "legal": 9,
        "illegal": 1,
        "level 1": 9,
        "level 2": 1,
    }
    assert {label: usual for label, (usual, _) in spellings.other_names(counts).items()} == {
        "Billing ": "billing", "ｂｉｌｌｉｎｇ": "billing", "biling": "billing"
    }  # fmt: skip


def test_an_outlier_follows_no_template() -> None:
    """One line of another system among lines of two templates; a file of prose has no outlier."""
    lines = [f"Block blk_{n} of size {n * 7} received from node {n}" for n in range(30)]
    lines += [f"Connection from host{n} closed after {n} s by peer" for n in range(30)]
    assert outlying([*lines, "The quick brown fox jumps over lazy dogs"]) == [60]
    assert outlying([f"{word} is a {word * 2} of its own kind" for word in map(chr, range(97, 123))] * 3) == []


@pytest.mark.parametrize("distinct", [240, 295, 301, 700])
def test_outliers_of_parts_are_those_of_the_whole(distinct: int) -> None:
    """However a file is cut, its texts are of few templates or not: also if they seem to be of many for a while."""
    draw = Random(distinct)
    texts = [f"Block {'ab'[n % 2]} of line {n} received" for n in range(8000)]
    for at in draw.sample(range(1900), distinct):
        texts[at] = "".join(draw.choices("uvwxyz", k=8)) + " one two three four"
    whole = outlying(texts)
    # 301 of the first 2,000 are more than 200 and a twentieth of them.
    assert (len(whole) > 0) == (distinct < 301)
    for _ in range(3):
        assert outlying(texts, *sorted(draw.sample(range(1, 8000), 5))) == whole


def outlying(texts: list[str], *cuts: int) -> list[int]:
    """The indexes of the outliers among texts, which are cut into parts."""
    whole = outliers.Outliers("RawLog")
    for start, end in pairwise((0, *cuts, len(texts))):
        part = outliers.Outliers("RawLog")
        for at in range(start, end):
            part.add(at, texts[at])
        whole.absorb(part)
    found: list[tuple[int, Found]] = list(whole.find())
    return [at for at, _ in found]
