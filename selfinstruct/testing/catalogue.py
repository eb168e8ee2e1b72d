"""The faults by name: 28 kinds of misbehaviour that OpenAI-compatible endpoints were seen with, and their variants.

``rate-limit`` picks a variant by chance, ``rate-limit:date`` is that one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aiohttp import web

from selfinstruct.errors import InputError
from selfinstruct.testing import content, transport
from selfinstruct.testing.exchange import Exchange

#: What a fault does to a run. ``lost``: the request gives no row and another is needed; ``kept``: rows arrive, if
#: perhaps fewer; ``fatal``: no repetition of the request can help.
Effect: TypeAlias = Literal["lost", "kept", "fatal"]
Act: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a fault: what happens, and to which requests it can happen."""

    effect: Effect
    act: Act
    applies: Callable[[Exchange], bool] = lambda exchange: True


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of misbehaviour, numbered from 1, with its variants by name."""

    number: int
    what: str
    variants: Mapping[str, Variant]

    @property
    def fatal(self) -> bool:
        """Whether no variant of it can be survived by repeating the request."""
        return all(variant.effect == "fatal" for variant in self.variants.values())


def _all(effect: Effect, acts: Mapping[str, Act]) -> dict[str, Variant]:
    return {name: Variant(effect, act) for name, act in acts.items()}


def _written(effect: Effect, rewrites: Mapping[str, content.Rewrite]) -> dict[str, Variant]:
    """Variants that rewrite an answer that was generated and billed as usual."""

    def acting(rewrite: content.Rewrite) -> Act:
        async def act(exchange: Exchange) -> web.StreamResponse:
            answer = await exchange.answer()
            rewrite(answer, exchange.rng)
            return exchange.send(answer)

        return act

    return _all(effect, {name: acting(rewrite) for name, rewrite in rewrites.items()})


FAULTS: dict[str, Fault] = {
    "rate-limit": Fault(1, "429 with every form of hint, and none", _all("lost", transport.RATE_LIMITS)),
    "quota": Fault(2, "402, and 429 that means a spent quota", _all("fatal", transport.QUOTAS)),
    "server-error": Fault(3, "500, 502, 503, 504, 529", _all("lost", transport.SERVER_ERRORS)),
    "too-large": Fault(3, "413", {"413": Variant("fatal", transport.too_large)}),
    "slowness": Fault(4, "overload that shows as slowness alone", {"queue": Variant("kept", transport.slow)}),
    "keep-alive": Fault(
        5,
        "a kept connection closed as it is used again",
        {"reused": Variant("lost", transport.close, lambda exchange: exchange.reused)},
    ),
    "cut-body": Fault(6, "a body that ends in the middle", {"half": Variant("lost", transport.cut_body)}),
    "silence": Fault(7, "accepted, then nothing", {"for-ever": Variant("lost", transport.silence)}),
    "drip": Fault(8, "blank lines, one at a time", {"blank-lines": Variant("lost", transport.drip)}),
    "error-200": Fault(9, "an error object with status 200", _all("lost", transport.ERRORS_200)),
    "no-choices": Fault(10, "no choices, billed", _written("lost", {"empty": content.no_choices})),
    "html": Fault(11, "an HTML page, also with status 200", _all("lost", transport.PAGES)),
    "bad-encoding": Fault(
        12,
        "gzip that is none, unless identity is asked for, or regardless",
        {
            "gzip": Variant("lost", transport.bad_encoding, transport.takes_gzip),
            "regardless": Variant("lost", transport.bad_encoding),
        },
    ),
    "envelope": Fault(13, "503 in the envelopes of other servers", _all("lost", transport.ENVELOPES)),
    "refused-option": Fault(
        14,
        "400 for an option of the request",
        {"first": Variant("lost", transport.refuse_option, lambda exchange: transport.option(exchange) is not None)},
    ),
    "denied": Fault(15, "401, 403, 404", _all("fatal", transport.DENIALS)),
    "context": Fault(
        16,
        "a context that overflows: refused, or cut in silence",
        {
            "refused": Variant("lost", transport.refuse_context, lambda exchange: transport.demos(exchange) > 2),
            "cut": Variant("lost", transport.cut_context, lambda exchange: transport.demos(exchange) > 2),
        },
    ),
    "usage": Fault(17, "usage missing or in part", _written("kept", content.USAGES)),
    "zombie": Fault(18, "generation that outlives its client", {"holds": Variant("kept", transport.zombie)}),
    "dropped": Fault(19, "connections dropped without a word", _all("lost", transport.DROPS)),
    "length": Fault(
        20,
        "cut off by the token limit",
        _written("kept", content.LENGTHS) | _written("lost", {"nothing": content.length_nothing}),
    ),
    "reasoning": Fault(
        21,
        "reasoning in place of content, or in it",
        _written("lost", content.REASONING_ALONE) | _written("kept", content.REASONING_BESIDE),
    ),
    "refusal": Fault(22, "a sentence, the refusal field, the content filter", _written("lost", content.REFUSALS)),
    "tool-calls": Fault(
        23,
        "a tool call in place of content",
        _written("kept", {"arguments": content.tool_call}) | _written("lost", {"empty": content.tool_call_empty}),
    ),
    "json-validate": Fault(
        24, "400 with the text in failed_generation", {"failed-generation": Variant("kept", transport.json_validate)}
    ),
    "dress": Fault(25, "fences, prose, other quotes, other keys, ...", _written("kept", content.DRESSES)),
    "trap": Fault(26, "what repair libraries fall into", _written("kept", content.TRAPS)),
    "hostile": Fault(27, "deep nesting, 5,000 digits, half characters", _written("kept", content.HOSTILE)),
    "drift": Fault(28, "the form of the rows changes", _written("kept", content.DRIFTS)),
}


def find(name: str) -> tuple[Fault, str]:
    """The fault called ``name`` and the variant that it names ("" for any).

    Raises:
        InputError: there is none.
    """
    fault, _, variant = name.partition(":")
    if fault not in FAULTS:
        raise InputError(f"there is no fault {fault!r}", hint=f"The faults are: {', '.join(FAULTS)}.")
    if variant and variant not in FAULTS[fault].variants:
        raise InputError(
            f"the fault {fault!r} has no variant {variant!r}", hint=f"It has: {', '.join(FAULTS[fault].variants)}."
        )
    return FAULTS[fault], variant


def mixed(rate: float) -> dict[str, float]:
    """Every fault that a run can survive, in equal shares that add up to ``rate``."""
    names = [name for name, fault in FAULTS.items() if not fault.fatal]
    return dict.fromkeys(names, rate / len(names))
