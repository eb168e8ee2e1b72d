"""The faults by name: 28 kinds observed in OpenAI-compatible endpoints, and their variants.

``rate-limit`` is a random variant, ``rate-limit:date`` a particular one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aiohttp import web

from selfinstruct.errors import InputError
from selfinstruct.testing import content, transport
from selfinstruct.testing.exchange import Exchange

#: The effect on a run. ``lost``: the request yields no row, and another one is needed; ``kept``: rows arrive, perhaps
#: fewer; ``fatal``: repeating the request cannot help.
Effect: TypeAlias = Literal["lost", "kept", "fatal"]
Act: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a fault, and the requests to which it applies."""

    effect: Effect
    act: Act
    applies: Callable[[Exchange], bool] = lambda exchange: True


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, numbered from 1, with its variants by name."""

    number: int
    description: str
    variants: Mapping[str, Variant]

    @property
    def fatal(self) -> bool:
        """Whether repeating the request helps with none of its variants."""
        return all(variant.effect == "fatal" for variant in self.variants.values())


def _all(effect: Effect, acts: Mapping[str, Act]) -> dict[str, Variant]:
    return {name: Variant(effect, act) for name, act in acts.items()}


def _rewriting(effect: Effect, rewrites: Mapping[str, content.Rewrite]) -> dict[str, Variant]:
    """Variants that rewrite a reply that was generated and billed as usual."""

    def acting(rewrite: content.Rewrite) -> Act:
        async def act(exchange: Exchange) -> web.StreamResponse:
            answer = await exchange.answer()
            rewrite(answer, exchange.rng)
            return exchange.send(answer)

        return act

    return _all(effect, {name: acting(rewrite) for name, rewrite in rewrites.items()})


FAULTS: dict[str, Fault] = {
    "rate-limit": Fault(1, "429 with every form of retry header, and without", _all("lost", transport.RATE_LIMITS)),
    "quota": Fault(2, "402, or 429 for an exhausted quota", _all("fatal", transport.QUOTAS)),
    "server-error": Fault(3, "500, 502, 503, 504, 529", _all("lost", transport.SERVER_ERRORS)),
    "too-large": Fault(3, "413", {"413": Variant("fatal", transport.too_large)}),
    "slowness": Fault(4, "overload that shows only as slowness", {"queue": Variant("kept", transport.slow)}),
    "keep-alive": Fault(
        5,
        "a kept-alive connection closed when it is reused",
        {"reused": Variant("lost", transport.close, lambda exchange: exchange.reused)},
    ),
    "cut-body": Fault(6, "a body that ends early", {"half": Variant("lost", transport.cut_body)}),
    "silence": Fault(7, "no reply", {"for-ever": Variant("lost", transport.silence)}),
    "drip": Fault(8, "blank lines, one at a time", {"blank-lines": Variant("lost", transport.drip)}),
    "error-200": Fault(9, "an error object with status 200", _all("lost", transport.ERRORS_200)),
    "no-choices": Fault(10, "no choices, billed", _rewriting("lost", {"empty": content.no_choices})),
    "html": Fault(11, "an HTML page, also with status 200", _all("lost", transport.PAGES)),
    "bad-encoding": Fault(
        12,
        "a plain body labelled gzip, unless identity is requested, or always",
        {
            "gzip": Variant("lost", transport.bad_encoding, transport.takes_gzip),
            "regardless": Variant("lost", transport.bad_encoding),
        },
    ),
    "envelope": Fault(13, "503 in the envelopes of other servers", _all("lost", transport.ENVELOPES)),
    "refused-option": Fault(
        14,
        "400 for an option of the request",
        {
            "first": Variant(
                "lost", transport.reject_option, lambda exchange: transport.rejectable_option(exchange) is not None
            )
        },
    ),
    "denied": Fault(15, "401, 403, 404", _all("fatal", transport.DENIALS)),
    "context": Fault(
        16,
        "a prompt beyond the context length: rejected, or truncated silently",
        {
            "refused": Variant(
                "lost", transport.reject_context, lambda exchange: transport.demonstrations(exchange) > 2
            ),
            "cut": Variant("lost", transport.truncate_context, lambda exchange: transport.demonstrations(exchange) > 2),
        },
    ),
    "usage": Fault(17, "usage missing or partial", _rewriting("kept", content.USAGES)),
    "zombie": Fault(
        18, "generation that continues after the client disconnects", {"holds": Variant("kept", transport.zombie)}
    ),
    "dropped": Fault(19, "dropped connections", _all("lost", transport.DROPS)),
    "length": Fault(
        20,
        "cut off by the token limit",
        _rewriting("kept", content.LENGTHS) | _rewriting("lost", {"nothing": content.length_nothing}),
    ),
    "reasoning": Fault(
        21,
        "reasoning instead of content, or inside it",
        _rewriting("lost", content.REASONING_ALONE) | _rewriting("kept", content.REASONING_BESIDE),
    ),
    "refusal": Fault(22, "a sentence, the refusal field, the content filter", _rewriting("lost", content.REFUSALS)),
    "tool-calls": Fault(
        23,
        "a tool call instead of content",
        _rewriting("kept", {"arguments": content.tool_call}) | _rewriting("lost", {"empty": content.tool_call_empty}),
    ),
    "json-validate": Fault(
        24, "400 with the reply in failed_generation", {"failed-generation": Variant("kept", transport.json_validate)}
    ),
    "dress": Fault(25, "fences, prose, other quotes, other keys, ...", _rewriting("kept", content.DRESSES)),
    "trap": Fault(26, "JSON that misleads repair libraries", _rewriting("kept", content.TRAPS)),
    "hostile": Fault(27, "deep nesting, 5,000 digits, lone surrogates", _rewriting("kept", content.HOSTILE)),
    "drift": Fault(28, "rows in a different format", _rewriting("kept", content.DRIFTS)),
}


def find_fault(name: str) -> tuple[Fault, str]:
    """Look up ``name`` or ``name:variant``; the fault, and the variant or "".

    Raises:
        InputError: the fault or variant does not exist.
    """
    fault, _, variant = name.partition(":")
    if fault not in FAULTS:
        raise InputError(f"no such fault: {fault!r}", hint=f"Use one of: {', '.join(FAULTS)}.")
    if variant and variant not in FAULTS[fault].variants:
        raise InputError(
            f"fault {fault!r}: no such variant: {variant!r}", hint=f"Use one of: {', '.join(FAULTS[fault].variants)}."
        )
    return FAULTS[fault], variant


def mixed(rate: float) -> dict[str, float]:
    """Every fault that is not fatal, in equal shares with the sum ``rate``."""
    names = [name for name, fault in FAULTS.items() if not fault.fatal]
    return dict.fromkeys(names, rate / len(names))
