// A run: its head with state and actions, its tabs, and the view of the chosen tab.
import * as api from "./api.js";
import { dialog, fill, h, say, setText } from "./dom.js";
import { ago, count, oneLine } from "./format.js";
import { setKeys } from "./keys.js";
import { busy, pill, problem } from "./states.js";
import { t } from "./words.js";

const TABS = {
  overview: () => import("./overview.js"),
  rows: () => import("./browse.js"),
  refused: () => import("./browse.js"),
  review: () => import("./review.js"),
  rules: () => import("./rules.js"),
  download: () => import("./download.js"),
};
const TAB_KEYS = { overview: "g o", rows: "g r", refused: "g x", review: "g v", rules: "g c", download: "g d" };

export async function show(main, context) {
  const [id, tab = "overview"] = context.parameters;
  const [run, view] = await Promise.all([api.oneRun(id), TABS[tab]()]);
  if (!context.alive()) return;
  const path = `/runs/${encodeURIComponent(id)}`;
  const live = liveRun(run, context);
  const links = Object.keys(TABS).map((name) => h("a", {
    href: `#${path}${name === "overview" ? "" : `/${name}`}`, "aria-current": name === tab ? "page" : null,
  }, t(`tab_${name}`), " ", h("span", { class: "tab-count" })));
  const panel = h("div", { class: `panel ${tab}` });
  document.title = `${oneLine(run.name)} · ${t(`tab_${tab}`)} · selfinstruct`;
  fill(main, head(live, context), h("nav", { class: "tabs", "aria-label": t("runViews") }, links), panel);
  live.on((now) => {
    setText(links[1].lastChild, count(now.accepted));
    setText(links[2].lastChild, count(refused(now)));
  });
  links.find((link) => link.hasAttribute("aria-current")).scrollIntoView({ block: "nearest", inline: "center" });
  const tabKeys = Object.entries(TAB_KEYS).map(([name, key]) => ({
    keys: [key], label: t(`tab_${name}`), run: () => context.go(`${path}${name === "overview" ? "" : `/${name}`}`),
  }));
  setKeys(tabKeys);
  view.show(panel, { ...context, id, tab, path, live, keys: (own) => setKeys([...own, ...tabKeys]) });
}

/** The candidates that checks refused, without the rows that a person rejected. */
export const refused = (run) => Object.entries(run.rejected ?? {}).reduce((sum, [slug, each]) => sum + (slug === "person" ? 0 : each), 0);

/** The run as it is now: `on(seen)` hears of each change. While it grows, its events are followed. */
function liveRun(run, context) {
  const heard = [];
  let stop = null;
  const live = {
    run,
    on(seen) { heard.push(seen); seen(live.run); return true; },
    set(now) {
      const ended = busy(live.run) && !busy(now);
      live.run = now;
      heard.forEach((seen) => seen(now));
      if (busy(now)) follow();
      else { stop?.(); stop = null; connected(true); }
      if (ended) say(t("ended", { state: t(`state_${now.state}`), rows: count(now.accepted) }));
    },
  };
  const place = document.getElementById("connection");
  const connected = (is) => {
    if (is) fill(place);
    else if (!place.childElementCount) fill(place, h("p", {}, t("disconnected")));
  };
  const follow = () => { stop ??= api.follow(run.id, live.set, connected); };
  context.onLeave(() => { stop?.(); connected(true); });
  if (busy(run)) follow();
  return live;
}

function head(live, context) {
  const { run } = live;
  const [state, meta, actions, error] = [h("span"), h("p", { class: "soft meta" }), h("div", { class: "actions" }), h("div")];
  const act = async (work) => {
    fill(error);
    try { live.set(await work()); } catch (refusal) { fill(error, problem(refusal)); }
  };
  const button = (name, work, kind = "") => h("button", { type: "button", class: kind, onclick: work }, t(name));
  let showing = "";
  live.on((now) => {
    fill(state, pill(now.state));
    fill(meta, h("bdi", {}, oneLine(now.model ?? "")), " · ", t("createdBy"), " ", ago(now.created),
      now.origin !== "service" && [" · ", t("fromCommandLine")], now.user && [" · ", h("bdi", {}, oneLine(now.user))]);
    const key = `${now.state} ${now.origin}`;
    if (key === showing) return;
    showing = key;
    fill(actions,
      busy(now) && button("cancel", () => act(() => api.cancelRun(run.id))),
      ["cancelled", "interrupted", "failed", "short"].includes(now.state) && button("resume", () => act(() => api.resumeRun(run.id)), "primary"),
      now.state === "done" && button("growMore", () => growDialog(live, act)),
      !busy(now) && button("delete", () => deleteDialog(run, context), "quiet danger"));
  });
  return h("header", { class: "run-head" },
    h("div", { class: "run-title" }, h("h1", {}, h("bdi", {}, oneLine(run.name))), state), meta, actions, error);
}

function growDialog(live, act) {
  const rows = h("input", { type: "number", id: "grow-rows", min: live.run.requested_rows + 1, step: 1, required: true,
    value: live.run.requested_rows * 2 });
  const form = h("form", { method: "dialog" }, h("h2", {}, t("growMore")), h("label", { for: "grow-rows" }, t("growTo"), rows),
    h("p", { class: "soft" }, t("growHint", { rows: count(live.run.accepted) })),
    h("p", { class: "actions" }, h("button", { type: "submit", class: "primary" }, t("growMore"))));
  form.addEventListener("submit", () => act(() => api.growRun(live.run.id, Number(rows.value))));
  dialog("small", t("growMore"), t("close"), form);
  rows.select();
}

function deleteDialog(run, context) {
  const typed = h("input", { type: "text", id: "typed", autocomplete: "off", spellcheck: "false" });
  const sure = h("button", { type: "submit", class: "danger", disabled: true }, t("deleteSure"));
  const error = h("div");
  const form = h("form", {}, h("h2", {}, t("deleteTitle")), h("p", {}, t("deleteHint", { rows: count(run.accepted) })),
    h("label", { for: "typed" }, t("deleteType"), " ", h("code", {}, oneLine(run.id)), typed), error, h("p", { class: "actions" }, sure));
  typed.addEventListener("input", () => (sure.disabled = typed.value.trim() !== run.id));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await api.deleteRun(run.id);
      context.go("/");
    } catch (refusal) { fill(error, problem(refusal)); }
  });
  dialog("small", t("deleteTitle"), t("close"), form);
}
