// A run as it grows and when it has ended: rows, pace, cost, categories, the last row and the last refusal, notes.
import { bar, fill, h, setText } from "./dom.js";
import { brief, count, duration, fields, meaning, money, oneLine, percent, rate, visible } from "./format.js";
import * as api from "./api.js";
import { refused } from "./run.js";
import { busy } from "./states.js";
import { counted, t } from "./words.js";

const MOST = 30;

export async function show(panel, { live, path, alive }) {
  const { reasons } = await api.service();
  if (!alive()) return;
  const parts = [growth(), figures(live), outcome(live, path), categories(live), last(reasons), reasonList(path, reasons), notes()];
  fill(panel, parts.map((each) => each.element));
  live.on((now) => parts.forEach((each) => each.set(now)));
}

/** The rows so far over the rows wanted. */
function growth() {
  const [have, of, line] = [h("span", { class: "big" }), h("span", { class: "soft" }), bar(0, "thick")];
  const element = h("div", { class: "growth", role: "progressbar", "aria-label": t("rows"), "aria-valuemin": "0" }, h("p", {}, have, " ", of), line);
  return {
    element,
    set(now) {
      setText(have, count(now.accepted));
      setText(of, t("ofRows", { rows: count(now.requested_rows) }));
      line.set(now.accepted / now.requested_rows);
      line.className = `bar thick ${busy(now) || now.state === "done" ? "" : "short"}`;
      element.setAttribute("aria-valuemax", String(now.requested_rows));
      element.setAttribute("aria-valuenow", String(Math.min(now.accepted, now.requested_rows)));
      element.setAttribute("aria-valuetext", `${count(now.accepted)} ${t("ofRows", { rows: count(now.requested_rows) })}`);
    },
  };
}

function figures() {
  const names = ["rate", "left", "time", "candidates", "requests", "tokens", "cost"];
  const places = Object.fromEntries(names.map((name) => [name, h("dd", {})]));
  const remark = h("small");
  const boxes = Object.fromEntries(names.map((name) => [name, h("div", {}, h("dt", {}, t(`figure_${name}`)), places[name])]));
  boxes.candidates.append(h("dd", { class: "remark" }, remark));
  return {
    element: h("dl", { class: "figures" }, Object.values(boxes)),
    set(now) {
      const growing = now.state === "running" && now.rate > 0;
      const tokens = (now.tokens?.input ?? 0) + (now.tokens?.output ?? 0);
      const share = now.candidates ? refused(now) / now.candidates : 0;
      const values = {
        rate: growing ? t("perSecond", { rows: rate(now.rate) }) : null,
        left: growing ? duration(Math.max(0, now.requested_rows - now.accepted) / now.rate) : null,
        time: duration(now.seconds ?? 0),
        candidates: now.candidates ? percent(share, share && share < 0.1 ? 1 : 0) : null,
        requests: count(now.requests),
        tokens: tokens ? brief(tokens) : null,
        cost: now.cost ? money(now.cost) : null,
      };
      for (const name of names) {
        boxes[name].hidden = values[name] === null;
        setText(places[name], values[name] ?? "");
      }
      setText(remark, t("ofCandidates", { n: brief(now.candidates) }));
    },
  };
}

/** What to do next: a queue place, an error, a shortfall, or a finished run. */
function outcome(live, path) {
  const element = h("div", { class: "outcome" });
  let showing = "";
  const to = (tab, name, kind = "") => h("a", { class: `button ${kind}`, href: `#${path}/${tab}` }, t(name));
  return {
    element,
    set(now) {
      const key = [now.state, now.position, now.error?.title, now.state === "done" && now.accepted].join();
      if (key === showing) return;
      showing = key;
      const left = now.requested_rows - now.accepted;
      const words = {
        queued: () => [h("p", {}, now.position ? counted("queuedAt", now.position) : t("queued"))],
        running: () => [],
        done: () => [h("p", {}, t("doneHint"))],
        short: () => [h("p", {}, counted(left <= (now.decisions?.rejected ?? 0) ? "refillHint" : "shortHint", left))],
        cancelled: () => [h("p", {}, counted("cancelledHint", left))],
        interrupted: () => [h("p", {}, counted("interruptedHint", left))],
        failed: () => [h("p", { class: "strong" }, visible(now.error?.title || t("failedHint"))), now.error?.hint && h("p", {}, visible(now.error.hint))],
      }[now.state]?.() ?? [];
      element.className = `outcome ${now.state}`;
      const next = now.accepted > 0 && !busy(now);
      fill(element, words, next && h("p", { class: "actions" }, to("review", "reviewRows", now.state === "done" ? "primary" : ""), to("download", "tab_download"),
        h("a", { class: "button", href: api.reportAddress(now.id), target: "_blank", rel: "noopener" }, t("report"))));
      element.hidden = element.childElementCount === 0;
    },
  };
}

