/** What is being written: kept on the server as a draft, sent with some seconds to think better of it. */

import { batch, computed, effect, untracked } from "../vendor/signals.js";
import { AWAY, Problem, UNAUTHORIZED, call, serverTime } from "./api.js";
import { caughtUp, draftOf, isEmpty, joined, together } from "./drafts.js";
import { asked, composing, direction, focusComposer } from "./focus.js";
import { t } from "./i18n.js";
import { connection, say } from "./live.js";
import { attempt, tell, wordsOf } from "./notices.js";
import { place } from "./route.js";
import { agents, me } from "./session.js";
import { changed, conversation, ways } from "./thread.js";
import { answered, bcc, cc, channel, draft, empty, files, hasRecipients, later, sending, show, text, to, unlessWrites, uploading, way, wipe } from "./written.js";

/** @import {Attachment, Draft, Message, StoredDraft} from "./types.d.ts" */

const KEEP = 700; // milliseconds without a key, after which the draft is kept
const SAY_TYPING = 3000; // milliseconds
const UNDO_SECONDS = 6;
const LAST = 20_000; // characters that a browser still takes along from a page that is closed

/** Agents whom the note calls, by the names that stand in it after an `@`. */
const mentioned = computed(() => agents.value.filter((one) => text.value.includes(`@${one.name}`)).map((one) => one.id));

/** @typedef {{id: string, answer: Promise<{items: StoredDraft[], answered: Message | null} | void>}} Asking */

/** @type {Asking} */
const NOTHING = { id: "", answer: Promise.resolve() };
/** For whose stored draft was asked. */
let asking = NOTHING;
/** Whose draft is in the signals. */
let owner = "";
/** Whether what was stored for it is there too: nothing is stored in its place before. */
let known = false;
let kept = "";
/** What was being written in a conversation that was joined to the one with this id, until that is here. @type {{id: string, written: Draft, carried: ReturnType<typeof along>} | null} */
let stray = null;
/** What is being stored, by conversation: for its draft is asked behind that, lest it come as it was before. @type {Map<string, Promise<void>>} */
const storing = new Map();
/** @type {number | undefined} */
let keeping;
let saidAt = 0;
/** @type {[number, number]} */
let selected = [0, 0];

/** Follows the open conversation: what was written in the last one is kept, what was begun here comes back. */
export function followConversation() {
  effect(() => {
    const id = place.value.c;
    if (!id) asking = NOTHING;
    else if (me.value) untracked(() => ask(id)); // with its messages: mostly it is here before anything is typed
  });
  effect(() => {
    const id = conversation.value?.id ?? "";
    untracked(() => id !== owner && take(id));
  });
}

/** Asks for the draft of a conversation, once for each time that it is opened. @param {string} id */
function ask(id) {
  if (asking.id !== id) asking = { id, answer: Promise.resolve(storing.get(id)).then(() => draftOf(id)).catch(complain) };
  return asking.answer;
}

/** @param {string} id */
async function take(id) {
  leave();
  owner = id;
  known = false;
  clear();
  await load();
}

/** Shows what is kept, and then what was being written in a conversation that was joined to this one. */
async function load() {
  await showKept();
  rejoin();
}

/** Shows what is kept, above what was typed before it came. */
async function showKept() {
  const id = owner;
  const found = id ? await ask(id) : undefined;
  if (!found && asking.id === id) asking = NOTHING; // it is asked for again before anything is kept
  if (!found || owner !== id || known) return;
  known = true;
  const [stored] = found.items;
  const typed = !empty.peek();
  if (typed) touched();
  if (!stored) return;
  const both = together(stored, draft());
  batch(() => {
    show(both);
    files.value = [...stored.files, ...files.peek()];
    answered.value = answered.peek() ?? found.answered;
  });
  if (!typed) kept = JSON.stringify(draft());
}

/** Keeps what is written in a conversation that is left, also where what was kept before has not come yet. */
async function leave() {
  if (known) keep();
  const [id, written, carried] = [owner, draft(), along()];
  if (!id || known || isEmpty(written)) return;
  const found = await ask(id);
  if (!found) return;
  const [stored] = found.items;
  const both = stored ? together(stored, written) : written;
  await put(id, both).catch((error) => follow(id, both, carried, error));
}

