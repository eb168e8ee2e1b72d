"""Words that tell what a number is: the word before it, the unit after it, or the name of its field.

In English, German, French, Spanish, Italian, Portuguese, Russian, Chinese, Japanese, Korean, Arabic and Hindi.

Does not handle: words that mean nothing of their own (``is 5``, ``total 5``).
"""

from __future__ import annotations

import re
from typing import Final

from selfinstruct.mining.lexicon import words

#: See the lists.
CODES: Final = frozenset(words("number-codes"))
IDS: Final = frozenset(words("number-ids"))
SIZES: Final = frozenset(words("number-sizes"))
COUNTED: Final = frozenset(words("number-counted"))
#: Codes of places.
POSTAL_WORDS: Final = frozenset(("zip", "postcode", "postal", "plz", "zipcode", "cap", "postleitzahl"))
POSTAL_ENDINGS: Final = ("邮编", "邮政编码", "郵便番号")
#: The same where no blank divides words: how the text before a code or an id ends.
CODE_ENDINGS: Final = (
    *(
        "码",
        "状态",
        "狀態",
        "级别",
        "級別",
        "等级",
        "等級",
        "级",
        "級",
        "版本",
        "版",
        "错误",
        "錯誤",
        "信号",
        "邮编",
        "邮政编码",
        "郵便番号",
        "第",
    ),
    *("コード", "エラー", "レベル", "バージョン"),
)
ID_ENDINGS: Final = (
    *("号", "號", "编号", "編號", "订单", "訂單", "单号", "工单", "设备", "包裹", "进程", "线程", "任务", "箱"),
    *("荷物", "列車", "注文", "番号"),
)
_WORDS_OF_BOUNDS: Final = {
    "percent": "percent percentage pct prozent pourcentage porcentaje",
    "month": "month monat mois mes mese mês месяц 월 شهر الشهر माह महीना महीने",
    "week": "week woche semaine semana settimana неделя 주 أسبوع الأسبوع सप्ताह हफ़्ता kw cw",
    "day": "day tag jour día dia giorno день 일 يوم اليوم दिन",
    "hour": "hour stunde heure hora ora час 시 ساعة الساعة घंटा",
    "minute": "minute minuto минута 분 دقيقة मिनट",
    "second": "second sekunde seconde segundo secondo секунда 초 ثانية सेकंड",
}
#: The kind of a number with bounds, by the word before it.
BOUNDED: Final = {word: kind for kind, words in _WORDS_OF_BOUNDS.items() for word in words.split()}
#: The same by the unit after the number.
PARTS_OF_TIME: Final = re.compile(
    r"\s?(?:(?P<month>月(?![間间])|월)|(?P<day>日(?![間间])|일(?!간))|(?P<hour>[时時](?![间間])|[点點](?!数)|시(?!간)|Uhr\b|बजे)"
    r"|(?P<minute>分(?![钟鐘間间之])|분(?!기|간))|(?P<second>秒(?![钟鐘間间])|초(?!과))|(?P<week>[周週](?![年间間])))"
)
#: What makes a number part of a name, directly after it: 3级, 2号线, 2학년.
ATTACHED_CODES: Final = re.compile(
    "[级級等位期届屆季集代]|年[级級生]|号[线線]|학년|급|등(?!록)|위(?!치)|호선|세대|차(?!량)|번째|в[а-я]|-[йяео](?![а-я])"
)
#: A letter of another script than Latin directly after a number that begins no unit and no common next word.
NOT_ATTACHED: Final = re.compile(
    "[^元円圆块毛角分个個件人名只隻条條張张本册冊杯瓶箱台部辆輛头頭斤克吨噸米里度页頁行字次回倍份套双家间間天日月年岁歲周週時时点點秒升号號"
    "公千厘毫平立小万萬百亿億枚匹足軒才已的是在和由被从到于将与共未有为為已從\u3041-\u30ff"
    "원개명대권장마리잔병시분초일월년주킬미그도세살번회호건만천백억은는이가을를의에로와과까부"
    "кмгтчлсрдш\u0e01-\u0e3a]"
)
#: A currency before or after an amount.
CURRENCY_BEFORE: Final = re.compile(r"(?:[$€£¥₹₩₽]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|INR))\s?-?$")
CURRENCY_AFTER: Final = re.compile(r"\s?(?:[$€£¥₹₩₽元円원]|(?:USD|EUR|GBP|CHF|JPY|CNY|INR|Euro|euros?|dollars?)\b)")
