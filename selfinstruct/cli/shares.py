"""The option ``--split``: the shares of splits as ``0.8,0.1,0.1`` or ``train=0.9,test=0.1``."""

from __future__ import annotations

from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase

#: The names of splits that are given by their shares alone, by how many there are.
_NAMES = {1: ("train",), 2: ("train", "test"), 3: ("train", "validation", "test")}


def parse_shares(text: str | None) -> dict[str, float] | None:
    """Return the share of each split, or None without the option. Raises InputError for another form."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    named = [part.partition("=") for part in parts]
    if not any(equals for _, equals, _ in named):
        names = _NAMES.get(len(parts), ())
        named = [(name, "=", part) for name, part in zip(names, parts, strict=False)]
    hint = Phrase("For example: --split 0.8,0.1,0.1 or --split train=0.9,test=0.1")
    shares: dict[str, float] = {}
    for name, equals, share in named:
        try:
            value = float(share)
        except ValueError:
            value = None
        if value is None or not equals or not name.strip() or name.strip() in shares:
            raise InputError("--split: expected NAME=SHARE, got {part!r}", hint=hint, part=f"{name}{equals}{share}")
        shares[name.strip()] = value
    if len(shares) != len(parts):
        raise InputError("--split: more than three shares need names", hint=hint)
    return shares
