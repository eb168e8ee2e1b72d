"""Messages, the catalogues of their translations, and the command line in Chinese."""

from __future__ import annotations

import ast
import re
import runpy
import string
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog

from selfinstruct.cli import main
from selfinstruct.cli.help import wrap
from selfinstruct.errors import InputError, RowError
from selfinstruct.messages import LANGUAGES, Phrase, _, joined, language_of, speaking, translated

ROOT = Path(__file__).parent.parent
MAKE = runpy.run_path(str(ROOT / "docs" / "make_messages.py"))
PO = ROOT / "selfinstruct" / "locale" / "zh" / "LC_MESSAGES" / "selfinstruct.po"
CATALOGUE: Catalog = MAKE["read"](PO)
ENTRIES = [(entry.id, entry.string) for entry in CATALOGUE if entry.id]
_CHINESE = re.compile(r"[\u4e00-\u9fff，。；：、（）]")
#: What may be the same in both languages: placeholders, names, numbers, code.
_NAME = re.compile(r"[\s{}\w.,:;=\[\]()/%+<>\"'|~*-]*", re.ASCII)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LC_MESSAGES": "zh_CN", "LANG": "zh_CN"}, "en"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"SELFINSTRUCT_LANG": "zh", "LC_ALL": "C"}, "zh"),
        ({"SELFINSTRUCT_LANG": "zh-Hans"}, "zh"),
        ({"SELFINSTRUCT_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_environment_names_the_language(environment: dict[str, str], language: str) -> None:
    """The project's variable first, then those of POSIX; English for anything without a catalogue."""
    assert language_of(environment) == language
    assert language in LANGUAGES


def test_a_phrase_is_english_until_it_is_shown() -> None:
    """A phrase is a str for everything else; its values are translated with it, and never read as templates."""
    phrase = Phrase("{where}: {problem}", where="{x}", problem="full")
    whole = Phrase("cannot write: {problem}", problem=phrase)
    assert phrase == "{x}: full"
    assert translated(whole) == "cannot write: {x}: full"
    with speaking("zh"):
        assert translated(whole) == "无法写入：{x}：full"
        assert str(whole) == "cannot write: {x}: full"
        assert translated(joined(["a", Phrase("interrupted")], "; ")) == "a；已中断"
        assert _("a text that no catalogue has") == "a text that no catalogue has"
        assert translated("") == ""
    assert _("interrupted") == "interrupted"


def test_values_are_spaced_as_chinese_is() -> None:
    """A space between Chinese and Latin, none between Chinese phrases; a name keeps the space that is around it."""
    rows = Phrase("at most {rows}", rows=Phrase.counting("{count:,} row", "{count:,} rows", 3))
    with speaking("zh"):
        assert _("{requests} to {model}", requests="2", model="gpt") == "向 gpt 发送了 2"
        shown = _("{rows} from {sources}, written by {writer}", rows=rows, sources="3 features", writer="山")
        assert shown == "由 3 features 扩充出至多 3 行，由山撰写"
        assert (
            _("{rows} from {sources}, written by {writer}", rows=1, sources="山", writer="x")
            == "由 山扩充出 1，由 x 撰写"
        )


def test_a_counting_phrase_has_the_number_of_its_language() -> None:
    """English has two forms, Chinese one."""
    rows = [Phrase.counting("{count:,} row", "{count:,} rows", count) for count in (0, 1, 1000)]
    assert rows == ["0 rows", "1 row", "1,000 rows"]
    with speaking("zh"):
        assert [translated(each) for each in rows] == ["0 行", "1 行", "1,000 行"]


def test_an_error_is_english_and_spelled_in_the_language_of_the_command_line() -> None:
    """The library raises English; the command line shows the translation, with its options."""
    error = RowError("a.jsonl:3", "no such file", hint="Choose another `out`.")
    other = InputError("cannot write: {problem}", problem="{x}", hint="Run {command} --help for usage.", command="{b}")
    with speaking("zh"):
        assert str(error) == "a.jsonl:3: no such file\n  Choose another `out`."
        assert error.spelled({"out": "--out"}) == ("a.jsonl:3：没有这个文件", "请另选 --out。")
        assert other.spelled({}) == ("无法写入：{x}", "用法请见 {b} --help。")
        assert str(other) == "cannot write: {x}\n  Run {b} --help for usage."


def test_the_catalogue_has_every_message_of_the_code_and_no_other() -> None:
    """Run `make messages` after adding or removing one, then translate what is empty."""
    known = {_template(entry) for entry, _string in ENTRIES}
    found = {each.texts[0] for each in MAKE["messages"]()}
    assert known == found
    assert MAKE["as_po"](MAKE["catalogue"](CATALOGUE)) == PO.read_bytes(), "run `make messages`"
    assert MAKE["as_mo"](MAKE["catalogue"](CATALOGUE)) == PO.with_suffix(".mo").read_bytes(), "run `make messages`"


def test_every_message_is_translated_into_chinese() -> None:
    """No translation is missing, fuzzy, or the English again, but for texts that are names and numbers alone."""
    assert not [entry.id for entry in CATALOGUE if entry.id and entry.fuzzy]
    assert not [entry for entry, text in ENTRIES if not _one(text)]
    same = [entry for entry, text in ENTRIES if not _CHINESE.search(_one(text)) and not _NAME.fullmatch(_one(text))]
    assert not same
    assert not [
        text
        for entry, text in ENTRIES
        if _one(text) == _template(entry) and re.search(r"[a-z]{2}", re.sub(r"{.*?}", "", _one(text)))
    ]


def test_a_translation_has_the_placeholders_of_its_message() -> None:
    """The same names, formats and conversions, in any order; Chinese has one form, for the values of the plural."""
    for entry, text in ENTRIES:
        english = entry if isinstance(entry, str) else entry[1]
        assert _placeholders(_one(text)) == _placeholders(english), entry


def test_chinese_sentences_take_full_width_punctuation() -> None:
    """After or before a Chinese character, no comma, semicolon, colon, question mark or bracket of ASCII."""
    wrong = re.compile(r"[\u4e00-\u9fff][,;:?!(]|[,;?!)][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?:\s|$)")
    assert not [text for _entry, text in ENTRIES if wrong.search(_one(text))]
    ended = [(entry, text) for entry, text in ENTRIES if _template(entry).endswith((".", "?")) and len(_one(text)) > 1]
    assert not [text for _entry, text in ended if not _one(text).endswith(("。", "？", "}", ".", "?"))]


def test_no_error_is_built_of_an_f_string() -> None:
    """An f-string cannot be looked up: raise a template with values. Values need literal templates."""
    wrong = []
    for path in sorted((ROOT / "selfinstruct").rglob("*.py")):
        if path.relative_to(ROOT / "selfinstruct").parts[0] in _NOT_YET:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _ERRORS | {"Phrase", "_", "Problem"}:
                at = int(node.func.id in ("RowError", "Problem")) if isinstance(node.func, ast.Name) else 0
                given = [*node.args[at:], *(each.value for each in node.keywords if each.arg == "hint")]
                if any(isinstance(part, ast.JoinedStr) for each in given for part in _alternatives(each)):
                    wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []


def _alternatives(node: ast.expr) -> list[ast.expr]:
    return [*_alternatives(node.body), *_alternatives(node.orelse)] if isinstance(node, ast.IfExp) else [node]


_NOT_YET = {"testing", "jinja_templates", "execution"}
_ERRORS = {"InputError", "RecipeError", "RowError", "ExtensionError", "EndpointError", "StorageError"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonesuch"], "selfinstruct: 没有命令 'nonesuch'。\n  用法请见 selfinstruct --help。\n"),
        (["run", "--rosw", "3"], "没有选项 --rosw（可能是：--from, --rows）"),
        (["run", "--rows", "x"], "'--rows' 的值无效：应为有效的整数"),
        (["run", "--concurrency", "0"], "'--concurrency' 的值无效：应大于或等于 1"),
        (["check", "x", "--format", "y"], "'--format' 的值无效：'y' 不是 'text', 'json', "),
        (["check"], "缺少参数 'FILE...'。"),
        (["recover", "x"], "缺少选项 '--out' / '-o'。"),
        (["init", "a", "b", "c"], "有多余的参数：b c"),
        (["run", "--rows"], "选项 '--rows' 需要一个值。"),
        (["recipes", "shwo"], "没有命令 'shwo'。是否想用 'show'？"),
        (["init"], "应给出 SEEDS，或 --recipe NAME。"),
    ],
)
def test_usage_errors_are_said_in_chinese(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What typer says about a command line is recognised and translated, and so is the hint."""
    monkeypatch.setenv("SELFINSTRUCT_LANG", "zh")
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert not re.search(r"[A-Z][a-z]+ [a-z]+", printed)


def test_help_is_translated_and_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line of any help page has English words or more than 80 cells; a wide character takes two."""
    from rich.cells import cell_len

    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("LC_ALL", raising=False)
    commands = ["run", "init", "recipes", "probe", "check", "dedup", "show", "report"]
    commands += ["evaluate", "export", "recover", "rejudge"]
    for arguments in ([], *([each] for each in commands), ["recipes", "show"]):
        assert main([*arguments, "--help"]) == 0
        page = capsys.readouterr().out
        assert page.startswith("用法：selfinstruct")
        assert max(map(cell_len, page.splitlines())) <= 80
        assert not re.search(r"[A-Z]?[a-z]+ [a-z]+ [a-z]+", re.sub(r"selfinstruct [a-z]+ ?[a-z]*", "", page))


def test_lines_break_beside_wide_characters_and_keep_punctuation() -> None:
    """No line starts with a closing mark or ends with an opening one."""
    text = "请修改种子（或配方），然后再次执行 selfinstruct run seeds.jsonl；已有的行都会保留。"
    for width in range(10, 60):
        lines = wrap(text, width)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert not any(line[0] in "，；。）" or line[-1] == "（" for line in lines)


def _template(entry: Any) -> str:
    return entry if isinstance(entry, str) else str(entry[0])


def _one(text: Any) -> str:
    return text if isinstance(text, str) else str(text[0])


def _placeholders(template: str) -> set[tuple[str, str, str]]:
    try:
        found = list(string.Formatter().parse(template))
    except ValueError:  # braces of JSON, in a message without values
        return set()
    return {(name, f":{spec}" if spec else "", conversion or "") for _, name, spec, conversion in found if name}
