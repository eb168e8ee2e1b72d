"""What is told of the replies of a run as a whole: corrections that their user should know of, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from selfinstruct.messages import Phrase

_TOLD: Mapping[str, str] = {
    "repeated": Phrase("some rows have one key twice with two values: the last one is taken"),
    "list-marks": Phrase("some replies number their rows inside the values: the numbers are removed"),
    "opened": Phrase("some replies write their rows as strings of JSON, which are opened"),
}


class ReplyNotes:
    """The corrections that were told so far."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def new(self, corrections: Iterable[str]) -> list[str]:
        """Return the notes about ``corrections`` (slugs of ``StepReply.notes``) that are made for the first time."""
        new = [slug for slug in corrections if slug in _TOLD and slug not in self._told]
        self._told.update(new)
        return [_TOLD[slug] for slug in new]
