"""A service that answers a browser from a script: the page's own files, and rows and runs of the test's choice.

The answers have the shape of the real ones (tests of the real service hold that), so that every state of the page can
be shown at once, also those that a real service rarely has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page, Route

from selfinstruct.service.security import CONTENT_SECURITY_POLICY
from selfinstruct.service.static import page_files

ORIGIN = "http://page.test"
WHEN = "2026-01-01T00:00:00Z"
Json = dict[str, Any]

STATES = ("queued", "running", "done", "short", "cancelled", "interrupted", "failed")


def a_row(text: str, number: int) -> Json:
    """A row of three fields, the answer of which stands in the log."""
    return {"Question": f"{text} {number}", "Answer": number, text: f"line {number} of {text}"}


class ScriptedService:
    """Answers every request of a page; ``texts`` are the texts of all rows and names, in turn.

    ``outside`` records requests to anywhere else, ``decided`` the decisions that were sent. ``broken`` maps a path to
    the status that it is answered with, 0 for no answer.
    """

    def __init__(self, texts: list[str], *, rows: int = 120, state: str = "done", policy: bool = True) -> None:
        self.texts, self.rows, self.state, self.policy = texts, rows, state, policy
        self.outside: list[str] = []
        self.decided: list[Json] = []
        self.broken: dict[str, int] = {}
        self.signed_in = True
        self.empty = False

    def attach(self, page: Page) -> None:
        """Answer everything that a page asks for."""
        page.route("**/*", self._answer)

    def text(self, number: int) -> str:
        """The text at a place, from the start again after the last one."""
        return self.texts[number % len(self.texts)]

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            self.outside.append(route.request.url)
            return route.abort()
        name = "index.html" if url.path == "/" else url.path.removeprefix("/static/")
        file = page_files().get(name)
        if file is not None:
            headers = {"Content-Type": f"{file.media}; charset=utf-8"}
            if self.policy:
                headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
            return route.fulfill(body=file.data, headers=headers)
        status = self.broken.get(url.path)
        if status == 0:
            return route.abort()
        if status or not self.signed_in:
            return self._problem(route, status or 401)
        if url.path.endswith("/events"):
            event = f"retry: 60000\nevent: run\ndata: {json.dumps(self.run())}\n\n"
            return route.fulfill(body=event, headers={"Content-Type": "text/event-stream"})
        for method, pattern, answer in self.answers():
            found = re.fullmatch(pattern, url.path)
            if found and route.request.method == method:
                body = (
                    route.request.post_data_json
                    if method == "POST" and "json" in route.request.headers.get("content-type", "")
                    else {}
                )
                answered = json.dumps(answer(dict(parse_qsl(url.query)), body, *found.groups()))
                return route.fulfill(body=answered, headers={"Content-Type": "application/json"})
        return self._problem(route, 404)

    def _problem(self, route: Route, status: int) -> None:
        body = {"title": "No", "status": status, "detail": self.text(1), "hint": self.text(2), "errors": []}
        route.fulfill(status=status, body=json.dumps(body), headers={"Content-Type": "application/problem+json"})

    def answers(self) -> list[tuple[str, str, Callable[..., Json]]]:
        """The method, the pattern of the path and the answer of each route."""
        return [
            ("GET", "/v1/service", lambda query, body: self._service()),
            ("GET", "/v1/runs", lambda query, body: {"runs": [] if self.empty else self._runs(), "next": None}),
            ("GET", "/v1/runs/[^/]+", lambda query, body: self.run()),
            ("GET", "/v1/recipes", lambda query, body: {"recipes": [self._recipe()]}),
            ("POST", "/v1/previews", lambda query, body: self._preview(body)),
            ("GET", "/v1/runs/[^/]+/recipe", lambda query, body: {"name": self.text(0), "toml": self._toml()}),
            ("GET", "/v1/runs/[^/]+/rows", self._rows),
            ("GET", "/v1/runs/[^/]+/rejections", self._rejections),
            ("GET", "/v1/runs/[^/]+/rows/([^/]+)", lambda query, body, name: self._provenance(name)),
            ("POST", "/v1/runs/[^/]+/decisions", self._decide),
            ("POST", "/v1/runs/[^/]+/rejudge", lambda query, body: self._rejudged()),
            ("GET", "/v1/comparison", lambda query, body: self._comparison()),
        ]

    def _service(self) -> Json:
        limits = {"upload_bytes": 10**8, "rows": 10**6, "jobs": 9, "running": 2, "disk_bytes": 10**11}
        formats = [{"name": self.text(n), "description": self.text(n + 1), "extension": "jsonl"} for n in range(4)]
        endpoints = [
            {"id": self.text(5), "models": [self.text(6)], "price": None},
            {"id": "free", "models": None, "price": None},
        ]
        reasons = {"ungrounded": self.text(7)}
        shown = {"version": "1", "user": self.text(8), "language": "en", "limits": limits}
        return {**shown, "endpoints": endpoints, "formats": formats, "reasons": reasons}

    def run(self, state: str = "") -> Json:
        """The run that every address shows."""
        state = state or self.state
        categories = [
            {"name": self.text(n), "quota": 50, "accepted": 30, "exhausted": n == 1, "max_rouge_l": 0.8}
            for n in range(4)
        ]
        last = {"number": self.rows, "category": self.text(0), "row": a_row(self.text(9), 1)}
        rejection = {"id": 3, "reason": "ungrounded", "message": self.text(10), "text": self.text(11)}
        figures: Json = {"requested_rows": 200, "accepted": self.rows, "candidates": self.rows + 40, "seeds": 10}
        figures |= {"rejected": {"ungrounded": 40}, "failed": {}, "requests": 9, "seconds": 83.5, "cost": 0.2131}
        if state == "queued":
            figures |= {"accepted": 0, "candidates": 0, "rejected": {}, "cost": None}
        return {
            "id": "run-1", "name": self.text(12), "state": state, "origin": "service", "user": self.text(13),
            "created": WHEN, "updated": WHEN, "position": 2 if state == "queued" else None,
            "error": {"title": self.text(14), "hint": self.text(15)} if state == "failed" else None, **figures,
            "categories": categories, "tokens": {"input": 1200, "output": 900}, "model": self.text(16),
            "rate": 12.5 if state == "running" else None, "last_row": last, "last_rejection": rejection,
            "notes": [self.text(17)], "decisions": {"accepted": 0, "rejected": 0, "edited": 0},
        }  # fmt: skip

    def _runs(self) -> list[Json]:
        return [{**self.run(state), "id": f"run-{n}", "name": self.text(n)} for n, state in enumerate(STATES)]

    def _recipe(self) -> Json:
        return {"name": "r", "title": self.text(3), "summary": self.text(4), "languages": ["en"], "needs": ["model"]}

    def _toml(self) -> str:
        return f'name = "x"\n# {self.text(5)}\n[fields.Question]\nmax_chars = 200\n\n[quota]\nrows = 200\n'

    def _preview(self, body: Json) -> Json:
        fields = [
            {"name": self.text(n), "type": "text", "rules": [self.text(n + 1)], "example": self.text(n + 2)}
            for n in range(3)
        ]
        categories = [
            {"name": self.text(n), "quota": 50, "seeds": 2, "max_rouge_l": 0.8, "example": self.text(n)}
            for n in range(4)
        ]
        return {
            "name": self.text(0), "toml": body.get("toml", self._toml()), "model": self.text(1), "fields": fields,
            "categories": categories, "relations": [self.text(2)], "unchecked": [self.text(3)],
            "inferred": [{"key": self.text(4), "value": self.text(5), "reason": self.text(6)}], "notes": [self.text(7)],
            "warnings": [self.text(8)], "seeds": 10, "sample": [a_row(self.text(n), n) for n in range(3)],
            "messages": [{"role": role, "content": self.text(9)} for role in ("system", "user")],
            "forecast": {"requests": 10, "tokens": [1000, 2000], "cost": None},
        }  # fmt: skip

    def _item(self, number: int) -> Json:
        text = self.text(number - 1)
        row = a_row(text, number)
        spans = {text: [[0, 4]]}
        decided = [each for each in self.decided if each["row"] == str(number)]
        decision = {**decided[-1], "by": "me", "at": WHEN} if decided else None
        return {
            "number": number,
            "name": str(number),
            "category": text,
            "row": row,
            "spans": spans,
            "decision": decision,
        }

    def _rows(self, query: Json, body: Json) -> Json:
        after, limit = int(query.get("after", 0)), int(query.get("limit", 100))
        found = [self._item(number) for number in range(after + 1, min(self.rows, after + limit) + 1)]
        if query.get("text") == "nothing":
            found = []
        following = after + limit if after + limit < self.rows else None
        return {"rows": found, "next": following, "scanned": limit, "total": self.rows}

    def _rejections(self, query: Json, body: Json) -> Json:
        after, limit = int(query.get("after", 0)), int(query.get("limit", 100))
        found = [
            {"id": n, "name": f"x{n}", "category": self.text(n), "reason": "ungrounded", "message": self.text(n),
             "text": self.text(n), "row": a_row(self.text(n), n) if n % 2 else None, "nearest": None,
             "score": None, "decision": None}
            for n in range(after + 1, min(40, after + limit) + 1)
        ]  # fmt: skip
        return {"rejections": found, "next": None, "scanned": 40, "total": 40}

    def _provenance(self, name: str) -> Json:
        text, row = self.text(int(name.lstrip("sx"))), self._item(int(name.lstrip("sx")))["row"]
        reply = {"call": 1, "model": text, "step": text, "text": text, "seconds": 1.5, "tokens": [1, 1]}
        near = {"name": "2", "row": row, "score": 0.75}
        return {
            "name": name, "category": text, "row": row, "recorded": row, "line": None, "replies": [reply],
            "demos": [{**near, "score": None}], "conditions": {text: text}, "passage": {text: text}, "nearest": [near],
            "rejection": {"reason": "ungrounded", "message": text} if name.startswith("x") else None,
            "decisions": [{"action": "reject", "reason": text, "by": text, "at": WHEN, "values": None}],
        }  # fmt: skip

    def _decide(self, query: Json, body: Json) -> Json:
        self.decided = [each for each in self.decided if body["action"] != "undo" or each["row"] != body["row"]]
        if body["action"] != "undo":
            self.decided.append(body)
        checks = [{"reason": "ungrounded", "message": self.text(1)}] if body["action"] == "edit" else []
        return {
            "id": "1",
            "reason": "",
            "values": None,
            "by": "me",
            "at": WHEN,
            **body,
            "checks": checks,
        }

    def _rejudged(self) -> Json:
        before = {"accepted": 120, "rejected": {"ungrounded": 40}, "failed": {}}
        after = {"accepted": 100, "rejected": {"ungrounded": 40, "blocked": 20}, "failed": {}}
        return {"replies": 9, "before": before, "after": after, "same": 100, "identical": False}

    def _comparison(self) -> Json:
        lines = [
            {"name": self.text(n), "first": 0.5 * n, "second": 1.5 * n, "unit": unit}
            for n, unit in enumerate(("count", "share", "number", "money", "seconds"))
        ]
        sections = [{"title": self.text(1), "subject": self.text(2), "lines": lines}]
        return {"version": 1, "runs": [self.text(3), self.text(4)], "sections": sections}
