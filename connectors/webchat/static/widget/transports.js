/** The two ways to Santral. Both carry the same frames; neither tries again: `connection.js` does. */

/** @typedef {import("./types.js").Ear} Ear */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Transport} Transport */

export const REVOKED = 4401; // the visitor logged out: the token is good for nothing any more

/** @param {string} base @param {Ear} ear @returns {Transport} */
export function openSocket(base, ear) {
  /** @type {WebSocket | null} */
  let socket = null;
  try {
    socket = new WebSocket(`${base.replace(/^http/, "ws")}ws`);
  } catch { // a policy of the host page may refuse it at once
    setTimeout(() => ear.onClose(0));
    return { send() {}, close() {} };
  }
  const opened = socket;
  opened.onopen = () => ear.onOpen();
  opened.onmessage = ({ data }) => ear.onFrame(JSON.parse(data));
  opened.onclose = ({ code }) => ear.onClose(code);
  return {
    send: (frame) => { if (opened.readyState === 1) opened.send(JSON.stringify(frame)); },
    close: () => opened.close(),
  };
}

/** Long-poll. @implements {Transport} */
class Poll {
  /** @param {string} base @param {Ear} ear */
  constructor(base, ear) {
    this._url = `${base}poll`;
    this._ear = ear;
    this._abort = new AbortController();
    /** @type {string | null} */
    this._token = null;
    this._cursor = "";
    this._sent = Promise.resolve();
    setTimeout(() => { if (!this._abort.signal.aborted) ear.onOpen(); });
  }

  /** One after the other, as over a socket. @param {Frame} frame */
  send(frame) {
    this._sent = this._sent.then(() => this._post(frame)).catch(() => this._fail(0));
  }

  close() {
    this._abort.abort();
  }

  /** @param {number} code */
  _fail(code) {
    if (this._abort.signal.aborted) return;
    this.close();
    this._ear.onClose(code);
  }

  _headers() {
    return { headers: this._token ? { Authorization: `Bearer ${this._token}` } : undefined, signal: this._abort.signal };
  }

  /** @param {Frame} frame */
  async _post(frame) {
    const answer = await fetch(this._url, { method: "POST", body: JSON.stringify(frame), ...this._headers() });
    this._take((await answer.json()).frames); // a refusal is a frame too
  }

  /** @param {Frame[]} frames */
  _take(frames) {
    for (const frame of frames) {
      if (this._abort.signal.aborted) return;
      this._cursor = frame.cursor || this._cursor;
      const first = this._token === null;
      if (frame.type === "welcome") this._token = frame.token;
      this._ear.onFrame(frame);
      if (first && this._token !== null) this._wait().catch(() => this._fail(0));
    }
  }

  async _wait() {
    while (!this._abort.signal.aborted) {
      const answer = await fetch(`${this._url}?wait=25&cursor=${encodeURIComponent(this._cursor)}`, this._headers());
      if (answer.status === 401) return this._fail(REVOKED);
      if (!answer.ok) return this._fail(0);
      const { frames, cursor } = await answer.json();
      this._take(frames);
      this._cursor = cursor || this._cursor;
    }
  }
}

/** @param {string} base @param {Ear} ear @returns {Transport} */
export function openPoll(base, ear) {
  return new Poll(base, ear);
}
