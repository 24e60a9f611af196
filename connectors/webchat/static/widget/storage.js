/** What this device keeps between pages and tells its other tabs: localStorage, or memory where that is refused. */

/** 128 random bits; `crypto.randomUUID` exists in newer browsers and on secure pages alone. @returns {string} */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Storage {
  /** @param {string} base the channel's address: each has a shelf of its own */
  constructor(base) {
    this._prefix = `santral:${base}:`;
    /** @type {Map<string, string>} */
    this._memory = new Map();
    /** @type {globalThis.Storage | null} */
    this._store = null;
    try {
      window.localStorage.setItem(`${this._prefix}probe`, "1");
      window.localStorage.removeItem(`${this._prefix}probe`);
      this._store = window.localStorage;
    } catch { /* private mode, a sandbox, or a visitor who refuses it */ }
  }

  /** @param {string} key @returns {any} null where there is none */
  get(key) {
    const text = this._memory.has(key) ? this._memory.get(key) : this._store && this._store.getItem(this._prefix + key);
    try { return text ? JSON.parse(text) : null; } catch { return null; }
  }

  /** @param {string} key @param {unknown} value null takes it away */
  set(key, value) {
    const text = JSON.stringify(value);
    this._memory.delete(key);
    if (value === null) {
      if (this._store) this._store.removeItem(this._prefix + key);
      return;
    }
    try {
      if (!this._store) throw new Error("there is none");
      this._store.setItem(this._prefix + key, text);
    } catch {
      this._memory.set(key, text); // full, or refused: kept as long as the page lives
    }
  }

  /** @param {string} start @returns {string[]} the keys that begin so */
  keys(start) {
    const store = this._store;
    const all = store ? Array.from({ length: store.length }, (_, index) => store.key(index) || "") : [];
    const ours = all.filter((key) => key.startsWith(this._prefix)).map((key) => key.slice(this._prefix.length));
    return [...ours, ...this._memory.keys()].filter((key) => key.startsWith(start));
  }

  clear() {
    for (const key of this.keys("")) this.set(key, null);
  }

  /** What other tabs change. @param {(key: string) => void} listener */
  watch(listener) {
    window.addEventListener("storage", (event) => {
      if (event.key === null) listener("all"); // the host page cleared everything
      else if (event.key.startsWith(this._prefix)) listener(event.key.slice(this._prefix.length));
    });
  }
}
