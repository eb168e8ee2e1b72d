"""Names of months, weekdays and parts of the day, by language.

>>> MONTHS["märz"], WEEKDAYS["dimanche"]
(3, 6)
>>> other_name("March", 3, 4, MONTH_SETS), other_name("août", 8, 9, MONTH_SETS)
('April', 'septembre')
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple


class NameSet(NamedTuple):
    """The names of the months, or of the weekdays from Monday on, in one language and of one length."""

    language: str
    names: tuple[str, ...]


def _sets(*written: str) -> tuple[NameSet, ...]:
    sets = []
    for line in written:
        language, *names = line.split()
        sets.append(NameSet(language, tuple(name.replace("_", " ") for name in names)))
    return tuple(sets)


#: The names of the months as they stand in a date. Case matters for writing alone.
MONTH_SETS = _sets(
    "en January February March April May June July August September October November December",
    "en Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "en Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec",
    "de Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "de Jan Feb Mrz Apr Mai Jun Jul Aug Sept Okt Nov Dez",
    "fr janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "fr janv févr mars avr mai juin juil août sept oct nov déc",
    "es enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "es ene feb mar abr may jun jul ago sept oct nov dic",
    "it gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "it gen feb mar apr mag giu lug ago set ott nov dic",
    "pt janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "pt jan fev mar abr mai jun jul ago set out nov dez",
    "nl januari februari maart april mei juni juli augustus september oktober november december",
    "ru января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "pl stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "hi जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
    "hi जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितम्बर अक्टूबर नवम्बर दिसम्बर",
    "ar يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "ar يناير فبراير مارس إبريل مايو يونيه يوليه أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "ar كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين_الأول تشرين_الثاني كانون_الأول",
    "ar جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
)
#: The names of the weekdays.
WEEKDAY_SETS = _sets(
    "en Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "en Mon Tue Wed Thu Fri Sat Sun",
    "de Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "de Montag Dienstag Mittwoch Donnerstag Freitag Sonnabend Sonntag",
    "de Mo Di Mi Do Fr Sa So",
    "fr lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es lunes martes miércoles jueves viernes sábado domingo",
    "it lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "nl maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "ru понедельник вторник среда четверг пятница суббота воскресенье",
    "zh 星期一 星期二 星期三 星期四 星期五 星期六 星期日",
    "zh 星期一 星期二 星期三 星期四 星期五 星期六 星期天",
    "zh 周一 周二 周三 周四 周五 周六 周日",
    "ja 月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
    "ja （月） （火） （水） （木） （金） （土） （日）",
    "ja (月) (火) (水) (木) (金) (土) (日)",
    "ko 월요일 화요일 수요일 목요일 금요일 토요일 일요일",
    "ko (월) (화) (수) (목) (금) (토) (일)",
    "hi सोमवार मंगलवार बुधवार गुरुवार शुक्रवार शनिवार रविवार",
    "ar الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
    "ar الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
)
#: The number from 1 of each month by its name in lower case.
MONTHS = {name.casefold(): at for each in MONTH_SETS for at, name in enumerate(each.names, 1)}
#: The number from 0 (Monday) of each weekday by its name in lower case.
WEEKDAYS = {name.casefold(): at for each in WEEKDAY_SETS for at, name in enumerate(each.names)}
#: Frequent words by which the language of a text is guessed; those of two languages are left out.
_FREQUENT = {
    "en": "the of and is was to at by from with which when what who",
    "de": "der die das und ist war am im von den dem wurde wann wer welche um",
    "fr": "le les du des est et au une était quand qui quelle heure par dans",
    "es": "el los las y fue cuándo quién del hora por una con",
    "it": "il lo gli di è della quando chi alle ore una per",
    "pt": "o os do da em foi quando quem às uma não",
    "nl": "het een van op werd wanneer wie de zijn",
}


def other_name(
    name: str, number: int, other: int, sets: Sequence[NameSet], languages: Sequence[str] = (), seen: Iterable[str] = ()
) -> str:
    """Return the name of number ``other`` in the set that ``name`` is from, in which it is that of ``number``.

    Numbers count from the first name, which is 1 for months and 0 for weekdays. Of several sets, the one that
    contains most of the names ``seen`` is preferred, and then the first of ``languages``. The case of the name is kept.
    """
    first = 0 if len(sets[0].names) == 7 else 1
    folded = name.casefold()
    matching = [each for each in sets if each.names[number - first].casefold() == folded]
    if not matching:
        raise ValueError(f"not a name of number {number}: {name!r}")
    known = {each.casefold() for each in seen}

    def rank(each: NameSet) -> tuple[int, int, bool]:
        unknown = len(known - {known_name.casefold() for known_name in each.names})
        at = languages.index(each.language) if each.language in languages else len(languages)
        return unknown, at, name not in each.names

    found = min(matching, key=rank).names[other - first]
    if name.isupper() and len(name) > 1:
        return found.upper()
    if name[:1].isupper():
        return found[:1].upper() + found[1:]
    return found.lower() if name.islower() else found


def ranked_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the languages whose frequent words occur in the texts, the most frequent first."""
    counts = dict.fromkeys(_FREQUENT, 0)
    by_word = _by_word()
    for text in texts:
        for word in text[:2000].casefold().split():
            for language in by_word.get(word.strip(".,;:!?¿¡\"'()"), ()):
                counts[language] += 1
    return tuple(sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name]))


@cache
def _by_word() -> dict[str, list[str]]:
    by_word: dict[str, list[str]] = {}
    for language, words in _FREQUENT.items():
        for word in words.split():
            by_word.setdefault(word, []).append(language)
    return by_word
