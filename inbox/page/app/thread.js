/** The open conversation: its messages in order, who looks at it, how it can be answered. */

import { batch, computed, effect, signal, untracked } from "../vendor/signals.js";
import { AWAY, Problem, UNAUTHORIZED, UNAVAILABLE, call } from "./api.js";
import { put } from "./inbox.js";
import { connection, say } from "./live.js";
import { attempt, tell, wordsOf } from "./notices.js";
import { t } from "./i18n.js";
import { typing, wrote } from "./presence.js";
import { go, place } from "./route.js";
import { me } from "./session.js";

/** @import {Conversation, Customer, Message, Told, Way} from "./types.d.ts" */

const PAGE = 50;
const AGAIN = 2000; // milliseconds until a call that was lost is made again
const GIVEN = /** @type {const} */ (["status", "assignee", "team", "priority", "tags", "snoozed_until"]); // what agents change

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
/** Whether later messages are not loaded: the conversation was opened at an earlier one. What comes is not put behind these. */
export const apart = signal(false);
/** The message that the address points at. */
export const named = computed(() => place.value.message);
/** The message that is to be brought into sight, by id; who draws them does, and empties it. */
export const sought = signal("");

/** Messages one after the other, and whether later ones follow. @typedef {{items: Message[], apart: boolean}} Piece */

/** Whether some of the open conversation did not come, as when the connection was lost meanwhile. */
const lacking = signal(false);

/** Follows the address: another conversation is opened; and the connection: what did not come is asked for again. */
export function followAddress() {
  effect(() => {
    if (connection.value === "live" && lacking.peek()) untracked(reload);
  });
  effect(() => {
    if (!lacking.value || connection.peek() !== "live") return undefined; // else the call alone was lost
    const timer = setTimeout(reload, AGAIN);
    return () => clearTimeout(timer);
  });
  const opened = computed(() => place.value.c);
  effect(() => {
    const id = opened.value;
    const message = named.value;
    untracked(() => {
      if (id !== (conversation.peek()?.id ?? "")) open(id);
      else if (message) seek(message);
    });
  });
}

/** @param {string} id empty: none */
export async function open(id) {
  batch(() => {
    conversation.value = null;
    messages.value = [];
    apart.value = false;
    sought.value = "";
    ways.value = null;
    customer.value = null;
    missing.value = false;
  });
  say({ type: "viewing", conversation_id: id || null });
  if (id && me.peek()) await reload();
}

/** Loads the open conversation anew. */
export async function reload() {
  const { c: id, message } = place.peek();
  lacking.value = false;
  if (!id) return;
  const last = messages.peek().at(-1);
  const first = message && !last;
  try {
    const answered = call("GET", `/conversations/${id}/ways`);
    answered.catch(() => {}); // it is awaited below, where the others came
    const [found, piece] = await Promise.all([
      call("GET", `/conversations/${id}`),
      first ? around(id, message) : load(id, apart.peek() && last ? { after_seq: Math.max(0, last.seq - PAGE) } : {}),
    ]);
    if (place.peek().c !== id) return;
    batch(() => {
      conversation.value = found;
      messages.value = merged(piece.items);
      apart.value = piece.apart;
      if (first) sought.value = message;
    });
    say({ type: "viewing", conversation_id: id });
    markRead();
    loadCustomer();
    const { items } = await answered;
    if (place.peek().c === id) ways.value = items;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (place.peek().c !== id) return;
    if (error.type === "merged") wasJoined(id, { c: error.document.merged_into, message });
    else if (error.status === 404) missing.value = true;
    else didNotCome(error);
  }
}

/** @param {Problem} error */
function didNotCome(error) {
  lacking.value ||= error.type === AWAY || error.type === UNAVAILABLE;
  // Of the first the banner tells, or the next try is answered.
  if (error.type !== AWAY && error.type !== UNAUTHORIZED) tell(wordsOf(error), { kind: "wrong" });
}

/** Its messages are in another one now: that is opened, and whoever did not join them is told. @param {string} id @param {{c: string, message: string}} there */
function wasJoined(id, there) {
  go(there, { quietly: true });
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
  try {
    const found = await call("GET", `/customers/${id}`);
    if (conversation.peek()?.customer?.id === id) customer.value = found;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (conversation.peek()?.customer?.id === id) didNotCome(error);
  }
}

/**
 * Some messages of a conversation.
 * @param {string} id @param {{after_seq?: number, before_seq?: number}} where the newest, where nothing is said
 * @returns {Promise<Piece>}
 */
async function load(id, where) {
  const page = await call("GET", `/conversations/${id}/messages`, { query: { ...where, limit: PAGE } });
  return { items: page.items, apart: where.after_seq !== undefined && page.next !== null };
}

/** Those around a message; the newest where it is not there any more. @param {string} id @param {string} messageId @returns {Promise<Piece>} */
async function around(id, messageId) {
  try {
    const { seq } = await call("GET", `/messages/${messageId}`);
    return await load(id, { after_seq: Math.max(0, seq - PAGE / 2) });
  } catch (error) {
    if (!(error instanceof Problem && error.type === "not-found")) throw error;
    tell(t("messageGone"), { kind: "wrong" });
    return load(id, {});
  }
}

let loading = false;

/** Loads the messages before those that are here. */
export async function loadEarlier() {
  const [first] = messages.peek();
  if (!first || first.seq <= 1 || loading) return;
  const found = await extend(first, { before_seq: first.seq });
  if (found && messages.peek()[0]?.id === first.id) messages.value = merged(found.items);
}

