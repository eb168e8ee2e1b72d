"""Write the passages of a run as numbered text files, for people and for other tools.

Does not handle: removing files of an earlier run.
"""

from __future__ import annotations

from pathlib import Path

from selfinstruct.errors import InputError
from selfinstruct.files import write_whole
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared
from selfinstruct.text import value_text


def keep_passages(prepared: Prepared, folder: str | Path) -> int:
    """Write each passage of a run to ``folder``, as 001.txt and so on in UTF-8, and return their number.

    The number of a file is that of the passage in the journal. Files with the same content stay as they are.
    Raises InputError if the run has no passages or a file has another content, StorageError if the disk fails.
    """
    passages = prepared.inputs.passages
    if not passages:
        raise InputError(
            "{name}: there are no passages to keep",
            hint="Leave out `keep_passages`, or name `passages`.",
            name=prepared.recipe.name,
        )
    where = Path(folder)
    width = max(3, len(str(len(passages))))
    try:
        where.mkdir(parents=True, exist_ok=True)
        for number, passage in enumerate(passages, 1):
            file = where / f"{number:0{width}}.txt"
            data = value_text(passage["passage"]).encode("utf-8", "backslashreplace")
            if not file.exists():
                write_whole(file, data)
            elif file.read_bytes() != data:
                raise InputError(
                    "{file}: has other content", hint="Set `keep_passages` to an empty or a new directory.", file=file
                )
    except OSError as error:
        message = Phrase("{where}: cannot write passages: {strerror}", where=where, strerror=error.strerror)
        raise InputError(message, hint="Set `keep_passages` to a directory that you can write to.") from error
    return len(passages)
