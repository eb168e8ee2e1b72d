"""The page in Chromium, before a scripted service: states, hostile texts, accessibility, keyboard, long lists."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.hostile import hostile
from tests.service.scripted import ORIGIN, STATES, ScriptedService

_CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(_CHROMIUM is None, reason="needs chromium")]

PLAIN = ["Is block 7 there?", "not found", "Partition 7 not found, computing it", "a value that is 384.1 KB"]
#: Every view, and a part of it that is there when it is complete.
VIEWS = {
    "/": ".runs tbody tr",
    "/new/abc": ".start-card dd",
    "/runs/run-1": ".category-list li",
    "/runs/run-1/rows": ".v-window .v-row:not(.waiting)",
    "/runs/run-1/rows?text=nothing": ".state.empty",
    "/runs/run-1/rows?row=12": "dialog .fields",
    "/runs/run-1/refused": ".v-window .v-row:not(.waiting)",
    "/runs/run-1/refused?row=x3": "dialog .fields",
    "/runs/run-1/review": ".review-card .fields",
    "/runs/run-1/review?of=refused": ".review-card .fields, .review-card pre",
    "/runs/run-1/rules?row=12": ".editor",
    "/runs/run-1/download": ".format-list li",
    "/compare?first=run-1&second=run-2": ".compared td",
    "/nothing": ".state.failed",
}
_WATCH = """
window.ran = 0; window.alert = () => { window.ran += 1; };
window.refused = 0; document.addEventListener('securitypolicyviolation', () => { window.refused += 1; });
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What went wrong in the page's own code: nothing, at the end of each test."""
    found: list[str] = []
    yield found
    assert found == []


def _open(browser: Browser, service: ScriptedService, errors: list[str], **options: Any) -> Page:
    page = browser.new_page(base_url=ORIGIN, reduced_motion="reduce", **options)
    page.set_default_timeout(10_000)
    page.add_init_script(_WATCH)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    service.attach(page)
    return page


def _visit(page: Page, view: str, ready: str = "") -> None:
    page.goto("about:blank")
    page.goto(f"/#{view}")
    page.wait_for_selector(ready or VIEWS[view])


@pytest.mark.parametrize("policy", [True, False])
def test_hostile_texts_run_nothing_request_nothing_and_hide_nothing(
    browser: Browser, errors: list[str], policy: bool
) -> None:
    """500 hostile strings in every place that can hold a text, with and without the content security policy."""
    texts = hostile(500)
    service = ScriptedService(texts, rows=500, policy=policy)
    page = _open(browser, service, errors)
    for view in VIEWS:
        _visit(page, view)
        found = page.evaluate(
            "() => [[...new Set([...document.querySelectorAll('main *, dialog *')].map((each) => each.localName))], "
            "document.scripts.length, window.ran, window.refused, "
            "document.documentElement.scrollWidth <= innerWidth + 1, "
            "/[\\u0000-\\u0008\\u000e-\\u001f\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)]"
        )
        tags, *figures = found
        assert not {"img", "iframe", "svg", "script", "style", "link", "meta", "object"} & set(tags), view
        assert figures == [1, 0, 0, True, False], view
    _visit(page, "/runs/run-1/rows")
    page.focus(".v-list")
    for last in (100, 200, 300, 400, 500):  # every row is drawn once
        page.fill("#jump", str(last))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#row-{last - 1}:not(.waiting)")
    _visit(page, "/runs/run-1/review")
    for _ in range(10):
        before = page.inner_text(".review-card h2")
        page.keyboard.press("n")
        expect(page.locator(".review-card h2")).not_to_have_text(before)
    assert page.evaluate("[window.ran, window.refused]") == [0, 0]
    assert service.outside == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_an_accessibility_violation(browser: Browser, errors: list[str], scheme: Any) -> None:
    """Axe finds nothing on any view; in the dark, where only the colours differ, these are checked on every second."""
    service = ScriptedService(PLAIN)
    page = _open(browser, service, errors, color_scheme=scheme)
    axe = Axe()
    dark = scheme == "dark"
    options = {"runOnly": ["color-contrast"]} if dark else None

    def violations() -> list[str]:
        return [
            f"{each['id']}: {each['nodes'][0]['target']}"
            for each in axe.run(page, options=options).response["violations"]
        ]

    for view in [*VIEWS][::2] if dark else VIEWS:
        _visit(page, view)
        assert violations() == [], view
    for state in ("running", "failed", "short"):
        service.state = state
        _visit(page, "/runs/run-1", ".growth")
        assert violations() == [], state
    _visit(page, "/runs/run-1/review")
    for key, there in (
        ("r", ".reasons"),
        ("Escape", ".accept"),
        ("e", ".edit-form"),
        ("Escape", ".accept"),
        ("?", ".sheet"),
    ):
        page.keyboard.press(key)
        page.wait_for_selector(there)
        assert violations() == [], key
    service.signed_in = False
    _visit(page, "/", ".signin")
    assert violations() == []
    page.close()


