// Keyboard: one table of the present view's keys, which the `?` sheet lists. Keys can be turned off (WCAG 2.1.4).
import { dialog, h } from "./dom.js";
import { recall, remember, t } from "./words.js";

let view = [];
let everywhere = [];
let prefix = "";
let timer = 0;

export const keysOn = () => recall("keys") !== "off";

/** Set the keys of the whole page, or of the present view: `[{keys: ["j", "ArrowDown"], label, run}]`. */
export function setKeys(bindings, { global = false } = {}) {
  if (global) everywhere = bindings;
  else view = bindings;
}

const typing = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) &&
  !["checkbox", "radio", "button", "submit"].includes(element.type);

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const modal = document.querySelector("dialog[open]");
  const bindings = modal ? modal.keys ?? [] : [...view, ...everywhere];
  const named = event.key.length > 1;
  if (typing(event.target) && !named) return;
  if (!named && !keysOn()) return;
  const key = prefix + event.key;
  const found = bindings.find((each) => each.keys.includes(key) && !(typing(event.target) && !each.inFields));
  prefix = "";
  clearTimeout(timer);
  if (found) {
    if (named && event.key === "Enter" && event.target.closest?.("button, a, summary")) return;
    event.preventDefault();
    found.run(event);
  } else if (!modal && event.key === "g" && !typing(event.target)) {
    prefix = "g ";
    timer = setTimeout(() => (prefix = ""), 1500);
  }
}

const SHOWN = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" };
export const keyCap = (key) => h("kbd", {}, key.split(" ").filter((each) => each).map((each) => SHOWN[each] ?? each).join(" ") || "Space");

function list(title, bindings) {
  const shown = bindings.filter((each) => each.label);
  return shown.length ? [h("h3", {}, title), h("dl", { class: "keys" }, shown.map((each) => [
    h("dt", {}, (each.shown ?? each.keys.slice(0, 2)).map((key) => keyCap(key))), h("dd", {}, each.label),
  ]))] : [];
}

/** The `?` sheet. */
export function showSheet() {
  if (document.querySelector("dialog[open]")) return;
  const off = h("input", { type: "checkbox", id: "keys-on", ".checked": keysOn() });
  off.addEventListener("change", () => remember("keys", off.checked ? null : "off"));
  const sheet = dialog("sheet", t("keysTitle"), t("close"), h("h2", {}, t("keysTitle")),
    h("div", { class: "sheet-lists" }, h("section", {}, list(t("keysHere"), view)), h("section", {}, list(t("keysEverywhere"), everywhere))),
    h("label", { class: "check", for: "keys-on" }, off, t("keysOn")));
  sheet.keys = [{ keys: ["?"], run: () => sheet.close() }];
}

document.addEventListener("keydown", pressed);
