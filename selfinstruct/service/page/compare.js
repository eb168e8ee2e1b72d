// Two runs side by side: every figure of both, and what changed.
import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { count, decimal, duration, money, oneLine, percent, visible } from "./format.js";
import { language, t } from "./words.js";

const write = { count, share: (value) => percent(value, 1), number: (value) => decimal(value, value >= 100 ? 0 : 3), money, seconds: duration };
const shown = (value, unit) => (value === null || value === undefined ? "–" : write[unit](value));

function change(first, second, unit) {
  if (first === null || second === null || first === undefined || second === undefined) return "";
  const by = second - first;
  if (!by) return "0";
  const size = unit === "share" ? t("points", { n: decimal(Math.abs(by) * 100, 1) }) : write[unit](Math.abs(by));
  return `${by > 0 ? "+" : "−"}${size}`;
}

export async function show(main, { query, alive }) {
  const [first, second] = [query.get("first"), query.get("second")];
  const [found, chinese] = await Promise.all([api.comparison(first, second), language() === "zh" ? import("./compare-zh.js") : null]);
  const own = (name) => (chinese && Object.hasOwn(chinese.default, name) ? chinese.default[name] : name);
  if (!alive()) return;
  document.title = `${t("comparison")} · selfinstruct`;
  const [a, b] = [found.runs?.[0] ?? first, found.runs?.[1] ?? second];
  const link = (id, name) => h("th", { class: "number" }, h("a", { href: `#/runs/${encodeURIComponent(id)}` }, h("bdi", {}, oneLine(name, 40))));
  const names = a === b ? [first, second] : [a, b];
  fill(main, h("h1", {}, t("comparison")), h("p", { class: "lead" }, h("bdi", {}, oneLine(names[0])), " ", t("and"), " ", h("bdi", {}, oneLine(names[1]))),
    found.sections.map((section) => h("section", {}, h("h2", {}, visible(own(section.title)), section.subject && [": ", h("bdi", {}, visible(section.subject))]),
      h("div", { class: "table-box" }, h("table", { class: "compared" }, h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "unseen" }, t("name"))), link(first, names[0]), link(second, names[1]), h("th", { class: "number" }, t("change")))),
        h("tbody", {}, section.lines.map((line) => h("tr", {}, h("td", { class: "name" }, h("bdi", {}, visible(section.title === "Rows by category" || section.title === "Shares of values" ? line.name : own(line.name)))),
          h("td", { class: "number" }, shown(line.first, line.unit)), h("td", { class: "number" }, shown(line.second, line.unit)),
          h("td", { class: "number soft" }, change(line.first, line.second, line.unit))))))))));
}
