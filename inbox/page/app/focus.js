/** Where the reader's attention is: which small window is open, and whether they write. */

import { signal } from "../vendor/signals.js";

/** @typedef {"" | "palette" | "help" | "assignee" | "team" | "tags" | "priority" | "snooze" | "view" | "begin" | "emoji" | "me" | "customer" | "join" | "joining" | "erase"} Asked */

/** The window that is open over the page. @type {import("../vendor/signals.js").Signal<Asked>} */
export const asked = signal("");

/** Files that are looked at, and which of them. @type {import("../vendor/signals.js").Signal<{files: import("./types.d.ts").Attachment[], at: number} | null>} */
export const previewed = signal(null);

/** The message whose menu is open, and what it stands at. @type {import("../vendor/signals.js").Signal<{id: string, opener: HTMLElement} | null>} */
export const menu = signal(null);

/** Where replies and notes are written. @type {import("../vendor/signals.js").Signal<HTMLTextAreaElement | null>} */
export const composing = signal(null);

/** What is being written. @type {import("../vendor/signals.js").Signal<"outbound" | "note">} */
export const direction = signal("outbound");

/** @param {"outbound" | "note"} wanted */
export function focusComposer(wanted) {
  direction.value = wanted;
  composing.peek()?.focus();
}

/** The message that has the focus, or the lowest that is in sight. @returns {HTMLElement | undefined} */
function messageHere() {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".messages article")]);
  const bottom = document.querySelector(".messages")?.getBoundingClientRect().bottom ?? 0;
  return all.find((one) => one.contains(document.activeElement)) ?? all.findLast((one) => one.getBoundingClientRect().top < bottom);
}

/** Moves the focus to the message after or before the one that has it. @param {1 | -1} step */
export function stepMessage(step) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".messages article")]);
  const here = messageHere();
  const next = here?.contains(document.activeElement) ? all[all.indexOf(here) + step] : here;
  next?.focus();
}

/** Opens the menu of the message that has the focus, or of the lowest in sight. */
export function openMenu() {
  /** @type {HTMLElement | null | undefined} */ (messageHere()?.querySelector("[aria-haspopup=menu]"))?.click();
}
