/** One tab at a time: two that say hello at once would else be two visitors. */

import { newId } from "./storage.js";

const PATIENCE = 5000; // milliseconds, after which it is done all the same
const LEASE = 3000;

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Does it while no other tab does.
 * @param {string} name @param {import("./storage.js").Storage} storage @param {() => Promise<void>} act
 */
export async function alone(name, storage, act) {
  if (!navigator.locks) return leased(storage, act);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  let entered = false;
  try {
    await navigator.locks.request(name, { signal: abort.signal }, () => {
      entered = true;
      clearTimeout(timer);
      return act();
    });
  } catch (error) {
    if (entered) throw error;
    await act(); // a tab that was frozen holds it
  }
}

/** The same by a lease in localStorage, for older browsers. @param {import("./storage.js").Storage} storage @param {() => Promise<void>} act */
async function leased(storage, act) {
  const id = newId();
  const mine = () => (storage.get("lease") || {}).id === id;
  const deadline = Date.now() + PATIENCE;
  while (Date.now() < deadline && !mine()) {
    const held = storage.get("lease");
    if (!held || held.until < Date.now()) storage.set("lease", { id, until: Date.now() + LEASE });
    await pause(40 + Math.random() * 40); // whoever wrote last within that time has it
  }
  try {
    await act();
  } finally {
    if (mine()) storage.set("lease", null);
  }
}
