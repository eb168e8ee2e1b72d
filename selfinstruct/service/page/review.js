// Review mode: one row at a time, large, judged by single keys. The next rows are there already; decisions are sent
// in the background, and the service keeps them.
import { bar, fill, h, say, setText } from "./dom.js";
import { DecisionSender } from "./decision-sender.js";
import { editForm } from "./edit-form.js";
import { count, fields, oneLine, percent, visible } from "./format.js";
import { keyCap } from "./keys.js";
import { ListQueue, OneQueue, SampleQueue } from "./review-queue.js";
import { empty, problem } from "./states.js";
import { counted, recall, remember, t } from "./words.js";

const ROUND = 100;
const REASONS = ["wrong", "ungrounded", "unclear", "similar", "category", "format"];

export function show(panel, context) { new Review(panel, context).begin(); }

/** The range in which the true share lies with 95 % confidence (Wilson 1927). */
export function wilson(hits, all) {
  const z = 1.959964;
  const p = hits / all;
  const middle = (p + (z * z) / (2 * all)) / (1 + (z * z) / all);
  const half = (z / (1 + (z * z) / all)) * Math.sqrt((p * (1 - p)) / all + (z * z) / (4 * all * all));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

class Review {
  constructor(panel, context) {
    Object.assign(this, { panel, context, run: context.live.run, item: null, mode: "read", history: [], back: [], rejected: null, began: Date.now(), here: 0 });
    const { query } = context;
    this.ofRows = query.get("of") !== "refused";
    this.one = query.get("row");
    this.filters = Object.fromEntries(["category", "text", "reason"].filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
    this.sampled = this.ofRows && !this.one && query.get("order") !== "first" && !Object.keys(this.filters).length;
    this.tally = { accept: this.run.decisions?.accepted ?? 0, reject: this.run.decisions?.rejected ?? 0, edit: this.run.decisions?.edited ?? 0 };
    this.sender = new DecisionSender(context.id, (waiting, error) => this.sent(waiting, error));
    this.warn = (event) => this.sender.waiting.length && event.preventDefault();
    window.addEventListener("beforeunload", this.warn);
    context.onLeave(() => window.removeEventListener("beforeunload", this.warn));
  }

  get done() { return this.tally.accept + this.tally.reject + this.tally.edit; }

  begin() {
    this.goal = (Math.floor(this.done / ROUND) + 1) * ROUND;
    this.progress = h("span", { class: "soft number" });
    this.line = bar(0);
    this.saving = h("span", { class: "soft", role: "status" });
    this.error = h("div");
    this.card = h("article", { class: "review-card", tabindex: "-1" });
    this.foot = h("div", { class: "review-foot" });
    this.toast = h("div", { class: "toast", role: "status" });
    fill(this.panel, h("div", { class: "review-head" }, this.orders(), h("div", { class: "review-progress" }, this.line, this.progress, this.saving)),
      this.error, this.card, this.foot, this.toast);
    this.keys();
    this.start();
  }

  start() {
    const { id } = this.context;
    const at = Number(recall(`review ${id}`)) || 0;
    this.queue = this.one ? new OneQueue(id, this.one) : this.sampled ? new SampleQueue(id, at, (now) => remember(`review ${id}`, String(now)))
      : new ListQueue(id, this.ofRows, this.filters);
    this.advance();
  }

  orders() {
    const to = (query) => `#${this.context.path}/review${query}`;
    const link = (label, query, current) => h("a", { href: to(query), "aria-current": current ? "true" : null }, t(label));
    return h("nav", { class: "segments", "aria-label": t("order") }, link("orderSample", "", this.sampled),
      link("orderFirst", "?order=first", this.ofRows && !this.sampled && !this.one), link("orderRefused", "?of=refused", !this.ofRows));
  }

  keys() {
    const reading = (run) => () => this.mode === "read" && run();
    const rejecting = (run) => () => this.mode === "reject" && run();
    this.context.keys([
      { keys: ["a"], label: t("accept"), run: reading(() => this.judge("accept")) },
      { keys: ["r"], label: t("rejectWhy"), run: reading(() => this.ask()) },
      { keys: ["1", "2", "3", "4", "5", "6"], label: t("keyReason"), shown: ["1 … 6"], run: (event) => rejecting(() => this.judge("reject", this.reason(Number(event.key) - 1)))() },
      { keys: ["o"], label: t("otherReason"), run: () => rejecting(() => document.getElementById("other-reason").focus())() },
      { keys: ["Enter"], run: () => rejecting(() => this.judge("reject"))() },
      { keys: ["e"], label: t("edit"), run: reading(() => this.edit()) },
      { keys: ["n", "ArrowRight"], label: t("keySkip"), run: reading(() => this.advance()) },
      { keys: ["p", "ArrowLeft"], label: t("keyBack"), run: reading(() => this.previous()) },
      { keys: ["u"], label: t("undo"), run: reading(() => this.undo()) },
      { keys: ["c"], label: t("makeCheck"), run: reading(() => this.toCheck()) },
      { keys: ["Escape"], inFields: true, label: t("keyCancel"), run: () => this.mode !== "read" && this.read() },
    ]);
  }

  reason(at) { return t(`why_${REASONS[at]}`); }

  /** Show the next item: at once where it is loaded. */
  async advance() {
    if (this.item) this.history.push(this.item);
    const next = this.back.pop() ?? this.queue.next();
    if (!(next instanceof Promise)) return this.showItem(next);
    this.item = null;
    this.mode = "wait";
    this.card.setAttribute("aria-busy", "true");
    try { return this.showItem(await next); } catch (error) {
      if (this.run.accepted === 0 && !error.unreachable) return this.showItem(null);
      fill(this.error, problem(error), h("p", {}, h("button", { type: "button", onclick: () => { fill(this.error); this.start(); } }, t("retry"))));
      return undefined;
    }
  }

  showItem(item) {
    this.item = item;
    this.card.removeAttribute("aria-busy");
    this.count();
    if (item && !(this.done >= this.goal && this.here > 0)) return this.read();
    return this.finish(item);
  }

  previous() {
    const before = this.history.pop();
    if (!before) return;
    if (this.item) this.back.push(this.item);
    this.showItem(before);
  }

  read() {
    const { item } = this;
    this.mode = "read";
    if (!item) return;
    const button = (key, label, run, kind = "") =>
      h("button", { type: "button", class: kind, onclick: run, "aria-keyshortcuts": key }, t(label), " ", keyCap(key));
    fill(this.card, h("header", {}, h("h2", {}, item.reason ? t("candidateName", { name: item.name }) : t("rowNumber", { n: oneLine(item.name) })),
      h("span", { class: "soft" }, h("bdi", {}, visible(item.category))), item.decision && h("span", { class: `tag ${item.decision.action}` }, t(`decided_${item.decision.action}`))),
    item.reason && h("p", { class: "callout warn" }, h("span", { class: "tag bad" }, oneLine(item.reason)), " ", visible(item.message ?? "")),
    item.row ? fields(item.row, item.spans, "large") : h("pre", {}, visible(item.text ?? "")));
    fill(this.foot, button("a", "accept", () => this.judge("accept"), "accept"), button("r", "reject", () => this.ask(), "reject"),
      button("e", "edit", () => this.edit()), button("n", "skipRow", () => this.advance(), "quiet"), button("u", "undo", () => this.undo(), "quiet"));
    this.card.focus({ preventScroll: true });
    this.card.scrollTop = 0;
  }

  ask() {
    this.mode = "reject";
    const other = h("input", { type: "text", id: "other-reason", maxlength: 200, autocomplete: "off" });
    const form = h("form", {}, h("label", { for: "other-reason" }, h("span", {}, t("otherReason"), " ", keyCap("o")), other), h("button", { type: "submit" }, t("reject"), " ", keyCap("Enter")));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.judge("reject", other.value.trim()); });
    fill(this.foot, h("div", { class: "reasons", role: "group", "aria-label": t("rejectWhy") },
      h("div", { class: "reason-buttons" }, REASONS.map((_, at) => h("button", { type: "button", onclick: () => this.judge("reject", this.reason(at)) }, keyCap(String(at + 1)), " ", this.reason(at)))),
      form, h("button", { type: "button", class: "quiet", onclick: () => this.read() }, t("cancelEdit"), " ", keyCap("Escape"))));
    say(t("rejectWhy"));
  }

  edit() {
    const { item } = this;
    if (!item?.row) return;
    this.mode = "edit";
    const form = editForm(item.row, (values) => {
      item.row = values;
      item.spans = {};
      this.judge("edit", "", values);
    }, () => this.read());
    fill(this.card, h("header", {}, h("h2", {}, t("editRow", { name: item.name }))), form);
    fill(this.foot);
    form.querySelector("textarea").focus();
  }

  judge(action, reason = "", values = null) {
    const { item } = this;
    if (!item || this.mode === "wait") return;
    if (action === "accept" && !item.row) return;
    this.here += 1;
    if (item.decision) this.tally[item.decision.action] -= 1;
    item.decision = { action, reason };
    this.tally[action] += 1;
    if (action === "reject") this.rejected = item;
    this.sender.send({ row: item.name, action, ...(reason && { reason }), ...(values && { values }) }, (made) => made.checks?.length && this.told(item, made.checks));
    this.note(item, action, reason);
    if (this.one && action !== "edit") this.mode = "read";
    this.advance();
  }

  undo() {
    const at = this.history.findLastIndex((each) => each.decision);
    if (at < 0) return;
    const [item] = this.history.splice(at, 1);
    this.tally[item.decision.action] -= 1;
    this.here -= 1;
    item.decision = null;
    this.sender.send({ row: item.name, action: "undo" });
    if (this.item) this.back.push(this.item);
    fill(this.toast, h("p", {}, t("said_undo", { name: item.name })));
    this.showItem(item);
  }

  note(item, action, reason) {
    fill(this.toast, h("p", {}, reason ? t("said_why", { name: item.name, reason: oneLine(reason) }) : t(`said_${action}`, { name: item.name })),
      h("button", { type: "button", class: "link", onclick: () => this.undo() }, t("undo")),
      action !== "accept" && h("button", { type: "button", class: "link", onclick: () => this.toCheck(item) }, t("makeCheck")));
  }

  told(item, checks) {
    this.toast.append(h("div", { class: "toast-checks" }, h("p", {}, t("checksSay", { name: item.name })),
      h("ul", {}, checks.map((each) => h("li", {}, h("span", { class: "tag bad" }, oneLine(each.reason)), " ", visible(each.message))))));
  }

  toCheck(item = this.rejected ?? this.item) {
    if (item) this.context.go(`${this.context.path}/rules`, { row: item.name });
  }

  count() {
    if (this.sampled) {
      const decided = this.queue.at - this.queue.ready.length - 1;
      if (decided > 0 && this.here > 0) remember(`review ${this.context.id}`, String(Math.max(0, decided - this.history.filter((each) => !each.decision).length)));
    }
    const inRound = this.done - (this.goal - ROUND);
    this.line.set(inRound / ROUND);
    setText(this.progress, t("reviewed", { done: count(this.done), goal: count(this.goal) }));
  }

  finish(next) {
    this.mode = "wait";
    const { accept, reject, edit } = this.tally;
    const words = [h("p", {}, t("tally", { accepted: count(accept), rejected: count(reject), edited: count(edit) }))];
    if (this.done && this.sampled) {
      const [low, high] = wilson(accept, this.done);
      words.push(h("p", {}, t("estimate", { low: percent(low), high: percent(high) })));
    }
    const again = next && h("button", { type: "button", class: "primary", onclick: () => { this.goal += ROUND; this.showItem(next); } }, t("reviewMore"));
    fill(this.foot);
    fill(this.card, this.done || !this.ofRows ? h("div", { class: "state" }, h("h2", {}, t(next ? "roundDone" : "allReviewed")), words, h("p", { class: "actions" }, again,
      this.one && h("a", { class: "button", href: `#${this.context.path}/${this.one.startsWith("x") ? "refused" : "rows"}` }, t(this.one.startsWith("x") ? "tab_refused" : "tab_rows")),
      h("a", { class: "button", href: `#${this.context.path}/rules` }, t("tab_rules")), h("a", { class: "button", href: `#${this.context.path}/download` }, t("tab_download"))))
      : empty(t("noRows"), t("noRowsYet")));
    if (again) again.focus();
    this.mode = "read";
    say(counted("rowCount", this.done));
  }

  sent(waiting, error) {
    if (!this.saving) return;
    setText(this.saving, waiting ? t("saving") : "");
    fill(this.error, error && [problem(error), h("p", { class: "actions" }, h("button", { type: "button", onclick: () => this.sender.retry() }, t("retry")),
      !error.unreachable && h("button", { type: "button", class: "quiet", onclick: () => this.sender.drop() }, t("dropDecision")))]);
  }
}
