// The parts of a preview: what the service inferred from the seeds, for a person to read and correct.
import { h, setText } from "./dom.js";
import { count, decimal, fields, oneLine, valueText, visible } from "./format.js";
import { counted, t } from "./words.js";

const text = (value, kind = "") => h("bdi", { class: kind }, visible(value));

export function headPart(preview) {
  return [h("h1", {}, text(oneLine(preview.name))), h("p", { class: "lead" },
    [preview.seeds > 0 && counted("seedRows", preview.seeds), counted("fieldCount", preview.fields.length), counted("categoryCount", preview.categories.length)]
      .filter((each) => each).join(" · "))];
}

/** What is not checked, and warnings: first, since a person should know before the run. */
export function checksPart(preview) {
  const told = [...preview.warnings, ...preview.notes];
  return [
    preview.unchecked.length > 0 && h("section", { class: "callout warn" }, h("h2", {}, t("notChecked")),
      h("p", {}, t("notCheckedHint")), h("ul", {}, preview.unchecked.map((each) => h("li", {}, visible(each))))),
    told.length > 0 && h("section", { class: "callout" }, h("h2", {}, t("notes")), h("ul", {}, told.map((note) => h("li", {}, visible(note))))),
  ];
}

export function fieldsPart(preview) {
  return [
    h("section", {}, h("h2", {}, t("fields")), h("ul", { class: "field-list" }, preview.fields.map((field) =>
      h("li", {}, h("div", { class: "field-name" }, text(field.name, "strong"), h("span", { class: "soft" }, oneLine(String(field.type ?? "")))),
        h("ul", { class: "rules" }, field.rules.map((rule) => h("li", {}, visible(rule))), !field.rules.length && h("li", { class: "soft" }, t("noRule"))),
        h("p", { class: "example soft", dir: "auto" }, visible(valueText(field.example ?? "").slice(0, 240))))))),
    preview.relations.length > 0 && h("section", {}, h("h2", {}, t("relations")),
      h("ul", { class: "plain-list" }, preview.relations.map((relation) => h("li", {}, h("code", {}, visible(relation)))))),
    preview.inferred.length > 0 && h("details", { class: "inferred" }, h("summary", {}, t("whyInferred")), h("dl", { class: "fields" }, preview.inferred.map((each) => [
      h("dt", {}, h("code", {}, visible(each.key)), " ", h("span", {}, visible(valueText(each.value)))), h("dd", {}, visible(each.reason)),
    ]))),
  ];
}

const MOST = 50;

/** The categories with their quotas, which are edited in place; `changed` gets all of them. */
export function categoriesPart(preview, changed) {
  const inputs = new Map();
  const total = h("span", { class: "soft" });
  const quotas = () => Object.fromEntries(preview.categories.map((each) => [each.name, Number(inputs.get(each.name)?.value ?? each.quota)]));
  const sum = () => setText(total, counted("rowCount", Object.values(quotas()).reduce((all, each) => all + each, 0)));
  const line = (each) => {
    const input = h("input", { type: "number", min: 1, step: 1, value: each.quota, "data-quota": each.name, inputmode: "numeric",
      "aria-label": t("quotaOf", { name: oneLine(each.name, 100) }) });
    input.addEventListener("input", () => {
      sum();
      if (input.checkValidity() && input.value) changed(quotas());
    });
    inputs.set(each.name, input);
    return h("tr", {}, h("td", { class: "name" }, text(each.name), each.example && h("small", { dir: "auto" }, visible(oneLine(exampleText(each.example), 160)))),
      h("td", { class: "number wide" }, count(each.seeds)),
      h("td", { class: "number wide" }, each.max_rouge_l === null || each.max_rouge_l === undefined ? "–" : decimal(each.max_rouge_l)),
      h("td", { class: "number" }, input));
  };
  const shown = preview.categories.slice(0, MOST);
  const body = h("tbody", {}, shown.map(line));
  const more = preview.categories.length > MOST && h("button", { type: "button", class: "quiet" }, counted("showAll", preview.categories.length));
  if (more) more.addEventListener("click", () => { body.append(...preview.categories.slice(MOST).map(line)); more.remove(); });
  sum();
  return {
    element: h("section", {}, h("div", { class: "section-head" }, h("h2", {}, t("categories")), total),
      h("div", { class: "table-box" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, t("category")), h("th", { class: "number wide" }, t("seeds")),
        h("th", { class: "number wide", title: t("maxRougeHint") }, t("maxRouge")), h("th", { class: "number" }, t("rows")))), body)), more),
    /** Show about the quotas of another size, until the service says exactly. */
    scale(rows) {
      const all = Object.values(quotas()).reduce((have, each) => have + each, 0) || 1;
      for (const input of inputs.values()) input.value = String(Math.max(1, Math.round((Number(input.value) * rows) / all)));
      sum();
    },
    update(now) {
      for (const each of now.categories) {
        const input = inputs.get(each.name);
        if (input && input !== document.activeElement) input.value = String(each.quota);
      }
    },
  };
}

const exampleText = (example) =>
  typeof example === "object" && example !== null ? Object.values(example).map(valueText).join(" · ") : valueText(example);

export function rowsPart(preview) {
  if (!preview.sample?.length) return null;
  const [first, ...others] = preview.sample;
  return h("section", {}, h("h2", {}, t("seedRowsTitle")), h("article", {}, fields(first)),
    others.length > 0 && h("details", {}, h("summary", {}, counted("moreSeeds", others.length)), others.map((row) => h("article", {}, fields(row)))));
}

export function promptPart(preview) {
  if (!preview.messages?.length) return null;
  return h("section", {}, h("h2", {}, t("samplePrompt")), h("p", { class: "soft" }, t("samplePromptHint")),
    preview.messages.map((message) => h("details", { class: "message", open: message.role === "user" }, h("summary", {}, t(`role_${message.role}`)),
      h("pre", { tabindex: "0", "aria-label": t(`role_${message.role}`) }, visible(message.content)))));
}
