"""Write the rows of a run in formats that other tools read, one module per family of formats.

Does not handle: choosing or changing rows. Values are written as they were judged, unless a format's module says
otherwise.
"""

from selfinstruct.exports.formats import FORMATS, Writer
from selfinstruct.exports.messages import write_messages
from selfinstruct.exports.rows import ExportRow, ExportRows, export_rows
from selfinstruct.exports.table import write_table

__all__ = ["FORMATS", "ExportRow", "ExportRows", "Writer", "export_rows", "write_messages", "write_table"]
