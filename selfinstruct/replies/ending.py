"""What an endpoint's ``finish_reason`` says about a reply: whole, cut off, withheld, or nothing certain; pure.

Sources of the words: the API references of OpenAI, Anthropic, Bedrock, Cohere, Gemini and Vertex AI, Mistral, Zhipu,
Qwen, Baidu, MiniMax, DeepSeek, xAI and watsonx, and the servers vLLM, SGLang, TGI, llama.cpp, LM Studio and Ollama.

>>> ending_of("FinishReason.MAX_TOKENS"), ending_of("end_turn"), ending_of("abort"), ending_of("")
('truncated', 'whole', 'doubtful', 'whole')
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, TypeAlias

Ending: TypeAlias = Literal["whole", "truncated", "filtered", "refused", "doubtful"]

#: The ``finish_reason`` of a reply that has none, or null, from an endpoint that states one for other replies.
MISSING = "missing"

# In lower case, without anything but letters.
_WORDS: dict[Ending, str] = {
    "whole": """
        stop stopped stopsequence stopsequences stoptoken stopstr stopstring stopstringfound stopword stopwords
        stoppedeos stoppedword eos eostoken eosfound eog eot endoftext endofturn endofsequence endofsentence endturn
        end ended complete completed completion finish finished done normal natural success succeeded ok tool tools
        tooluse toolcall toolcalls functioncall functioncalls callingtool
    """,
    "truncated": """
        length lengthlimit maxlength maxlen modellength maxtoken maxtokens maxnewtokens maxoutputtokens maxoutput
        maxcompletiontokens maxtokensreached maxpredictedtokensreached maxoutputtokensreached maxcontext
        maxcontextlength tokenlimit tokenlimitreached tokenslimit outputlimit limit limitreached errorlimit
        truncated truncation incomplete context contextlength contextlengthreached contextlengthexceeded
        contextwindow contextlimit contextwindowexceeded stoplimit stoppedlimit modelcontextwindowexceeded
        modellengthexceeded maxmodellen notfinished
    """,
    "filtered": """
        contentfilter contentfiltered contentfiltering filter filtered safety safetyfilter imagesafety sensitive
        sensitivecontent recitation blocklist blocked block prohibitedcontent prohibited spii moderation moderated
        guardrail guardrails guardrailintervened guardrailblocked errortoxic toxic toxicity contentpolicy
        contentpolicyviolation contentmoderation contentblocked policy policyviolation dataininspectionfailed
        datainspectionfailed riskcontrol outputblocked inputblocked language jailbreak
    """,
    "refused": "refusal refuse refused decline declined",
}
_ENDINGS: dict[str, Ending] = {word: ending for ending, words in _WORDS.items() for word in words.split()}
# Names of enumerations before their member, as Python and protocol buffers write them.
_PREFIX = re.compile(r"\A(?:.*\.|(?:finish|stop)[_ -]?reason[_ -]|reason[_ -])", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=256)
def ending_of(finish_reason: str) -> Ending:
    """Return how a reply ended; only a word that is known to mean a whole reply is one.

    "" is what a backend says that knows no reasons, such as one of the user's own: its replies are whole.
    """
    if not finish_reason:
        return "whole"
    word = re.sub(r"[^a-z]", "", _PREFIX.sub("", finish_reason.strip()).lower())
    return _ENDINGS.get(word, "doubtful")
