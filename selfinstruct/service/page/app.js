// The page: its header, its addresses (`#/runs/ID/rows?text=...`), and which view shows what.
import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { keyCap, setKeys, showSheet } from "./keys.js";
import { failed, loading, signIn } from "./states.js";
import { language, nextTheme, remember, t, theme, useLanguage, useTheme } from "./words.js";

// The views, by the pattern of their address. Each is a module with `show(main, {parameters, query, go, alive})`.
const VIEWS = [
  [/^\/$/, () => import("./home.js")],
  [/^\/new(?:\/([^/]+))?$/, () => import("./preview.js")],
  [/^\/compare$/, () => import("./compare.js")],
  [/^\/runs\/([^/]+)(?:\/(overview|rows|refused|review|rules|download))?$/, () => import("./run.js")],
];

let leave = () => {};
let shown = "";
let turn = 0;

const place = () => {
  const [path, query] = (location.hash.slice(1) || "/").split("?");
  return { path, query: new URLSearchParams(query) };
};

/** Go to an address; `replace` changes it without a new entry of the history, `quiet` without showing it anew. */
function go(path, query = {}, { replace = false, quiet = false } = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const hash = `#${path}${pairs.length ? `?${new URLSearchParams(pairs)}` : ""}`;
  if (quiet) shown = hash;
  if (replace) {
    history.replaceState(null, "", hash);
    if (!quiet) route();
  } else location.hash = hash;
}

async function route({ anew = false } = {}) {
  if (!anew && location.hash === shown) return;
  const before = shown.split("?")[0];
  shown = location.hash;
  const mine = ++turn;
  leave();
  leave = () => {};
  setKeys([]);
  document.querySelectorAll("dialog[open]").forEach((each) => each.close());
  const main = document.getElementById("main");
  const { path, query } = place();
  const found = VIEWS.map(([pattern, load]) => [pattern.exec(path), load]).find(([match]) => match);
  const stops = [];
  const context = {
    query, go, path,
    parameters: (found?.[0] ?? []).slice(1).map((each) => each && decodeURIComponent(each)),
    alive: () => mine === turn,
    onLeave: (stop) => (mine === turn ? stops.push(stop) : stop()),
    retry: () => route({ anew: true }),
  };
  leave = () => stops.forEach((stop) => stop());
  document.title = "selfinstruct";
  main.className = "";
  if (path === "wrong-token") return fill(main, signIn());  // where the service sends who follows a wrong link
  if (!found) return fill(main, failed(t("noView"), t("noViewHint"), h("a", { class: "button", href: "#/" }, t("toRuns"))));
  // The view before stays until this one is there, unless that takes long.
  const slow = setTimeout(() => mine === turn && fill(main, loading()), main.childElementCount ? 300 : 0);
  try {
    api.service().catch(() => {});  // every view needs it: asked for while the view is loaded
    const { show } = await found[1]();
    if (mine !== turn) return;
    await show(main, context);
    if (mine === turn && before && before !== location.hash.split("?")[0] && !main.contains(document.activeElement)) {
      main.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  } catch (error) {
    if (mine !== turn || error.name === "AbortError") return;
    fill(main, error.status === 401 ? signIn() : failed(...problemWords(error), retryButton(context.retry)));
    if (error.status === undefined) console.error(error);
  } finally {
    clearTimeout(slow);
  }
}

const retryButton = (retry) => h("button", { type: "button", onclick: retry }, t("retry"));
const problemWords = (error) =>
  error.unreachable ? [t("unreachable"), t("unreachableHint")] : [error.detail || error.title || error.message, error.hint];

function header() {
  const languages = h("button", { type: "button", class: "quiet", lang: language() === "zh" ? "en" : "zh-Hans", id: "language" },
    language() === "zh" ? "English" : "中文");
  languages.addEventListener("click", async () => {
    const next = language() === "zh" ? "en" : "zh";
    remember("language", next);
    await useLanguage(next);
    api.forget();
    begin();
    document.getElementById("language").focus();
  });
  const themes = h("button", { type: "button", class: "quiet", id: "theme" });
  const named = () => {
    fill(themes, t(`theme_${theme()}`));
    themes.setAttribute("aria-label", t("themeLabel", { theme: t(`theme_${theme()}`) }));
  };
  themes.addEventListener("click", () => { useTheme(nextTheme()); named(); });
  named();
  fill(document.getElementById("top"),
    h("a", { href: "#/", class: "home" }, "selfinstruct"),
    h("nav", { "aria-label": t("settings"), class: "settings" }, languages, themes,
      h("button", { type: "button", class: "quiet", "aria-label": t("keysTitle"), "aria-keyshortcuts": "?", onclick: showSheet }, keyCap("?"))));
  fill(document.getElementById("skip"), t("skip"));
  setKeys([
    { keys: ["?"], label: t("keysTitle"), run: showSheet },
    { keys: ["g h"], label: t("toRuns"), run: () => go("/") },
    { keys: ["/"], label: t("search"), run: () => document.querySelector("input[type=search]")?.focus() },
    { keys: ["Escape"], inFields: true, run: (event) => event.target.blur?.() },
  ], { global: true });
}

function begin() {
  header();
  route({ anew: true });
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
// A file dropped beside the drop zone must not replace the page.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
window.addEventListener("hashchange", () => route());
window.addEventListener("signed-out", () => fill(document.getElementById("main"), signIn()));
useTheme();
await useLanguage();
begin();
