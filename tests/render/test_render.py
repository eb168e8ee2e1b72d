"""Output for people: it fits the width, is escaped for any rows, and is correct."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from selfinstruct import api
from selfinstruct.analysis.report import Report, build_report
from selfinstruct.analysis.report.histogram import histogram
from selfinstruct.analysis.summary import Summary, summarise
from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.journal import History
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.render.card import card
from selfinstruct.render.plan import plan_text
from selfinstruct.render.progress import RateMeter, board
from selfinstruct.render.report import report_page
from selfinstruct.render.summary import MEANINGS, summary_text
from selfinstruct.render.text import counted, format_duration, pad, printable, shorten

ANY = st.text(st.characters(), max_size=60)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# --- text ---------------------------------------------------------------------------------------------------------


@given(ANY)
def test_printable_text_has_nothing_that_a_terminal_acts_upon(text: str) -> None:
    """No control, format, surrogate or separator of lines is left, and the rest is as it was."""
    shown = printable(text)
    assert not {unicodedata.category(c) for c in shown} & UNSEEN
    shown.encode()
    seen = not {unicodedata.category(c) for c in text} & UNSEEN
    assert (shown == text) is seen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 中文 and é", "plain, 中文 and é"),
        ("a\tb\nc\r", r"a\tb\nc\r"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("evil\u202etxt.exe", r"evil\u202etxt.exe"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
        ("a\u3000b\xa0c", "a\u3000b\xa0c"),
    ],
)
def test_what_cannot_be_seen_is_written_as_its_escape(text: str, shown: str) -> None:
    """Escape sequences, bidirectional overrides and half characters become visible; spaces stay spaces."""
    assert printable(text) == shown


@given(ANY.map(printable), st.integers(0, 40))
def test_shortened_text_fits_its_cells(text: str, cells: int) -> None:
    """Text is cut to its cells, wide characters counting two; text that fits is not touched."""
    short = shorten(text, cells)
    assert cell_len(short) <= cells
    assert short == text if cell_len(text) <= cells else short.endswith("…") or cells == 0
    assert cell_len(pad(short, cells)) == cells


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    """Tenths below ten seconds, then whole units, and never sixty of one."""
    assert format_duration(seconds) == said


def test_counts_agree_with_their_nouns() -> None:
    """One row, two rows, a thousand rows with its comma."""
    assert [counted(n, "row") for n in (0, 1, 2, 1000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
    assert counted(2, "reply", "replies") == "2 replies"


# --- the live board -----------------------------------------------------------------------------------------------

COUNTS = st.builds(
    lambda quota, share, rejected, exhausted: CategoryCount(quota, int(quota * share), rejected, exhausted),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.integers(0, 10**6),
    st.booleans(),
)
SNAPSHOTS = st.builds(
    lambda categories, row: Snapshot(
        categories, sum(c.accepted for c in categories.values()), 0, {"echo": 3}, {"timeout": 1}, 1, 16, row
    ),
    st.dictionaries(ANY, COUNTS, min_size=1, max_size=60),
    st.none() | st.dictionaries(ANY, ANY | st.integers() | st.none(), min_size=1, max_size=6),
)


@given(SNAPSHOTS, st.integers(56, 160), st.integers(16, 50), st.booleans())
def test_the_board_fits_the_terminal(snapshot: Snapshot, width: int, height: int, ascii_only: bool) -> None:
    """For any number and names of categories, the lines are limited in length and number."""
    pace = RateMeter(0.0)
    pace.note(0, 0.0)
    pace.note(snapshot.accepted, 4.0)
    text = board(snapshot, pace, 5.0, width, height, ascii_only=ascii_only)
    lines = text.plain.split("\n")
    assert len(lines) <= height
    assert cell_len(lines[-1]) <= width - len("^C")  # which the terminal writes there and must not wrap
    assert all(cell_len(line) <= width for line in lines)
    named = set("".join((*snapshot.categories, *map(str, (snapshot.last_row or {}).items()))))
    assert not ascii_only or not (set("━─") - named) & set(text.plain)


def counts(**categories: tuple[int, int, bool]) -> Snapshot:
    """A snapshot of categories: name = (accepted, quota, exhausted)."""
    given = {name: CategoryCount(quota, done, 7, gone) for name, (done, quota, gone) in categories.items()}
    return Snapshot(given, sum(c.accepted for c in given.values()), 50, {"echo": 7}, {}, 5, 3, {"Text": "the\tlast"})


def test_the_board_shows_bars_counts_and_the_last_row() -> None:
    """Each category has its bar, accepted and quota; below are the totals and the row that was accepted last."""
    pace = RateMeter(0.0)
    pace.note(0, 0.0)
    pace.note(30, 10.0)
    text = board(
        counts(full=(20, 20, False), half=(10, 20, False), gone=(0, 20, True)), pace, 10.0, 80, 24, ascii_only=True
    )
    full, half, gone = text.plain.split("\n")[1:4]
    assert full.count("#") == 2 * half.count("#") > 0 and "#" not in gone
    assert "20/20" in full and "10/20" in half and gone.endswith("0/20         7  exhausted")
    assert "30 of 60 rows · 3.0 rows/s · 3.3 s left · 3 in flight · 7 rejected" in text.plain
    assert r"Text  the\tlast" in text.plain


def test_a_bar_is_full_only_when_the_quota_is_met() -> None:
    """One row short of the quota shows in the bar."""
    text = board(counts(a=(99_999, 100_000, False)), RateMeter(0.0), 1.0, 80, 24, ascii_only=True)
    assert "-" in text.plain.split("\n")[1]


def test_of_many_categories_those_that_grow_are_shown() -> None:
    """On a small screen full categories make room, and the others are counted."""
    many = {f"c{n:02}": (20, 20, False) for n in range(40)} | {"growing": (3, 20, False)}
    text = board(counts(**many), RateMeter(0.0), 1.0, 80, 20, ascii_only=False).plain
    assert "growing" in text
    assert re.search(r"and (\d+) more, \1 full", text)


def test_the_rate_is_the_recent_one() -> None:
    """What was fast a minute ago says nothing about the time left."""
    pace = RateMeter(0.0)
    for second in range(0, 30):
        pace.note(second * 100, float(second))
    for second in range(30, 60):
        pace.note(3000 + (second - 30), float(second))
    assert pace.rate(60.0) == pytest.approx(1.0, rel=0.1)
    assert pace.left(100, 60.0) == pytest.approx(100, rel=0.1)
    assert RateMeter(0.0).left(10, 5.0) is None


# --- a run's report -----------------------------------------------------------------------------------------------

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">"\'&`|\u202e\x1b[31m\n# heading ``` </style>'


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Prepared]:
    """A run whose fields, categories and rows try to be markup."""
    texts = [f"task {n * 7919 % 9973} on {n * 104729 % 99991} ended with {n * n * 53 % 997}" for n in range(24)]
    rows = [{EVIL: f"{texts[n]} {EVIL}", "label": EVIL + "ab"[n % 2]} for n in range(12, 24)]
    where = tmp_path_factory.mktemp("evil") / "run"
    prepared = api.plan(rows, rows=400)
    api.run(rows, prepared=prepared, out=where)
    with History.open(where) as history:
        shown = build_report(history, prepared, summarise(history, prepared))
    assert shown.rows and any(shown.rejections.values())
    return shown, prepared


class Tags(HTMLParser):
    """The tags and attributes of a page, and whether each tag is closed where it was opened."""

    void = frozenset({"meta", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.scripts = 0
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and its attributes' names."""
        self.seen.add(tag)
        self.scripts += tag == "script"
        self.attributes.update(name for name, _ in attrs)
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Require that it closes the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text.append(data)


