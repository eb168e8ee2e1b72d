"""Personal data in seeds, for a warning before anything is grown from them.

Does not handle: names and postal addresses, which no pattern tells from those of things; judging rows (``checks``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfinstruct.messages import Phrase, joined
from selfinstruct.mining.entities import find_entities
from selfinstruct.rows import RowFile
from selfinstruct.rows.leaves import leaf_text
from selfinstruct.values.check_digits import is_valid

_EMAIL = Phrase("e-mail addresses")
_PHONE = Phrase("phone numbers")
_CARD = Phrase("numbers of payment cards")
_RESIDENT = Phrase("numbers of identity documents")
_MOST_ROWS = 1000
# Also between Chinese characters, where there is no word boundary.
_CHINESE_MOBILE = re.compile(r"(?<![0-9A-Za-z.-])1[3-9]\d{9}(?![0-9A-Za-z.-])")
_RESIDENT_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
# With its usual groups: of longer numbers of any kind, one in ten has the right check digit by chance.
_CARD_NUMBER = re.compile(r"(?<![\w-])[3-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?![\w-])")
# Domains that are reserved for examples (RFC 2606), with the last part alone or with the one before it.
_EXAMPLES = re.compile(r"@(?:.*\.)?(?:example(?:\.(?:com|net|org|edu))?|test|invalid|localhost)$", re.IGNORECASE)
# 555-01xx is reserved for fiction in North America.
_FICTION = re.compile(r"555\D*01\d\d$")


def personal_warnings(seeds: RowFile) -> Iterator[Phrase]:
    """Yield one warning for the user if seeds contain personal data, with the kinds and the first place."""
    kinds: dict[Phrase, None] = {}
    places = []
    for at, row in enumerate(seeds.rows[:_MOST_ROWS]):
        found = dict.fromkeys(_kinds(leaf_text(list(row.values()))))
        if found:
            kinds |= found
            places.append(seeds.place(at))
    if places:
        yield Phrase(
            "the seeds contain {kinds} (rows: {count:,}, the first at {place}): replace those of real people, "
            "since they are sent to endpoints and may be copied into rows",
            kinds=joined(kinds),
            count=len(places),
            place=places[0],
        )


def _kinds(text: str) -> Iterator[Phrase]:
    """The kinds of personal data in a text."""
    if "@" in text or any(map(str.isdigit, text)):
        for entity in find_entities(text):
            if entity.kind == "email" and not _EXAMPLES.search(entity.text):
                yield _EMAIL
            elif entity.kind == "phone" and not _FICTION.search(entity.text):
                yield _PHONE
    if _CHINESE_MOBILE.search(text):
        yield _PHONE
    if any(is_valid(found[0], "resident_id") for found in _RESIDENT_ID.finditer(text)):
        yield _RESIDENT
    if any(is_valid(found[0], "luhn") for found in _CARD_NUMBER.finditer(text)):
        yield _CARD
