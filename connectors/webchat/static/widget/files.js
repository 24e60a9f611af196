/** Files of both sides: sent up before the message that names them, fetched with the visitor's token. */

import { signal } from "./signal.js";
import { newId } from "./storage.js";

/** @typedef {import("./types.js").Upload} Upload */
/** @typedef {import("./types.js").Attachment} Attachment */

const LARGEST = 25 * 1024 * 1024; // bytes: the server's own limit
const AT_ONCE = 10; // files of a message
const KEPT = 20; // blobs

export class Files {
  /** @param {string} base @param {import("./storage.js").Storage} storage */
  constructor(base, storage) {
    this._url = `${base}attachments`;
    this._storage = storage;
    /** @type {import("./signal.js").Signal<Upload[]>} */
    this.uploads = signal([]);
    /** @type {Map<string, Promise<Blob>>} */
    this._blobs = new Map();
  }

  /** @param {Iterable<File>} files @returns {boolean} whether there was room for all of them */
  add(files) {
    const room = AT_ONCE - this.uploads.value.length;
    const all = Array.from(files);
    for (const file of all.slice(0, room)) {
      /** @type {Upload} */
      const upload = { key: newId(), file, state: "too_large", progress: 0, kept: null, stop: () => {} };
      this.uploads.value = [...this.uploads.value, upload];
      if (file.size <= LARGEST) this.send(upload.key);
    }
    return all.length <= room;
  }

  /** Sends it up, also once more. @param {string} key */
  send(key) {
    const upload = this.uploads.value.find((one) => one.key === key);
    if (!upload) return;
    const request = new XMLHttpRequest(); // fetch tells no progress
    request.open("POST", this._url);
    request.setRequestHeader("Authorization", `Bearer ${this._storage.get("token")}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-Filename", encodeURIComponent(upload.file.name || "image.png"));
    request.upload.onprogress = ({ loaded, total }) => this._change(key, { progress: total ? loaded / total : 0 });
    request.onload = () => this._sent(key, request);
    request.onerror = () => this._change(key, { state: "failed" });
    this._change(key, { state: "uploading", progress: 0, stop: () => request.abort() });
    request.send(upload.file);
  }

  /** @param {string} key @param {XMLHttpRequest} request */
  _sent(key, request) {
    const upload = this.uploads.value.find((one) => one.key === key);
    if (!upload) return;
    if (request.status !== 201) {
      this._change(key, { state: request.status === 413 ? "too_large" : "failed" });
      return;
    }
    const kept = { ...JSON.parse(request.responseText), state: "ready" };
    this._keep(kept.id, Promise.resolve(upload.file));
    this._change(key, { state: "ready", kept });
  }

  /** @param {string} key */
  remove(key) {
    const upload = this.uploads.value.find((one) => one.key === key);
    if (upload) upload.stop();
    this.uploads.value = this.uploads.value.filter((one) => one.key !== key);
  }

  /** Those that are up, for the message that names them. @returns {Attachment[]} */
  take() {
    const ready = this.uploads.value.filter((one) => one.state === "ready");
    this.uploads.value = this.uploads.value.filter((one) => one.state !== "ready");
    return ready.map((one) => /** @type {Attachment} */ (one.kept));
  }

  forget() {
    for (const { key } of this.uploads.value) this.remove(key);
    this._blobs.clear();
  }

  /** @param {string} id of an attachment @returns {Promise<Blob>} */
  blob(id) {
    const found = this._blobs.get(id);
    if (found) return found;
    const fetched = this._fetch(id);
    this._keep(id, fetched);
    fetched.catch(() => this._blobs.delete(id));
    return fetched;
  }

  /** @param {Attachment} file */
  async save(file) {
    const url = URL.createObjectURL(await this.blob(file.id));
    Object.assign(document.createElement("a"), { href: url, download: file.filename }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  /** @param {string} id */
  async _fetch(id) {
    const headers = { Authorization: `Bearer ${this._storage.get("token")}` };
    const answer = await fetch(`${this._url}/${encodeURIComponent(id)}`, { headers });
    if (!answer.ok) throw new Error(`the file is not there: ${answer.status}`);
    return answer.blob();
  }

  /** @param {string} id @param {Promise<Blob>} blob */
  _keep(id, blob) {
    this._blobs.set(id, blob);
    if (this._blobs.size > KEPT) this._blobs.delete(this._blobs.keys().next().value || "");
  }

  /** @param {string} key @param {Partial<Upload>} changes */
  _change(key, changes) {
    this.uploads.value = this.uploads.value.map((one) => (one.key === key ? { ...one, ...changes } : one));
  }
}
