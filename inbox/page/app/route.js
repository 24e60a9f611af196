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
 * @property {string} message the one in it that is pointed at
 */

/** @type {Place} */
const NOWHERE = { page: "", queue: "", status: "open", channel: "", team: "", tag: "", view: "", q: "", sort: "-updated_at", c: "", message: "" };
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

/** The order in which a search finds: that of any other needs all of them. */
export const AS_FOUND = "-created_at";

export const place = signal(read());

/** The query that leads to a place, with its `?`; empty for the inbox as it is at first. @param {Partial<Place>} there */
export function queryOf(there) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...NOWHERE, ...there })) {
    if (value !== NOWHERE[/** @type {keyof Place} */ (name)]) query.set(name, value || ANY);
  }
  return query.size ? `?${query}` : "";
}

/**
 * Goes there; what is not named stays as it is, but that a message is pointed at in its own conversation alone.
 * @param {Partial<Place>} changes
 * @param {{quietly?: boolean}} [how] `quietly`: the way back does not lead here
 */
export function go(changes, how = {}) {
  const next = { ...place.value, ...("c" in changes ? { message: "" } : {}), ...changes };
  const address = `/${queryOf(next)}`;
  if (address !== location.pathname + location.search) history[how.quietly ? "replaceState" : "pushState"](null, "", address);
  place.value = next;
}

/** Searches in all that there is; with nothing to search for, back to what is open. @param {string} q */
export function search(q) {
  if (q) go({ q, ...(place.value.q ? {} : { status: "", sort: AS_FOUND }) }, { quietly: true });
  else go({ q, status: NOWHERE.status, sort: NOWHERE.sort }, { quietly: true });
}

/** Goes to another list: its filters alone hold. @param {Partial<Place>} filters */
export function list(filters) {
  go({ ...NOWHERE, c: place.value.c, message: place.value.message, ...filters, page: "" });
}

addEventListener("popstate", () => (place.value = read()));