/** Loads the messages after those that are here, where they end before the newest. */
export async function loadLater() {
  const last = messages.peek().at(-1);
  if (!last || !apart.peek() || loading) return;
  const found = await extend(last, { after_seq: last.seq });
  if (!found || messages.peek().at(-1)?.id !== last.id) return;
  const end = found.items.at(-1)?.seq;
  batch(() => {
    messages.value = merged(found.items);
    // What came while these were asked for was not put behind them.
    apart.value = found.apart || (end !== undefined && end < (conversation.peek()?.last_seq ?? 0));
  });
  markRead();
}

/** @param {Message} edge @param {{after_seq?: number, before_seq?: number}} where @returns {Promise<Piece | undefined>} */
async function extend(edge, where) {
  loading = true;
  try {
    return await attempt(() => load(edge.conversation_id, where));
  } finally {
    loading = false;
  }
}

/** Brings a message of the open conversation into sight, and loads those around it where it is not here. @param {string} messageId */
async function seek(messageId) {
  const id = place.peek().c;
  if (!messages.peek().some((one) => one.id === messageId)) {
    const found = await attempt(() => around(id, messageId));
    if (!found || place.peek().c !== id || named.peek() !== messageId) return;
    batch(() => {
      messages.value = found.items;
      apart.value = found.apart;
    });
  }
  sought.value = messageId;
}

/** Goes to the end of the conversation. */
export async function newest() {
  const id = place.peek().c;
  go({ message: "" }, { quietly: true });
  if (apart.peek()) {
    apart.value = false; // from now on what comes is kept
    const found = await attempt(() => load(id, {}));
    if (place.peek().c !== id) return;
    if (!found) {
      apart.value = true;
      return;
    }
    const end = found.items.at(-1)?.seq ?? 0;
    messages.value = [...found.items, ...messages.peek().filter((one) => one.seq > end)];
  }
  sought.value = messages.peek().at(-1)?.id ?? "";
  markRead();
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
  if (!seq || apart.peek() || document.visibilityState !== "visible" || !conversation.peek()?.unread) return;
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
  if (told.data?.customer) hearOfCustomer(told.data.customer.id);
  if (told.type === "hello" && place.peek().c) say({ type: "viewing", conversation_id: place.peek().c });
  if (!open || told.conversation_id !== open.id) return;
  if (told.data?.message) takeMessage(told.data.message);
  else if (told.type === "conversation.merged") reload();
  else if (told.type === "conversation.erased") wasErased();
  else if (told.data?.conversation) {
    const { customer_id: _, inbound, ...rest } = told.data.conversation;
    if (rest.version < open.version) return; // it was changed since, and that is here already
    conversation.value = { ...open, ...rest, unread: open.unread };
    if (!apart.peek() && rest.last_seq > (messages.peek().at(-1)?.seq ?? 0) + 1) reload();
  }
}

function wasErased() {
  open("");
  missing.value = true;
}

/** A customer has changed, or what is noted about them. @param {string} id */
function hearOfCustomer(id) {
  if (id === conversation.peek()?.customer?.id) reload(); // they may be known as another now, or reached otherwise
  else if (customer.peek()?.merged.includes(id)) loadCustomer();
}

/** @param {Message} message */
function takeMessage(message) {
  const here = messages.peek();
  const fresh = !here.some((one) => one.id === message.id);
  if (fresh && here.length && message.seq < here[0].seq) return;
  if (!isBeyond(message)) messages.value = merged([message]);
  if (!fresh) return;
  wrote(message.conversation_id, message.author);
  const open = conversation.peek();
  if (open && message.direction === "inbound") {
    conversation.value = { ...open, unread: open.unread + 1, last_seq: Math.max(open.last_seq, message.seq) };
    markRead();
  }
}

/** Whether messages that are not loaded stand between those that are here and this one. @param {Message} message */
function isBeyond(message) {
  return apart.peek() && message.seq > (messages.peek().at(-1)?.seq ?? 0);
}

/**
 * What a change builds upon. A reply of one's own is here before the stream has told of its conversation: then that is asked
 * for, and it is still the same where nobody gave it anything else, and nobody wrote behind.
 * @param {Conversation} open
 */
async function versionOf(open) {
  const last = messages.peek().at(-1)?.seq ?? 0;
  if (last <= open.last_seq) return open.version;
  const now = await call("GET", `/conversations/${open.id}`);
  const same = now.last_seq === last && GIVEN.every((name) => JSON.stringify(now[name]) === JSON.stringify(open[name]));
  return same ? now.version : open.version;
}

/** Changes the open conversation; somebody else's change meanwhile is not written over. @param {Partial<Conversation>} changes */
export async function change(changes) {
  const open = conversation.peek();
  if (!open) return;
  const found = await attempt(async () => call("PATCH", `/conversations/${open.id}`, { body: changes, version: await versionOf(open) }));
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
  if (!message || message.conversation_id !== place.peek().c) return;
  if (isBeyond(message)) newest();
  else messages.value = merged([message]);
}

/** Who typed here, in words. */
export const typingWords = computed(() => {
  const names = typing(conversation.value?.id ?? "").map((one) => one.name ?? conversation.value?.customer?.name ?? t("customer"));
  return names.length ? t("types", { who: names.join(", "), n: names.length }) : "";
});

document.addEventListener("visibilitychange", () => connection.peek() === "live" && markRead());
