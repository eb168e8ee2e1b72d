// The rows of a listing by their index, loaded by pages as they come into sight; only some pages are kept.
// Without a filter, numbers are contiguous, and any page is asked for directly. With one, pages follow each other.

const SIZE = 100;
const KEPT = 60;

/** Any page of a listing whose items are numbered from 1 without gaps; `ask({after, limit}, signal)` loads one. */
export class NumberedPages {
  constructor(ask, number, changed) {
    Object.assign(this, { ask, number, changed, total: 0, pages: new Map(), loading: new Map(), done: true });
  }

  get count() { return this.total; }

  get(index) { return this.pages.get(Math.floor(index / SIZE))?.get(index) ?? null; }

  /** Load what is missing of [first, last), and give up what was asked for elsewhere. */
  need(first, last) {
    const wanted = new Set();
    for (let page = Math.floor(first / SIZE); page <= Math.floor(Math.max(first, last - 1) / SIZE); page += 1) wanted.add(page);
    for (const [page, stop] of this.loading) if (!wanted.has(page)) { stop.abort(); this.loading.delete(page); }
    for (const page of wanted) {
      const found = this.pages.get(page);
      if (found) { this.pages.delete(page); this.pages.set(page, found); }
      const short = found && found.partial && Math.min(this.total, (page + 1) * SIZE) > page * SIZE + found.size;
      if ((!found || short) && !this.loading.has(page)) this.load(page);
    }
  }

  async load(page) {
    const stop = new AbortController();
    this.loading.set(page, stop);
    try {
      const answer = await this.ask({ after: page * SIZE, limit: SIZE }, stop.signal);
      const found = new Map(answer.items.map((item) => [this.number(item) - 1, item]));
      found.partial = found.size < SIZE;
      this.pages.set(page, found);
      if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value);
      this.total = Math.max(answer.total, page * SIZE + found.size);
      this.changed(null);
    } catch (error) {
      if (error.name !== "AbortError") this.changed(error);
    } finally {
      if (this.loading.get(page) === stop) this.loading.delete(page);
    }
  }

  stop() { for (const stop of this.loading.values()) stop.abort(); }
}

/** The pages of a filtered listing, one after the other; those that were let go are loaded again from where they began. */
export class FilteredPages {
  constructor(ask, number, changed) {
    Object.assign(this, { ask, changed, starts: [0], sizes: [], offsets: [], pages: new Map(), loading: new Map(), scanned: 0, total: 0, done: false, wanted: 0 });
  }

  get count() { return (this.offsets.at(-1) ?? 0) + (this.sizes.at(-1) ?? 0); }

  pageOf(index) {
    let [low, high] = [0, this.offsets.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= index) low = middle; else high = middle - 1;
    }
    return low;
  }

  get(index) {
    const page = this.pageOf(index);
    return this.pages.get(page)?.[index - this.offsets[page]] ?? null;
  }

  need(first, last) {
    this.wanted = last + SIZE / 2;
    if (this.offsets.length) {
      for (let page = this.pageOf(first); page < this.offsets.length && this.offsets[page] < last; page += 1)
        if (!this.pages.has(page) && this.sizes[page]) this.load(page);
    }
    if (!this.done && this.count < this.wanted) this.load(this.sizes.length);
  }

  async load(page) {
    if (this.loading.has(page)) return;
    const stop = new AbortController();
    this.loading.set(page, stop);
    try {
      const answer = await this.ask({ after: this.starts[page], limit: this.sizes[page] || SIZE }, stop.signal);
      this.keep(page, answer.items);
      if (page === this.sizes.length) {
        this.offsets.push(this.count);
        this.sizes.push(answer.items.length);
        this.scanned += answer.scanned ?? answer.items.length;
        this.total = answer.total;
        this.done = answer.next === null || answer.next === undefined;
        if (!this.done) this.starts.push(answer.next);
      }
      this.loading.delete(page);
      this.changed(null);
      // A page of a search may hold no match: search on until there is something to show.
      if (!this.done && this.count < this.wanted) this.load(this.sizes.length);
    } catch (error) {
      this.loading.delete(page);
      if (error.name !== "AbortError") this.changed(error);
    }
  }

  keep(page, items) {
    this.pages.set(page, items);
    if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value);
  }

  stop() { this.done = true; for (const stop of this.loading.values()) stop.abort(); }
}
