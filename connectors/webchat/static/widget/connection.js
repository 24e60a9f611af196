/** Stays connected: by WebSocket, else by long-poll; comes back after its cursor, at once when the device wakes. */

import { signal } from "./signal.js";
import { alone } from "./alone.js";
import { REVOKED, openPoll, openSocket } from "./transports.js";

/** @typedef {import("./types.js").Frame} Frame */

const FIRST_PAUSE = 500; // milliseconds, and so are all below
const LONGEST_PAUSE = 30000;
const WELCOME_WITHIN = 10000;
const TICK = 5000;
const SLEPT = 30000;
const FIRST_POLLING = 60000; // until the WebSocket is tried again
const LONGEST_POLLING = 600000;

export class Connection {
  /**
   * @param {string} base @param {import("./storage.js").Storage} storage
   * @param {{ onFrame(frame: Frame, replaces: boolean): void, onLost(): void, onRevoked(token: string | null): void }} owner
   */
  constructor(base, storage, owner) {
    this._base = base;
    this._storage = storage;
    this._owner = owner;
    /** @type {import("./signal.js").Signal<"idle" | "connecting" | "online" | "offline">} */
    this.state = signal("idle");
    /** @type {string | null} */
    this._token = null;
    this.forget();
    /** @type {import("./types.js").Transport | null} */
    this._transport = null;
    this._greeted = () => {};
    this._failures = 0;
    this._socketWorked = false;
    this._pause = FIRST_PAUSE;
    this._polling = FIRST_POLLING;
    this._timer = 0;
    this._deadline = 0;
    this._tick = Date.now();
    this._slept = false;
    this._listen();
  }

  /** Connects, unless it is connected. */
  start() {
    if (this.state.value === "idle") this.state.value = "connecting";
    this._connect();
  }

  /** Leaves, until the next start. */
  stop() {
    this._drop();
    clearTimeout(this._timer);
    this.state.value = "idle";
    this._pause = FIRST_PAUSE;
  }

  /** Of the messages up to here nothing is known any more: the next hello asks for all. */
  forget() {
    /** @type {string | null} */
    this._cursor = null;
  }

  /** @param {Frame} frame @returns {boolean} whether it is on its way */
  send(frame) {
    if (this.state.value !== "online" || !this._transport) return false;
    this._transport.send(frame);
    return true;
  }

  /** Takes a new transport for one that may be dead. */
  replace() {
    if (this.state.value === "idle") return;
    this._drop();
    this.state.value = "connecting";
    this._connect();
  }

  _drop() {
    const old = this._transport;
    this._transport = null;
    clearTimeout(this._deadline);
    this._greeted();
    this._owner.onLost();
    if (old) old.close();
  }

  _connect() {
    if (this._transport || this.state.value === "idle") return;
    clearTimeout(this._timer);
    const polls = this._failures >= (this._socketWorked ? 6 : 2);
    /** @param {(...given: any[]) => void} act */
    const current = (act) => (/** @type {any[]} */ ...given) => { if (this._transport === mine) act(...given); };
    const mine = (polls ? openPoll : openSocket)(this._base, {
      onOpen: current(() => this._greet(mine)),
      onFrame: current((/** @type {Frame} */ frame) => this._take(frame, polls)),
      onClose: current((/** @type {number} */ code) => this._lost(code, polls)),
    });
    this._transport = mine;
    this._deadline = setTimeout(current(() => { mine.close(); this._lost(0, polls); }), WELCOME_WITHIN);
  }

  /** @param {import("./types.js").Transport} transport */
  _greet(transport) {
    void alone(`${this._base}hello`, this._storage, async () => {
      if (this._transport !== transport) return;
      const token = this._storage.get("token");
      // A cursor is the visitor's own: another tab may have become another visitor.
      if (token !== this._token) this.forget();
      const greeted = new Promise((resolve) => { this._greeted = () => resolve(undefined); });
      transport.send({ type: "hello", token, cursor: this._cursor });
      await greeted;
    });
  }

  /** @param {Frame} frame @param {boolean} polls */
  _take(frame, polls) {
    const replaces = frame.type === "welcome" && (frame.reload || this._cursor === null);
    this._cursor = frame.cursor || this._cursor;
    if (frame.type === "welcome") this._welcomed(frame.token, polls);
    this._owner.onFrame(frame, replaces);
  }

  /** @param {string} token @param {boolean} polls */
  _welcomed(token, polls) {
    clearTimeout(this._deadline);
    this._token = token;
    this._storage.set("token", token);
    this._greeted();
    this._pause = FIRST_PAUSE;
    if (polls) {
      this._timer = setTimeout(() => this._trySocket(), this._polling);
      this._polling = Math.min(this._polling * 2, LONGEST_POLLING);
    } else {
      this._failures = 0;
      this._socketWorked = true;
      this._polling = FIRST_POLLING;
    }
    this.state.value = "online";
  }

  _trySocket() {
    this._socketWorked = false;
    this._failures = 1;
    this.replace();
  }

  /** @param {number} code @param {boolean} polls */
  _lost(code, polls) {
    const wasOnline = this.state.value === "online";
    this._drop();
    if (code === REVOKED) {
      this._owner.onRevoked(this._token);
      return;
    }
    this._failures = polls ? 0 : this._failures + (wasOnline ? 0 : 1);
    this.state.value = "offline";
    const toPoll = !polls && !this._socketWorked && this._failures === 2;
    this._again(toPoll ? 0 : this._pause * (0.5 + Math.random()));
    if (!toPoll) this._pause = Math.min(this._pause * 2, LONGEST_PAUSE);
  }

  /** @param {number} milliseconds */
  _again(milliseconds) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._connect(), milliseconds);
  }

  _listen() {
    setInterval(() => this._look(), TICK);
    window.addEventListener("offline", () => {
      if (this.state.value === "idle") return;
      this._drop();
      this.state.value = "offline";
      this._again(this._pause);
    });
    const wake = () => {
      this._look();
      if (this.state.value !== "offline") return;
      this._pause = FIRST_PAUSE;
      this._connect();
    };
    window.addEventListener("online", wake);
    window.addEventListener("pageshow", wake);
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") wake(); });
  }

  /** A transport from before a sleep may be dead without having said so; a hidden tab's clock is slow by itself. */
  _look() {
    this._slept = this._slept || Date.now() - this._tick > SLEPT;
    this._tick = Date.now();
    if (!this._slept || document.visibilityState !== "visible") return;
    this._slept = false;
    this.replace();
  }
}
