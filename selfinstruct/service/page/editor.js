// A recipe to edit: its text with numbered lines, and problems at the lines that they are about.
import { fill, h } from "./dom.js";
import { visible } from "./format.js";
import { problemLines } from "./recipe-text.js";
import { t } from "./words.js";

export function editor(value, label, changed) {
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const area = h("textarea", { "aria-label": label, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off",
    "aria-describedby": "recipe-problems", ".value": value });
  const list = h("ul", { class: "line-problems", id: "recipe-problems" });
  let bad = new Set();
  const number = () => {
    const lines = area.value.split("\n").length;
    area.rows = Math.min(Math.max(lines + 1, 8), 36);
    fill(gutter, Array.from({ length: lines }, (_, at) => h("span", { class: bad.has(at + 1) ? "bad" : "" }, String(at + 1))));
  };
  const toLine = (line) => {
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 4);
  };
  area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
  area.addEventListener("input", () => { number(); changed?.(area.value); });
  const made = {
    element: h("div", { class: "editor" }, h("div", { class: "editor-box" }, gutter, area), h("div", { "aria-live": "assertive" }, list)),
    get value() { return area.value; },
    set value(text) {
      if (text === area.value) return;
      const place = [area.selectionStart, area.selectionEnd];
      area.value = text;
      area.setSelectionRange(...place);
      number();
    },
    toLine,
    /** Show a Problem at its lines; null clears them. */
    problem(error) {
      const found = error ? problemLines(error) : [];
      bad = new Set(found.map((each) => each.line));
      area.setAttribute("aria-invalid", String(found.length > 0));
      fill(list, found.map(({ line, message, hint }) => h("li", {},
        line && h("button", { type: "button", class: "link", onclick: () => toLine(line) }, t("line", { n: line })), " ",
        h("span", {}, visible(message)), hint && h("small", {}, visible(hint)))));
      number();
    },
  };
  number();
  return made;
}
