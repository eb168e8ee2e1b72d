// Building elements. Texts become text nodes, never markup: rows are data of a model or a stranger.

/** An element: attributes (`on...` are listeners, `class`, properties in `.name`), then children (texts, nodes, null). */
export function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) made[name.slice(1)] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...nodes(children));
  return made;
}

/** Children without the empty ones; lists are flattened. */
const nodes = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");

/** Replace what an element contains. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Set a text only where it changed, so that nothing is announced or selected anew. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A bar that is full at 1; `kind` chooses the colour. What it shows is also said in words beside it. */
export function bar(share, kind = "") {
  const inner = h("span", { class: "bar-in" });
  const made = h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, inner);
  made.set = (value) => inner.style.setProperty("--share", String(Math.max(0, Math.min(1, value || 0))));
  made.set(share);
  return made;
}

let timer = 0;

/** Tell a screen reader, without moving the focus. */
export function say(text) {
  const place = document.getElementById("said");
  place.textContent = "";
  clearTimeout(timer);
  timer = setTimeout(() => (place.textContent = text), 60);
}

/** Call `work` once, `wait` ms after the last of several calls. */
export function later(work, wait) {
  let waiting = 0;
  const call = (...values) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => work(...values), wait);
  };
  call.cancel = () => clearTimeout(waiting);
  return call;
}

/** A dialog that closes by Escape, by its button or by a click beside it, and gives the focus back. */
export function dialog(kind, label, closeLabel, ...children) {
  const close = h("button", { class: "icon close", type: "button", "aria-label": closeLabel }, "×");
  const made = h("dialog", { class: kind, "aria-label": label, tabindex: "-1" }, ...children, close);
  const before = document.activeElement;
  close.addEventListener("click", () => made.close());
  made.addEventListener("click", (event) => event.target === made && made.close());
  made.addEventListener("close", () => {
    made.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  });
  document.body.append(made);
  made.showModal();
  if (kind !== "small") made.focus();
  return made;
}
