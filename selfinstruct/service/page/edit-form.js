// A row to edit: one text area for each field; a value that is no text is edited as JSON.
import { fill, h } from "./dom.js";
import { Exact, oneLine, parseExactly, valueText, visible } from "./format.js";
import { t } from "./words.js";

/** The form; `save(values)` gets the whole row, `cancel()` leaves it as it was. */
export function editForm(row, save, cancel) {
  const errors = new Map();
  const areas = Object.entries(row).map(([name, value], at) => {
    const text = valueText(value);
    const area = h("textarea", { id: `edit-${at}`, dir: "auto", spellcheck: typeof value === "string", ".value": text,
      rows: Math.min(14, Math.max(1, text.split("\n").length, Math.ceil(text.length / 70))) });
    errors.set(name, h("p", { class: "problem", role: "alert", hidden: true }));
    return { name, value, text, area };
  });
  const submit = (event) => {
    event?.preventDefault();
    const values = {};
    for (const { name, value, text, area } of areas) {
      const error = errors.get(name);
      error.hidden = true;
      try {
        const written = area.value === text ? value : typeof value === "string" ? area.value : parseExactly(area.value);
        Object.defineProperty(values, name, { value: written, enumerable: true });
      } catch {
        error.hidden = false;
        fill(error, t("notJson", { type: value instanceof Exact || typeof value === "number" ? t("aNumber") : "JSON" }));
        area.focus();
        return;
      }
    }
    save(values);
  };
  const form = h("form", { class: "edit-form" }, areas.map(({ name, area }) =>
    h("div", {}, h("label", { for: area.id }, h("bdi", {}, visible(oneLine(name)))), area, errors.get(name))),
  h("p", { class: "actions" }, h("button", { type: "submit", class: "primary" }, t("save")), h("button", { type: "button", onclick: cancel }, t("cancelEdit")),
    h("span", { class: "soft" }, t("saveKeys"))));
  form.addEventListener("submit", submit);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
    else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); cancel(); }
  });
  return form;
}
