/** The chat of this tab: what is known of it, and all that can be done. The views look at its signals. */

import { Connection } from "./connection.js";
import { Files } from "./files.js";
import { Hours } from "./hours.js";
import { Identity, revoke } from "./identity.js";
import { Outbox } from "./outbox.js";
import { signal, watch } from "./signal.js";
import { newId } from "./storage.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Author} Author */

const TYPING_HOLDS = 6000; // milliseconds
const TYPING_AGAIN = 3000;
export const LONGEST_TEXT = 10000; // characters

export class Chat {
  /**
   * @param {import("./types.js").Start} start @param {import("./storage.js").Storage} storage
   * @param {import("./words.js").Words} words @param {import("./attention.js").Attention} attention
   */
  constructor(start, storage, words, attention) {
    this.base = start.base;
    this.words = words;
    this._emit = start.emit;
    this._storage = storage;
    this._attention = attention;
    this.settings = signal(start.settings);
    this.open = signal(false);
    this.muted = signal(storage.get("muted") === true);
    this.seen = signal(/** @type {string | null} */ (storage.get("seen")));
    this.details = signal(/** @type {import("./types.js").Details | null} */ (storage.get("details")));
    this.draft = signal(/** @type {string} */ (storage.get("draft") || ""));
    this.generation = signal(0); // of the person before the screen: a logout begins another
    this._epoch = storage.get("epoch");
    this.connection = new Connection(start.base, storage, {
      onFrame: (frame, replaces) => this._take(frame, replaces),
      onLost: () => this.outbox.offline(),
      onRevoked: (token) => this._revoked(token),
    });
    this.outbox = new Outbox(storage, this.connection);
    this.files = new Files(start.base, storage);
    this._identity = new Identity(start.base, storage, () => this._emit("identified"));
    this.hours = new Hours(start.base, this.settings);
    /** @type {import("./signal.js").Signal<Message[]>} */
    this.messages = signal([]);
    this.loaded = signal(false); // whether a welcome said what there is
    this.typing = signal(/** @type {Author | null} */ (null));
    this.agent = signal(/** @type {Author | null} */ (null));
    this.queue = signal(/** @type {{ position: number, wait_seconds: number | null } | null} */ (null));
    this.rating = signal(/** @type {string | null} */ (null));
    this.companyRead = signal(/** @type {string | null} */ (null));
    this._unreported = new Set();
    this._told = 0; // of how many unread ones the host page knows
    this._typedAt = 0;
    this._typingTimer = 0;
    this._listen();
  }

  _listen() {
    watch(() => {
      const count = this.unread;
      if (count === this._told) return;
      this._told = count;
      this._attention.count(count);
      this._emit("unread", count);
    });
    this._storage.watch((key) => this._changedElsewhere(key));
    const wake = () => { this._checkEpoch(); this.markRead(); };
    window.addEventListener("pageshow", wake);
    window.addEventListener("focus", wake);
    document.addEventListener("visibilitychange", wake);
  }

  /** A visitor who was here before is connected for what came since; a new one not before they open the chat. */
  begin() {
    if (this._storage.get("token")) this.connection.start();
  }

  show() {
    if (this.open.value) return;
    this.open.value = true;
    this.connection.start();
    this.markRead();
    this._emit("open");
  }

  hide() {
    if (!this.open.value) return;
    this.open.value = false;
    this._emit("close");
  }

  /** @param {string} text @param {import("./types.js").Details | null} [details] */
  say(text, details = null) {
    const attachments = this.files.take();
    if (!text.trim() && !attachments.length) return;
    const first = this._storage.get("told") ? null : this.details.value;
    const frame = {
      type: "message", text, attachments: attachments.map(({ id }) => id), page: location.href.slice(0, 1000),
      details: details || first || undefined,
    };
    if (first) this._storage.set("told", true);
    this.outbox.add(frame, { text, attachments });
    this.rating.value = null; // it goes on
    this.write("");
    this._typedAt = 0;
  }

