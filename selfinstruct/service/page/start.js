// The card that starts a run: size, model, limits, what it will take, and the button.
import { upload } from "./api.js";
import { fill, h } from "./dom.js";
import { brief, count, money, oneLine, range, visible } from "./format.js";
import { problem } from "./states.js";
import { counted, t } from "./words.js";

// The limits of requests have no meaning for the imitator and are hidden then.
const NUMBERS = { seed: { min: 0, step: 1 }, budget: { min: 0, step: "any" }, concurrency: { min: 1, step: 1 }, max_requests: { min: 1, step: 1 } };

export function startCard(info, source, { change, rows, start }) {
  const size = h("input", { type: "number", id: "size", min: 1, max: info.limits.rows ?? null, step: 1, inputmode: "numeric" });
  const name = h("input", { type: "text", id: "run-name", maxlength: 80, autocomplete: "off" });
  const go = h("button", { type: "button", class: "primary wide-button", "aria-keyshortcuts": "s", onclick: start }, t("start"));
  const forecast = h("dl", { class: "forecast" });
  const told = h("div", { role: "status" });
  const waiting = h("span", { class: "soft updating", role: "status" });
  let good = false;
  size.addEventListener("input", () => size.value && size.checkValidity() && rows(Number(size.value)));
  const sizes = h("div", { class: "sizes" }, [100, 1000, 10000].map((each) => h("button", { type: "button", class: "quiet", onclick: () => {
    size.value = String(each);
    rows(each);
  } }, count(each))));
  const form = h("form", { class: `card start-card ${source.endpoint ? "" : "no-endpoint"}` },
    h("h2", {}, t("size")), h("label", { for: "size" }, t("rowsToGrow"), size), sizes,
    h("h2", {}, t("model")), modelChoice(info, source, change),
    more(source, change),
    h("div", { class: "start-end" }, h("h2", {}, t("forecast"), " ", waiting), forecast, h("label", { for: "run-name" }, t("runName"), name), go, told));
  form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
  return {
    element: form,
    name: () => name.value.trim(),
    ready: () => good && !go.disabled,
    busy(is) {
      waiting.textContent = is ? t("updating") : "";
      if (is) go.disabled = true;
    },
    size(rows) { size.value = String(rows); },
    starting(is) { go.disabled = is; go.textContent = t(is ? "starting" : "start"); },
    refuse(error) { fill(told, problem(error)); },
    set(preview, error) {
      good = !!preview;
      go.disabled = !good;
      fill(told, error && h("p", { class: "soft" }, t("cannotStart")));
      if (!preview) return;
      if (document.activeElement !== size) size.value = String(preview.categories.reduce((sum, each) => sum + each.quota, 0));
      name.placeholder = oneLine(preview.name, 80);
      const { requests, tokens, cost } = preview.forecast;
      const line = (label, value) => [h("dt", {}, label), h("dd", {}, value)];
      fill(forecast, line(t("writtenBy"), h("bdi", {}, visible(preview.model))), source.endpoint && line(t("figure_requests"), count(requests)),
        source.endpoint && tokens && line(t("figure_tokens"), range(tokens, brief)),
        line(t("figure_cost"), cost ? range(cost, money) : t(source.endpoint ? "costUnknown" : "costNone")));
    },
  };
}

/** The embedded imitator, or one of the endpoints that the operator allows, with its model. */
function modelChoice(info, source, change) {
  const choice = (id, label, hint) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "endpoint", value: id, ".checked": (source.endpoint ?? "") === id }), h("span", {}, label, hint && h("small", {}, hint)));
  const place = h("div", { class: "model-name" });
  const set = choice("", t("imitator"), t("imitatorHint"));
  const all = h("fieldset", { class: "choices" }, h("legend", { class: "unseen" }, t("model")), set,
    info.endpoints.map((each) => choice(each.id, oneLine(each.id), each.models?.length && counted("models", each.models.length))), place);
  if (!info.endpoints.length) all.append(h("p", { class: "soft" }, t("noEndpoints")));
  const names = (id) => {
    const endpoint = info.endpoints.find((each) => each.id === id);
    if (!endpoint) return fill(place);
    const listed = endpoint.models?.length;
    const field = listed ? h("select", { id: "model" }, endpoint.models.map((each) => h("option", { value: each }, oneLine(each))))
      : h("input", { type: "text", id: "model", autocomplete: "off", spellcheck: "false" });
    if (source.model && (!listed || endpoint.models.includes(source.model))) field.value = source.model;
    field.addEventListener(listed ? "change" : "input", () => change({ model: field.value }));
    return fill(place, h("label", { for: "model" }, t("modelName"), field));
  };
  all.addEventListener("change", (event) => {
    if (event.target.name !== "endpoint") return;
    names(event.target.value);
    const limits = event.target.value ? {} : { budget: null, max_requests: null, concurrency: null };
    all.closest("form").classList.toggle("no-endpoint", !event.target.value);
    change({ endpoint: event.target.value, model: place.querySelector("#model")?.value ?? "", ...limits });
  });
  names(source.endpoint);
  return all;
}

function more(source, change) {
  const number = (name) => {
    const input = h("input", { type: "number", id: `set-${name}`, inputmode: "decimal", value: source[name] ?? null, ...NUMBERS[name] });
    input.addEventListener("input", () => input.checkValidity() && change({ [name]: input.value === "" ? null : Number(input.value) }));
    return h("label", { for: `set-${name}`, class: name === "seed" ? "" : "with-endpoint" }, t(`set_${name}`), input);
  };
  const language = h("select", { id: "set-language" }, ["", "en", "zh"].map((each) => h("option", { value: each, ".selected": (source.language ?? "") === each }, t(`language_${each || "auto"}`))));
  language.addEventListener("change", () => change({ language: language.value }));
  return h("details", { class: "more-settings", open: Boolean(source.recipe) }, h("summary", {}, t("moreSettings")), h("div", { class: "setting-grid" },
    h("label", { for: "set-language" }, t("set_language"), language), Object.keys(NUMBERS).map(number)),
    source.recipe && files("file", false, (ids) => change({ file: ids[0] })),
    files("passages", true, (ids) => change({ passages: ids })), h("p", { class: "soft" }, t("passagesHint")));
}

/** Files that are uploaded as they are chosen; `chosen(ids)` hears of them. */
function files(name, multiple, chosen) {
  const input = h("input", { type: "file", id: `set-${name}`, multiple });
  const said = h("div");
  input.addEventListener("change", async () => {
    fill(said, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const made = [];
      for (const file of input.files) made.push(await upload(file));
      fill(said, h("p", { class: "soft" }, oneLine(made.map((each) => each.name).join(", "))));
      if (made.length) chosen(made.map((each) => each.id));
    } catch (error) { fill(said, problem(error)); }
  });
  return [h("label", { for: `set-${name}` }, t(`set_${name}`), input), said];
}
