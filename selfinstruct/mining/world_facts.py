"""Facts of the world: the capital of a country, the author of a poem, the population or the coordinates of a city.

Another name or number makes such a fact false, though nothing in the row shows it. A row that also has a text about
other things keeps these fields; one that has nothing else cannot be imitated.

Does not handle: facts whose fields have other names, or that a passage with a question about it tells: a passage that is
rewritten is consistent with itself.

>>> is_fact({"country": "Peru", "capital": "Lima"}), is_fact({"name": "Ann", "city": "Lima"})
(True, False)
>>> is_fact({"text": "Lima is the capital of Peru."}), is_fact({"text": "Ann lives in Lima."})
(True, False)
"""

from __future__ import annotations

import re
from typing import Final

from selfinstruct.records import Row
from selfinstruct.text import value_text

_SUBJECTS: Final = frozenset(
    (
        "country state city town capital province continent island planet star moon element compound poem book novel play "
        "song album film movie painting work title mountain peak river lake ocean animal plant species bird gene protein "
        "land stadt hauptstadt planet gedicht buch berg fluss pays ville planète poème livre país ciudad planeta libro paese "
        "città 国家 國家 国 城市 城 省 省份 行星 元素 诗 诗名 诗题 诗歌 作品 书名 书 小说 电影 山 河流 河 湖 动物 国名 都市 惑星 詩 山岳 川"
    ).split()
)
#: What is true of one subject alone.
_FACTS: Final = frozenset(
    (
        "capital population inhabitants continent currency latitude longitude lat lon lng coordinates symbol elevation gdp "
        "hauptstadt einwohner bevölkerung währung kontinent breitengrad längengrad capitale monnaie habitants capital moneda "
        "población habitantes moons chromosome 首都 省会 人口 货币 纬度 经度 坐标 元素符号 化学符号 原子序数 海拔 通貨 緯度 経度 標高"
    ).split()
)
#: What is a fact where a row has nothing else.
_FACTS_ALONE: Final = _FACTS | frozenset(
    (
        "area language languages author poet writer painter composer director inventor discoverer dynasty era atomic "
        "number boiling melting founded discovered year born died autor dichter fläche sprache auteur langue superficie "
        "lengua idioma 面积 语言 作者 诗人 朝代 作家 导演 发明者 发现者 年份 时代 体裁 面積 言語 著者"
    ).split()
)
#: What is a fact of a mountain or a planet, but not of an animal or a parcel.
_MEASURES: Final = frozenset(
    (
        "mass weight diameter radius height length depth density km m km2 kg deg höhe länge tiefe hauteur longueur altura "
        "longitud 质量 直径 高度 长度 深度 高さ 長さ"
    ).split()
)
_MEASURED: Final = frozenset(
    (
        "mountain peak river lake ocean planet star moon island country continent berg fluss see montagne fleuve montaña río "
        "山 山峰 河流 河 湖 行星 惑星 川 国家 国"
    ).split()
)
_NEUTRAL: Final = frozenset("id nr no index idx 编号 序号".split())
_NAMES: Final = frozenset(("name", "名称", "名字", "姓名"))
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SENTENCE = re.compile(
    r"\bcapital (?:city )?of\b|\bpopulation (?:of|is|was)\b|\bchemical symbol\b|\batomic number\b|\bhas \S+ inhabitants\b"
    r"|\b(?:largest|highest|longest|deepest|smallest) (?:city|mountain|river|lake|country|planet|desert|island) (?:in|of|on)\b"
    r"|\b(?:currency|official language) of\b|\b(?:novel|poem|play|book|symphony|opera|painting)\b.*\b(?:written|composed|"
    r"painted) by\b|^[A-Z][\w.]+(?: [A-Z][\w.]+)* (?:wrote|painted|composed|invented) |\b(?:invented|painted|"
    r"composed) by\b|\d°\s?\d*['′]?\s?[NSEW]\b|\bHauptstadt (?:von|der|des|Deutsch)|\bist die "
    r"Hauptstadt|\d Einwohner|\bcapitale (?:de|du|des|d')|\d habitants\b|\bcapital de\b|\d habitantes\b|столица |населени"
    r"|的?首都[是为在]|是.{1,12}的(?:首都|省会|作者)|省会[是为]|(?:常住)?人口(?:约|为|是|有|达)|元素符号|化学符号|原子序数|作者[是为]"
    r"|《[^》]+》.{0,6}(?:是|由).{1,12}(?:所作|所写|写的|创作|的(?:代表作|作品|诗|词))|の首都|人口は|元素記号|عاصمة|राजधानी|수도[는은이]"
)
_LONGEST = 160
_ASKS = re.compile("[?？؟]")
_LEAST_WORDS = 4


def is_fact(row: Row) -> bool:
    """Whether a row is nothing but a fact of the world: in its fields, or in one sentence."""
    return bool(_of_fields(row) or _of_sentence(row))


def fact_fields(row: Row) -> tuple[str, ...]:
    """The fields that show the fact that a row is, () if it is none."""
    return _of_fields(row) or _of_sentence(row)


def told_fields(row: Row) -> frozenset[str]:
    """The fields of a row about other things that tell a fact of the world, such as a country and its currency."""
    subjects = [name for name in row if _words(name) & _SUBJECTS]
    facts = [name for name in row if _words(name) & _FACTS]
    return frozenset((*subjects, *facts)) if facts and len({*subjects, *facts}) > 1 else frozenset()


def _of_fields(row: Row) -> tuple[str, ...]:
    words = {name: own for name in row if not (own := _words(name)) <= _NEUTRAL}
    subjects = [name for name, own in words.items() if own & _SUBJECTS]
    facts = [name for name, own in words.items() if own & _FACTS_ALONE and name not in subjects]
    measures = [name for name, own in words.items() if own & _MEASURES]
    if any(own & _FACTS for own in words.values()):
        subjects += [name for name, own in words.items() if own & _NAMES]
    known = {*subjects, *facts, *measures}
    if len(known) < len(words) or not subjects or any(isinstance(row[name], list | dict) for name in words):
        return ()
    measured = [name for name in measures if any(words[each] & _MEASURED for each in subjects)]
    shown = [*subjects, *(name for name in facts + measured if name not in subjects)]
    return tuple(shown[:2]) if len(shown) > 1 else ()


def _of_sentence(row: Row) -> tuple[str, ...]:
    if any(isinstance(value, list | dict) for value in row.values()):
        return ()
    texts = {name: value_text(value) for name, value in row.items()}
    if any(_ASKS.search(text) for text in texts.values()):
        return ()
    sentences = [name for name, text in texts.items() if _is_sentence(text)]
    if len(sentences) != 1 or len(texts[sentences[0]]) > _LONGEST:
        return ()
    return (sentences[0],) if _SENTENCE.search(texts[sentences[0]]) is not None else ()


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= _LEAST_WORDS or (not text.isascii() and len(text) > 2 * _LEAST_WORDS)


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(_CAMEL.sub(" ", name)))
