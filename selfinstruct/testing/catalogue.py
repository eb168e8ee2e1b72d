"""The faults by name: kinds observed in OpenAI-compatible endpoints, and their variants.

``rate-limit`` is a random variant, ``rate-limit:date`` a particular one. Faults befall some requests; those that last
are an endpoint's manners, which hold for every request, and are meant to be used one at a time with the share 1.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aiohttp import web

from selfinstruct.errors import InputError
from selfinstruct.testing import content, dress, manners, transport
from selfinstruct.testing.exchange import Exchange

#: The effect on a run. ``lost``: the request yields no row, and another one is needed; ``kept``: rows arrive, perhaps
#: fewer; ``fatal``: repeating the request cannot help.
Effect: TypeAlias = Literal["lost", "kept", "fatal"]
Act: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a fault, and the requests to which it applies.

    Of one that lasts, ``wasted`` is the number of calls that it costs a client to find out what is right, and ``told``
    are words that the client's user should read, in a note or an error; "" if there is nothing to tell.
    """

    effect: Effect
    act: Act
    applies: Callable[[Exchange], bool] = lambda exchange: True
    wasted: int = 0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, numbered from 1, with its variants by name; a ``lasting`` one holds for every request."""

    number: int
    description: str
    variants: Mapping[str, Variant]
    lasting: bool = False

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


def _refusing(
    act: Act, applies: Callable[[Exchange], bool], told: str, wasted: int = 1, effect: Effect = "lost"
) -> Variant:
    return Variant(effect, act, applies, wasted, told)


def _kept(acts: Mapping[str, Act]) -> dict[str, Variant]:
    return {name: Variant("kept", act) for name, act in acts.items()}


_UNNAMED = manners.saying("Invalid request: the request could not be processed.")
_OPENROUTER = {
    "message": "Provider returned error",
    "code": 400,
    "metadata": {"raw": '{"error":{"message":"presence_penalty is not supported"}}', "provider_name": "X"},
}

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
    "refusal": Fault(
        22,
        "a sentence, the refusal field, the content filter",
        _rewriting("lost", content.REFUSALS),
    ),
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
    "no-system": Fault(
        29,
        "system messages are refused: their text belongs in front of the user's",
        {
            name: _refusing(act, manners.has_system, "system messages")
            for name, act in {
                "gemma": manners.saying("System role not supported"),
                "template": manners.saying(
                    "Value is not callable: Jinja Exception: Conversation roles must alternate user/assistant", 500
                ),
                "google": manners.saying("Developer instruction is not enabled for models/gemma-3-27b-it"),
                "roles": manners.saying("Only user and assistant roles are supported!"),
                "path": manners.refusing(
                    422,
                    {
                        "detail": [
                            {"loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user', 'assistant'"}
                        ]
                    },
                ),
                "chinese": manners.refusing(400, {"code": "1214", "msg": "该模型不支持system角色"}),
                "unexpected": manners.saying("Unexpected role 'system' in messages[0]", param="messages.[0].role"),
            }.items()
        }
        | {"unnamed": _refusing(_UNNAMED, manners.has_system, "system messages", 8)},
        lasting=True,
    ),
    "no-option": Fault(
        30,
        "one option is refused: it is left out alone",
        {
            "named": _refusing(
                manners.saying("Unsupported parameter", param="presence_penalty"),
                manners.has("presence_penalty"),
                "presence_penalty",
            ),
            "spelled": _refusing(
                manners.saying("The presence penalty cannot be set for this model."),
                manners.has("presence_penalty"),
                "presence_penalty",
            ),
            "camel": _refusing(manners.saying("topP is not allowed"), manners.has("top_p"), "top_p"),
            "extra": _refusing(
                manners.refusing(422, {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}),
                manners.has("seed"),
                "seed",
            ),
            "provider": _refusing(
                manners.refusing(400, {"error": _OPENROUTER}), manners.has("presence_penalty"), "presence_penalty"
            ),
            "no-provider": _refusing(
                manners.saying("No endpoints found that support the requested parameters.", 404),
                manners.has("presence_penalty"),
                "presence_penalty",
                8,
            ),
            "exclusive": _refusing(
                manners.saying("`temperature` and `top_p` cannot both be specified for this model."),
                lambda exchange: {"temperature", "top_p"} <= exchange.body.keys(),
                "top_p",
            ),
            "range": _refusing(
                manners.saying("temperature must be in the range [0, 0.5]"),
                manners.above("temperature", 0.5),
                "using 0.5",
            ),
            "fixed": _refusing(
                manners.saying(
                    "Unsupported value: 'temperature' does not support 0.7. Only the default (1) is supported."
                ),
                manners.has("temperature"),
                "temperature",
            ),
            "server-error": _refusing(manners.saying("unsupported parameter: seed", 500), manners.has("seed"), "seed"),
            "in-200": _refusing(
                manners.refusing(200, {"code": "InvalidParameter", "message": "seed: not supported"}),
                manners.has("seed"),
                "seed",
            ),
            **{
                f"unnamed-{option}": _refusing(_UNNAMED, manners.has(option), option.replace("-", "_"), 8)
                for option in ("temperature", "top_p", "presence_penalty", "seed")
            },
        },
        lasting=True,
    ),
    "no-format": Fault(
        31,
        "a reply format, or a keyword of its schema, is refused: the next one is used",
        {
            "type": _refusing(
                manners.saying("This response_format type is unavailable now"), manners.has_schema, "json_object"
            ),
            "keyword": _refusing(
                manners.saying(
                    'Invalid JSON payload received. Unknown name "additionalProperties" at '
                    "'generation_config.response_schema': Cannot find field."
                ),
                manners.has_keyword("additionalProperties"),
                "additionalProperties",
                2,
            ),
            "strict": _refusing(
                manners.saying("Unrecognized key 'strict'", param="response_format"),
                manners.has_keyword("strict"),
                "strict",
            ),
            "grammar": _refusing(
                manners.saying("Failed to initialize samplers: failed to parse grammar", 500),
                manners.has_schema,
                "response_format",
            ),
            "unnamed": _refusing(_UNNAMED, manners.has("response_format"), "plain text", 8),
            "crash": _refusing(
                manners.saying("Internal server error", 500), manners.has("response_format"), "plain text", 6
            ),
            "crash-on-schema": _refusing(
                manners.saying("EngineCore encountered an issue.", 502), manners.has_schema, "json_object", 5
            ),
        },
        lasting=True,
    ),
    "token-limit": Fault(
        32,
        "a token limit outside the bounds, or under another name: it is moved into them, or renamed",
        {
            "higher": _refusing(
                manners.saying(
                    "Could not finish the message because max_tokens or model output limit was reached. Please try "
                    "again with higher max_tokens."
                ),
                manners.limit_below(100),
                "",
            ),
            "minimum": _refusing(
                manners.saying("Invalid 'max_tokens': integer below minimum value. Expected a value >= 256, got 16."),
                manners.limit_below(256),
                "",
            ),
            "minimum-above-the-recipe": _refusing(
                manners.saying("max_tokens must be at least 4000"), manners.limit_below(4_000), "max_tokens"
            ),
            "range": _refusing(
                manners.saying("Invalid max_tokens value, the valid range of max_tokens is [1, 1024]"),
                manners.limit_above(1_024),
                "using 1,024",
                16,
            ),
            **{
                name: _refusing(act, manners.limit_above(1_204), told, 2)
                for name, (act, told) in manners.NO_ROOM.items()
            },
            "renamed": _refusing(
                manners.saying(
                    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                    "'max_completion_tokens' instead.",
                    param="max_tokens",
                    code="unsupported_parameter",
                ),
                manners.has("max_tokens"),
                "max_completion_tokens",
            ),
        },
        lasting=True,
    ),
    "streams-only": Fault(
        33,
        "only streams are served: replies are streamed",
        {
            name: _refusing(act, manners.does_not_stream, "streaming replies")
            for name, act in {
                "must": manners.refusing(400, {"detail": "Stream must be set to true"}),
                "only": manners.saying("This model only support stream mode, please enable the stream parameter"),
                "thinking": manners.refusing(
                    400,
                    {
                        "code": "invalid_parameter_error",
                        "message": "parameter.enable_thinking must be set to false for non-streaming calls",
                    },
                ),
                "in-200": manners.refusing(200, {"code": 1210, "msg": "该模型仅支持流式调用 (stream=true)，参数错误"}),
            }.items()
        },
        lasting=True,
    ),
    "stream": Fault(34, "events, though no stream was asked for", _kept(manners.STREAMS), lasting=True),
    "wrapper": Fault(
        35, "JSON after comments, before a tail, or in another reply", _kept(manners.WRAPPERS), lasting=True
    ),
    "error-in-stream": Fault(
        36, "an error after half of a stream", _all("lost", {"upstream": manners.error_in_stream})
    ),
    "ending": Fault(37, "other words for the end of a reply, and none", _rewriting("kept", dress.ENDINGS)),
    "control-tokens": Fault(38, "control tokens and tags around the reply", _rewriting("kept", dress.CONTROL_TOKENS)),
    "strings": Fault(39, "rows as strings of JSON", _rewriting("kept", dress.STRINGS)),
    "full-width": Fault(40, "full-width punctuation of JSON", _rewriting("kept", dress.FULL_WIDTH)),
    "disguised": Fault(
        41, "a wrong key, model or account, told in other statuses", _all("fatal", transport.DISGUISED), lasting=True
    ),
    "prompt-filter": Fault(42, "400 of a filter for the prompt", {"azure": Variant("lost", transport.prompt_filtered)}),
    "list-marks": Fault(43, "numbers and bullets inside the values", _rewriting("kept", dress.LIST_MARKS)),
    "placeholder": Fault(44, "a row of placeholders", _rewriting("kept", dress.PLACEHOLDERS)),
    "damage": Fault(45, "control characters, doubled escapes and tokens in a row", _rewriting("kept", dress.DAMAGE)),
    "ignored-format": Fault(46, "response_format is accepted and ignored", _rewriting("kept", dress.IGNORED_FORMATS)),
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
    """Every fault that neither is fatal nor lasts, in equal shares with the sum ``rate``."""
    names = [name for name, fault in FAULTS.items() if not fault.fatal and not fault.lasting]
    return dict.fromkeys(names, rate / len(names))
