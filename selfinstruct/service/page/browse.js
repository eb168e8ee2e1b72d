// Browsing: the accepted rows, or the refused candidates, of a run of any size; with search and filters.
import * as api from "./api.js";
import { fill, h, later, setText } from "./dom.js";
import { openRow } from "./drawer.js";
import { count, meaning, oneLine, rowText, valueText } from "./format.js";
import { FilteredPages, NumberedPages } from "./row-pages.js";
import { refused } from "./run.js";
import { busy, empty, problem } from "./states.js";
import { VirtualList } from "./virtual.js";
import { counted, t } from "./words.js";

const COLUMNS = 4;

export async function show(panel, context) {
  const { reasons } = await api.service();
  if (context.alive()) new Browse(panel, context, reasons).begin();
}

class Browse {
  constructor(panel, context, reasons) {
    Object.assign(this, { panel, context, reasons, live: context.live, ofRows: context.tab === "rows", open: null });
    this.filters = Object.fromEntries(["text", "category", "reason", "decision"].map((name) => [name, context.query.get(name) ?? ""]));
    context.onLeave(() => this.pages?.stop());
  }

  begin() {
    this.status = h("p", { class: "soft", role: "status" });
    this.error = h("div");
    this.nothing = h("div");
    this.headRow = h("div", { class: "v-row", role: "row" });
    this.narrow = matchMedia("(max-width: 48rem)");
    this.list = new VirtualList({
      label: t(this.ofRows ? "tab_rows" : "tab_refused"), head: this.headRow, rowHeight: this.narrow.matches ? 64 : 40,
      draw: (index) => this.draw(index), seen: (first, last) => this.pages.need(first, last), open: (index) => this.openAt(index),
    });
    this.list.element.classList.add(this.ofRows ? "of-rows" : "of-refused");
    fill(this.panel, this.toolbar(), h("div", { class: "section-head" }, this.status, this.jump()), this.error, this.nothing, this.list.element);
    this.context.keys(this.list.keys(t));
    this.restart();
    this.live.on((now) => {
      if (this.filtered || !busy(now)) return;
      const most = this.ofRows ? now.accepted : refused(now);
      if (most > this.pages.total) { this.pages.total = most; this.changed(null); }
    });
    const name = this.context.query.get("row");
    if (name) this.openNamed(name);
  }

  get filtered() { return Object.values(this.filters).some((value) => value !== ""); }

  restart() {
    this.pages?.stop();
    const ask = async (page, signal) => {
      const answer = await (this.ofRows ? api.rows : api.rejections)(this.context.id, { ...page, ...this.filters }, signal);
      return { ...answer, items: this.ofRows ? answer.rows : answer.rejections };
    };
    const number = this.ofRows ? (item) => item.number : (item) => item.id;
    const pages = new (this.filtered ? FilteredPages : NumberedPages)(ask, number, (error) => this.pages === pages && this.changed(error));
    this.pages = pages;
    this.columns = null;
    this.list.reset();
    setText(this.status, t("loading"));
    fill(this.error);
    pages.need(0, 1);
  }

  changed(error) {
    if (error && this.live.run.accepted + refused(this.live.run) === 0 && !error.unreachable) return this.waiting();
    fill(this.error, error && [problem(error), h("p", {}, h("button", { type: "button", onclick: () => this.restart() }, t("retry")))]);
    if (error) return setText(this.status, "");
    if (!this.columns && this.pages.get(0)) this.setColumns();
    const none = this.pages.count === 0 && this.pages.done;
    fill(this.nothing, none && this.emptyState());
    this.list.element.hidden = this.pages.count === 0;
    this.list.element.style.setProperty("--digits", `${count(this.pages.count).length + 1}ch`);
    this.list.setCount(this.pages.count);
    this.list.paint();
    return setText(this.status, this.statusText());
  }

  statusText() {
    const { pages } = this;
    const key = this.ofRows ? "rowCount" : "refusedCount";
    if (!this.filtered) return counted(key, pages.count);
    if (pages.done) return counted("matches", pages.count);
    return t("matchesSoFar", { n: count(pages.count), scanned: count(pages.scanned), total: count(pages.total) });
  }

  /** A run that has not begun has no rows that could be asked for: ask again once it has some. */
  waiting() {
    this.begun ??= this.live.on((now) => { if (now.accepted + refused(now) > 0 && this.list.element.hidden) this.restart(); });
    setText(this.status, "");
    fill(this.nothing, this.emptyState());
    this.list.element.hidden = true;
  }

  emptyState() {
    if (this.filtered) return empty(t("noMatch"), t("noMatchHint"), h("button", { type: "button", onclick: () => this.clear() }, t("clearFilters")));
    if (this.ofRows) return empty(t("noRows"), busy(this.live.run) ? t("noRowsYet") : t("noRowsHint"));
    return empty(t("noRefused"), t("noRefusedHint"));
  }