def test_the_page_shows_rows_as_text(evil: tuple[Report, Prepared]) -> None:
    """Data is never interpreted as tags or attributes, and remains readable."""
    text = report_page(*evil, recipe_toml=EVIL)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not tags.seen & {"img", "iframe", "link", "object", "a", "form"}
    assert tags.scripts == 2 and text.count("</script>") == 2  # the page's own: its rows as data, and its code
    assert not {name for name in tags.attributes if name.startswith("on")} | tags.attributes & {"src", "href", "style"}
    assert "<script>alert(1)</script>" in "".join(tags.text)
    assert "\x1b" not in text and "\u202e" not in text
    text.encode()


def test_the_page_needs_nothing_else_and_may_do_nothing(evil: tuple[Report, Prepared]) -> None:
    """Its policy allows its own style sheet and script by their digests and nothing else; it contains no URL."""
    text = report_page(*evil, recipe_toml="")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert policy is not None and style is not None and script is not None
    own, code = (base64.b64encode(hashlib.sha256(each[1].encode()).digest()).decode() for each in (style, script))
    assert policy[1] == (
        f"default-src 'none'; style-src 'sha256-{own}'; script-src 'sha256-{code}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"https?:|url\(|@import|//[a-z]", text)
    assert "prefers-color-scheme: dark" in style[1]


def test_the_page_says_what_is_so(tmp_path: Path) -> None:
    """Categories with counts and thresholds, rejections with an example, ten rows with their spans marked."""
    prepared = api.plan("seeds/logqa.jsonl", rows=400)
    done = api.run("seeds/logqa.jsonl", prepared=prepared, out=tmp_path / "o")
    text = (tmp_path / "o" / "report.html").read_text()
    for name, category in done.summary.categories.items():
        assert html.escape(name) in text and f"{category.max_rouge_l:.4f}" in text
    for reason, count in done.summary.rejected.items():
        assert f'<span class="slug">{reason}</span>' in text and f'<span class="number">{count}</span>' in text
    assert text.count("<header>row ") == 10
    assert len(re.findall(r"<mark>[^<]+</mark>", text)) == 10
    marked = re.search(r"<dt>Answer</dt><dd>([^<]+)</dd><dt>RawLog</dt><dd>[^<]*<mark>([^<]+)</mark>", text)
    assert marked is not None and marked[1] == marked[2]
    assert text.count('<svg class="chart"') == 5


def test_a_page_of_seeds_likens_rows_to_them(tmp_path: Path) -> None:
    """Where there are seeds, each chart has their outline beside the bars, and the legend says which is which."""
    api.run("seeds/logqa.jsonl", rows=100, out=tmp_path / "o")
    text = (tmp_path / "o" / "report.html").read_text()
    assert "100 rows grown from 10 seeds" in text and "Similarity to the seeds" in text
    assert "nearest other row" not in text
    assert text.count('<path class="seeds" d="M0 110') == text.count('<svg class="chart"') == 5
    assert text.count('<svg class="key"') == 6


def test_the_size_of_a_report_is_limited(tmp_path: Path) -> None:
    """The page of more rows is limited in size, and its samples reach from the first to the last rows."""
    sizes = []
    for rows in (1000, 3000):
        prepared = api.plan("seeds/logqa.jsonl", rows=rows)
        api.run("seeds/logqa.jsonl", prepared=prepared, out=tmp_path / str(rows))
        sizes.append((tmp_path / str(rows) / "report.html").stat().st_size)
        with History.open(tmp_path / str(rows)) as history:
            shown = build_report(history, prepared, summarise(history, prepared))
        assert len(shown.rows) == 10 and shown.sample_size == 1000
        assert min(row.number for row in shown.rows) == 1 and max(row.number for row in shown.rows) > rows / 2
        assert shown.to_seeds is not None
        similar = (shown.to_seeds.histogram, shown.to_grown.histogram)
        for shape in (*similar, *(each.lengths for each in shown.wording.values())):
            assert sum(shape.grown) == pytest.approx(1) and sum(shape.seeds) == pytest.approx(1)
    assert max(sizes) < 500_000


def test_a_histogram_puts_each_value_in_its_own_step() -> None:
    """Lengths 3, 3, 5 over three steps; a likeness of 1 is in the last of its twenty."""
    assert histogram([3, 3, 5], [4], 3, 1, 3).seeds == (2 / 3, 0.0, 1 / 3)
    assert histogram([1.0], [0.7], 0.0, 0.05, 20).seeds[-1] == 1.0
    assert histogram([1.0], [0.7], 0.0, 0.05, 20).grown[14] == 1.0


# --- the card -----------------------------------------------------------------------------------------------------


def test_the_card_carries_what_the_hub_reads(tmp_path: Path) -> None:
    """Front matter: size, task, the split and its file; below it fields, categories, a row, how it was made."""
    api.run("seeds/logqa.jsonl", rows=1000, out=tmp_path / "o")
    _, front, body = (tmp_path / "o" / "README.md").read_text().split("---\n", 2)
    assert "size_categories: [1K<n<10K]" in front and "task_categories: [question-answering]" in front
    assert "  - split: train\n    path: rows.jsonl" in front and "tags: [synthetic, selfinstruct]" in front
    assert "1,000 synthetic rows" in body and "| `Answer` | string | a span of `RawLog` |" in body
    assert body.count("| 250 |") == 4


@pytest.mark.parametrize(
    ("seeds", "task", "said_in"),
    [("tickets.csv", "text-classification", ""), ("classics-zh.jsonl", "question-answering", "zh")],
)
def test_the_card_names_task_and_language_where_they_can_be_told(
    tmp_path: Path, seeds: str, task: str, said_in: str
) -> None:
    """A label makes it classification; Chinese is detected by its characters, and letters alone decide no language."""
    api.run(f"seeds/{seeds}", rows=8, out=tmp_path / "o")
    front = (tmp_path / "o" / "README.md").read_text().split("---\n", 2)[1]
    assert f"task_categories: [{task}]" in front and f"language: [{said_in}]\n" in front


def test_the_card_keeps_data_in_code(evil: tuple[Report, Prepared]) -> None:
    """Names and rows with Markdown or HTML cannot break out of code spans and fences."""
    text = card(*evil, rows_name="rows.jsonl")
    text.encode()
    body = text.split("---\n", 2)[2]
    outside = re.sub(r"(?ms)^(`{3,})json\n.*?^\1$", "", body)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert "<" not in outside and "heading" not in outside
    assert all(len(line.split(" | ")) <= 3 for line in outside.splitlines() if line.startswith("|"))


# --- before and after ---------------------------------------------------------------------------------------------


def test_the_plan_fits_a_terminal_and_aligns_wide_characters() -> None:
    """No line exceeds 80 cells, and quotas are aligned even next to Chinese text."""
    plan = plan_text(api.plan("seeds/classics-zh.jsonl", rows=600), Path("o"), 80).plain
    lines = plan.splitlines()
    assert all(cell_len(line) <= 80 for line in lines)
    assert len({cell_len(line) for line in lines if "<*>" in line}) == 1


def test_every_reason_has_its_words() -> None:
    """A summary explains each slug that a check can give, and that of a person."""
    from selfinstruct.checks import REASONS
    from selfinstruct.journal import BY_PERSON

    assert set(MEANINGS) == {*REASONS, BY_PERSON}


def test_the_summary_counts_what_was_lost() -> None:
    """Rejections by reason, most first, failed replies, tokens and money."""
    tokens = {"input": 1000, "output": 20, "estimated": True, "cached": 0}
    bill = {"requests": 70, "tokens": tokens, "cost": 0.25, "cost_per_row": 0.25 / 9, "accepted": 9}
    data = {
        **{"name": "n", "requested_rows": 10, "seeds": 2, "candidates": 1211},
        "rejected": {"echo": 2, "near-duplicate": 1200},
        "failed": {"not-json": 1, "timeout": 2},
        "categories": {"a": {**bill, "quota": 10, "drifted": 0, "exhausted": True, "max_rouge_l": 0.7}},
        **bill,
        **{"max_rouge_l": 0.7, "models": {}, "notes": ["m: the endpoint\x1b refuses seed"]},
        **{
            "model": "m\x1b",
            "seed": 0,
            "stopped": "exhausted",
            "seconds": 61.0,
            "conserved": True,
            "started": "",
            "held_out": 0,
            "decisions": {"accepted": 0, "rejected": 0, "edited": 0},
        },
    }
    summary = Summary.from_dict(data)
    text = summary_text(summary, Path("a b"), "my seeds.csv", 80).plain
    assert "9 of 10 rows in 1 min 01 s, stopped early: 1 category exhausted." in text
    assert re.search(r"1,202 of 1,211 candidates rejected:\n    1,200  near-duplicate.*\n        2  echo", text)
    assert "3 unusable replies: 1 not-json, 2 timeout." in text
    assert "70 requests to m\\x1b, about 1,000 input and 20 output tokens.\n" in text
    assert "  about 0.250 at the recipe's prices, 0.0278 per row." in text
    assert r"endpoint\x1b refuses" in text
    assert "selfinstruct show 'a b' 1" in text
    assert summary.to_dict() == data
