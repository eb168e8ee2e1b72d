// Downloads: every export format, with its options, and the report.
import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { count, oneLine } from "./format.js";
import { empty } from "./states.js";
import { counted, t } from "./words.js";

export async function show(panel, { id, live, alive }) {
  const { formats } = await api.service();
  if (!alive()) return;
  const seeds = h("input", { type: "checkbox", id: "with-seeds" });
  const best = h("input", { type: "number", id: "best", min: 1, step: 1, inputmode: "numeric" });
  const split = h("input", { type: "text", id: "split", placeholder: "0.9,0.1", pattern: "[0-9.]+(,[0-9.]+)+", autocomplete: "off" });
  const list = h("ul", { class: "format-list" });
  const links = formats.map((each) => {
    const link = h("a", { class: "button", download: true, "aria-label": t("downloadAs", { format: each.name }) }, t("downloadOne"));
    return { each, link };
  });
  const set = () => {
    const options = { with_seeds: seeds.checked ? "true" : "", best: best.checkValidity() ? best.value : "", split: split.checkValidity() ? split.value.trim() : "" };
    for (const { each, link } of links) link.href = api.exportAddress(id, { format: each.name, ...options });
  };
  for (const input of [seeds, best, split]) input.addEventListener("input", set);
  set();
  fill(list, links.map(({ each, link }) => h("li", {}, h("div", {}, h("strong", {}, oneLine(each.name)), " ", h("span", { class: "soft" }, `.${oneLine(each.extension).replace(/^\./, "")}`),
    h("p", { class: "soft" }, oneLine(each.description))), link)));
  const none = h("div");
  const options = h("form", { class: "toolbar options" }, h("label", { class: "check", for: "with-seeds" }, seeds, t("withSeeds")),
    h("label", { for: "best" }, t("best"), best), h("label", { for: "split" }, t("split"), split));
  options.addEventListener("submit", (event) => event.preventDefault());
  const lead = h("p", { class: "lead" });
  const body = h("div", {}, lead, options, list);
  fill(panel, h("div", { class: "section-head" }, h("h2", {}, t("tab_download")),
    h("a", { class: "button", href: api.reportAddress(id), target: "_blank", rel: "noopener" }, t("report"))), none, body);
  live.on((now) => {
    body.hidden = now.accepted === 0;
    fill(none, now.accepted === 0 && empty(t("noRows"), t("noRowsYet")));
    fill(lead, counted("rowCount", now.accepted), now.decisions && (now.decisions.rejected || now.decisions.edited)
      ? [" · ", t("tally", { accepted: count(now.decisions.accepted), rejected: count(now.decisions.rejected), edited: count(now.decisions.edited) })] : null);
  });
}
