/** The open conversation: its messages in order, who looks at it, how it can be answered. */

import { batch, computed, effect, signal, untracked } from "../vendor/signals.js";
import { Problem, UNAUTHORIZED, call } from "./api.js";
import { put } from "./inbox.js";
import { connection, say } from "./live.js";
import { attempt, tell, wordsOf } from "./notices.js";
import { t } from "./i18n.js";
import { typing, wrote } from "./presence.js";
import { go, place } from "./route.js";
import { me } from "./session.js";

/** @import {Conversation, Customer, Message, Told, Way} from "./types.d.ts" */

const PAGE = 50;

/** @type {import("../vendor/signals.js").Signal<Conversation | null>} */
export const conversation = signal(null);
/** @type {import("../vendor/signals.js").Signal<Message[]>} */
export const messages = signal([]);
/** How it can be answered; null: not known yet. @type {import("../vendor/signals.js").Signal<Way[] | null>} */
export const ways = signal(null);
/** @type {import("../vendor/signals.js").Signal<Customer | null>} */
export const customer = signal(null);
export const missing = signal(false);
/** Whether earlier messages are not loaded. */
export const earlier = computed(() => messages.value.length > 0 && messages.value[0].seq > 1);

/** Follows the address: another conversation is opened. */
export function followAddress() {
  effect(() => {
    const id = place.value.c;
    untracked(() => {
      if (id !== (conversation.peek()?.id ?? "")) open(id);
    });
  });
}

/** @param {string} id empty: none */
export async function open(id) {
  batch(() => {
    conversation.value = null;
    messages.value = [];
    ways.value = null;
    customer.value = null;
    missing.value = false;
  });
  say({ type: "viewing", conversation_id: id || null });
  if (id && me.peek()) await reload();
}

/** Loads the open conversation anew. */
export async function reload() {
  const id = place.peek().c;
  if (!id) return;
  try {
    const answered = call("GET", `/conversations/${id}/ways`);
    answered.catch(() => {}); // it is awaited below, where the others came
    const [found, newest] = await Promise.all([
      call("GET", `/conversations/${id}`),
      call("GET", `/conversations/${id}/messages`, { query: { limit: PAGE } }),
    ]);
    if (place.peek().c !== id) return;
    batch(() => {
      conversation.value = found;
      messages.value = merged(newest.items);
    });
    say({ type: "viewing", conversation_id: id });
    markRead();
    loadCustomer();
    const { items } = await answered;
    if (place.peek().c === id) ways.value = items;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type === "merged") wasJoined(id, error.document.merged_into);
    else if (error.status === 404) missing.value = true;
    else if (error.type !== UNAUTHORIZED) tell(wordsOf(error), { kind: "wrong" });
  }
}

/** Its messages are in another one now: that is opened, and whoever did not join them is told. @param {string} id @param {string} into */
function wasJoined(id, into) {
  go({ c: into }, { quietly: true });
  if (id !== joining) tell(t("wasJoined"));
}

/** The conversation that is being joined to another from here. */
let joining = "";

/** Joins the open conversation to another one, and goes there. @param {string} into */
export async function joinInto(into) {
  const id = (joining = place.peek().c);
  const done = await attempt(() => call("POST", `/conversations/${id}/merge`, { body: { into } }));
  if (!done) return;
  if (place.peek().c === id) go({ c: into }, { quietly: true });
  tell(t("joined"));
}

export async function loadCustomer() {
  const id = conversation.peek()?.customer?.id;
  if (!id) return;
  const found = await attempt(() => call("GET", `/customers/${id}`));
  if (found && conversation.peek()?.customer?.id === id) customer.value = found;
}

/** Loads the messages before those that are here. */
export async function loadEarlier() {
  const [first] = messages.peek();
  if (!first || first.seq <= 1) return;
  const id = first.conversation_id;
  const found = await attempt(() => call("GET", `/conversations/${id}/messages`, { query: { before_seq: first.seq, limit: PAGE } }));
  if (found && place.peek().c === id) messages.value = merged(found.items);
}

/** What is here with these beside it: each once, the newest state of each, in order. @param {Message[]} found */
function merged(found) {
  const known = new Map(messages.peek().map((one) => [one.id, one]));
  for (const one of found) known.set(one.id, one);
  return [...known.values()].sort((one, other) => one.seq - other.seq);
}

async function markRead() {
  const seq = conversation.peek()?.last_seq ?? 0;
  const id = place.peek().c;
  if (!seq || document.visibilityState !== "visible" || !conversation.peek()?.unread) return;
  await attempt(() => call("POST", `/conversations/${id}/read`, { body: { seq } }));
  const open = conversation.peek();
  if (open?.id === id) {
    conversation.value = { ...open, unread: 0 };
    put(conversation.peek() ?? open);
  }
}

/** An event or a signal has come. @param {Told} told */
export function hear(told) {
  const open = conversation.peek();
  if (told.data?.customer) hearOfCustomer(told.data.customer);
  if (told.type === "hello" && place.peek().c) say({ type: "viewing", conversation_id: place.peek().c });
  if (!open || told.conversation_id !== open.id) return;
  if (told.data?.message) takeMessage(told.data.message);
  else if (told.type === "conversation.merged") reload();
  else if (told.type === "conversation.erased") wasErased();
  else if (told.data?.conversation) {
    const { customer_id: _, inbound, ...rest } = told.data.conversation;
    if (rest.version < open.version) return; // it was changed since, and that is here already
    conversation.value = { ...open, ...rest, unread: open.unread };
    if (rest.last_seq > (messages.peek().at(-1)?.seq ?? 0) + 1) reload();
  }
}

function wasErased() {
  open("");
  missing.value = true;
}

/** A customer has changed, or what is noted about them. @param {{id: string, merged_into?: string | null}} told */
function hearOfCustomer({ id, merged_into: into }) {
  const known = customer.peek();
  if (!known || (id !== known.id && !known.merged.includes(id))) return;
  if (id === known.id && into) reload(); // they are known as another now
  else loadCustomer();
}

/** @param {Message} message */
function takeMessage(message) {
  const fresh = !messages.peek().some((one) => one.id === message.id);
  if (fresh && messages.peek().length && message.seq < messages.peek()[0].seq) return;
  messages.value = merged([message]);
  if (!fresh) return;
  wrote(message.conversation_id, message.author);
  const open = conversation.peek();
  if (open && message.direction === "inbound") {
    conversation.value = { ...open, unread: open.unread + 1, last_seq: Math.max(open.last_seq, message.seq) };
    markRead();
  }
}

/** Changes the open conversation; somebody else's change meanwhile is not written over. @param {Partial<Conversation>} changes */
export async function change(changes) {
  const open = conversation.peek();
  if (!open) return;
  const found = await attempt(() => call("PATCH", `/conversations/${open.id}`, { body: changes, version: open.version }));
  if (!found) {
    await reload();
    return;
  }
  batch(() => {
    if (conversation.peek()?.id === found.id) conversation.value = found;
    put(found);
  });
}

/** A message of the open conversation was changed by a call. @param {Message | undefined} message */
export function changed(message) {
  if (message && message.conversation_id === place.peek().c) messages.value = merged([message]);
}

/** Who typed here, in words. */
export const typingWords = computed(() => {
  const names = typing(conversation.value?.id ?? "").map((one) => one.name ?? conversation.value?.customer?.name ?? t("customer"));
  return names.length ? t("types", { who: names.join(", "), n: names.length }) : "";
});

document.addEventListener("visibilitychange", () => connection.peek() === "live" && markRead());
