// Before a run: what was inferred, what is not checked, what it will take; all of it can be changed, then it starts.
import * as api from "./api.js";
import { fill, h, later, say } from "./dom.js";
import { editor } from "./editor.js";
import { setKeys } from "./keys.js";
import { count } from "./format.js";
import { checksPart, fieldsPart, promptPart, rowsPart, categoriesPart, headPart } from "./preview-parts.js";
import { problem } from "./states.js";
import { startCard } from "./start.js";
import { withQuotas } from "./recipe-text.js";
import { t } from "./words.js";

/** What the person chose so far stays in this tab, by the seed file or recipe that it is about. */
const keep = (key, source) => { try { sessionStorage.setItem(key, JSON.stringify(source)); } catch { /* it is only kept */ } };
const kept = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };

// Once the text is edited, it alone says what the recipe is and how many rows it has.
const FROM_TEXT = { recipe: null, rows: null };

/** The key under which the source of a preview is kept. */
export const sourceKey = (id) => `source ${id}`;

export async function show(main, context) {
  const [file] = context.parameters;
  const recipe = context.query.get("recipe");
  const from = context.query.get("from");
  const key = sourceKey(file ?? (from ? `from ${from}` : recipe));
  const source = kept(key) ?? (file ? { file } : { recipe });
  const info = await api.service();
  const first = await attempt(source);
  if (!context.alive()) return;
  new Preview(main, context, { key, source, info }).begin(first);
}

async function attempt(source, signal) {
  try { return { preview: await api.preview(source, signal) }; } catch (error) {
    if (error.name === "AbortError" || error.status === 401 || error.unreachable) throw error;
    return { error };
  }
}

class Preview {
  constructor(main, context, { key, source, info }) {
    Object.assign(this, { main, context, key, source, info, turn: null, last: null });
    this.again = later(() => this.refresh(), 350);
    this.startKey = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    context.onLeave(() => { this.again.cancel(); this.turn?.abort(); });
  }

  begin(result) {
    const preview = result.preview;
    document.title = `${t("preview")} · selfinstruct`;
    this.card = startCard(this.info, this.source, { change: (values) => this.change(values), rows: (rows) => this.setRows(rows), start: () => this.start() });
    this.recipe = editor(this.source.toml ?? preview?.toml ?? "", t("recipe"), (toml) => this.change({ toml, ...FROM_TEXT }));
    this.recipeBox = h("details", { class: "recipe-box" }, h("summary", {}, t("editRecipe")), h("p", { class: "soft" }, t("editRecipeHint")), this.recipe.element);
    this.parts = h("div", { class: "preview-parts" });
    this.head = h("header", { class: "preview-head" });
    this.error = h("div");
    fill(this.main, this.head, h("div", { class: "preview-grid" }, this.card.element,
      h("div", { class: "preview-main" }, this.error, this.parts, h("section", {}, h("h2", {}, t("recipe")), this.recipeBox))));
    setKeys([
      { keys: ["s"], label: t("start"), run: () => this.start() },
      { keys: ["e"], label: t("editRecipe"), run: () => { this.recipeBox.open = true; this.recipe.toLine(1); } },
    ]);
    this.set(result);
  }

  /** Show an answer of the service; a refusal keeps the last good preview in sight. */
  set({ preview, error }) {
    this.main.removeAttribute("aria-busy");
    this.card.busy(false);
    this.card.set(preview ?? null, error);
    const edited = this.source.toml !== undefined;
    this.recipe.problem(error && edited ? error : null);
    if (error && edited) this.recipeBox.open = true;
    fill(this.error, error && !edited && problem(error));
    if (!preview) {
      if (!this.last) fill(this.head, h("h1", {}, t("preview")));
      return;
    }
    this.last = preview;
    if (!edited) this.recipe.value = preview.toml;
    const focused = document.activeElement?.dataset?.quota;
    const typing = focused !== undefined && this.parts.contains(document.activeElement);
    fill(this.head, headPart(preview));
    if (typing) this.updateQuotas?.(preview);
    else {
      const categories = categoriesPart(preview, (quotas) => this.setQuotas(quotas));
      this.updateQuotas = categories.update;
      this.scaleQuotas = categories.scale;
      fill(this.parts, checksPart(preview), fieldsPart(preview), categories.element, rowsPart(preview), promptPart(preview));
    }
    say(t("previewSaid", { rows: count(this.total(preview)) }));
  }

  total(preview) { return preview.categories.reduce((sum, each) => sum + each.quota, 0); }

  change(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined || value === "") delete this.source[name];
      else this.source[name] = value;
    }
    keep(this.key, this.source);
    this.card.busy(true);
    this.again();
  }

  setRows(rows) {
    this.scaleQuotas?.(rows);
    if (this.source.toml === undefined) return this.change({ rows });
    this.recipe.value = withQuotas(this.source.toml, rows);
    return this.change({ toml: this.recipe.value, ...FROM_TEXT });
  }

  setQuotas(quotas) {
    const rows = Object.values(quotas).reduce((sum, each) => sum + each, 0);
    this.card.size(rows);
    this.recipe.value = withQuotas(this.source.toml ?? this.last.toml, rows, quotas);
    this.change({ toml: this.recipe.value, ...FROM_TEXT });
  }

  async refresh() {
    this.turn?.abort();
    this.turn = new AbortController();
    const { signal } = this.turn;
    try {
      const result = await attempt(this.source, signal);
      if (!signal.aborted) this.set(result);
    } catch (error) {
      if (error.name !== "AbortError") this.set({ error });
    }
  }

  async start() {
    if (!this.card.ready()) return;
    this.card.starting(true);
    try {
      const run = await api.createRun(this.source, this.card.name(), this.startKey);
      sessionStorage.removeItem(this.key);
      this.context.go(`/runs/${encodeURIComponent(run.id)}`);
    } catch (error) {
      this.card.starting(false);
      this.card.refuse(error);
      this.startKey = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    }
  }
}