  /** What stands in the pre-chat form goes with the first message. @param {import("./types.js").Details} details */
  introduce(details) {
    this.details.value = details;
    this._storage.set("details", details);
  }

  /** @param {Message} message @param {string} value */
  choose(message, value) {
    this.outbox.add({ type: "choose", message_id: message.id, value });
  }

  /** @param {number} score @param {string} comment */
  rate(score, comment) {
    this.outbox.add({ type: "rate", score, comment });
    this.unrated();
  }

  /** It was rated, or will not be: nobody is asked twice. */
  unrated() {
    this._storage.set("rated", this.rating.value);
    this.rating.value = null;
  }

  /** @param {string} phone @param {string} when */
  callBack(phone, when) {
    this.outbox.add({ type: "call_back", phone, when });
  }

  /** Keeps the draft. @param {string} text */
  write(text) {
    this.draft.value = text;
    this._storage.set("draft", text || null);
    if (!text || Date.now() - this._typedAt < TYPING_AGAIN) return;
    if (this.connection.send({ type: "typing" })) this._typedAt = Date.now();
  }

  mute() {
    this.muted.value = !this.muted.value;
    this._storage.set("muted", this.muted.value);
  }

  /** @param {string} token */
  identify(token) {
    this.connection.start();
    return this._identity.claim(token, this.connection.state.value === "online");
  }

  /** Nothing of this person stays on the device, nor in its other tabs; the token is good for nothing any more. */
  logout() {
    const token = this._storage.get("token");
    this._storage.clear();
    this._storage.set("epoch", newId());
    this._forget();
    if (token) revoke(this.base, token);
  }

  /** How many replies the visitor did not see. */
  get unread() {
    return this._unread().length;
  }

  /** What is on the screen now is read. */
  markRead() {
    if (!this.open.value || document.visibilityState !== "visible") return;
    const fresh = this._unread();
    if (fresh.length) {
      this.seen.value = fresh[fresh.length - 1].id;
      this._storage.set("seen", this.seen.value);
      for (const { id } of fresh) this._unreported.add(id);
    }
    for (const id of this._unreported) {
      if (this.connection.send({ type: "read", message_id: id })) this._unreported.delete(id);
    }
  }

  /** @returns {Message[]} */
  _unread() {
    const all = this.messages.value;
    const after = all.slice(all.findIndex(({ id }) => id === this.seen.value) + 1);
    return after.filter((one) => one.direction === "outbound" && !one.deleted && !one.read);
  }

  /** @param {Frame} frame @param {boolean} replaces */
  _take(frame, replaces) {
    switch (frame.type) {
      case "welcome": return this._welcomed(frame, replaces);
      case "message": return this._arrived(frame.message);
      case "ack": return this._acknowledged(frame);
      case "error": return this._refused(frame);
      case "typing": return this._types(frame.author);
      case "read": this.companyRead.value = frame.message_id; break;
      case "queue": this.queue.value = frame.position > 0 ? /** @type {any} */ (frame) : null; break;
      case "agent": this.agent.value = frame.author; break;
      case "rating": this._asked(frame.conversation_id); break;
    }
  }

  /** @param {Frame} frame @param {boolean} replaces */
  _welcomed(frame, replaces) {
    const known = new Set(replaces ? [] : this.messages.value.map(({ id }) => id));
    if (replaces) this.messages.value = [];
    const fresh = frame.messages.filter((/** @type {Message} */ one) => !known.has(one.id));
    for (const message of frame.messages) this._put(message);
    this.companyRead.value = frame.read || this.companyRead.value;
    this.agent.value = frame.agent === undefined ? this.agent.value : frame.agent;
    this._asked(frame.rating);
    this.loaded.value = true;
    this.outbox.online();
    void this._identity.show();
    this.markRead();
    if (!replaces) for (const message of fresh) this._tell(message);
  }