def test_each_state_says_what_is_so_and_what_to_do(browser: Browser, errors: list[str]) -> None:
    """Empty, loading, failed, signed out, unreachable, unknown; and every state of a run with its action."""
    service = ScriptedService(PLAIN)
    page = _open(browser, service, errors)
    main = page.locator("main")
    service.empty = True
    _visit(page, "/", ".drop")
    expect(main).to_contain_text("From a few rows to a data set")
    expect(page.locator(".runs")).to_be_hidden()
    service.empty = False
    actions = {"queued": "Cancel", "running": "Cancel", "done": "Grow further", "failed": "Resume"}
    for state in STATES:
        service.state = state
        _visit(page, "/runs/run-1", ".growth")
        expect(page.locator(".run-head .pill")).to_have_class(f"pill {state}")
        expect(page.locator(".run-head .actions button").first).to_have_text(actions.get(state, "Resume"))
        expect(page.locator(".outcome")).to_be_hidden() if state == "running" else expect(
            page.locator(".outcome p").first
        ).to_be_visible()
    service.broken["/v1/runs/run-1"] = 404
    _visit(page, "/runs/run-1", ".state.failed")
    expect(main).to_contain_text(PLAIN[1])
    service.broken["/v1/runs/run-1"] = 0
    page.click("text=Try again")
    expect(main).to_contain_text("The service cannot be reached")
    service.broken.clear()
    page.click("text=Try again")
    page.wait_for_selector(".growth")
    service.broken["/v1/previews"] = 422
    _visit(page, "/new/abc", ".problem")
    expect(page.get_by_role("button", name="Start the run")).to_be_disabled()
    service.signed_in = False
    _visit(page, "/wrong-token", ".state")
    page.goto(f"{ORIGIN}/#wrong-token")
    expect(page.locator(".signin")).to_contain_text("The token is wrong")
    page.close()


def test_a_lost_connection_is_said_and_mended(browser: Browser, errors: list[str]) -> None:
    """While events do not come the page says so; when they do, it shows what happened meanwhile."""
    service = ScriptedService(PLAIN, state="running")
    service.broken["/v1/runs/run-1/events"] = 503
    page = _open(browser, service, errors)
    _visit(page, "/runs/run-1")
    expect(page.locator("#connection")).to_contain_text("Disconnected")
    service.broken.clear()
    service.state = "done"
    expect(page.locator("#connection")).to_be_empty()
    expect(page.locator(".run-head .pill")).to_have_class("pill done")
    page.close()


