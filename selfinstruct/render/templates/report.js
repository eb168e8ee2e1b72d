// Browsing the sample rows: filter by category and model, search, and see where a row came from.
// All texts are data of a model or a stranger: they are only ever set as textContent.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("rows-data").textContent);
  const list = document.getElementById("rows");
  const search = document.getElementById("search");
  const category = document.getElementById("category");
  const model = document.getElementById("model");
  const status = document.getElementById("rows-status");
  const more = document.getElementById("more");
  const PAGE = 10;

  const make = (tag, kind, text) => {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const replyOf = (row) => (Object.hasOwn(data.replies, row.call) ? data.replies[row.call] : null);
  const textOf = (row) =>
    [row.category, ...row.fields.map(([name, parts]) => name + ": " + parts.join(""))].join("\n").toLowerCase();
  const texts = data.rows.map(textOf);

  const fill = (select, values) => {
    values.forEach((value, at) => {
      const option = make("option", "", value);
      option.value = String(at);
      select.append(option);
    });
    select.closest("label").hidden = values.length < 2;
    return values;
  };
  const distinct = (values) => [...new Set(values)];
  const categories = fill(category, distinct(data.rows.map((row) => row.category)));
  const models = fill(model, distinct(data.rows.map((row) => replyOf(row)?.model).filter((name) => name)));

  const fieldsOf = (pairs) => {
    const made = make("dl", "fields");
    for (const [name, value] of pairs) {
      made.append(make("dt", "", name));
      const shown = make("dd");
      if (value instanceof Node) shown.append(value);
      else if (Array.isArray(value)) value.forEach((part, at) => shown.append(at % 2 ? make("mark", "", part) : part));
      else shown.textContent = value;
      made.append(shown);
    }
    return made;
  };
  const originOf = (row) => {
    const reply = replyOf(row);
    if (!reply) return make("p", "soft", "Its reply is not recorded.");
    const demos = reply.demos.filter((demo) => Object.hasOwn(data.pool, demo)).map((demo) => data.pool[demo]);
    const pairs = [["Model", reply.model], ["Batch", String(reply.batch)], ["Step", reply.step]];
    for (const [name, value] of reply.attributes) pairs.push([name, value]);
    if (Object.hasOwn(data.passages, reply.passage)) pairs.push(["Passage", data.passages[reply.passage]]);
    for (const [name, text] of demos) pairs.push(["Shown " + name, text]);
    pairs.push(["Reply", make("pre", "", reply.text)]);
    return fieldsOf(pairs);
  };
  const articleOf = (row) => {
    const made = make("article");
    made.append(make("header", "", "row " + row.number + " · " + row.category), fieldsOf(row.fields));
    const origin = make("details", "origin");
    origin.append(make("summary", "", "Where it came from"));
    origin.addEventListener("toggle", () => {
      if (origin.open && origin.childElementCount === 1) origin.append(originOf(row));
    });
    made.append(origin);
    return made;
  };

  let found = [];
  let shown = 0;
  const showMore = () => {
    const next = found.slice(shown, shown + PAGE).map(articleOf);
    list.append(...next);
    shown += next.length;
    more.hidden = shown >= found.length;
    status.textContent = found.length === 0
      ? "No row matches."
      : "Showing " + shown + " of " + found.length + (found.length === data.rows.length ? " sample rows" : " matching rows");
    return next[0];
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter((word) => word);
    const of = category.value === "" ? null : categories[Number(category.value)];
    const by = model.value === "" ? null : models[Number(model.value)];
    found = data.rows.filter((row, at) =>
      (of === null || row.category === of) &&
      (by === null || replyOf(row)?.model === by) &&
      words.every((word) => texts[at].includes(word)));
    list.replaceChildren();
    shown = 0;
    showMore();
  };
  for (const control of [search, category, model]) control.addEventListener("input", filter);
  more.addEventListener("click", () => {
    const first = showMore();
    if (first) {
      first.tabIndex = -1;
      first.focus({ preventScroll: true });
    }
  });
  if (data.rows.length > 1) {
    document.getElementById("browse").hidden = false;
    filter();
  }
})();
