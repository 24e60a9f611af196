/** What the visitor sent and Santral did not acknowledge yet: kept on the device, sent in order, one at a time. */

import { signal } from "./signal.js";
import { newId } from "./storage.js";

/** @typedef {import("./types.js").Unsent} Unsent */

const ACK_WITHIN = 10000; // milliseconds, and so are all below
const ADOPT_AFTER = 15000;
const FIRST_PAUSE = 1500;
const LONGEST_PAUSE = 30000;

export class Outbox {
  /**
   * @param {import("./storage.js").Storage} storage
   * @param {{ send(frame: import("./types.js").Frame): boolean, replace(): void }} connection
   */
  constructor(storage, connection) {
    this._storage = storage;
    this._connection = connection;
    this._tab = newId();
    /** @type {import("./signal.js").Signal<Unsent[]>} */
    this.items = signal([]);
    /** @type {string | null} */
    this._inFlight = null;
    this._timer = 0;
    this._pause = FIRST_PAUSE;
    this._adopting = false;
    this.look();
  }

  /** What stands on the device, also from other tabs and earlier pages. */
  look() {
    const found = this._storage.keys("out:").map((key) => this._storage.get(key)).filter(Boolean);
    this.items.value = found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    if (this._inFlight && !this._find(this._inFlight)) this._free();
    if (found.some((one) => one.tab !== this._tab)) setTimeout(() => this._pump(), ADOPT_AFTER);
  }

  /** @param {import("./types.js").Frame} frame without its `client_id` @param {Unsent["shown"]} [shown] */
  add(frame, shown = null) {
    const id = newId();
    const newest = this.items.value[this.items.value.length - 1];
    const at = Math.max(Date.now(), newest ? newest.at + 1 : 0); // in order, whatever the clock does
    this._keep({ id, at, tab: this._tab, error: null, frame: { ...frame, client_id: id }, shown });
    this._pump();
  }

  /** A connection was made: everything that waits goes out, whichever tab wrote it. */
  online() {
    this._adopting = true;
    this._free();
    this._pump();
  }

  offline() {
    this._adopting = false;
    this._free();
  }

  /** @param {string} id @returns {Unsent | undefined} what was acknowledged */
  settle(id) {
    const item = this._find(id);
    if (!item) return undefined;
    this._pause = FIRST_PAUSE;
    this.discard(id);
    return item;
  }

  /** @param {string} id */
  discard(id) {
    this._storage.set(`out:${id}`, null);
    this.look();
    this._pump();
  }

  /** @param {string} id @param {string} code of the error frame */
  refuse(id, code) {
    const item = this._find(id);
    if (!item) return;
    this._free();
    if (code === "rate_limited" || code === "unavailable") {
      this._inFlight = id; // nothing overtakes it meanwhile
      this._timer = setTimeout(() => { this._free(); this._pump(); }, this._pause * (0.75 + Math.random() / 2));
      this._pause = Math.min(this._pause * 2, LONGEST_PAUSE);
    } else if (code === "unauthorized") {
      this._connection.replace();
    } else {
      this._keep({ ...item, error: code });
      this._pump();
    }
  }

  /** @param {string} id */
  again(id) {
    const item = this._find(id);
    if (item) this._keep({ ...item, error: null, tab: this._tab });
    this._pump();
  }

  /** @param {string} id */
  _find(id) {
    return this.items.value.find((one) => one.id === id);
  }

  /** @param {Unsent} item */
  _keep(item) {
    this._storage.set(`out:${item.id}`, item);
    this.look();
  }

  _free() {
    clearTimeout(this._timer);
    this._inFlight = null;
  }

  _pump() {
    if (this._inFlight) return;
    const ours = (/** @type {Unsent} */ one) => this._adopting || one.tab === this._tab || Date.now() - one.at >= ADOPT_AFTER;
    const next = this.items.value.find((one) => !one.error && ours(one));
    if (!next) {
      this._adopting = false;
      return;
    }
    if (!this._connection.send(next.frame)) return;
    this._inFlight = next.id;
    // A line that answers nothing is dead, whatever it says of itself.
    this._timer = setTimeout(() => this._connection.replace(), ACK_WITHIN);
  }
}