/** Stores a draft, without what only the server says of one. @param {string} id @param {Draft} one @param {boolean} [last] */
function put(id, { text, html, attachments, direction, channel, to, cc, bcc, reply_to }, last) {
  return underway(id, call("PUT", `/conversations/${id}/draft`, { body: { text, html, attachments, direction, channel, to, cc, bcc, reply_to }, last }));
}

/** Remembers that a draft is being stored, until it is or could not be. @template T @param {string} id @param {Promise<T>} work @returns {Promise<T>} */
function underway(id, work) {
  const done = Promise.allSettled([storing.get(id), work]).then(() => {
    if (storing.get(id) === done) storing.delete(id);
  });
  storing.set(id, done);
  return work;
}

function clear() {
  clearTimeout(keeping);
  keeping = undefined;
  wipe();
  kept = JSON.stringify(draft());
}

/** What is written answers this message, by the channel that it came by where that can be. @param {Message} one */
export function answer(one) {
  answered.value = one;
  if (ways.peek()?.some((known) => known.channel === one.channel && !known.refused)) channel.value = one.channel;
  focusComposer("outbound");
  keep();
}

/** Something was typed. @param {string} typed */
export function write(typed) {
  text.value = typed;
  touched();
  if (Date.now() - saidAt > SAY_TYPING && direction.peek() === "outbound") {
    saidAt = Date.now();
    say({ type: "typing", conversation_id: owner });
  }
}

/** Something was changed: it is kept soon. */
export function touched() {
  clearTimeout(keeping);
  keeping = setTimeout(keep, KEEP);
}

/** Asks for an emoji to put in where the caret stands now: a window that closes gives the focus back, but not the caret. */
export function askEmoji() {
  const area = composing.peek();
  if (!area || area.disabled) return;
  selected = [area.selectionStart, area.selectionEnd];
  asked.value = "emoji";
}

/** Puts in what was asked for. @param {string} piece */
export function insert(piece) {
  const area = composing.peek();
  if (!area) return;
  area.setRangeText(piece, ...selected, "end");
  write(area.value);
  area.focus();
}

/** Keeps the draft where it has changed; one that cannot be kept now is kept when the connection is back. */
export async function keep() {
  clearTimeout(keeping);
  keeping = undefined;
  if (!known) {
    await load(); // and what was typed is kept with it
    return;
  }
  const now = draft();
  const said = JSON.stringify(now);
  if (!owner || said === kept) return;
  const [id, carried] = [owner, along()];
  kept = said;
  const last = said.length < LAST;
  try {
    await (empty.peek() ? underway(id, call("DELETE", `/conversations/${id}/draft`, { last })) : put(id, now, last));
  } catch (error) {
    if (kept === said) kept = "";
    await follow(id, now, carried, error);
  }
}

/** What of a draft is shown, and cannot be told from its ids. */
function along() {
  return { files: files.peek(), answered: answered.peek() };
}

/**
 * A draft was not kept: where its conversation was joined to another one, what was being written goes there too.
 * @param {string} from @param {Draft} written @param {ReturnType<typeof along>} carried @param {unknown} error
 */
async function follow(from, written, carried, error) {
  if (!(error instanceof Problem && error.type === "merged")) return complain(error);
  const id = error.document.merged_into;
  if (owner === from || isEmpty(written)) return; // what is here still is kept again when it is left
  if (place.peek().c === id) {
    stray = { id, written, carried };
    return rejoin(); // or once that one is loaded
  }
  const found = await attempt(() => draftOf(id));
  if (found) await attempt(() => put(id, found.items[0] ? caughtUp(found.items[0], written) : written));
}

/** Shows behind the draft that came along what was being written meanwhile. */
function rejoin() {
  if (!stray || stray.id !== owner || !known) return;
  const { written, carried } = stray;
  stray = null;
  const all = [...files.peek(), ...carried.files].map((one) => /** @type {const} */ ([one.id, one]));
  batch(() => {
    show(caughtUp(draft(), written));
    files.value = [...new Map(all).values()];
    answered.value = answered.peek() ?? carried.answered;
  });
  keep();
}