/** Bars that fill, one of each category; the emptiest are not hidden by those that are full. */
function categories(live) {
  const list = h("ul", { class: "category-list" });
  const more = h("button", { type: "button", class: "quiet" });
  const lines = new Map();
  let all = live.run.categories.length <= MOST;
  more.addEventListener("click", () => { all = true; set(live.run); list.children[MOST]?.scrollIntoView({ block: "nearest" }); });
  const line = (each) => {
    const [number, progress] = [h("span", { class: "number" }), bar(0)];
    const tag = h("span", { class: "tag", title: t("exhaustedHint"), hidden: true }, t("exhausted"));
    const made = h("li", {}, h("span", { class: "category-name" }, h("bdi", {}, visible(each.name)), " ", tag), progress, number);
    return { made, set(now) {
      setText(number, `${count(now.accepted)} / ${count(now.quota)}`);
      progress.set(now.quota ? now.accepted / now.quota : 1);
      progress.className = `bar ${now.exhausted ? "short" : ""}`;
      tag.hidden = !now.exhausted;
    } };
  };
  const set = (now) => {
    const shown = all ? now.categories : now.categories.slice(0, MOST);
    for (const each of shown) {
      if (!lines.has(each.name)) { lines.set(each.name, line(each)); list.append(lines.get(each.name).made); }
      lines.get(each.name).set(each);
    }
    more.hidden = all || now.categories.length <= MOST;
    setText(more, counted("showAll", now.categories.length));
  };
  return { element: h("section", {}, h("h2", {}, t("categories")), list, more), set };
}

/** The last accepted row and the last refusal, which show in passing what a model writes. */
function last(reasons) {
  const [row, refusal] = [h("article"), h("article")];
  const element = h("div", { class: "pair" }, row, refusal);
  let [rowShown, refusalShown] = [null, null];
  return {
    element,
    set(now) {
      row.hidden = !now.last_row;
      refusal.hidden = !now.last_rejection;
      element.hidden = row.hidden && refusal.hidden;
      if (now.last_row && rowShown !== now.last_row.number) {
        rowShown = now.last_row.number;
        fill(row, h("header", {}, h("h3", {}, t("lastRow")), h("span", { class: "soft" }, t("rowNumber", { n: count(rowShown) }))), fields(now.last_row.row));
      }
      if (now.last_rejection && refusalShown !== now.last_rejection.id) {
        const { reason, message, text } = now.last_rejection;
        refusalShown = now.last_rejection.id;
        fill(refusal, h("header", {}, h("h3", {}, t("lastRefusal")), h("span", { class: "tag bad", title: meaning(reason, reasons) }, oneLine(reason))),
          h("p", {}, visible(message)), h("pre", { tabindex: "0", "aria-label": t("lastRefusal") }, visible(text.slice(0, 1200))));
      }
    },
  };
}

function reasonList(path, reasons) {
  const list = h("ul", { class: "category-list" });
  const element = h("section", {}, h("h2", {}, t("refusedWhy")), list);
  return {
    element,
    set(now) {
      const found = Object.entries(now.rejected ?? {}).sort(([, a], [, b]) => b - a);
      element.hidden = found.length === 0;
      const most = found[0]?.[1] ?? 1;
      const key = JSON.stringify(found);
      if (list.dataset.key === key || list.contains(document.activeElement)) return;  // never takes a focused link away
      list.dataset.key = key;
      fill(list, found.map(([slug, number]) => h("li", {},
        h("span", { class: "category-name" }, h("a", { href: `#${path}/${slug === "person" ? "rows?decision=reject" : `refused?reason=${encodeURIComponent(slug)}`}` }, oneLine(slug)), " ", h("span", { class: "soft" }, meaning(slug, reasons))),
        bar(number / most, "bad"), h("span", { class: "number" }, count(number)))));
    },
  };
}

function notes() {
  const list = h("ul", { class: "notes" });
  const element = h("section", {}, h("h2", {}, t("notes")), list);
  let shown = -1;
  return {
    element,
    set(now) {
      element.hidden = !now.notes?.length;
      if (shown === now.notes?.length) return;
      shown = now.notes?.length;
      fill(list, now.notes?.map((note) => h("li", {}, visible(note))));
    },
  };
}
