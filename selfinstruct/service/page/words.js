// The words of the page in the person's language, its theme, and what this browser remembers.
import en from "./en.js";

const stored = (name) => {
  try { return localStorage.getItem(`selfinstruct.${name}`); } catch { return null; }
};

/** What this browser remembers under a name; null clears it. */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`selfinstruct.${name}`);
    else localStorage.setItem(`selfinstruct.${name}`, value);
  } catch { /* a browser that keeps nothing forgets it with the page */ }
}
export const recall = stored;

let words = en;
let chosen = "en";

export const language = () => chosen;

/** Load the words of a language; by default the remembered one, or the browser's. */
export async function useLanguage(name = stored("language") ?? (/^zh\b/i.test(navigator.language) ? "zh" : "en")) {
  words = name === "zh" ? (await import("./zh.js")).default : en;
  chosen = name === "zh" ? "zh" : "en";
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
}

/** A text, with `{name}` replaced; `{one, other}` is chosen by `n`. A missing text is an error that a test finds. */
export function t(key, values = {}) {
  let text = words[key];
  if (typeof text === "object") text = (Number(values.n) === 1 && text.one) || text.other;
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => (name === "n" && "shown" in values ? values.shown : values[name]) ?? "");
}

/** Like `t`, with a count that chooses the form and is shown as people write it. */
export const counted = (key, n, values = {}) =>
  t(key, { n, shown: new Intl.NumberFormat(chosen === "zh" ? "zh-CN" : "en-US").format(n), ...values });

const THEMES = ["auto", "light", "dark"];
export const theme = () => (THEMES.includes(stored("theme")) ? stored("theme") : "auto");

/** Show the page in a theme; `auto` follows the system. */
export function useTheme(name = theme()) {
  remember("theme", name === "auto" ? null : name);
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
export const nextTheme = () => THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