/** Says what went wrong with the draft, where it is not said already. @param {unknown} error */
function complain(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.type !== AWAY && error.type !== UNAUTHORIZED) tell(wordsOf(error), { kind: "wrong" });
}
addEventListener("pagehide", keep);
effect(() => {
  if (connection.value === "live") untracked(keep);
});

/** Forgets what is written, without a trace: somebody else sits here now. */
export function forget() {
  clear();
  owner = "";
  known = false;
  asking = NOTHING;
  stray = null;
}

/** @param {Iterable<File>} chosen */
export async function attach(chosen) {
  const id = owner;
  for (const file of chosen) {
    uploading.value += 1;
    const kept = await attempt(() => call("POST", "/attachments", { query: { filename: file.name || "file" }, file }));
    uploading.value -= 1;
    if (kept && owner === id) {
      files.value = [...files.value, kept];
      touched();
    }
  }
}

/** @param {string} id */
export function detach(id) {
  files.value = files.peek().filter((one) => one.id !== id);
  touched();
}

/** Empties the composer of what was sent; what was typed or attached while it was stays. @param {Draft} sent */
function drop(sent) {
  const typed = text.peek();
  const since = typed.startsWith(sent.text) ? typed.slice(sent.text.length).trimStart() : typed;
  const attached = files.peek().filter((one) => !sent.attachments.includes(one.id));
  const way = direction.peek();
  batch(() => {
    clear();
    if (!since && !attached.length) return;
    direction.value = way;
    text.value = since;
    files.value = attached;
  });
  kept = "";
  keep();
}

/** Sends what is written. The focus moves as it is asked, not as it is answered: by then somebody may be elsewhere. */
export async function send() {
  if (empty.peek() || sending.peek() || uploading.peek() || !owner) return;
  const id = owner;
  const written = draft();
  const fields = { files: files.peek(), answered: answered.peek(), channel: channel.peek(), to: to.peek(), cc: cc.peek(), bcc: bcc.peek() };
  const isNote = written.direction === "note";
  const at = later.peek() ? new Date(later.peek()) : null;
  const body = isNote
    ? { text: written.text, direction: "note", attachments: written.attachments, mentions: mentioned.peek() }
    : {
        text: written.text, attachments: written.attachments, channel: way.peek()?.channel, reply_to: written.reply_to,
        ...(hasRecipients.peek() ? { to: written.to, bcc: written.bcc, ...(cc.peek() === null ? {} : { cc: written.cc }) } : {}),
        unless_customer_writes: at !== null && unlessWrites.peek(),
        send_at: (at ?? serverTime(UNDO_SECONDS * 1000)).toISOString(),
      };
  sending.value = true;
  composing.peek()?.focus();
  const message = await attempt(() => call("POST", `/conversations/${id}/messages`, { body: { ...body, client_id: crypto.randomUUID() } }));
  sending.value = false;
  if (!message) return;
  changed(message);
  if (owner === id) drop(written);
  if (!isNote && !at) {
    const action = { label: t("undo"), run: () => { away(); undo(id, message, written, fields); } };
    const away = tell(t("sending"), { seconds: UNDO_SECONDS - 1, action });
  }
}

/**
 * Takes back what has not left yet, and gives it back above what was written since.
 * @param {string} id @param {Message} message @param {Draft} written
 * @param {{files: Attachment[], answered: Message | null, channel: string | null, to: string, cc: string | null, bcc: string}} fields
 */
async function undo(id, message, written, fields) {
  if (owner === id) composing.peek()?.focus();
  const cancelled = await attempt(() => call("POST", `/messages/${message.id}/cancel`));
  if (!cancelled) return;
  changed(cancelled);
  if (owner !== id || place.peek().c !== id) return;
  batch(() => {
    if (empty.peek()) {
      direction.value = written.direction;
      answered.value = fields.answered;
      channel.value = fields.channel;
      to.value = fields.to;
      cc.value = fields.cc;
      bcc.value = fields.bcc;
    }
    text.value = joined(written.text, text.peek());
    files.value = [...fields.files, ...files.peek()];
  });
  keep();
}

