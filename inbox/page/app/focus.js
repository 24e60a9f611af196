/** Where the reader's attention is: which small window is open, and whether they write. */

import { signal } from "../vendor/signals.js";

/** @typedef {"" | "palette" | "help" | "assignee" | "team" | "tags" | "priority" | "snooze" | "view" | "begin" | "me" | "customer" | "join" | "joining" | "erase"} Asked */

/** The window that is open over the page. @type {import("../vendor/signals.js").Signal<Asked>} */
export const asked = signal("");

/** Where replies and notes are written. @type {import("../vendor/signals.js").Signal<HTMLTextAreaElement | null>} */
export const composing = signal(null);

/** What is being written. @type {import("../vendor/signals.js").Signal<"outbound" | "note">} */
export const direction = signal("outbound");

/** @param {"outbound" | "note"} wanted */
export function focusComposer(wanted) {
  direction.value = wanted;
  composing.peek()?.focus();
}
