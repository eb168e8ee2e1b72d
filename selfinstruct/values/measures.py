"""Units of measurement by kind, to tell a computation from a conversion; and words that multiply a number.

Does not handle: the factors between units, or units of other languages than English and Chinese.

>>> measure("Hours"), measure("平方米"), measure("apples"), measure("km/h")
([('time', 'h')], [('length', '米')], [], [('length', 'km'), ('time', 'h')])
"""

from __future__ import annotations

import re

_UNITS = {
    "time": "s sec second seconds|min minute minutes|h hr hrs hour hours|day days|week weeks|month months|year years"
    "|秒 秒钟|分 分钟|时 小时 个小时 钟头|天 日|周 星期 个星期|月 个月|年",
    "length": "mm millimetre millimetres millimeter millimeters|cm centimetre centimetres centimeter centimeters"
    "|m metre metres meter meters|km kilometre kilometres kilometer kilometers"
    "|inch inches|ft foot feet|yd yard yards"
    "|mi mile miles|毫米|厘米|分米|米|千米 公里|里|尺|寸",
    "mass": "mg milligram milligrams|g gram grams|kg kilogram kilograms|t ton tons tonne tonnes|oz ounce ounces"
    "|lb lbs pound pounds|毫克|克|千克 公斤|斤|两|吨",
    "volume": "ml millilitre millilitres milliliter milliliters|l litre litres liter liters|cup cups|pint pints"
    "|quart quarts|gallon gallons|毫升|升",
    "money": "$ dollar dollars|€ euro euros|£|¥ yuan rmb|c cent cents|penny pennies pence|元 块 块钱 元钱|角 毛|分钱",
}
_NAMES = {
    name: (kind, entry.split()[0])
    for kind, entries in _UNITS.items()
    for entry in entries.split("|")
    for name in entry.split()
}
_SQUARE = re.compile(r"^(?:square|sq|cubic|平方|立方)\s*|[²³]$", re.IGNORECASE)
_MULTIPLYING = """
dozen dozens pair pairs couple score gross hundred hundreds thousand thousands million millions billion billions
trillion k bn mn quarter quarters half halves third thirds fourth fourths fifth fifths tenth tenths nickel nickels
dime dimes 打 双 对 成 折
"""
#: Words that make a number another one.
MULTIPLYING = frozenset(_MULTIPLYING.split())
#: The Chinese ones that are written as a part of the number.
MULTIPLES = {"万": 10_000, "亿": 100_000_000}


def measure(unit: str) -> list[tuple[str, str]]:
    """Return the kind and the name of each unit in a word such as km/h; nothing for what can only be counted."""
    parts = (_SQUARE.sub("", part.strip()) for part in re.split("[/每]", unit.lower()))
    return [_NAMES[part] for part in parts if part in _NAMES]
