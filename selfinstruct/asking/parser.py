"""Parse an English line into segments of chunks: noun phrases, verbs, prepositions, states.

    "Closed socket connection for client /10.0.0.7:5001" ->
        verb "Closed", phrase "socket connection", preposition "for", phrase "client" with the value 10.0.0.7:5001

A shallow parser after Abney ("Parsing by Chunks", 1991): one pass from left to right, no tree. A line is cut into
segments at punctuation marks; what is in brackets is a segment of its own.

Does not handle: sentences in which a word's class shows only from far away. What it cannot parse has few
chunks, and few questions are asked about it.

>>> line = "Partition rdd_42_18 not found, computing it"
>>> [[(chunk.kind, chunk.text) for chunk in segment.chunks] for segment in parse(line)]
[[('phrase', 'Partition rdd_42_18'), ('not', 'not'), ('verb', 'found')], [('verb', 'computing'), ('stop', 'it')]]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from selfinstruct.asking import grammar, keys
from selfinstruct.asking.grammar import Verb
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.phrases import Chunk, Phrase, Segment, is_program_name, is_sound, written_words
from selfinstruct.asking.tokens import Token, joined, tokenize

_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
#: Verbs with a particle that mean something else than without.
_PHRASAL = {"log": ("in", "out", "on", "off"), "sign": ("in", "out", "up"), "give": ("up",), "back": ("off",)}
_UNLISTED_VERB = re.compile("[a-z]{3,}ed")
_WORDS = re.compile(r"[\w.-]+(?:,[\w.-]+)+")
_PARTICLES = frozenset(("out", "up", "down", "off", "back"))


def parse(
    text: str, start: int = 0, is_value: Callable[[str, Token], bool] = lambda text, token: False
) -> list[Segment]:
    """Return the segments of a line from ``start`` on; ``is_value`` tells which words are known to be values."""
    parser = _Parser(text, joined(text, tokenize(text, start)), is_value)
    parser.run()
    return [segment for segment in parser.segments if segment.chunks]


class _Parser:
    """One pass over the tokens of a line."""

    def __init__(self, text: str, tokens: Sequence[Token], is_value: Callable[[str, Token], bool]) -> None:
        self.text = text
        self.tokens = tokens
        self._is_learnt = is_value
        self.at = 0
        self.segments: list[Segment] = []
        self.open: list[tuple[str, Segment]] = []
        self.segment = Segment("", tokens[0].start if tokens else 0, 0, 0)
        self.segments.append(self.segment)

    def run(self) -> None:
        """Parse all tokens."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "mark":
                self._mark(token)
                self.at += 1
            elif self._is_unlisted_verb(token) or (
                not self._function_word(token) and not self._verb(token) and not self._phrase()
            ):
                self._add("stop", token)
                self.at += 1

    def _is_constant(self, token: Token) -> bool:
        """Whether a word in capitals after a preposition is a constant, whatever it means: from NEW to RUNNING."""
        return token.text.isupper() and len(token.text) > 2 and self._previous() == "preposition"

    def _is_unlisted_verb(self, token: Token) -> bool:
        """Whether a word outside the lists looks like a verb in the past after a phrase; what it does is not known."""
        is_after = self._previous() == "phrase" and token.kind == "word" and not self.is_value(token)
        is_listed = grammar.verb_of(token.text) is not None or grammar.noun_flags(token.text) is not None
        return is_after and not is_listed and _UNLISTED_VERB.fullmatch(token.text.lower()) is not None

    def is_value(self, token: Token) -> bool:
        """Whether a word is known to be a value."""
        return self._is_learnt(self.text, token) or self._is_named(token)

    def _is_named(self, token: Token) -> bool:
        """Whether an unlisted word is a name: right after "user" or "service", and before a verb, a mark or the end."""
        if token.kind != "word" or grammar.is_closed_class(token.text) or grammar.is_state(token.text):
            return False
        at = next((i for i in range(max(0, self.at - 1), len(self.tokens)) if self.tokens[i] is token), 0)
        before, after = self._token(at - 1), self._token(at + 1)
        flags = (grammar.noun_flags(before.text) or "") if before is not None and before.kind == "word" else ""
        if "p" not in flags and ("n" not in flags or token.text.endswith(("er", "or"))):
            return False
        if grammar.verb_of(token.text) is not None or grammar.is_noun_like(token.text) or grammar.is_adverb(token.text):
            return False
        if after is None or after.kind != "word" or after.text.lower() in grammar.PREPOSITIONS:
            told = self._token(at + 2)
            is_told = told is not None and told.kind == "word" and not keys.is_tight_key(self.tokens, at)
            return after is None or after.text not in ("=", ":") or (after.text == ":" and is_told)
        verb = grammar.verb_of(after.text)
        return after.text.lower() in grammar.AUXILIARIES or (verb is not None and verb.form in ("ed", "s", "past"))

    # Segments

    def _mark(self, token: Token) -> None:
        if token.text in _CLOSING and self.text.find(_CLOSING[token.text], token.end) >= 0:
            self.open.append((_CLOSING[token.text], self.segment))
            self.segment = Segment(token.text, token.end, token.end, len(self.open))
            self.segments.append(self.segment)
        elif self.open and token.text == self.open[-1][0]:
            _, self.segment = self.open.pop()
        elif token.text == ":" and self._previous() == "preposition":
            self._list()
        elif token.text not in "#*\"'":
            self.segment = Segment(token.text, token.end, token.end, len(self.open))
            self.segments.append(self.segment)

    def _list(self) -> None:
        """A list without spaces after "to:" is one value: Changing view acls to: yarn,curi."""
        first = self._token(self.at + 1)
        match = _WORDS.match(self.text, first.start) if first is not None and first.kind == "word" else None
        if first is None or match is None or (match.end() < len(self.text) and not self.text[match.end()].isspace()):
            return
        value = Token(first.start, match.end(), "word", match[0])
        phrase = Phrase(value=value, words_start=value.start, words_end=value.start)
        self.segment.chunks.append(Chunk("phrase", value.start, value.end, value.text, phrase=phrase))
        self.segment.end = value.end
        while (token := self._token(self.at + 1)) is not None and token.start < value.end:
            self.at += 1

    def _add(self, kind: str, token: Token, verb: Verb | None = None, end: int | None = None) -> None:
        end = token.end if end is None else end
        self.segment.chunks.append(Chunk(kind, token.start, end, self.text[token.start : end], verb))
        self.segment.end = end

    def _previous(self) -> str:
        return self.segment.chunks[-1].kind if self.segment.chunks else ""

    def _token(self, at: int) -> Token | None:
        return self.tokens[at] if 0 <= at < len(self.tokens) else None

    def _is_word(self, at: int) -> bool:
        token = self._token(at)
        return token is not None and token.kind in ("word", "code")

    # Words of closed classes

    def _function_word(self, token: Token) -> bool:
        if token.kind != "word" or self.is_value(token) or self._is_constant(token):
            return False
        word = token.text.lower()
        following = self._token(self.at + 1)
        kind = ""
        if word == "to" and self._is_base_verb(self.at + 1):
            kind = "to"
        elif word in grammar.PREPOSITIONS:
            kind = "preposition"
        elif word in grammar.NEGATED:
            kind = "cannot"
        elif word in grammar.MODALS:
            kind = "modal"
        elif word in grammar.AUXILIARIES:
            kind = "auxiliary"
        elif word in ("not", "never"):
            kind = "not"
        elif word in grammar.CONJUNCTIONS:
            kind = "stop"
        elif grammar.is_adverb(word) and not (following and following.kind == "mark" and following.text in "=:"):
            kind = "adverb"
        elif self._is_state(word) and not self._modifies(self.at):
            kind = "state"
        if not kind or (following is not None and following.text == "=" and kind != "stop"):
            return False
        self._add(kind, token)
        self.at += 1
        return True

    def _is_base_verb(self, at: int) -> bool:
        token = self._token(at)
        verb = grammar.verb_of(token.text) if token is not None and token.kind == "word" else None
        return verb is not None and (verb.form == "base" or (token is not None and verb.base == token.text.lower()))

    def _is_state(self, word: str) -> bool:
        verb = grammar.verb_of(word)
        return grammar.is_state(word) and (verb is None or verb.form != "ed")

    def _modifies(self, at: int) -> bool:
        """Whether the adjective at ``at`` modifies a noun or a value right after it."""
        following = self._token(at + 1)
        if following is None or following.kind == "mark":
            return following is not None and following.text in ":=" and self._has_value(at + 2)
        if self._previous() == "phrase" and self.segment.chunks[-1].text.endswith("()"):
            return False
        if following.kind != "word":
            return self._previous() in ("", "preposition", "verb", "phrase") and not (
                self._previous() == "phrase" and following.kind in ("host", "path", "file")
            )
        word = following.text
        if grammar.is_closed_class(word) or grammar.is_adverb(word):
            return False
        verb = grammar.verb_of(word)
        return grammar.is_noun_like(word) or self.is_value(following) or verb is None or verb.form == "base"

    def _has_value(self, at: int) -> bool:
        token = self._token(at)
        return token is not None and (token.is_value or token.kind in ("clock", "quoted") or self.is_value(token))

    # Verbs

    def _verb(self, token: Token) -> bool:
        if token.kind != "word" or self.is_value(token) or self._is_constant(token):
            return False
        verb = grammar.verb_of(token.text)
        if verb is None or not self._is_verb_here(verb, token):
            return False
        is_bare = self._previous() in ("modal", "cannot", "to") or self._follows_negation()
        if verb.form == "base" and not is_bare:
            is_participle = grammar.participle(verb.base) == token.text.lower()
            verb = verb._replace(form="ed" if is_participle else "base")
        following = self._token(self.at + 1)
        if verb.base in _PHRASAL and following is not None and following.text.lower() in _PHRASAL[verb.base]:
            verb = verb._replace(base=f"{verb.base} {following.text.lower()}", is_transitive=False)
        end = token.end
        if following is not None and (following.text.lower() in _PARTICLES or " " in verb.base):
            end = following.end
            self.at += 1
        self._add("verb", token, verb, end)
        self.at += 1
        return True

    def _is_verb_here(self, verb: Verb, token: Token) -> bool:
        previous, following = self._previous(), self._token(self.at + 1)
        word = token.text.lower()
        if following is not None and following.text == "=":
            return False
        if previous in ("modal", "cannot", "to") or self._follows_negation():
            return verb.form == "base" or verb.base == word
        if verb.form == "ing":
            return grammar.noun_flags(word) is None and previous != "preposition"
        if verb.form == "ed" or (verb.form == "base" and grammar.participle(verb.base) == word):
            return self._is_participle_here(verb, word, previous, following)
        if verb.form == "past":
            return previous in ("phrase", "adverb", "")
        if previous != "phrase" or grammar.noun_flags(word) is not None or following is None:
            return False
        return verb.form == "s" or grammar.is_plural(self.segment.chunks[-1].text)

    def _follows_negation(self) -> bool:
        kinds = [chunk.kind for chunk in self.segment.chunks[-2:]]
        if kinds == ["modal", "not"]:
            return True
        return kinds == ["auxiliary", "not"] and self.segment.chunks[-2].text.lower() in ("did", "does", "do")

    def _is_participle_here(self, verb: Verb, word: str, previous: str, following: Token | None) -> bool:
        if previous in ("preposition", "state") or (verb.form == "base" and grammar.noun_flags(word) is not None):
            return False
        if previous == "" and keys.is_key(self.tokens, self.at + 1, ("=",)):
            return False  # a part of the key: proposed zxid=0x7
        is_last = following is None or following.kind == "mark"
        is_closed = following is not None and following.kind == "word" and grammar.is_closed_class(following.text)
        if previous in ("phrase", "auxiliary", "not", "adverb"):
            return verb.form == "ed" or is_last or is_closed
        if previous == "":
            return verb.form == "ed" and (verb.is_transitive or is_last or is_closed)
        return previous == "stop" and verb.form == "ed"

    # Noun phrases

    def _phrase(self) -> bool:
        first = self.at
        determiner = ""
        token = self.tokens[self.at]
        if (
            token.kind == "word"
            and token.text.lower() in (*grammar.DETERMINERS, "no")
            and not keys.is_key(self.tokens, self.at)
        ):
            determiner = token.text
            self.at += 1
        words = self._words()
        value, is_keyed = self._value(words)
        if not words and value is None:
            self.at = first
            return False
        unit = self._unit() if value is not None and value.kind == "number" else None
        words_start = words[0].start if words else (value.start if value else 0)
        phrase = Phrase(
            words=written_words([word.text for word in words], not self.segment.chunks, self.text.isupper(), value),
            words_start=words_start,
            words_end=words[-1].end if words else words_start,
            determiner=determiner,
            value=value,
            unit=unit.text if unit is not None else "",
            unit_end=unit.end if unit is not None else 0,
            is_keyed=is_keyed,
            is_sound=is_sound(words, is_keyed, value) and not (value is None and self._is_letter(self.at)),
        )
        last = unit or value or words[-1]
        start = self.tokens[first].start if determiner else words_start
        chunk = Chunk("phrase", start, last.end, self.text[start : last.end], phrase=phrase)
        self.segment.chunks.append(chunk)
        self.segment.end = last.end
        return True

    def _is_letter(self, at: int) -> bool:
        """Whether a single letter follows, which belongs to the phrase: volume D."""
        token = self._token(at)
        return token is not None and token.kind == "word" and len(token.text) == 1 and token.text not in ("a", "A", "I")

    def _words(self) -> list[Token]:
        words: list[Token] = []
        has_noun = False
        while (token := self._token(self.at)) is not None:
            if token.kind not in ("word", "code") or self.is_value(token):
                break
            is_closed = grammar.is_closed_class(token.text) and not keys.is_key(self.tokens, self.at, ("=",))
            if (is_closed or not keys.is_key(self.tokens, self.at)) and not self._continues(token, words, has_noun):
                break
            if words and keys.is_tight_key(self.tokens, self.at):
                break
            is_key = keys.is_key(self.tokens, self.at) and self._has_keyed_value(self.at)
            if words and grammar.is_name(token.text) and is_program_name(words[-1].text):
                break  # a variable after the function that logs it
            if is_key and any(grammar.is_name(word.text) for word in (*words, *([token] if words else ()))):
                break  # a key of its own after a name: onReceive action: SCREEN_ON
            words.append(token)
            has_noun = has_noun or not grammar.is_adjective(token.text)
            self.at += 1
            if is_key or keys.is_key(self.tokens, self.at - 1):
                break
        return words

    def _continues(self, token: Token, words: Sequence[Token], has_noun: bool) -> bool:
        if words and words[-1].text.endswith("()"):
            return False
        if token.kind == "code" or (not words and self._is_constant(token)):
            return True
        word = token.text.lower()
        if grammar.is_closed_class(word) or grammar.is_adverb(word):
            return False
        if self._is_state(word) and not self._modifies(self.at):
            return False
        verb = grammar.verb_of(word)
        if verb is None and has_noun and _UNLISTED_VERB.fullmatch(word) and grammar.noun_flags(word) is None:
            return False
        if verb is None or grammar.noun_flags(word) is not None:
            return True
        if not words:
            return not (verb.form in ("ing", "s") and self._previous() == "")
        if verb.form == "ing" and any(chunk.kind == "verb" for chunk in self.segment.chunks):
            return self._is_word(self.at + 1)
        if verb.form == "base" and has_noun:
            return not grammar.is_plural(words[-1].text) and not self._is_bare_participle(verb, word)
        return not has_noun

    def _is_bare_participle(self, verb: Verb, word: str) -> bool:
        following = self._token(self.at + 1)
        ends = following is None or following.kind == "mark" or grammar.is_closed_class(following.text)
        return grammar.participle(verb.base) == word and ends

    def _has_keyed_value(self, at: int) -> bool:
        """Whether a value follows the key at ``at`` and its mark."""
        value = self._token(at + 2)
        return value is not None and (self._has_value(at + 2) or value.kind in ("word", "code"))

    def _value(self, words: Sequence[Token]) -> tuple[Token | None, bool]:
        """The value after the words, and whether the mark of a key joins them; moves on behind it."""
        token = self._token(self.at)
        if words and token is not None and token.kind == "mark" and token.text in keys.JOINERS:
            found = keys.keyed_value(self.text, self.tokens, self.at, self._has_value)
            if found is None:
                return None, False
            value, self.at = found
            return value, token.text != "#"
        if token is None or not self._has_value(self.at):
            return None, False
        self.at += 1
        return token, False

    def _unit(self) -> Token | None:
        token = self._token(self.at)
        if token is None:
            return None
        number = self.tokens[self.at - 1]
        is_unit = token.text in entries("units") and (token.kind == "word" or token.text == "%")
        if not is_unit or token.start - number.end > 1 or keys.is_key(self.tokens, self.at):
            return None
        self.at += 1
        return token
