/** Where in the page one is: it stands in the address, so that it can be shared, kept and gone back to. */

import { signal } from "../vendor/signals.js";

/**
 * @typedef {object} Place
 * @property {string} page empty: the inbox
 * @property {string} queue `mine`, `unassigned` or empty: all
 * @property {string} status empty: all
 * @property {string} channel
 * @property {string} team
 * @property {string} tag
 * @property {string} view a saved view
 * @property {string} q what is searched for
 * @property {string} sort
 * @property {string} c the open conversation
 */

/** @type {Place} */
const NOWHERE = { page: "", queue: "", status: "open", channel: "", team: "", tag: "", view: "", q: "", sort: "-updated_at", c: "" };
const ANY = "any"; // in the address, for a filter that is empty though it is not by itself

/** @returns {Place} */
function read() {
  const query = new URLSearchParams(location.search);
  const names = /** @type {(keyof Place)[]} */ (Object.keys(NOWHERE));
  const found = names.map((name) => {
    const value = query.get(name) ?? NOWHERE[name];
    return [name, value === ANY ? "" : value];
  });
  return Object.fromEntries(found);
}

export const place = signal(read());

/**
 * Goes there; what is not named stays as it is.
 * @param {Partial<Place>} changes
 * @param {{quietly?: boolean}} [how] `quietly`: the way back does not lead here
 */
export function go(changes, how = {}) {
  const next = { ...place.value, ...changes };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(next)) {
    if (value !== NOWHERE[/** @type {keyof Place} */ (name)]) query.set(name, value || ANY);
  }
  const address = query.size ? `/?${query}` : "/";
  if (address !== location.pathname + location.search) history[how.quietly ? "replaceState" : "pushState"](null, "", address);
  place.value = next;
}

/** Goes to another list: its filters alone hold. @param {Partial<Place>} filters */
export function list(filters) {
  go({ ...NOWHERE, c: place.value.c, ...filters, page: "" });
}

addEventListener("popstate", () => (place.value = read()));
