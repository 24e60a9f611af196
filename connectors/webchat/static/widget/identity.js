/** Who signed in on the host page. The token is kept in memory alone, and shown again to each new connection. */

export class Identity {
  /** @param {string} base @param {import("./storage.js").Storage} storage @param {() => void} identified */
  constructor(base, storage, identified) {
    this._url = `${base}poll`;
    this._storage = storage;
    this._identified = identified;
    /** @type {string | null} */
    this._token = null;
    /** @type {{ resolve(): void, reject(error: Error): void } | null} */
    this._settle = null;
  }

  forget() {
    if (this._settle) this._settle.reject(new Error("Santral: signed out before the chat knew who it was"));
    this._token = null;
    this._settle = null;
  }

  /** @param {string} token that the website signed @param {boolean} online whether to show it at once */
  async claim(token, online) {
    this.forget();
    this._token = token;
    /** @type {Promise<void>} */
    const settled = new Promise((resolve, reject) => { this._settle = { resolve: () => resolve(), reject }; });
    if (online) void this.show();
    return settled;
  }

  /** Over plain HTTP, whatever carries the chat: its status says whether the token was taken. */
  async show() {
    const token = this._token;
    if (token === null) return;
    try {
      const headers = { Authorization: `Bearer ${this._storage.get("token")}` };
      const body = JSON.stringify({ type: "identify", token });
      const { status } = await fetch(this._url, { method: "POST", headers, body });
      if (token === this._token) this._answered(status);
    } catch { /* no connection: the next welcome shows it again */ }
  }

  /** @param {number} status */
  _answered(status) {
    const settle = this._settle;
    if (status === 200) {
      this._settle = null;
      if (!settle) return;
      settle.resolve();
      this._identified();
    } else if (status < 500 && status !== 429) {
      this._settle = null;
      this._token = null;
      if (settle) settle.reject(new Error("Santral: the identity token is not valid, or this channel has no identity_secret"));
    } else {
      setTimeout(() => void this.show(), 3000);
    }
  }
}

/**
 * Makes a visitor's token worthless, as soon as there is a network. The token stands in the frame: a request without
 * headers of its own may outlive the page.
 * @param {string} base @param {string} token
 */
export function revoke(base, token) {
  const request = { method: "POST", keepalive: true, body: JSON.stringify({ type: "logout", token }) };
  fetch(`${base}poll`, request).catch(() => {
    window.addEventListener("online", () => revoke(base, token), { once: true });
  });
}
