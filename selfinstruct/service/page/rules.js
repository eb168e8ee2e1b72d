// The recipe of a run: add a check, and see which of the recorded rows it would have refused, before anything runs.
import * as api from "./api.js";
import { bar, fill, h } from "./dom.js";
import { editor } from "./editor.js";
import { count, fields, meaning, oneLine } from "./format.js";
import { sourceKey } from "./preview.js";
import { withFieldKey } from "./recipe-text.js";
import { loading, problem } from "./states.js";
import { t } from "./words.js";

const KINDS = ["refuse", "pattern", "max_chars", "min_chars", "appears_in"];

export async function show(panel, context) {
  const name = context.query.get("row");
  try {
    const [recipe, row, { reasons }] = await Promise.all([api.recipeOf(context.id), name ? api.provenance(context.id, name) : sampleRow(context), api.service()]);
    if (context.alive()) rules(panel, context, recipe, row, name, reasons);
  } catch (error) {
    if (context.alive()) fill(panel, problem(error), h("p", {}, h("button", { type: "button", onclick: context.retry }, t("retry"))));
  }
}

const sampleRow = async (context) => (await api.rows(context.id, { after: 0, limit: 1 })).rows[0] ?? null;

function rules(panel, context, recipe, row, name, reasons) {
  const text = editor(recipe.toml, t("recipe"), () => { stale(); });
  const result = h("div", { class: "rejudged", "aria-live": "polite" });
  const go = h("button", { type: "button", class: "primary" }, t("rejudge"));
  const stale = () => { result.classList.toggle("stale", result.childElementCount > 0); text.problem(null); };
  const names = Object.keys(row?.row ?? {});
  go.addEventListener("click", async () => {
    go.disabled = true;
    text.problem(null);
    result.classList.remove("stale");
    fill(result, loading(t("rejudging")));
    try {
      fill(result, effect(await api.rejudge(context.id, text.value), reasons), again(context, text, recipe));
    } catch (error) {
      fill(result, problem(error));
      text.problem(error);
    }
    go.disabled = false;
  });
  fill(panel, h("div", { class: "rules-intro" }, h("h2", {}, t("rulesTitle")), h("p", { class: "soft" }, t("rulesHint"))),
    name && row?.row && h("article", {}, h("header", {}, h("h3", {}, t("rowName", { name: oneLine(name) })),
      row.rejection && h("span", { class: "tag bad" }, oneLine(row.rejection.reason))), fields(row.row, row.spans)),
    names.length > 0 && addCheck(names, text, stale), text.element, h("p", { class: "actions" }, go), result);
}

/** The form that writes a check into the recipe. */
function addCheck(names, text, stale) {
  const option = (value, label) => h("option", { value }, label);
  const field = h("select", { id: "check-field" }, names.map((each) => option(each, oneLine(each, 60))));
  const kind = h("select", { id: "check-kind" }, KINDS.map((each) => option(each, t(`kind_${each}`))));
  const value = h("input", { id: "check-value", min: 0, required: true, autocomplete: "off", spellcheck: "false" });
  const other = h("select", { id: "check-value", hidden: true }, names.map((each) => option(each, oneLine(each, 60))));
  const label = h("label", { for: "check-value" });
  const set = () => {
    const wanted = kind.value === "appears_in" ? other : value;
    wanted.hidden = false;
    value.type = kind.value.endsWith("_chars") ? "number" : "text";
    fill(label, t(`value_${kind.value}`), wanted);
  };
  kind.addEventListener("change", set);
  set();
  const form = h("form", { class: "toolbar add-check" }, h("label", { for: "check-field" }, t("field"), field), h("label", { for: "check-kind" }, t("must"), kind), label,
    h("button", { type: "submit" }, t("addCheck")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = kind.value === "appears_in" ? other.value : kind.value.endsWith("_chars") ? Number(value.value) : value.value;
    const literal = kind.value === "refuse" ? [given.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")] : given;  // a text, of which the recipe has a pattern
    const made = withFieldKey(text.value, field.value, kind.value, literal);
    text.value = made.toml;
    text.toLine(made.line);
    stale();
  });
  return form;
}

/** What changes: rows before and after, and the refusals by reason. */
function effect(found, reasons) {
  const { before, after, same } = found;
  const slugs = [...new Set([...Object.keys(before.rejected), ...Object.keys(after.rejected)])].sort();
  const most = Math.max(before.accepted, after.accepted, 1);
  const change = (a, b) => h("td", { class: `number ${b > a ? "more" : b < a ? "less" : "soft"}` }, b === a ? "0" : `${b > a ? "+" : "−"}${count(Math.abs(b - a))}`);
  const line = (label, a, b) => h("tr", {}, h("td", { class: "name" }, label), h("td", { class: "number" }, count(a)), h("td", { class: "number" }, count(b)), change(a, b));
  return [
    h("h2", {}, found.identical || (same === before.accepted && same === after.accepted) ? t("noChange") : t("lost", { rows: count(before.accepted - same), of: count(before.accepted) })),
    after.accepted > same && h("p", {}, t("gained", { rows: count(after.accepted - same) })),
    bar(same / most),
    h("div", { class: "table-box" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "unseen" }, t("name"))), h("th", { class: "number" }, t("now")), h("th", { class: "number" }, t("withRecipe")), h("th", { class: "number" }, t("change")))),
      h("tbody", {}, line(t("acceptedRows"), before.accepted, after.accepted),
        slugs.map((slug) => line([t("refusedAs"), " ", h("span", { class: "tag bad" }, oneLine(slug)), " ", h("small", {}, meaning(slug, reasons))], before.rejected[slug] ?? 0, after.rejected[slug] ?? 0))))),
  ];
}

function again(context, text, recipe) {
  const start = h("button", { type: "button" }, t("newRunFromRecipe"));
  start.addEventListener("click", () => {
    sessionStorage.setItem(sourceKey(`from ${context.id}`), JSON.stringify({ toml: text.value }));
    context.go("/new", { from: context.id });
  });
  return text.value === recipe.toml ? null : [h("p", { class: "soft" }, t("rejudgedHint")), h("p", { class: "actions" }, start)];
}
