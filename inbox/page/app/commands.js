/** All that can be done, by keys, from the palette and from buttons: one table. */

import { call } from "./api.js";
import { askEmoji } from "./compose.js";
import { t } from "./i18n.js";
import { conversations, neighbour, placeOf, put, ticked } from "./inbox.js";
import { attempt, tell } from "./notices.js";
import { go, list, place } from "./route.js";
import { may, me } from "./session.js";
import { change, conversation, customer, newest } from "./thread.js";
import { asked, composing, focusComposer, openMenu, stepMessage } from "./focus.js";

/**
 * @typedef {object} Command
 * @property {import("./i18n.js").Key} label
 * @property {string} [keys] as they are pressed: `j`, `Control+k`, `g m` (one after the other)
 * @property {() => boolean} [when] whether it can be done now
 * @property {() => unknown} run
 */

const opened = () => conversation.value !== null;

/** @param {1 | -1} step */
function step(step) {
  const one = neighbour(step);
  if (one) go(placeOf(one));
}

/** Resolves what is ticked, or what is open. @param {boolean} [next] and opens the one after it */
export async function resolve(next = false) {
  const here = place.peek().c;
  const follower = next ? (neighbour(1) ?? neighbour(-1)) : null;
  if (ticked.value.size) await forTicked({ status: "resolved" });
  else await change({ status: conversation.peek()?.status === "resolved" && !next ? "open" : "resolved" });
  if (next && follower && place.peek().c === here) go(placeOf(follower)); // else they went elsewhere meanwhile
}

/** Changes all that are ticked. @param {object} changes */
export async function forTicked(changes) {
  const ids = [...ticked.peek()];
  ticked.value = new Set();
  const found = await Promise.all(ids.map((id) => attempt(() => call("PATCH", `/conversations/${id}`, { body: changes }))));
  for (const one of found) if (one) put(one);
  tell(t("changed", { n: found.filter(Boolean).length }));
}

function assignToMe() {
  const id = me.peek()?.id ?? null;
  if (ticked.value.size) return forTicked({ assignee: id });
  return change({ assignee: conversation.peek()?.assignee === id ? null : id });
}

function tick() {
  const id = place.peek().c;
  if (!id) return;
  const now = new Set(ticked.peek());
  if (!now.delete(id)) now.add(id);
  ticked.value = now;
}

/** Eight in the morning after `days` days, here. @param {number} days */
export function morning(days) {
  const at = new Date();
  at.setDate(at.getDate() + days);
  at.setHours(8, 0, 0, 0);
  return at.toISOString();
}

/** @type {Command[]} */
export const COMMANDS = [
  { label: "next", keys: "j", run: () => step(1), when: () => conversations.value.length > 0 },
  { label: "previous", keys: "k", run: () => step(-1), when: () => conversations.value.length > 0 },
  { label: "reply", keys: "r", run: () => focusComposer("outbound"), when: opened },
  { label: "note", keys: "n", run: () => focusComposer("note"), when: opened },
  { label: "emoji", keys: "Control+i", run: askEmoji, when: opened },
  { label: "nextMessage", keys: "J", run: () => stepMessage(1), when: opened },
  { label: "previousMessage", keys: "K", run: () => stepMessage(-1), when: opened },
  { label: "messageMenu", keys: "m", run: openMenu, when: opened },
  { label: "newestMessages", keys: "G", run: newest, when: opened },
  { label: "resolve", keys: "e", run: () => resolve(), when: opened },
  { label: "resolveNext", keys: "E", run: () => resolve(true), when: opened },
  { label: "assignMe", keys: "a", run: assignToMe, when: opened },
  { label: "assign", keys: "A", run: () => (asked.value = "assignee"), when: opened },
  { label: "toTeam", keys: "T", run: () => (asked.value = "team"), when: opened },
  { label: "tags", keys: "t", run: () => (asked.value = "tags"), when: opened },
  { label: "priority", keys: "p", run: () => (asked.value = "priority"), when: opened },
  { label: "snooze", keys: "z", run: () => (asked.value = "snooze"), when: opened },
  { label: "join", keys: "M", run: () => (asked.value = "join"), when: opened },
  { label: "customer", keys: "i", run: () => (asked.value = "customer"), when: () => customer.value !== null },
  { label: "tick", keys: "x", run: tick, when: opened },
  { label: "close", keys: "u", run: () => go({ c: "" }), when: opened },
  { label: "search", keys: "/", run: () => document.getElementById("search")?.focus() },
  { label: "palette", keys: "Control+k", run: () => (asked.value = "palette") },
  { label: "help", keys: "?", run: () => (asked.value = "help") },
  { label: "begin", keys: "c", run: () => (asked.value = "begin") },
  { label: "saveView", keys: "v", run: () => (asked.value = "view") },
  { label: "cannedReplies", keys: "g r", run: () => go({ page: "canned" }) },
  { label: "mine", keys: "g m", run: () => list({ queue: "mine" }) },
  { label: "unassigned", keys: "g u", run: () => list({ queue: "unassigned" }) },
  { label: "all", keys: "g a", run: () => list({}) },
  { label: "overview", keys: "g o", run: () => go({ page: "overview" }), when: () => may("supervisor") },
  { label: "tagsPage", keys: "g t", run: () => go({ page: "tags" }), when: () => may("supervisor") },
  { label: "channels", keys: "g c", run: () => go({ page: "channels" }), when: () => may("supervisor") },
  { label: "failedEvents", keys: "g f", run: () => go({ page: "failed" }), when: () => may("supervisor") },
  { label: "staff", keys: "g s", run: () => go({ page: "staff" }), when: () => may("admin") },
  { label: "webhooks", keys: "g w", run: () => go({ page: "webhooks" }), when: () => may("admin") },
];

let first = "";
/** @type {number | undefined} */
let forgetting;

/** @param {KeyboardEvent} event */
function pressed(event) {
  const name = event.key === " " ? "Space" : event.key;
  return `${event.ctrlKey || event.metaKey ? "Control+" : ""}${event.altKey ? "Alt+" : ""}${name}`;
}

/** Runs what a key stands for. @param {KeyboardEvent} event */
export function press(event) {
  if (event.isComposing || event.defaultPrevented || !me.peek()) return;
  const key = pressed(event);
  if (key === "Escape" && asked.peek()) {
    asked.value = "";
    return;
  }
  const writes = event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable]");
  if (key === "Escape" && writes) {
    composing.peek()?.blur();
    /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  const inWindow = event.target instanceof Element && event.target.closest("dialog, [popover]");
  if ((writes || inWindow || asked.peek()) && !key.startsWith("Control+")) return;
  const found =
    COMMANDS.find((one) => one.keys === `${first} ${key}`) ?? COMMANDS.find((one) => one.keys === key);
  first = !found && COMMANDS.some((one) => one.keys?.startsWith(`${key} `)) ? key : "";
  clearTimeout(forgetting);
  if (first) forgetting = setTimeout(() => (first = ""), 1500);
  if (found && (found.when?.() ?? true)) {
    event.preventDefault();
    found.run();
  }
}
