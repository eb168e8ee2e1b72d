"""The machine-readable formats of ``check``: escaped against hostile text, valid against their schemas, capped.

``schemas/sarif-2.1.0-subset.json`` is written from the SARIF 2.1.0 standard: the objects that are used, closed as
there. The elements and attributes of JUnit are those of Jenkins's junit-10.xsd, as a table here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator

from selfinstruct import api
from selfinstruct.analysis.findings import Finding, Findings
from selfinstruct.cli import main
from selfinstruct.render.findings import FINDING_MEANINGS, findings_text
from selfinstruct.render.github import github_text
from selfinstruct.render.junit import junit_xml
from selfinstruct.render.sarif import sarif_json

SARIF = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0-subset.json").read_text())
#: Element -> its children, its required and its optional attributes.
JUNIT: Mapping[str, tuple[str, str, str]] = {
    "testsuites": ("testsuite", "", "name time tests failures errors"),
    "testsuite": (
        "testsuite properties testcase system-out system-err",
        "name tests failures errors",
        "group time skipped timestamp hostname id package file log url",
    ),
    "testcase": ("skipped error failure system-out system-err", "name", "time classname group"),
    "failure": ("", "", "type message"),
    "skipped": ("", "", "type message"),
    "system-out": ("", "", ""),
}
HOSTILE = [
    "two\nlines\r\n::error::injected",
    "::set-output name=x::y",
    "##[error]old form",
    "100% %0A::warning::x",
    "file=a,line=1,title=b::c",
    "\x1b[31mred\x1b[0m \x07",
    "\x00\x0b\ufffe\uffff null",
    "half \ud800 pair",
    ']]> <!-- & "quotes" \'',
    "\u202eturned \u2028 line",
    "中文，全角：冒号",
]


def found(*messages: str, **changes: Any) -> Findings:
    """The findings of a check of one file, with these messages."""
    base = api.check([{"text": "a b c", "label": "x"}])
    findings = [
        Finding(
            "data/seeds.jsonl", at, "text", "secret", "error", message, {}, row=at, fingerprint=f"{at:012x}", **changes
        )
        for at, message in enumerate(messages, 1)
    ]
    data_set = replace(base.data_sets[0], name="data/seeds.jsonl", files=("data/seeds.jsonl",))
    return replace(base, findings=findings, data_sets=(data_set,))


def check_junit(element: ElementTree.Element) -> None:
    """Assert that an element and those in it are as the schema has them."""
    children, required, optional = (set(names.split()) for names in JUNIT[element.tag])
    assert required <= set(element.attrib) <= required | optional, element.tag
    for child in element:
        assert child.tag in children
        check_junit(child)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_its_place(text: str) -> None:
    """As a message, a field and a file name: one command a line, well-formed XML, valid SARIF, no terminal escape."""
    result = found(text)
    result = replace(result, findings=[replace(result.findings[0], field=text, file=f"a{text}.jsonl")])
    result = replace(
        result, data_sets=(replace(result.data_sets[0], name=f"a{text}.jsonl", files=(f"a{text}.jsonl",)),)
    )
    commands = github_text(result, Path("/home/ana"))
    assert commands.count("\n") == 1
    command = re.fullmatch(r"::error file=([^,:]*),line=1,title=([^,:]*)::(.*)\n", commands)
    assert command is not None
    suite = ElementTree.fromstring(junit_xml(result).encode())
    check_junit(suite)
    log = json.loads(sarif_json(result, FINDING_MEANINGS, Path("/home/ana")))
    Draft7Validator(SARIF).validate(log)
    shown = str(findings_text(result))
    assert shown.count("\n") == 1
    for output in (commands, shown, junit_xml(result)):
        assert not set(output) & {"\x1b", "\x00", "\r", "\u202e", "\u2028", "\ud800"}


def test_github_commands_say_what_the_runner_reads_back() -> None:
    """Unescaped as the runner does it, the properties and the message are those of the finding."""
    result = found("50 % of a, b: c")
    line = github_text(result, Path("/home/ana"))
    assert line == "::error file=data/seeds.jsonl,line=1,title=secret in text::50 %25 of a, b: c [000000000001]\n"
    elsewhere = replace(result, findings=[replace(result.findings[0], file="/home/ana/data/a,b.jsonl")])
    assert "file=data/a%2Cb.jsonl," in github_text(elsewhere, Path("/home/ana"))


def test_accepted_findings_are_no_annotations() -> None:
    """Waived and known ones: nothing for GitHub, skipped for JUnit, suppressed or unchanged for SARIF."""
    waived = found("x", status="waived")
    waived = replace(waived, findings=[replace(waived.findings[0], evidence={"waived": "a test key"})])
    assert github_text(waived, Path("/home/ana")) == ""
    (case,) = ElementTree.fromstring(junit_xml(waived)).iter("skipped")
    assert case.get("message") == "waived: a test key"
    (result,) = json.loads(sarif_json(waived, {}, Path("/home/ana")))["runs"][0]["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "a test key"}]
    known = found("x", status="known")
    known = replace(known, gate=replace(known.gate, baseline="b.json"))
    (result,) = json.loads(sarif_json(known, {}, Path("/home/ana")))["runs"][0]["results"]
    assert result["baselineState"] == "unchanged"


def test_many_findings_are_capped_with_a_count() -> None:
    """Of 6,000: 50 annotations, 5,000 test cases and results, 1,000 lines, each with the number of the rest."""
    many = found(*["x"] * 6000)
    lines = github_text(many, Path("/home/ana")).splitlines()
    assert len(lines) == 51 and "5,950 more" in lines[-1]
    suite = ElementTree.fromstring(junit_xml(many))
    assert len(list(suite.iter("failure"))) == 5000 and "1,000 more" in str(next(suite.iter("system-out")).text)
    run = json.loads(sarif_json(many, {}, Path("/home/ana")))["runs"][0]
    assert len(run["results"]) == 5000 and run["properties"] == {"findings": 6000}
    text = str(findings_text(many)).splitlines()
    assert len(text) == 1001 and text[-1].startswith("and 5,000 more findings")


def test_a_file_without_findings_is_a_report_too() -> None:
    """A test that passes, a run without results."""
    none = replace(found(), findings=[])
    suite = ElementTree.fromstring(junit_xml(none))
    check_junit(suite)
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    log = json.loads(sarif_json(none, FINDING_MEANINGS, Path("/home/ana")))
    Draft7Validator(SARIF).validate(log)
    assert log["runs"][0]["results"] == []


def test_sarif_names_the_row_that_a_row_conflicts_with(tmp_path: Path) -> None:
    """A duplicate has the line of the first row as a related location; a blank in a file name is escaped."""
    file = tmp_path / "my seeds.jsonl"
    file.write_text('{"text": "a b c"}\n' * 2)
    log = json.loads(sarif_json(api.check(file), FINDING_MEANINGS, tmp_path))
    Draft7Validator(SARIF).validate(log)
    (result,) = log["runs"][0]["results"]
    location = result["relatedLocations"][0]["physicalLocation"]
    assert (unquote(location["artifactLocation"]["uri"]), location["region"]) == ("my seeds.jsonl", {"startLine": 1})


def test_github_actions_gets_annotations_unless_told_otherwise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The format follows the environment, and --format decides over it."""
    file = tmp_path / "f.jsonl"
    file.write_text('{"text": "a b c"}\n' * 2)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["check", str(file)]) == 1
    assert capfd.readouterr().out.startswith("::error file=")
    assert main(["check", str(file), "--format", "text"]) == 1
    assert capfd.readouterr().out.startswith(f"{file}:2: error duplicate: ")
