// Home: the drop zone, the built-in recipes and the list of runs.
import * as api from "./api.js";
import { bar, fill, h, setText } from "./dom.js";
import { ago, count, oneLine } from "./format.js";
import { setKeys } from "./keys.js";
import { busy, pill, problem } from "./states.js";
import { t } from "./words.js";

export async function show(main, { go, alive, onLeave, query }) {
  const first = await api.runs({ limit: 50 });
  if (!alive()) return;
  const none = first.runs.length === 0;
  document.title = none ? "selfinstruct" : `${t("runs")} · selfinstruct`;
  const zone = dropZone(go);
  const list = runList(go);
  const recipes = h("details", { class: "recipes" }, h("summary", {}, t("fromRecipe")));
  recipes.addEventListener("toggle", () => recipes.open && recipes.childElementCount === 1 && addRecipes(recipes));
  fill(main, h("div", { class: `start ${none ? "first" : ""}` },
    h("h1", {}, none ? t("welcome") : t("newRun")), none && h("p", { class: "lead" }, t("teach")), zone, recipes), list.element);
  list.set(first);
  setKeys([
    { keys: ["n"], label: t("newRun"), run: () => zone.querySelector("input").click() },
    ...list.keys,
  ]);
  let timer = 0;
  let growing = first.runs.some(busy);
  const again = () => { timer = setTimeout(look, growing ? 3000 : 15000); };
  const look = async () => {
    try {
      const { runs } = document.hidden ? { runs: [] } : await api.runs({ limit: 50 });
      list.update(runs);
      growing = document.hidden ? growing : runs.some(busy);
    } catch { /* the next turn tries again */ }
    if (alive()) again();
  };
  again();
  onLeave(() => clearTimeout(timer));
  if (query.get("new")) zone.querySelector("input").focus();
}

/** Where a seed file is dropped or chosen. */
function dropZone(go) {
  const file = h("input", { type: "file", id: "seed-file", class: "unseen", "aria-describedby": "drop-hint" });
  const status = h("div", { class: "drop-status", role: "status" });
  const zone = h("div", { class: "drop" },
    h("p", { class: "drop-title" }, h("label", { for: "seed-file", class: "button primary" }, t("chooseFile")), h("span", {}, t("orDrop"))),
    h("p", { class: "soft", id: "drop-hint" }, t("dropHint")), file, status);
  zone.prepend(file);
  const take = async (chosen) => {
    if (!chosen) return;
    fill(status, h("p", {}, t("uploading", { name: oneLine(chosen.name, 80) })));
    try {
      const limit = (await api.service()).limits.upload_bytes;
      if (limit && chosen.size > limit) throw new api.Problem(413, { detail: t("tooLarge"), hint: t("tooLargeHint") });
      const made = await api.upload(chosen);
      go(`/new/${encodeURIComponent(made.id)}`);
    } catch (error) {
      fill(status, problem(error));
      file.value = "";
    }
  };
  file.addEventListener("change", () => take(file.files[0]));
  let inside = 0;
  const light = (by) => zone.classList.toggle("over", (inside = Math.max(0, inside + by)) > 0);
  zone.addEventListener("dragenter", () => light(1));
  zone.addEventListener("dragleave", () => light(-1));
  zone.addEventListener("drop", (event) => { inside = 0; light(0); take(event.dataTransfer.files[0]); });
  return zone;
}

async function addRecipes(details) {
  try {
    const { recipes } = await api.recipes();
    details.append(h("ul", { class: "cards" }, recipes.map((each) =>
      h("li", {}, h("a", { href: `#/new?recipe=${encodeURIComponent(each.name)}` }, oneLine(each.title || each.name)),
        h("p", { class: "soft" }, oneLine(each.summary)), each.needs?.length > 0 && h("p", { class: "soft needs" }, t("needs", { what: each.needs.map((need) => t(`need_${need}`)).join(", ") }))))));
  } catch (error) { details.append(problem(error)); }
}

/** The runs as a table; two of them can be marked to be compared. */
function runList(go) {
  const body = h("tbody");
  const more = h("button", { type: "button", hidden: true }, t("more"));
  const compare = h("button", { type: "button", disabled: true }, t("compareTwo"));
  const marked = new Set();
  const lines = new Map();
  let next = null;
  const element = h("section", { class: "runs", hidden: true },
    h("div", { class: "section-head" }, h("h2", {}, t("runs")), compare),
    h("div", { class: "table-box" }, h("table", {}, h("thead", {}, h("tr", {},
      h("th", { class: "mark-cell" }, h("span", { class: "unseen" }, t("compareTwo"))), h("th", {}, t("name")), h("th", {}, t("state")),
      h("th", { class: "number" }, t("rows")), h("th", { class: "wide", "aria-hidden": "true" }), h("th", { class: "wide" }, t("model")), h("th", { class: "wide" }, t("updated")))), body)),
    more);
  const mark = (id, on) => {
    if (on) marked.add(id); else marked.delete(id);
    compare.disabled = marked.size !== 2;
  };
  const line = (run) => {
    const box = h("input", { type: "checkbox", "aria-label": t("markRun", { name: oneLine(run.name) }) });
    box.addEventListener("change", () => mark(run.id, box.checked));
    const [state, number, progress, when] = [h("td"), h("td", { class: "number" }), bar(0), h("td", { class: "wide soft when" })];
    const made = h("tr", {}, h("td", { class: "mark-cell" }, box),
      h("td", { class: "name" }, h("a", { href: `#/runs/${encodeURIComponent(run.id)}` }, h("bdi", {}, oneLine(run.name, 60))),
        run.id !== run.name && h("small", {}, h("bdi", {}, oneLine(run.id.startsWith(`${run.name}-`) ? run.id.slice(run.name.length + 1) : run.id)))),
      state, number, h("td", { class: "wide progress-cell" }, progress), h("td", { class: "wide soft model-cell" }, h("bdi", {}, oneLine(run.model ?? "", 60))), when);
    const set = (now) => {
      fill(state, pill(now.state));
      setText(number, `${count(now.accepted)} / ${count(now.requested_rows)}`);
      progress.set(now.accepted / now.requested_rows);
      progress.className = `bar ${busy(now) || now.state === "done" ? "" : "short"}`;
      fill(when, ago(now.updated));
    };
    set(run);
    return { made, set };
  };
  const update = (runs) => {
    for (const run of runs.toReversed()) {
      if (lines.has(run.id)) lines.get(run.id).set(run);
      else { lines.set(run.id, line(run)); body.prepend(lines.get(run.id).made); }
    }
    element.hidden = lines.size === 0;
  };
  const add = (page) => {
    for (const run of page.runs) {
      if (lines.has(run.id)) continue;
      lines.set(run.id, line(run));
      body.append(lines.get(run.id).made);
    }
    next = page.next;
    more.hidden = next === null || next === undefined;
    element.hidden = lines.size === 0;
  };
  more.addEventListener("click", async () => add(await api.runs({ limit: 50, after: next })));
  compare.addEventListener("click", () => { const [a, b] = marked; go("/compare", { first: a, second: b }); });
  const step = (by) => {
    const links = [...body.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
  };
  return { element, update, set: add, keys: [
    { keys: ["j", "ArrowDown"], label: t("keyNext"), run: () => step(1) },
    { keys: ["k", "ArrowUp"], label: t("keyPrevious"), run: () => step(-1) },
    { keys: ["Enter"], label: t("keyOpen"), run: () => document.activeElement.closest("tr")?.querySelector("a")?.click() },
  ] };
}