  toolbar() {
    const search = h("input", { type: "search", id: "search", value: this.filters.text, autocomplete: "off", spellcheck: "false" });
    const typed = later(() => this.filter({ text: search.value.trim() }), 250);
    search.addEventListener("input", typed);
    const select = (name, options) => {
      const made = h("select", { id: `filter-${name}` }, h("option", { value: "" }, t("all")), options.map(([value, label]) => h("option", { value }, label)));
      made.value = this.filters[name];
      made.addEventListener("change", () => this.filter({ [name]: made.value }));
      return h("label", { for: `filter-${name}` }, t(`filter_${name}`), made);
    };
    const { run } = this.live;
    this.bar = h("div", { class: "toolbar", role: "search" }, h("label", { class: "grow", for: "search" }, t("search"), search),
      run.categories.length > 1 && select("category", run.categories.map((each) => [each.name, oneLine(each.name, 80)])),
      this.ofRows ? select("decision", ["none", "accept", "reject", "edit"].map((each) => [each, t(`decided_${each}`)]))
        : select("reason", Object.keys(run.rejected ?? {}).filter((slug) => slug !== "person").sort().map((slug) => [slug, `${oneLine(slug)}: ${meaning(slug, this.reasons)}`])));
    return this.bar;
  }

  jump() {
    const number = h("input", { type: "number", id: "jump", min: 1, step: 1, inputmode: "numeric" });
    const form = h("form", { class: "jump" }, h("label", { for: "jump" }, t("goToRow"), number));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!number.value) return;
      if (this.filtered) this.clear();
      this.list.move(Number(number.value) - 1);
      this.list.element.focus();
    });
    return form;
  }

  filter(values) {
    Object.assign(this.filters, values);
    this.context.go(this.context.path + (this.ofRows ? "/rows" : "/refused"), this.filters, { replace: true, quiet: true });
    this.restart();
  }

  clear() {
    this.bar.querySelectorAll("input, select").forEach((each) => (each.value = ""));
    this.filter({ text: "", category: "", reason: "", decision: "" });
  }

  /** Columns for the fields, as wide as their values in the first rows are long. */
  setColumns() {
    if (!this.ofRows) {
      this.columns = [];
      return fill(this.headRow, ["candidate", "reason", "why", "text"].map((name) => h("span", { role: "columnheader" }, t(`column_${name}`))));
    }
    const sample = Array.from({ length: 30 }, (_, at) => this.pages.get(at)).filter((each) => each);
    this.columns = Object.keys(sample[0].row).slice(0, COLUMNS);
    const widths = this.columns.map((name) =>
      Math.min(48, Math.max(7, sample.reduce((sum, each) => sum + valueText(each.row[name]).length, 0) / sample.length)));
    this.list.element.style.setProperty("--columns", widths.map((width) => `minmax(0, ${width.toFixed(1)}fr)`).join(" "));
    return fill(this.headRow, h("span", { role: "columnheader", class: "number" }, t("column_row")),
      this.columns.map((name) => h("span", { role: "columnheader" }, h("bdi", {}, oneLine(name, 60)))), h("span", { role: "columnheader" }, t("column_decision")));
  }

  draw(index) {
    const item = this.pages.get(index);
    if (!item || !this.columns) return null;
    const cell = (kind, ...children) => h("span", { role: "gridcell", class: kind }, children);
    const text = (value) => h("bdi", {}, oneLine(value, 240));
    const decision = item.decision && h("span", { class: `tag ${item.decision.action}` }, t(`decided_${item.decision.action}`));
    if (!this.ofRows)
      return [cell("soft", item.name), cell("", h("span", { class: "tag bad" }, oneLine(item.reason)), decision), cell("wide", text(item.message)), cell("text", item.row ? h("bdi", {}, rowText(item.row).slice(0, 240)) : text(item.text))];
    return [cell("number soft", count(item.number)), this.columns.map((name) => cell("text", text(valueText(item.row[name])))), cell("decision", decision)];
  }

  async openNamed(name) {
    const index = Number(name.replace(/^x/, "")) - 1;
    if (!this.filtered && index >= 0) this.list.move(index);
    this.openDrawer(name, null);
  }

  openAt(index) {
    const item = this.pages.get(index);
    if (item) this.openDrawer(item.name ?? String(item.number), index);
  }

  openDrawer(name, index) {
    const address = (row) => this.context.go(this.context.path + (this.ofRows ? "/rows" : "/refused"), { ...this.filters, row }, { replace: true, quiet: true });
    address(name);
    openRow(this.context, name, {
      step: (by) => {
        const at = index === null ? this.list.active + by : index + by;
        if (at < 0 || at >= this.list.count) return null;
        this.list.move(at);
        const item = this.pages.get(at);
        if (!item) return null;
        index = at;
        address(item.name ?? String(item.number));
        return item.name ?? String(item.number);
      },
      decided: (decision) => {
        const at = index ?? this.list.active;
        const item = this.pages.get(at);
        if (item) item.decision = decision.action === "undo" ? null : decision;
        this.list.redraw(at);
      },
      closed: () => address(""),
    });
  }
}
