"""The warning of personal data in seeds."""

from __future__ import annotations

import pytest

from selfinstruct.preparation.personal_data import personal_warnings
from selfinstruct.preparation.prepare import prepare
from selfinstruct.rows import rows_from_objects


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to anna.kovacs@mail.hu about the chair.", "e-mail addresses"),
        ("请致电13912345678咨询台灯。", "phone numbers"),
        ("Call +49 30 901820 in the morning.", "phone numbers"),
        ("登记的身份证号是11010519491231002X。", "numbers of identity documents"),
        ("Paid with 4539 1488 0343 6467 yesterday.", "numbers of payment cards"),
        ("Write to help@example.com, or call 555-0123.", ""),
        ("订单11010519491231002Y，共 3 件。", ""),
        ("Block blk_4539148803436468 of 4539 1488 0343 6468 bytes.", ""),
    ],
)
def test_a_seed_with_personal_data_is_warned_of(text: str, kind: str) -> None:
    """Its kind and its place are named; examples, and numbers with a wrong check digit, are none."""
    seeds = rows_from_objects([{"text": "A lamp.", "n": 1}, {"text": text, "n": 2}], "rows")
    assert [str(each).partition(", since")[0] for each in personal_warnings(seeds)] == (
        [f"the seeds contain {kind} (rows: 1, the first at rows:2): replace those of real people"] if kind else []
    )


def test_the_plan_says_so() -> None:
    """The warning is one of the plan's."""
    rows = [{"text": f"Ask bob{at}@mail.hu about lamp {at}.", "label": "ab"[at % 2]} for at in range(8)]
    assert any("e-mail addresses (rows: 8" in each for each in prepare(rows).warnings)
