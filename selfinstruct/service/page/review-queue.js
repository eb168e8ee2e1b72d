// The rows to review, in order: an even sample of the run, one listing from its start, or one row. Always loaded ahead.
import * as api from "./api.js";

const AHEAD = 12;
const PAGE = 50;

const fromRow = (item) => ({ name: item.name ?? String(item.number), category: item.category, row: item.row, spans: item.spans ?? {}, decision: item.decision });
const fromRefusal = (item) => ({ name: item.name, category: item.category, row: item.row, text: item.text, reason: item.reason, message: item.message, spans: {}, decision: item.decision });

const divisor = (a, b) => (b ? divisor(b, a % b) : a);

/** The `k`-th number of an order of 1 to `total` in which every stretch is spread over the whole; each number once. */
export function spread(k, total, seed) {
  let step = Math.max(1, Math.round(total * 0.6180339887));
  while (divisor(step, total) !== 1) step += 1;
  return 1 + ((seed + k * step) % total);
}

const seedOf = (text) => [...text].reduce((sum, each) => (sum * 31 + each.codePointAt(0)) % 1_000_003, 7);

/** What comes next; `done` holds those that were decided here. */
class Queue {
  constructor() { this.ready = []; this.ended = false; this.filling = null; this.seen = new Set(); }

  /** The next item, null at the end; a promise only where nothing is loaded yet. */
  next() {
    const item = this.ready.shift();
    this.fill();
    if (item) return item;
    if (this.ended && !this.filling) return null;
    return this.fill().then(() => this.ready.shift() ?? null);
  }

  fill() {
    if (this.ended || this.ready.length >= AHEAD) return this.filling ?? Promise.resolve();
    return (this.filling ??= this.work().finally(() => (this.filling = null)));
  }

  async work() {
    while (!this.ended && this.ready.length < AHEAD) await this.load();
  }

  push(items) {
    for (const item of items) {
      if (item.decision || this.seen.has(item.name)) continue;
      this.seen.add(item.name);
      this.ready.push(item);
    }
  }
}

/** An even sample of all rows of a run, the same one each time; `at` is where it goes on, `moved(at)` hears of it. */
export class SampleQueue extends Queue {
  constructor(id, at, moved) {
    super();
    Object.assign(this, { id, at, moved, total: null, seed: 0, left: 0 });
  }

  async load() {
    if (this.total === null) {
      const { total } = await api.rows(this.id, { after: 0, limit: 1 });
      Object.assign(this, { total, left: total, at: this.at < total ? this.at : 0, seed: seedOf(this.id) % Math.max(1, total) });
    }
    const numbers = [];
    while (numbers.length < AHEAD && this.left > 0) {
      numbers.push(spread(this.at, this.total, this.seed));
      this.at = (this.at + 1) % this.total;
      this.left -= 1;
    }
    const answers = await Promise.all(numbers.map((number) => api.rows(this.id, { after: number - 1, limit: 1 })));
    this.push(answers.flatMap((answer) => answer.rows.map(fromRow)));
    if (!this.ready.length) this.moved(this.at);  // all of these are decided: not looked at again
    this.ended = this.left === 0;
  }
}

/** The rows or the refusals that match, from the first one on. */
export class ListQueue extends Queue {
  constructor(id, ofRows, filters) {
    super();
    Object.assign(this, { id, ofRows, filters, after: 0 });
  }

  async load() {
    const query = { ...this.filters, decision: "none", after: this.after, limit: PAGE };
    const answer = await (this.ofRows ? api.rows : api.rejections)(this.id, query);
    this.push(this.ofRows ? answer.rows.map(fromRow) : answer.rejections.map(fromRefusal));
    this.after = answer.next;
    this.ended = answer.next === null || answer.next === undefined;
  }
}

/** One row by its name. */
export class OneQueue extends Queue {
  constructor(id, name) {
    super();
    Object.assign(this, { id, name });
  }

  async load() {
    const found = await api.provenance(this.id, this.name);
    this.ready.push({ name: this.name, category: found.category, row: found.row, spans: found.spans ?? {}, decision: found.decision,
      text: found.text, reason: found.rejection?.reason, message: found.rejection?.message });
    this.ended = true;
  }
}
