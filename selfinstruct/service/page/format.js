// Values as people read them: numbers, times, and the texts of strangers with nothing hidden in them.
import { h } from "./dom.js";
import { language, t } from "./words.js";

const numbers = () => (language() === "zh" ? "zh-CN" : "en-US");
const formats = new Map();
const format = (options) => {
  const key = numbers() + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(numbers(), options));
  return formats.get(key);
};

export const count = (value) => format({ maximumFractionDigits: 0 }).format(value ?? 0);
export const decimal = (value, digits = 2) =>
  format({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
export const percent = (share, digits = 0) =>
  format({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share || 0);
/** A long count in few characters: 12.4K, 3.1M; 1.2万. */
export const brief = (value) =>
  value < 10000 ? count(value) : format({ notation: "compact", maximumFractionDigits: 1 }).format(value);
export const money = (value) =>
  format({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", minimumFractionDigits: 2,
    maximumFractionDigits: value && value < 1 ? 4 : 2 }).format(value ?? 0);
export const rate = (value) => (value >= 100 ? count(value) : decimal(value, 1));
/** The least and the most of something; the most may be unknown. */
export const range = ([low, high], write) =>
  high === null || high === undefined ? `≥ ${write(low)}` : low === high ? write(low) : `${write(low)} – ${write(high)}`;

export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) [value, at] = [value / 1000, at + 1];
  return format({ style: "unit", unit: units[at], unitDisplay: at ? "short" : "long", maximumFractionDigits: at ? 1 : 0 })
    .format(value);
}

/** Seconds as "3.2 s", "4:05" or "2:10:00". */
export function duration(seconds) {
  if (seconds < 60) return `${decimal(seconds, seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];

/** A moment as "3 minutes ago", with the full date as its title. */
export function ago(moment) {
  const date = new Date(moment);
  if (!moment || Number.isNaN(date.getTime())) return h("span", {}, "–");
  let value = (date.getTime() - Date.now()) / 1000;
  let unit = "second";
  for (const [name, size] of STEPS) {
    unit = name;
    if (Math.abs(value) < size) break;
    value /= size;
  }
  const words = new Intl.RelativeTimeFormat(numbers(), { numeric: "auto" }).format(Math.trunc(value), unit);
  return h("time", { datetime: date.toISOString(), title: date.toLocaleString(numbers()) }, words);
}

// Characters that are not seen, or that reorder what is: shown by their code, so that no text looks like another one.
// Not the joiners U+200C and U+200D, which several scripts need. \n and \t are kept where lines are.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;
const code = (found) => `U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A stranger's text on one line, as plain text, for attributes, options and titles. */
export function oneLine(text, longest = 300) {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(/[\n\t]+/g, " ").replace(HIDDEN, (found) => `‹${code(found)}›`);
}

/** A stranger's text as nodes, in which hidden characters are marked pieces of their own. */
export function visible(text) {
  const made = [];
  let at = 0;
  for (const found of text.matchAll(HIDDEN)) {
    made.push(text.slice(at, found.index), h("span", { class: "hidden-char", title: t("hiddenChar") }, code(found[0])));
    at = found.index + found[0].length;
  }
  made.push(text.slice(at));
  return made;
}

/** A number of a row whose digits JavaScript would change (1.0, 12345678901234567890): kept as it is written. */
export class Exact {
  constructor(source) { this.source = source; }
  toString() { return this.source; }
  valueOf() { return Number(this.source); }
  toJSON() { return JSON.rawJSON ? JSON.rawJSON(this.source) : Number(this.source); }
}

/** JSON whose numbers keep their digits. */
export const parseExactly = (text) =>
  JSON.parse(text, (_, value, context) =>
    typeof value === "number" && context?.source && context.source !== String(value) ? new Exact(context.source) : value);

/** A value of a row as text: texts as they are, others as JSON. */
export function valueText(value) {
  if (typeof value === "string") return value;
  if (value instanceof Exact) return value.source;
  if (value === undefined) return "";
  return JSON.stringify(value, null, typeof value === "object" && value !== null ? 2 : 0);
}

/** What a reason for a rejection means, in the service's words. */
export const meaning = (slug, reasons) => oneLine((Object.hasOwn(reasons, slug) && reasons[slug]) || "");

/** A row in one line of text. */
export const rowText = (row) => Object.values(row).map((value) => oneLine(valueText(value))).join(" · ");

/** The places of a text, given in code points, as places in a JavaScript string; those that overlap are left out. */
export function places(text, spans) {
  const sorted = [...spans].sort(([a], [b]) => a - b);
  const made = [];
  let [point, unit, last] = [0, 0, 0];
  const forward = (to) => {
    while (point < to && unit < text.length) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
      point += 1;
    }
    return unit;
  };
  for (const [start, end] of sorted) {
    if (start < last || end <= start) continue;
    made.push([forward(start), forward(end)]);
    last = end;
  }
  return made;
}

/** A value as nodes, with the places marked that other fields' values were taken from. */
export function marked(value, spans = []) {
  const text = valueText(value);
  if (typeof value !== "string" || !spans.length) return visible(text);
  const made = [];
  let at = 0;
  for (const [start, end] of places(text, spans)) {
    made.push(visible(text.slice(at, start)), h("mark", {}, visible(text.slice(start, end))));
    at = end;
  }
  made.push(visible(text.slice(at)));
  return made;
}

/** A row as a list of its fields. */
export function fields(row, spans = {}, kind = "") {
  return h("dl", { class: `fields ${kind}` }, Object.entries(row).map(([name, value]) => [
    h("dt", {}, h("bdi", {}, visible(name))),
    h("dd", { dir: "auto", class: typeof value === "string" ? "" : "json" }, marked(value, spans?.[name])),
  ]));
}
