"""Addresses, handles and file names follow the name of their row, or are kept together with it."""

from __future__ import annotations

import re
from random import Random

import pytest

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.derived_names import fold
from selfinstruct.records import Row

NAMES = ("Hanna Schmidt", "Marco Silva", "Anna Weber", "Peter Novak")


def grown(rows: list[Row], count: int = 12) -> list[Row]:
    """Return rows grown from each of ``rows``."""
    statistics = ValueStatistics(rows, {})
    drawn = [row_template(row, statistics, 1).render(at, Random(at)) for at in range(count) for row in rows]
    return [row for row in drawn if row is not None]


@pytest.mark.parametrize(
    "form",
    [
        "{first}.{last}@example.org",
        "{last}_{first}@example.org",
        "{f}{last}",
        "{first}{l}",
        "{f}.{last}@mail.example.org",
        "https://example.org/~{first}{last}",
        "cv-{last}-{first}.pdf",
        "@{First}{Last}",
        "{FIRST}_{LAST}",
        "{first}82@example.org",
    ],
)
def test_usual_forms_follow_the_name(form: str) -> None:
    """Every usual form of a name is written anew for the new name."""

    def derived(name: str) -> str:
        first, last = name.split()
        small, large = (fold(first, "a"), fold(last, "a")), (first, last)
        return form.format(
            first=small[0], last=small[1], f=small[0][0], l=small[1][0], First=large[0], Last=large[1],
            FIRST=first.upper(), LAST=last.upper(),
        )  # fmt: skip

    rows: list[Row] = [{"name": name, "contact": derived(name)} for name in NAMES]
    new = grown(rows)
    assert [row["contact"] for row in new] == [derived(str(row["name"])) for row in new]
    assert len({str(row["name"]) for row in new} - set(NAMES)) > 10


def test_accents_are_written_as_in_the_seed() -> None:
    """ä is written ae or a, whichever the seed's address has, and the address follows the new name."""
    rows: list[Row] = [
        {"name": "Jürgen Müller", "mail": "juergen.mueller@example.org"},
        {"name": "René Schäfer", "mail": "rene.schaefer@example.org"},
    ]
    for row in grown(rows):
        assert row["mail"] == "@".join((".".join(fold(part, "ae") for part in str(row["name"]).split()), "example.org"))


@pytest.mark.parametrize(
    "rows",
    [
        [{"name": "Margaret Weber", "mail": "marg8@example.org"}, {"name": "Daniel Novak", "mail": "dan1@example.org"}],
        [{"姓名": "王芳", "邮箱": "wangfang@example.cn"}, {"姓名": "李强", "邮箱": "liqiang@example.cn"}],
        [{"name": "Quill Zberta", "mail": "q.zberta@a.org"}, {"name": "Tovik Brumel", "mail": "t.brumel@a.org"}],
    ],
)  # fmt: skip
def test_other_forms_are_kept_with_the_name(rows: list[Row]) -> None:
    """A nickname, pinyin, or the address of a name on no list stays with its name."""
    pairs = {tuple(row.values()) for row in rows}
    assert all(tuple(row.values()) in pairs for row in grown(rows))


def test_words_of_a_sentence_are_not_derived() -> None:
    """A verb that is also a name in small letters stays a verb."""
    rows: list[Row] = [{"text": f"Mark {last} will mark the parcel."} for last in ("Weber", "Silva", "Novak")]
    assert all(re.search(r"will mark the parcel\.$", str(row["text"])) for row in grown(rows))
