/** The list of conversations that the address asks for, kept as it is by the live stream. */

import { batch, computed, effect, signal, untracked } from "../vendor/signals.js";
import { Problem, call } from "./api.js";
import { TOO_MANY_TO_SORT, attempt } from "./notices.js";
import { AS_FOUND, go, place } from "./route.js";
import { me, views } from "./session.js";

/** @import {Conversation, Counts, Told} from "./types.d.ts" */

const PAGE = 50;
const MOST = 100; // conversations that are asked for at once
const GATHER = 100; // milliseconds, in which changed conversations are gathered before they are read
const RECOUNT = 1000; // milliseconds
const SORT_FIELDS = /** @type {const} */ ({ "-updated_at": "updated_at", updated_at: "updated_at", "-created_at": "created_at", waiting: "waiting_since" });

/** @type {import("../vendor/signals.js").Signal<Conversation[]>} */
export const conversations = signal([]);
export const loading = signal(false);
/** Those whom the reader has ticked, by id. @type {import("../vendor/signals.js").Signal<ReadonlySet<string>>} */
export const ticked = signal(new Set());
/** @type {import("../vendor/signals.js").Signal<Counts | null>} */
export const counts = signal(null);
/** @type {import("../vendor/signals.js").Signal<string | null>} */
const next = signal(null);
export const more = computed(() => next.value !== null);

const filters = computed(() => {
  const { queue, status, channel, team, tag, view, q, sort } = place.value;
  return JSON.stringify({ queue, status, channel, team, tag, view, q, sort });
});

/** What the API is asked for. @param {string | null} cursor */
function query(cursor) {
  const { queue, status, channel, team, tag, view, q, sort } = place.value;
  const assignee = { mine: "me", unassigned: "none" }[queue];
  return { status, channel, team, tag, view, q, sort, assignee, cursor, limit: PAGE };
}

/** Loads the list anew. */
export async function load() {
  loading.value = true;
  const asked = filters.peek();
  const found = await attempt(firstPage);
  if (!found || asked !== filters.peek()) return;
  batch(() => {
    conversations.value = found.items;
    next.value = found.next;
    loading.value = false;
  });
}

/** Where a search finds too much to sort it, the reader is told, and shown it as it is found. @throws {Problem} */
async function firstPage() {
  try {
    return await call("GET", "/conversations", { query: query(null) });
  } catch (error) {
    if (error instanceof Problem && error.type === TOO_MANY_TO_SORT) go({ sort: AS_FOUND }, { quietly: true });
    throw error;
  }
}

/** Loads what comes after. */
export async function loadMore() {
  const asked = filters.peek();
  if (loading.value || next.value === null) return;
  loading.value = true;
  const found = await attempt(() => call("GET", "/conversations", { query: query(next.peek()) }));
  loading.value = false;
  if (!found || asked !== filters.peek()) return;
  const here = new Set(conversations.value.map((one) => one.id));
  batch(() => {
    conversations.value = [...conversations.value, ...found.items.filter((/** @type {Conversation} */ one) => !here.has(one.id))];
    next.value = found.next;
  });
}

export async function loadCounts() {
  const status = place.peek().status || "open";
  const found = await attempt(() => call("GET", "/counts", { query: { status } }));
  if (found) counts.value = found;
}

/** Follows the address: other filters are another list. */
export function followAddress() {
  effect(() => {
    filters.value;
    untracked(() => {
      ticked.value = new Set();
      if (me.peek()) load();
      if (me.peek()) loadCounts();
    });
  });
}

/** A conversation was changed by a call of ours: whether it still belongs here is asked with the event that tells of it. @param {Conversation} found */
export function put(found) {
  conversations.value = conversations.value.map((one) => (one.id === found.id ? found : one));
}

/** @param {Conversation[]} rest @param {Conversation} one */
function inserted(rest, one) {
  const { sort: wanted, view, q } = place.value;
  const sort = /** @type {keyof typeof SORT_FIELDS} */ (wanted || (q && AS_FOUND) || views.value.find((other) => other.id === view)?.sort || "-updated_at");
  const field = SORT_FIELDS[sort];
  const before = sort.startsWith("-")
    ? (/** @type {Conversation} */ other) => (other[field] ?? "") < (one[field] ?? "")
    : (/** @type {Conversation} */ other) => (other[field] ?? "") > (one[field] ?? "");
  const at = rest.findIndex(before);
  if (at >= 0) return [...rest.slice(0, at), one, ...rest.slice(at)];
  return next.value === null ? [...rest, one] : rest; // else it stands on a page that is not loaded
}

/** @type {Set<string>} */
const changed = new Set();
/** @type {number | undefined} */
let gathering;

/** An event has come. @param {Told} told */
export function hear(told) {
  const id = told.conversation_id;
  if (!id || !told.type.startsWith("conversation.")) return;
  if (told.type === "conversation.erased") {
    conversations.value = conversations.value.filter((one) => one.id !== id);
  } else {
    changed.add(id);
  }
  gathering ??= setTimeout(gather, GATHER);
}

/** Asks which of the changed ones are in this list, and how its reader sees them: an event tells neither. */
async function gather() {
  const ids = [...changed].slice(0, MOST);
  for (const id of ids) changed.delete(id);
  gathering = changed.size ? setTimeout(gather, GATHER) : undefined;
  const asked = filters.peek();
  recount();
  if (!ids.length) return;
  const found = await attempt(() => call("GET", "/conversations", { query: { ...query(null), ids: ids.join(","), limit: MOST } }));
  if (!found || asked !== filters.peek()) return;
  const gone = new Set(ids);
  const kept = conversations.value.filter((one) => !gone.has(one.id));
  conversations.value = found.items.reduce(inserted, kept);
}

/** @type {number | undefined} */
let counting;

/** Counts soon, and not for each of many changes. */
function recount() {
  counting ??= setTimeout(() => {
    counting = undefined;
    loadCounts();
  }, RECOUNT);
}

/** The one after or before the open one in the list. @param {1 | -1} step @returns {Conversation | undefined} */
export function neighbour(step) {
  const all = conversations.value;
  const at = all.findIndex((one) => one.id === place.value.c);
  return at < 0 ? all[0] : all[at + step];
}

/** Where a conversation of the list is opened: at the message that was found, where it was searched for. @param {Conversation} one */
export function placeOf(one) {
  return { c: one.id, message: one.found?.message_id ?? "" };
}
