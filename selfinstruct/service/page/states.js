// What the page shows instead of a view: loading, failed, empty, signed out; and the state of a run in words.
import { h } from "./dom.js";
import { t } from "./words.js";

/** Shown at once and seen only after a moment, so that a quick answer does not flicker. */
export const loading = (text = t("loading")) => h("p", { class: "state loading", role: "status" }, text);

export const failed = (title, hint, ...actions) =>
  h("section", { class: "state failed", role: "alert" }, h("h1", {}, title), hint && h("p", {}, hint), h("p", { class: "actions" }, actions));

export const empty = (title, hint, ...actions) =>
  h("div", { class: "state empty" }, h("p", { class: "state-title" }, title), hint && h("p", { class: "soft" }, hint), actions);

/** The words and the hint of a failed call, in place. */
export const problem = (error) =>
  h("div", { class: "problem", role: "alert" },
    h("p", {}, error.unreachable ? t("unreachable") : error.detail || error.title || error.message),
    (error.unreachable || error.hint) && h("p", { class: "soft" }, error.unreachable ? t("unreachableHint") : error.hint));

export const pill = (state) => h("span", { class: `pill ${state}` }, h("i", { "aria-hidden": "true" }), t(`state_${state}`));

export const busy = (run) => run.state === "running" || run.state === "queued";

/** The form that signs in: it loads `/?token=...`, which sets the cookie. */
export const signIn = () =>
  h("section", { class: "state signin" }, h("h1", {}, t("signIn")), location.hash === "#wrong-token" && h("p", { class: "problem", role: "alert" }, t("wrongToken")), h("p", { class: "soft" }, t("signInHint")),
    h("form", { action: "/", method: "get" },
      h("label", {}, t("token"), h("input", { type: "password", name: "token", required: true, autocomplete: "current-password" })),
      h("button", { class: "primary", type: "submit" }, t("signIn"))));