def test_a_list_of_a_million_rows_is_right_everywhere(browser: Browser, errors: list[str]) -> None:
    """Ends, jumps, small steps in the middle and a dragged scroll bar all show the rows of their place, in order."""
    service = ScriptedService(PLAIN, rows=1_000_000)
    page = _open(browser, service, errors, viewport={"width": 1200, "height": 800})
    _visit(page, "/runs/run-1/rows")
    page.focus(".v-list")

    def seen() -> tuple[int, int]:
        """The first and the last row in sight, which are consecutive and have the numbers of their places."""
        page.wait_for_timeout(150)
        page.wait_for_function("!document.querySelector('.v-row.waiting')")
        rows = page.evaluate(
            "() => { const list = document.querySelector('.v-list').getBoundingClientRect();"
            "const top = document.querySelector('.v-head').getBoundingClientRect().bottom - 1;"
            "const rows = [...document.querySelectorAll('.v-window .v-row')];"
            "const box = (each) => each.getBoundingClientRect();"
            "return rows.filter((each) => box(each).top >= top && box(each).bottom <= list.bottom)"
            ".map((each) => [Number(each.ariaRowIndex), Number(each.firstChild.textContent.replaceAll(',', ''))]) }"
        )
        numbers = [number for _, number in rows]
        assert rows == [[number, number] for number in numbers] and len(rows) >= 5
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        return numbers[0], numbers[-1]

    height = page.evaluate("document.querySelector('.v-track').offsetHeight")
    assert height < 5_000_000  # far below what browsers cut off
    assert seen()[0] == 1
    page.keyboard.press("End")
    assert seen()[1] == 1_000_000
    page.keyboard.press("Home")
    assert seen()[0] == 1
    page.fill("#jump", "654321")
    page.keyboard.press("Enter")
    first, last = seen()
    assert first <= 654_321 <= last
    page.hover(".v-window")
    for _ in range(5):
        page.mouse.wheel(0, 80)
        page.wait_for_timeout(40)
    assert seen()[0] == first + 10  # 400 px are ten rows, however long the list
    page.evaluate("document.querySelector('.v-list').scrollTop = 2000000")
    assert abs(seen()[0] - 500_000) < 1000
    page.mouse.wheel(0, 80)
    page.evaluate("document.querySelector('.v-list').scrollTop = 1e9")
    assert seen()[1] == 1_000_000
    page.close()


def test_review_by_keys_sends_each_decision_once_and_undoes(browser: Browser, errors: list[str]) -> None:
    """Accept, reject with a reason, edit, skip, undo; a refused decision is kept and sent again."""
    service = ScriptedService(PLAIN)
    page = _open(browser, service, errors)
    _visit(page, "/runs/run-1/review")
    title = page.locator(".review-card h2")

    def press(*keys: str) -> None:
        before = title.inner_text()
        for key in keys:
            page.keyboard.press(key)
        expect(title).not_to_have_text(before)

    first = title.inner_text().removeprefix("Row ")
    press("a")
    second = title.inner_text().removeprefix("Row ")
    press("r", "2")
    press("n")
    third = title.inner_text().removeprefix("Row ")
    page.keyboard.press("e")
    page.fill("#edit-0", "Is it here?")
    page.fill("#edit-1", "not a number")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".edit-form .problem:visible")).to_contain_text("a number")
    page.fill("#edit-1", "12345678901234567890")
    press("Control+Enter")
    expect(page.locator(".toast-checks")).to_be_visible()
    expect(page.locator(".review-progress")).to_contain_text("3 of 100")
    assert [(each["row"], each["action"], each.get("reason")) for each in service.decided] == [
        (first, "accept", None),
        (second, "reject", "not supported by the text"),
        (third, "edit", None),
    ]
    assert service.decided[-1]["values"]["Question"] == "Is it here?"
    assert service.decided[-1]["values"]["Answer"] == 12345678901234567890
    press("u")
    expect(title).to_have_text(f"Row {third}")
    service.broken["/v1/runs/run-1/decisions"] = 503
    press("a")
    expect(page.locator(".problem").first).to_be_visible()
    assert len(service.decided) == 2
    service.broken.clear()
    page.click("text=Try again")
    expect(page.locator(".review .problem")).to_have_count(0)
    assert [each["action"] for each in service.decided] == ["accept", "reject", "accept"]
    page.close()


def test_language_theme_and_keys_are_remembered(browser: Browser, errors: list[str]) -> None:
    """The browser's language and colours come first, then what the person chose; keys can be turned off."""
    service = ScriptedService(PLAIN)
    context = browser.new_context(base_url=ORIGIN, locale="zh-CN")
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    service.attach(page)
    _visit(page, "/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.click("#language")
    expect(page.locator("h1")).to_have_text("Grow a new data set")
    page.click("#theme")
    page.click("#theme")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("?")
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    _visit(page, "/runs/run-1/review")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("a")
    page.click(".review-foot .accept")
    expect(page.locator(".review-progress")).to_contain_text("1 of 100")
    assert len(service.decided) == 1
    context.close()
