// A list of any length of which only the rows in sight exist. Browsers cut elements off at 17 to 33 million pixels, so
// a longer list is scrolled on a shorter track: small movements move it pixel by pixel, large ones by their share.
import { h } from "./dom.js";

const TRACK = 4_000_000;
const SPARE = 8;

/** The place in the list of a place on the track. Near both ends they are equally far from the end, so that scrolling
 * there is exact; between, the list is longer than the track. */
export function inList({ now, view, height, track }) {
  const [most, far, end] = [height - view, track - view, track / 8];
  if (height <= track || now <= end) return now;
  if (far - now <= end) return most - (far - now);
  return end + ((now - end) / (far - 2 * end)) * (most - 2 * end);
}

/** The inverse of `inList`. */
export function onTrack({ top, view, height, track }) {
  const [most, far, end] = [height - view, track - view, track / 8];
  if (height <= track || top <= end) return top;
  if (most - top <= end) return far - (most - top);
  return end + ((top - end) / (most - 2 * end)) * (far - 2 * end);
}

/** Where a list is after its track moved from `before` to `now`: a small step is one of the list, pixel by pixel. */
export function scrolled({ top, before, now, ...shape }) {
  if (shape.height <= shape.track) return now;
  const to = Math.abs(now - before) <= 2 * shape.view ? top + now - before : inList({ now, ...shape });
  return Math.max(0, Math.min(shape.height - shape.view, to));
}

/** A grid of rows. `draw(index)` makes a row's cells, or null while it is not there; `seen(first, last)` loads them. */
export class VirtualList {
  constructor({ label, head, rowHeight, draw, seen, open }) {
    Object.assign(this, { rowHeight, draw, seen, open, count: 0, top: 0, before: 0, active: 0, rows: new Map() });
    this.window = h("div", { class: "v-window", role: "rowgroup" });
    this.track = h("div", { class: "v-track", role: "presentation" }, this.window);
    this.scroller = h("div", { class: "v-list", role: "grid", tabindex: "0", "aria-label": label, "aria-readonly": "true" },
      head && h("div", { class: "v-head", role: "rowgroup" }, head), this.track);
    this.scroller.addEventListener("scroll", () => this.scroll(), { passive: true });
    this.scroller.addEventListener("scrollend", () => this.settle());
    this.window.addEventListener("click", (event) => {
      const row = event.target.closest("[data-index]");
      if (row) { this.move(Number(row.dataset.index)); this.open(this.active); }
    });
    this.size = new ResizeObserver(() => this.paint());
    this.size.observe(this.scroller);
  }

  get element() { return this.scroller; }
  get head() { return this.scroller.querySelector(".v-head")?.offsetHeight ?? 0; }
  get view() { return Math.max(1, this.scroller.clientHeight - this.head); }
  get height() { return this.count * this.rowHeight; }
  get shape() { return { view: this.view, height: this.height, track: TRACK }; }

  setCount(count) {
    if (count === this.count) return;
    this.count = count;
    this.active = Math.max(0, Math.min(this.active, count - 1));
    this.scroller.setAttribute("aria-rowcount", String(count));
    this.track.style.setProperty("height", `${Math.min(this.height, TRACK)}px`);
    this.paint();
  }

  scroll() {
    const now = this.scroller.scrollTop;
    if (now === this.before) return;
    this.top = scrolled({ ...this.shape, top: this.top, before: this.before, now });
    this.before = now;
    const end = this.height > TRACK && (now <= 0 || now >= TRACK - this.view) && onTrack({ ...this.shape, top: this.top }) !== now;
    if (end) this.settle();
    this.paint();
  }

  /** Bring the scroll bar to where the list is. */
  settle() {
    const to = Math.round(onTrack({ ...this.shape, top: this.top }));
    if (Math.abs(to - this.scroller.scrollTop) < 1) return;
    this.scroller.scrollTop = to;
    this.before = this.scroller.scrollTop;
    this.paint();
  }

  /** Show a row: in sight, and as the active one. */
  move(index) {
    if (!this.count) return;
    this.active = Math.max(0, Math.min(this.count - 1, index));
    const at = this.active * this.rowHeight;
    if (at < this.top) this.top = at;
    else if (at + this.rowHeight > this.top + this.view) this.top = at + this.rowHeight - this.view;
    this.settle();
    this.paint();
  }

  /** Forget the rows that are drawn; `index`: only this one. */
  redraw(index = null) {
    if (index === null) this.rows.clear();
    else this.rows.delete(index);
    this.paint();
  }

  reset() {
    Object.assign(this, { count: -1, top: 0, before: 0, active: 0 });
    this.scroller.scrollTop = 0;
    this.rows.clear();
  }

  paint() {
    if (!this.scroller.isConnected || this.count < 0) return;
    const first = Math.max(0, Math.floor(this.top / this.rowHeight) - SPARE);
    const last = Math.min(this.count, Math.ceil((this.top + this.view) / this.rowHeight) + SPARE);
    for (const index of this.rows.keys()) if (index < first || index >= last) this.rows.delete(index);
    const shown = [];
    for (let index = first; index < last; index += 1) {
      if (!this.rows.get(index)?.ready) this.rows.set(index, this.row(index));
      const { element } = this.rows.get(index);
      element.classList.toggle("active", index === this.active);
      element.setAttribute("aria-selected", String(index === this.active));
      shown.push(element);
    }
    const same = shown.length === this.window.childElementCount && shown.every((each, at) => each === this.window.children[at]);
    if (!same) this.window.replaceChildren(...shown);
    this.window.style.setProperty("transform", `translateY(${this.scroller.scrollTop - (this.top - first * this.rowHeight)}px)`);
    if (this.rows.has(this.active)) this.scroller.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.scroller.removeAttribute("aria-activedescendant");
    if (last > first || this.count === 0) this.seen(first, last);
  }

  row(index) {
    const cells = this.draw(index);
    const element = h("div", { class: `v-row ${cells ? "" : "waiting"}`, role: "row", id: `row-${index}`, "aria-rowindex": index + 1, "data-index": index },
      cells ?? h("span", { role: "gridcell" }));
    return { element, ready: cells !== null };
  }

  keys(t) {
    const page = () => Math.max(1, Math.floor(this.view / this.rowHeight) - 1);
    const inside = (work) => () => { work(); if (document.activeElement === document.body) this.scroller.focus({ preventScroll: true }); };
    return [
      { keys: ["j", "ArrowDown"], label: t("keyNext"), run: inside(() => this.move(this.active + 1)) },
      { keys: ["k", "ArrowUp"], label: t("keyPrevious"), run: inside(() => this.move(this.active - 1)) },
      { keys: ["PageDown"], run: inside(() => this.move(this.active + page())) },
      { keys: ["PageUp"], run: inside(() => this.move(this.active - page())) },
      { keys: ["Home"], label: t("keyFirst"), run: inside(() => this.move(0)) },
      { keys: ["End"], label: t("keyLast"), run: inside(() => this.move(this.count - 1)) },
      { keys: ["Enter", "o"], label: t("keyOpen"), run: () => this.count > 0 && this.open(this.active) },
    ];
  }
}
