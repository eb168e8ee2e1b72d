"""What a value means, however it is written: numbers, number words, dates, times, durations, and named formats.

``readings`` returns the meanings of a whole value, ``mentions`` those of every part of a text, ``matches_format``
whether a text has a format such as ``date`` or ``iban``.

Does not handle: units and their conversion, arithmetic in prose, dates relative to today.
"""

from selfinstruct.values.formats import FORMATS, matches_format
from selfinstruct.values.moments import date_of, moment_of, seconds_of
from selfinstruct.values.numbers import decimal_places, number_of
from selfinstruct.values.readings import Reading, mentions, occurs_in, readings

__all__ = [
    "FORMATS",
    "Reading",
    "date_of",
    "decimal_places",
    "matches_format",
    "mentions",
    "moment_of",
    "number_of",
    "occurs_in",
    "readings",
    "seconds_of",
]
