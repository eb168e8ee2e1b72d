// The drawer of one row: its values, what a person decided, and where it came from.
import * as api from "./api.js";
import { dialog, fill, h, say } from "./dom.js";
import { ago, count, decimal, duration, fields, meaning, oneLine, rowText, visible } from "./format.js";
import { loading, problem } from "./states.js";
import { t } from "./words.js";

/** Open the drawer of a row by its name ("12", "s3", "x17"). `step(by)` gives the next name, `decided` hears of decisions. */
export function openRow(context, name, { step, decided, closed }) {
  const body = h("div", { class: "drawer-body" });
  const box = dialog("drawer", t("rowDetails"), t("close"), body);
  let turn = null;
  const load = async (next) => {
    name = next;
    turn?.abort();
    turn = new AbortController();
    const { signal } = turn;
    if (!body.childElementCount) fill(body, loading());
    try {
      const [row, { reasons }] = await Promise.all([api.provenance(context.id, name, signal), api.service()]);
      if (!signal.aborted) fill(body, content(row, reasons));
    } catch (error) {
      if (error.name !== "AbortError") fill(body, problem(error));
    }
  };
  const act = async (action) => {
    try {
      const made = await api.decide(context.id, { row: name, action });
      decided?.(made);
      say(t(`said_${action}`, { name }));
      await load(name);
    } catch (error) { body.prepend(problem(error)); }
  };
  const content = (row, reasons) => {
    const standing = row.decision?.action;
    const refusal = row.rejection;
    const button = (label, work, kind = "", key = null) => h("button", { type: "button", class: kind, onclick: work, "aria-keyshortcuts": key }, t(label));
    const isSeed = name.startsWith("s");
    return [
      h("h2", {}, isSeed ? t("seedName", { name }) : refusal ? t("candidateName", { name }) : t("rowNumber", { n: name }), " ",
        standing && h("span", { class: `tag ${standing}` }, t(`decided_${standing}`))),
      h("p", { class: "soft" }, h("bdi", {}, visible(row.category))),
      refusal && h("div", { class: "callout warn" }, h("p", {}, h("span", { class: "tag bad" }, oneLine(refusal.reason)), " ", meaning(refusal.reason, reasons)), h("p", {}, visible(refusal.message ?? ""))),
      row.row ? fields(row.row, row.spans) : h("pre", { tabindex: "0" }, visible(row.text)),
      !isSeed && h("p", { class: "actions" }, button("accept", () => act("accept"), "", "a"), button("reject", () => act("reject"), "", "r"),
        h("a", { class: "button", href: `#${context.path}/review?row=${encodeURIComponent(name)}` }, t("edit")), standing && button("undo", () => act("undo"), "quiet", "u")),
      origin(row),
    ];
  };
  box.keys = [
    { keys: ["j", "ArrowRight"], run: () => { const next = step?.(1); if (next) load(next); } },
    { keys: ["k", "ArrowLeft"], run: () => { const next = step?.(-1); if (next) load(next); } },
    { keys: ["a"], run: () => act("accept") }, { keys: ["r"], run: () => act("reject") }, { keys: ["u"], run: () => act("undo") },
    { keys: ["e"], run: () => context.go(`${context.path}/review`, { row: name }) },
  ];
  box.addEventListener("close", () => { turn?.abort(); closed?.(); });
  load(name);
  return box;
}

/** Where a row came from: its call, what the prompt showed, the nearest rows, the replies. */
function origin(row) {
  const pairs = [];
  const pair = (label, ...value) => pairs.push(h("dt", {}, label), h("dd", {}, value));
  const [reply] = row.replies ?? [];
  if (row.line) pair(t("seedLine"), count(row.line));
  if (reply) pair(t("writtenBy"), h("bdi", {}, visible(reply.model)));
  for (const [key, value] of Object.entries(row.conditions ?? {})) pair(h("bdi", {}, visible(key)), visible(typeof value === "string" ? value : JSON.stringify(value)));
  const rows = (list, extra = () => null) => h("ul", { class: "plain-list small" }, list.map((each) =>
    h("li", {}, h("span", { class: "row-name" }, each.name), extra(each), h("span", { dir: "auto" }, rowText(each.row)))));
  return [
    pairs.length > 0 && h("dl", { class: "fields meta-fields" }, pairs),
    row.nearest?.length > 0 && h("section", {}, h("h3", {}, t("nearest")), rows(row.nearest, (each) => h("span", { class: "number soft" }, decimal(each.score, 4)))),
    row.demos?.length > 0 && h("section", {}, h("h3", {}, t("demonstrations")), rows(row.demos)),
    row.passage && h("section", {}, h("h3", {}, t("passage")), typeof row.passage === "string" ? h("pre", { tabindex: "0" }, visible(row.passage)) : fields(row.passage)),
    row.decisions?.length > 0 && h("section", {}, h("h3", {}, t("decisions")), h("ul", { class: "plain-list small" }, row.decisions.map((each) =>
      h("li", {}, t(`decided_${each.action}`), each.reason && [": ", visible(each.reason)], " · ", h("bdi", {}, oneLine(each.by ?? "")), " · ", ago(each.at))))),
    row.replies?.length > 0 && h("section", {}, h("h3", {}, t("replies")), row.replies.map((each) => h("details", {},
      h("summary", {}, [each.step, each.model].filter((word) => word).map((word) => oneLine(word)).join(" · "), " · ", duration(each.seconds ?? 0)),
      h("pre", { tabindex: "0", "aria-label": t("replies") }, visible((each.text ?? "").slice(0, 20000)))))),
  ];
}
