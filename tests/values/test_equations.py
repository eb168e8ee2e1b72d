"""Equations in prose: false ones are found with the right result, and nothing else is called false."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.values.equations import false_equation

FALSE = {
    "12 apples × 4 = 46 apples": "12 apples × 4 = 46 apples is 48",
    "So that is 12 x 4 = 46.": "12 × 4 = 46 is 48",
    "共有12个×4＝46个。": "12个×4=46个 is 48",
    "３＋４＝８": "3+4=8 is 7",
    "He paid (5 + 2 = 8).": "5 + 2 = 8 is 7",
    "It costs $3 × 5 = $16 in all.": "$3 × 5 = $16 in all is 15",
    "1,200 ÷ 4 = 400": "1,200 ÷ 4 = 400 is 300",
    "12 ÷ 48 = 26%": "12 ÷ 48 = 26% is 25%",
    "80×12.5％＝11": "80×12.5%=11 is 10",
    "<<12*4=46>>46": "12*4=46 is 48",
    "1. 3 + 4 = 8": "3 + 4 = 8 is 7",
    "Total = 12 × 4 = **46**": "12 × 4 = 46 is 48",
    "3万元×2=5万元": "3万元×2=5万元 is 60000",
    "$12 \\times 4 = 46$": "$12 × 4 = 46 is 48",
    "10 ÷ 3 = 3.4": "10 ÷ 3 = 3.4 is 3.33333",
    "每小时60千米×2小时=130千米": "60千米×2小时=130千米 is 120",
    "有3+4=7，5+6=12": "5+6=12 is 11",
    "(3 + 4) × 2 = 15": "(3 + 4) × 2 = 15 is 14",
}
#: True, or not to be computed as it is written.
PASSED = """
2x + 4 = 10 | x + 5 = 12 | n - 1 = 4 | 2a + 3a = 10 | 3 apples + 2 pears = 12 | f(2) = 2 + 3 = 5 | ∠A + 30° = 90°
1.5 hours ÷ 3 = 30 minutes | 2 m ÷ 4 = 50 cm | 60 km/h × 30 minutes = 30 km | 200厘米×300厘米=6平方米 | 5角×3=1.5元
1 hour + 30 minutes = 90 minutes | 2天×24小时=48小时 | 50 cents × 3 = $1.50 | 2 weeks + 3 days = 17 days
17 ÷ 5 = 3……2 | 17÷5=3余2 | 17 ÷ 5 = 3 R 2 | 7 ÷ 2 = 3, remainder 1 | 7÷2=3（余1） | 7 ÷ 2 = 3 boxes with 1 left over
20% of 50 + 5 = 15 | half of 20 + 4 = 14 | 5 minus 3 + 2 = 0 | 5加3×2=11 | 30%的50=15 | √16 + 2 = 6 | log 100 + 1 = 3
2 dozen × 3 = 72 | 3 pairs × 4 = 24 socks | 1.2万×3=36000 | ¥1,250.50 + ¥49.50 = ¥1,300 | 3千克×2=6千克
10 / 3 = 3.33 | 10/3 = 3.333... | 2/3=0.66 | 1/3 = 33% | 33.33 × 3 = 100 | 12 × 4 ≈ 50 | 100 + 10% = 110 | 8 × 7 = 56%
12 ÷ 80 × 100 = 15% | 60÷100=60% | 3 + 4 = 2 (mod 5) | 2^3 + 1 = 9 | 2**3 = 8 | 2³ + 1 = 9 | 3! + 1 = 7
5 cm × 4 cm = 20 cm²
1 1/2 + 1 = 2.5 | 1½ + 1 = 2.5 | 9 ÷ 4 = 2 1/4 | 1/2 + 1/4 = 3/4 | - 3 + 4 = 7 | -3+5=2 | 3 - -2 = 5
1.3+4=7 | 2(3+4) = 14
3,5 + 1 = 4,5 | 12，300 + 5 = 12，305 | 10:30 + 2 = 12:30 | 10:4 = 5:2 | 6 >= 3 + 4 | 3 + 4 != 8
3 + 4 == 8 | 9 + 5 = 2点
12 - 5 = 7 and 7 × 2 = 14 | each of the 4 gets 10 - 2 × 3 = 4 | 5 apples per box × 4 boxes = 20 apples
周长=(5+3)×2=16厘米
"""


@pytest.mark.parametrize("text", FALSE)
def test_a_false_equation_is_told_with_its_result(text: str) -> None:
    """As it is written, in ASCII digits and signs."""
    assert false_equation(text) == FALSE[text]


def test_what_is_true_or_not_understood_is_passed_over() -> None:
    """Variables, conversions, remainders, powers, words that compute, dates and lists: no false alarm."""
    texts = [text.strip() for line in PASSED.strip().splitlines() for text in line.split(" | ")]
    assert len(texts) > 70
    assert {text: found for text in texts if (found := false_equation(text)) is not None} == {}


@st.composite
def sides(draw: st.DrawFn) -> tuple[str, Fraction]:
    """An expression of up to four numbers in some notation, with its value."""
    chinese, unit = draw(st.booleans()), draw(st.sampled_from(["", "apples", "个", "元", "kg"]))
    signs = draw(st.sampled_from([[("+", "+"), ("-", "-")], [("×", "*"), ("×", "*")]]))
    numbers = draw(st.lists(st.integers(1, 5000), min_size=2, max_size=4))
    text = value = ""
    for at, number in enumerate(numbers):
        written = f"{number:,}" if draw(st.booleans()) else str(number)
        # The product of two units is no unit; the first number has it.
        written += f" {unit}" if unit and (at == 0 or signs[0][0] == "+") else ""
        sign = draw(st.sampled_from(signs)) if at else ("", "")
        text, value = f"{text} {sign[0]} {written}" if at else written, f"{value}{sign[1]}{number}"
    if chinese:
        wide = {"+": "＋", "-": "－", "×": "×", **{str(digit): chr(0xFF10 + digit) for digit in range(10)}}
        text = "".join(wide.get(each, each) for each in text).replace(" ", "")
    return text, Fraction(eval(value))


@given(sides(), st.integers(-50, 50), st.sampled_from(["So {} = {}.", "一共是{}＝{}。", "1) {} = {}", "{}={}"]))
def test_an_equation_is_false_if_its_result_is(side: tuple[str, Fraction], off: int, form: str) -> None:
    """Whatever the notation, the right result passes and any other is told with the right one."""
    text, value = side
    if value < 0:
        return
    assert false_equation(form.format(text, value)) is None
    if off and value + off > 0:
        found = false_equation(form.format(text, value + off))
        assert found is not None and found.endswith(f" is {value}")


@given(st.text(st.sampled_from("0123456789.,+-×÷=＝%()（）$ xab个元万\n"), max_size=40) | st.text(max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    """For any text there is a statement with its result, or None."""
    found = false_equation(text)
    assert found is None or " is " in found
