"""Write the rows of a run in formats that other tools read, one module per family of formats.

Does not handle: choosing rows (``analysis``). Values are written as they were judged, unless a format's module says
otherwise.
"""

from selfinstruct.exports.formats import CHAT, FORMATS, Format, Writer
from selfinstruct.exports.rows import REAL, SEED, SYNTHETIC, ExportRow, ExportRows, export_rows, shuffled
from selfinstruct.exports.settings import Settings

__all__ = [
    "CHAT",
    "FORMATS",
    "REAL",
    "SEED",
    "SYNTHETIC",
    "ExportRow",
    "ExportRows",
    "Format",
    "Settings",
    "Writer",
    "export_rows",
    "shuffled",
]
