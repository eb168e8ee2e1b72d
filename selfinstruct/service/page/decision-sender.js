// Decisions on their way to the service: in order, in the background, tried again; a key press never waits for one.
import * as api from "./api.js";

/** Sends decisions one after the other. `changed(waiting, error)` hears how many wait and what went wrong. */
export class DecisionSender {
  constructor(id, changed) {
    Object.assign(this, { id, changed, waiting: [], sending: false, error: null });
  }

  send(decision, answered = () => {}) {
    this.waiting.push({ decision, answered });
    this.turn();
  }

  retry() { this.error = null; this.turn(); }

  /** Give up the decision that the service refused, and go on with the others. */
  drop() { this.waiting.shift(); this.retry(); }

  async turn() {
    this.changed(this.waiting.length, this.error);
    if (this.sending || this.error) return;
    this.sending = true;
    while (this.waiting.length) {
      const { decision, answered } = this.waiting[0];
      try {
        answered(await api.decide(this.id, decision));
        this.waiting.shift();
        this.changed(this.waiting.length, null);
      } catch (error) {
        this.error = error;
        if (error.unreachable) setTimeout(() => this.error === error && this.retry(), 3000);
        break;
      }
    }
    this.sending = false;
    this.changed(this.waiting.length, this.error);
  }
}