  /** @param {string | null | undefined} conversation that waits for a rating; undefined where nothing was said of it */
  _asked(conversation) {
    if (conversation !== undefined) this.rating.value = conversation === this._storage.get("rated") ? null : conversation;
  }

  /** @param {Message} message */
  _arrived(message) {
    const fresh = !this.messages.value.some(({ id }) => id === message.id);
    this._put(message);
    this.markRead();
    if (fresh) this._tell(message);
  }

  /** @param {Message} message that is new to this tab */
  _tell(message) {
    if (message.direction !== "outbound" || message.deleted) return;
    const { id, text, author } = message;
    this.typing.value = null;
    this._emit("message", { id, text, author });
    const looks = this.open.value && document.visibilityState === "visible" && document.hasFocus();
    // Of several tabs one makes the sound.
    if (looks || this.muted.value || this._storage.get("sounded") === id) return;
    this._storage.set("sounded", id);
    this._attention.sound();
  }

  /** Shows a message, in the place of an earlier state of it. @param {Message} message */
  _put(message) {
    if (message.client_id) this.outbox.settle(message.client_id);
    const all = this.messages.value;
    const known = all.some(({ id }) => id === message.id);
    this.messages.value = known ? all.map((one) => (one.id === message.id ? message : one)) : [...all, message];
  }

  /** @param {Frame} frame */
  _acknowledged({ client_id, message }) {
    const item = this.outbox.settle(client_id || "");
    if (!item || !item.shown || this.messages.value.some(({ id }) => id === message.id)) return;
    this._put({
      id: message.id, client_id: message.client_id, conversation_id: null, kind: "message", direction: "inbound",
      author: { type: "customer", name: null }, text: message.text, parts: [], attachments: item.shown.attachments,
      sent_at: message.received_at, received_at: message.received_at, edited: false, deleted: false,
    });
  }

  /** @param {Frame} frame */
  _refused({ code, detail, client_id }) {
    if (client_id) this.outbox.refuse(client_id, code);
    else if (code === "unauthorized") this.connection.replace();
    this._emit("error", { code, detail });
  }

  /** @param {Author} author */
  _types(author) {
    this.typing.value = author;
    clearTimeout(this._typingTimer);
    this._typingTimer = setTimeout(() => { this.typing.value = null; }, TYPING_HOLDS);
  }

  /** The server ended the visitor whom this tab knew. What another tab has begun since is not touched. @param {string | null} token */
  _revoked(token) {
    if (this._storage.get("token") === token) {
      this._storage.clear();
      this._storage.set("epoch", newId());
    }
    this._forget();
  }

  /** @param {string} key */
  _changedElsewhere(key) {
    if (key === "epoch") this._checkEpoch();
    else if (key === "all" && this.loaded.value) this._forget();
    else if (key.startsWith("out:")) this.outbox.look();
    else if (key === "muted") this.muted.value = this._storage.get("muted") === true;
    else if (key === "details") this.details.value = this._storage.get("details");
    else if (key === "seen") this.seen.value = this._storage.get("seen");
    else if (key === "token" && this._storage.get("token")) this.begin();
  }

  /** Somebody logged out in another tab, perhaps while this one slept. */
  _checkEpoch() {
    if (this._storage.get("epoch") !== this._epoch) this._forget();
  }

  _forget() {
    this._epoch = this._storage.get("epoch");
    this.connection.stop();
    this.connection.forget();
    this._identity.forget();
    this.files.forget();
    this.outbox.look();
    this._unreported.clear();
    this.messages.value = [];
    for (const one of [this.typing, this.agent, this.queue, this.rating, this.companyRead, this.seen, this.details]) {
      one.value = null;
    }
    this.draft.value = "";
    this.loaded.value = false;
    this.muted.value = false;
    this.generation.value += 1;
    if (this.open.value) this.connection.start();
    this._emit("logout");
  }
}
