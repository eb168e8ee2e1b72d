"""Questions, their answers, and the log line or text that holds them."""

from __future__ import annotations

from tests.truth.forms import Check, Row, forms, one_of

_EN = ("Question", "Answer", "RawLog")
_ACCESS = '{ip} - - [{clf}] "{method} {path} HTTP/1.1" {status} {int} "-" "{agent}"'
_CHECKPOINT = "{iso} {millis} UTC [{id}] LOG: checkpoint complete: wrote {int} buffers ({percent}%); total={num} s"
_CONNECTION = "{iso} {millis} UTC [{id}] LOG: connection authorized: user={word1} database={word2} port={port}"
_MISSING = '{iso} {millis} UTC [{id}] ERROR: relation "{table}" does not exist at character {int}'
_STARTED = "kubelet: pod {word1} started on node {word2} after {num}s, restarts={int}"
_KILLED = "kernel: container {word} killed: out of memory, used {int1}Mi of limit {int2}Mi"
_VOLUME = "{md} {millis}  {int1} {int2} I AudioService: stream {int3} volume {int4} device {word}"
_PROCESS = "{md} {millis}  {int1} {int2} I ActivityManager: Start proc {int3}:{package}/{word} for activity"


def _over_limit(row: Row, held: dict[str, str]) -> str | None:
    """Killed for memory means more used than allowed."""
    if "int2" in held and "kernel" in str(row["RawLog"]) and int(held["int1"]) <= int(held["int2"]):
        return "killed below its limit"
    return None


QUESTIONS: dict[str, Check] = {
    "nginx_qa.jsonl": one_of(
        forms(
            _EN,
            ("How many bytes did {ip} receive for {path}?", "{int}", _ACCESS),
            ("Which status was returned to {ip} for {path}?", "{status}", _ACCESS),
            ("Which method did {ip} use for {path}?", "{method}", _ACCESS),
        )
    ),
    "postgres_qa.jsonl": one_of(
        forms(
            _EN,
            ("How long did the checkpoint of process {id} take?", "{num} s", _CHECKPOINT),
            ("Which database does user {word1} connect to in process {id}?", "{word2}", _CONNECTION),
            ("Which relation is missing in process {id}?", "{table}", _MISSING),
        )
    ),
    "kubelet_qa.jsonl": one_of(
        forms(
            _EN,
            ("Which node runs pod {word1}?", "{word2}", _STARTED),
            ("How often was pod {word1} restarted?", "{int}", _STARTED),
            ("How much memory did container {word} use when it was killed?", "{int1}Mi", _KILLED),
        ),
        _over_limit,
    ),
    "android_qa.jsonl": one_of(
        forms(
            _EN,
            ("Which volume was set for stream {int3}?", "{int4}", _VOLUME),
            ("Which process id did {package} get?", "{int3}", _PROCESS),
        )
    ),
    "pallets_number.jsonl": one_of(
        forms(
            ("Question", "Answer", "Text"),
            (
                "How many kg does crate {int1} weigh?",
                "{num}",
                "Crate {int1} left dock {int2}, weight {num} kg, gate {word}.",
            ),
            (
                "How warm was sensor {word} at {clock}?",
                "{num}",
                "At {clock} sensor {word} measured {num} degrees in hall {int}.",
            ),
        ),
        lambda row, _: None if not isinstance(row["Answer"], str) else "the answer is no longer a number",
    ),
    "towers.jsonl": one_of(
        forms(
            ("question", "answer", "context"),
            ("How high is the {name}?", "{int} metres", "The {name}, finished in {year}, is {int} metres high."),
            (
                "How high is {name}?",
                "{int} metres",
                "{name} is a mountain of {int} metres between {name1} and {name2}.",
            ),
            (
                "How large is {name}?",
                "{int} square kilometres",
                "{name}, shared by {name1} countries, has {int} square kilometres.",
            ),
            (
                "How long is the {name}?",
                "{int} kilometres",
                "The {name} is a river of {int} kilometres that ends in {text}.",
            ),
        )
    ),
    "zh_qa.jsonl": one_of(
        forms(
            ("问题", "答案", "日志"),
            ("订单 {int1} 的重量是多少公斤？", "{int3}", "订单 {int1} 已从 {int2} 号仓库发出，重量 {int3} 公斤。"),
            ("设备 {word} 的温度是多少度？", "{num}", "设备 {word} 温度为 {num} 度，风扇转速 {int}。"),
        )
    ),
    "ja_qa.jsonl": one_of(
        forms(
            ("質問", "答え", "本文"),
            (
                "荷物 {int} の届け先はどこですか。",
                "{one}",
                "荷物 {int} は {month} 月 {day} 日に{one}へ発送されました。",
            ),
            ("列車 {int} は何分遅れていますか。", "{count}", "列車 {int} は信号故障のため {count} 分遅れています。"),
        )
    ),
    "de_qa.jsonl": one_of(
        forms(
            ("Frage", "Antwort", "Protokoll"),
            (
                "Wie lange dauerte die Störung {int}?",
                "{count} Minuten",
                "Störung {int} wurde am {german} nach {count} Minuten behoben.",
            ),
            ("Wer prüfte den Kessel {word}?", "{name}", "Den Kessel {word} prüfte {name} mit {comma} bar."),
        )
    ),
    "hi_qa.jsonl": one_of(
        forms(
            ("प्रश्न", "उत्तर", "पाठ"),
            (
                "बक्सा {int1} का वज़न कितना है?",
                "{count} किलो",
                "बक्सा {int1} गोदाम {int2} में है और उसका वज़न {count} किलो है।",
            ),
            ("पुस्तक {int} किसके पास है?", "{one}", "पुस्तक {int} {one1} से {one} के पास है।"),
        )
    ),
    "ar_qa.jsonl": one_of(
        forms(
            ("السؤال", "الجواب", "النص"),
            ("كم وزن الصندوق {int1}؟", "{count} كيلو", "وصل الصندوق {int1} إلى المخزن {int2} ووزنه {count} كيلو."),
            ("أين الكتاب {int}؟", "{one}", "الكتاب {int} موجود في {one} منذ سنة {year}."),
        )
    ),
    "fr_qa.jsonl": one_of(
        forms(
            ("Question", "Réponse", "Texte"),
            (
                "Combien de colis contient la caisse {int} ?",
                "{count}",
                "La caisse {int} contient {count} colis et pèse {comma} kg.",
            ),
            (
                "À quelle heure part le train {int} ?",
                "{heure}",
                "Le train {int} part à {heure} de la voie {int1}.",
            ),
        )
    ),
}
