"""What the words and codes of an error mean, in English and Chinese; pure.

Used where the status does not say it: a 400 may be a wrong key, a 503 a model that no channel serves, and a 200 any
error at all.
"""

from __future__ import annotations

import re


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


CONTEXT_LENGTH = _words(
    r"context_length|context (?:length|window|size)|max_model_len|\bn_ctx\b|(?:prompt|input)(?: is|'s)? too long",
    r"too many (?:input )?tokens|reduce (?:the length|your prompt)|string_above_max_length|range of input length",
    r"(?:prompt|input) (?:tokens?|length) exceeds?|(?:输入|上下文|提示词).{0,8}(?:过长|超长|超出|超过)",
)
#: Errors about the context that blame the room for the reply.
REPLY_TOO_LONG = _words(r"in the completion|for the completion|max_(?:completion_|new_)?tokens|output tokens")
NO_CREDIT = _words(
    r"insufficient[_ ](?:(?:user|account)[_ ])?(?:quota|balance|funds|credits?)|exceeded your current quota",
    r"billing_hard_limit|spend(?:ing)? limit|usage_limit_reached|credit balance|payment required|arrear(?:age|s)",
    r"(?:out of|not enough|no) (?:credits?|balance)|余额不足|欠费|额度(?:不足|已?用尽|已?耗尽)",
)
BAD_KEY = _words(
    r"(?:invalid|incorrect|wrong|missing|no)[_ ]?(?:api|access)[_ ]?(?:key|token)|api[_ ]?key[_ ](?:not valid|invalid)",
    r"unauthori[sz]ed|unauthenticated|authentication[_ ](?:error|fail)|invalid[_ ]authentication|login fail",
    r"token (?:is )?(?:invalid|expired)|invalid[_ ](?:access[_ ])?token|鉴权失败|认证失败|无效的?(?:令牌|密钥|api)",
    r"(?:令牌|密钥)(?:无效|不存在|错误|已过期)|身份验证",
)
#: A gateway that has no provider for a model answers 503, for ever (One API and its kin).
NO_CHANNEL = _words(r"no available channel", r"无可用渠道")
NO_MODEL = _words(
    r"model_?not_?found|model\b.*(?:not (?:exist|found)|no access|unknown)|no such model|unknown model",
    r"model\b.*not (?:a valid|available)|no endpoints found for|no allowed providers",
    r"deployment_?not_?found|deployment\b.*does not exist|模型.{0,30}(?:不存在|未找到|未开通)",
    NO_CHANNEL.pattern,
)
#: The model continues texts and takes no messages.
NO_CHAT = _words(
    r"not a chat model", r"does not support chat[ _]?completions?", r"(?:provide a|no|default) chat[_ ]template"
)
FILTERED = _words(
    r"content[_ ]?(?:filter|policy|management)|responsible ?ai|data_?inspection|(?:input|output|content)[_ ]sensitive",
    r"sensitive (?:content|words?|information)|inappropriate content|敏感|违规|不安全",
)
#: A 404 of a gateway none of whose providers takes the options (OpenRouter).
UNSUPPORTED = _words(r"support\w* (?:the |all )?(?:requested|these|those|required)? ?parameters")
_RATE_LIMIT = _words(
    r"rate[_ -]?limit|too many requests|throttl|requests per (?:second|minute)|\b(?:qps|qpm|rpm|tpm)\b|concurren",
    r"resource_exhausted|限流|频率|请求(?:过多|频繁|过于频繁)|并发",
)
_BAD_REQUEST = _words(
    r"invalid[_ ]?(?:request|param|argument|input|value)|bad[_ ]?request|illegal|param(?:eter)?s? (?:error|invalid)",
    r"not supported|unsupported|参数(?:错误|无效|非法|不合法|校验)|不支持",
)
_TRANSIENT = _words(
    r"overload|busy|try again|time(?:d )?out|unavailable|internal|temporar|繁忙|稍后|超时|内部错误",
)
#: LM Studio answers this, with status 200, to any path that does not begin with /v1.
_NO_SUCH_PATH = _words(r"unexpected endpoint")
#: What a status 200 hides, by the words of the error, the surest first.
_STATUS_OF_WORDS = (
    (_NO_SUCH_PATH, 404),
    (NO_CREDIT, 402),
    (BAD_KEY, 401),
    (_RATE_LIMIT, 429),
    (NO_MODEL, 404),
    (FILTERED, 400),
    (CONTEXT_LENGTH, 400),
    (_BAD_REQUEST, 400),
    (_TRANSIENT, 503),
)


def kind_of(code: str, text: str) -> int:
    """The HTTP status that an error with status 200 means: its code, if it is one, or by its words; 0 if unknown.

    >>> kind_of("1113", "1113 您的账户已欠费，请充值后重试")
    402
    """
    if code.isascii() and code.isdigit() and len(code) == 3 and 400 <= int(code) < 600:
        return int(code)
    return next((status for pattern, status in _STATUS_OF_WORDS if pattern.search(text)), 0)
