/** Calls of the public API, with the session's cookie. */

/** What went wrong, as the API says it (RFC 9457). `type` is what a program looks at. */
export class Problem extends Error {
  /** @param {{type: string, detail: string, status: number, [member: string]: any}} document */
  constructor(document) {
    super(document.detail);
    this.type = document.type;
    this.status = document.status;
    this.document = document;
  }
}

/** Nobody answered: the network or Santral is away. */
export const AWAY = "away";
/** Santral is there, and its database is not. */
export const UNAVAILABLE = "unavailable";
/** Nobody is signed in, or not any more. */
export const UNAUTHORIZED = "unauthorized";

let csrf = "";
/** @type {() => void} */
let leave = () => {};
let ahead = 0; // milliseconds that Santral's clock is ahead of ours

/** What time it is for Santral. @param {number} [later] milliseconds */
export function serverTime(later = 0) {
  return new Date(Date.now() + ahead + later);
}

/** @param {string | null} token goes with each call that changes something */
export function bearCsrf(token) {
  csrf = token ?? "";
}

/** @param {() => void} listener is told when a call finds nobody signed in */
export function whenSignedOut(listener) {
  leave = listener;
}

/**
 * @param {string} method
 * @param {string} path below `/api/v1`
 * @param {{query?: Record<string, string | number | boolean | null | undefined>, body?: unknown, file?: Blob,
 *   version?: number, signal?: AbortSignal, last?: boolean}} [more] `version`: changes only what is still that one;
 *   `last`: goes out even when the page is closed meanwhile
 * @returns {Promise<Response>} one that says that it went well
 * @throws {Problem}
 */
async function request(method, path, more = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(more.query ?? {})) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  /** @type {Record<string, string>} */
  const headers = {};
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (more.body !== undefined) headers["Content-Type"] = "application/json";
  if (more.version !== undefined) headers["If-Match"] = `"${more.version}"`;
  const body = more.file ?? (more.body === undefined ? undefined : JSON.stringify(more.body));
  let answer;
  try {
    answer = await fetch(`/api/v1${path}${query.size ? `?${query}` : ""}`, { method, headers, body, signal: more.signal, keepalive: more.last });
  } catch (error) {
    if (more.signal?.aborted) throw error;
    throw new Problem({ type: AWAY, detail: "Santral cannot be reached", status: 0 });
  }
  const told = Date.parse(answer.headers.get("Date") ?? "");
  if (told) ahead = told - Date.now();
  if (answer.ok) return answer;
  const document = await answer.json().catch(() => ({ type: "about:blank", detail: answer.statusText }));
  if (document.type === UNAUTHORIZED) leave();
  throw new Problem({ ...document, status: answer.status });
}

/**
 * A call whose answer is JSON, or nothing.
 * @template T
 * @param {string} method
 * @param {string} path below `/api/v1`
 * @param {Parameters<typeof request>[2]} [more]
 * @returns {Promise<T>}
 * @throws {Problem}
 */
export async function call(method, path, more) {
  const answer = await request(method, path, more);
  return answer.status === 204 ? /** @type {T} */ (undefined) : await answer.json();
}

/**
 * The beginning of what is no JSON, as text.
 * @param {string} path below `/api/v1`
 * @param {number} most bytes that are read
 * @param {AbortSignal} signal
 * @returns {Promise<{text: string, whole: boolean}>}
 * @throws {Problem}
 */
export async function beginning(path, most, signal) {
  const answer = await request("GET", path, { signal });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  /** @type {Uint8Array[]} */
  const pieces = [];
  let size = 0;
  let ended = false;
  while (!ended && size <= most) {
    const { done, value } = await reader.read();
    ended = done;
    if (value) pieces.push(value);
    size += value?.length ?? 0;
  }
  reader.cancel().catch(() => {}); // the rest is nobody's
  const bytes = new Uint8Array(await new Blob(/** @type {BlobPart[]} */ (pieces)).arrayBuffer());
  return { text: read(bytes.subarray(0, most)), whole: ended && size <= most };
}

/** Text in the encoding that it is in: files do not say it. @param {Uint8Array} bytes */
function read(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true }); // the last letter may be cut in two
  } catch {
    return new TextDecoder("windows-1254").decode(bytes); // Western letters, and the Turkish ones
  }
}

/**
 * All pages of a list that is short by nature.
 * @template T
 * @param {string} path
 * @returns {Promise<T[]>}
 */
export async function all(path) {
  return (await call("GET", path)).items;
}
