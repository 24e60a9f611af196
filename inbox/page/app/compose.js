/** What is being written: kept on the server as a draft, sent with some seconds to think better of it. */

import { batch, computed, effect, signal, untracked } from "../vendor/signals.js";
import { AWAY, Problem, UNAUTHORIZED, all, call, fileNamed, serverTime } from "./api.js";
import { composing, direction } from "./focus.js";
import { t } from "./i18n.js";
import { connection, say } from "./live.js";
import { attempt, tell, wordsOf } from "./notices.js";
import { place } from "./route.js";
import { agents, capabilitiesOf } from "./session.js";
import { changed, conversation, ways } from "./thread.js";

/** @import {Attachment, Draft, Message} from "./types.d.ts" */

const KEEP = 700; // milliseconds without a key, after which the draft is kept
const SAY_TYPING = 3000; // milliseconds
const UNDO_SECONDS = 6;
const LAST = 20_000; // characters that a browser still takes along from a page that is closed

export const text = signal("");
/** @type {import("../vendor/signals.js").Signal<string | null>} */
export const channel = signal(null);
export const to = signal("");
/** Null: as the way has it. @type {import("../vendor/signals.js").Signal<string | null>} */
export const cc = signal(null);
export const bcc = signal("");
/** @type {import("../vendor/signals.js").Signal<Pick<Attachment, "id" | "filename">[]>} */
export const files = signal([]);
export const uploading = signal(0);
/** @type {import("../vendor/signals.js").Signal<string>} */
export const later = signal("");
export const sending = signal(false);

/** The way by which it would leave. */
export const way = computed(() => {
  const found = ways.value ?? [];
  return found.find((one) => one.channel === channel.value) ?? found.find((one) => one.default) ?? found.find((one) => !one.refused);
});
export const hasRecipients = computed(() => !!way.value && !!capabilitiesOf(way.value.channel).recipients);
export const empty = computed(() => !text.value.trim() && !files.value.length);

/** Agents whom the note calls, by the names that stand in it after an `@`. */
const mentioned = computed(() => agents.value.filter((one) => text.value.includes(`@${one.name}`)).map((one) => one.id));

/** @param {string} typed @returns {string[]} */
function addresses(typed) {
  return typed.split(/[\s,;]+/).filter(Boolean);
}

/** Whose draft is in the signals. */
let owner = "";
let kept = "";
/** @type {number | undefined} */
let keeping;
let saidAt = 0;

/** @returns {Draft} */
function draft() {
  return {
    text: text.peek(), html: null, attachments: files.peek().map((one) => one.id), direction: direction.peek(),
    channel: channel.peek(), to: addresses(to.peek()), cc: addresses(cc.peek() ?? ""), bcc: addresses(bcc.peek()), reply_to: null,
  };
}

/** Follows the open conversation: what was written in the last one is kept, what was begun here comes back. */
export function followConversation() {
  effect(() => {
    const id = conversation.value?.id ?? "";
    untracked(() => id !== owner && take(id));
  });
}

/** @param {string} id */
async function take(id) {
  if (owner) keep();
  owner = id;
  clear();
  if (!id) return;
  const drafts = /** @type {(Draft & {conversation_id: string})[]} */ ((await attempt(() => all("/drafts"))) ?? []);
  const found = drafts.find((one) => one.conversation_id === id);
  if (!found) return;
  const known = await Promise.all(found.attachments.map(fileNamed));
  if (owner !== id || !empty.peek()) return;
  batch(() => {
    text.value = found.text;
    direction.value = found.direction;
    channel.value = found.channel;
    to.value = found.to.join(", ");
    cc.value = found.cc.length ? found.cc.join(", ") : null;
    bcc.value = found.bcc.join(", ");
    files.value = known.filter((one) => one !== null);
  });
  kept = JSON.stringify(draft());
}

function clear() {
  clearTimeout(keeping);
  keeping = undefined;
  batch(() => {
    text.value = "";
    channel.value = null;
    to.value = "";
    cc.value = null;
    bcc.value = "";
    files.value = [];
    later.value = "";
    direction.value = "outbound";
  });
  kept = JSON.stringify(draft());
}

/** Something was typed. @param {string} typed */
export function write(typed) {
  text.value = typed;
  clearTimeout(keeping);
  keeping = setTimeout(keep, KEEP);
  if (Date.now() - saidAt > SAY_TYPING && direction.peek() === "outbound") {
    saidAt = Date.now();
    say({ type: "typing", conversation_id: owner });
  }
}

/** Keeps the draft where it has changed; one that cannot be kept now is kept when the connection is back. */
export async function keep() {
  clearTimeout(keeping);
  keeping = undefined;
  const now = draft();
  const said = JSON.stringify(now);
  if (!owner || said === kept) return;
  kept = said;
  const path = `/conversations/${owner}/draft`;
  const last = said.length < LAST;
  try {
    await (empty.peek() ? call("DELETE", path, { last }) : call("PUT", path, { body: now, last }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type === "merged") return follow(now, error.document.merged_into);
    if (kept === said) kept = "";
    if (error.type !== AWAY && error.type !== UNAUTHORIZED) tell(wordsOf(error), { kind: "wrong" }); // else it is said already
  }
}
/** What was being written goes where its conversation was joined to. @param {Draft} written @param {string} id */
async function follow(written, id) {
  if (owner !== id || !written.text.trim()) return;
  const here = text.peek();
  const goesOn = written.text.startsWith(here); // as far as it was kept it may be here already
  batch(() => {
    if (goesOn) text.value = written.text;
    else if (!here.includes(written.text)) text.value = `${here}\n\n${written.text}`;
    direction.value = here && direction.peek() !== written.direction ? "note" : written.direction; // a note must not leave
  });
  await keep();
}
addEventListener("pagehide", keep);
effect(() => {
  if (connection.value === "live") untracked(keep);
});

/** Forgets what is written, without a trace: somebody else sits here now. */
export function forget() {
  clear();
  owner = "";
}

/** @param {Iterable<File>} chosen */
export async function attach(chosen) {
  const id = owner;
  for (const file of chosen) {
    uploading.value += 1;
    const kept = await attempt(() => call("POST", "/attachments", { query: { filename: file.name || "file" }, file }));
    uploading.value -= 1;
    if (kept && owner === id) files.value = [...files.value, kept];
  }
}

/** Sends what is written. */
export async function send() {
  if (empty.peek() || sending.peek() || uploading.peek() || !owner) return;
  const id = owner;
  const written = draft();
  const fields = { files: files.peek(), channel: channel.peek(), to: to.peek(), cc: cc.peek(), bcc: bcc.peek() };
  const isNote = written.direction === "note";
  const at = later.peek() ? new Date(later.peek()) : null;
  const body = isNote
    ? { text: written.text, direction: "note", attachments: written.attachments, mentions: mentioned.peek() }
    : {
        text: written.text, attachments: written.attachments, channel: way.peek()?.channel,
        ...(hasRecipients.peek() ? { to: written.to, bcc: written.bcc, ...(cc.peek() === null ? {} : { cc: written.cc }) } : {}),
        send_at: (at ?? serverTime(UNDO_SECONDS * 1000)).toISOString(),
      };
  sending.value = true;
  const message = await attempt(() => call("POST", `/conversations/${id}/messages`, { body: { ...body, client_id: crypto.randomUUID() } }));
  sending.value = false;
  if (!message) return;
  changed(message);
  if (owner === id) {
    clear();
    kept = "";
    keep();
    composing.peek()?.focus();
  }
  if (!isNote && !at) {
    const action = { label: t("undo"), run: () => { away(); undo(id, message, written, fields); } };
    const away = tell(t("sending"), { seconds: UNDO_SECONDS - 1, action });
  }
}

/**
 * Takes back what has not left yet, and gives it back above what was written since.
 * @param {string} id @param {Message} message @param {Draft} written
 * @param {{files: Pick<Attachment, "id" | "filename">[], channel: string | null, to: string, cc: string | null, bcc: string}} fields
 */
async function undo(id, message, written, fields) {
  const cancelled = await attempt(() => call("POST", `/messages/${message.id}/cancel`));
  if (!cancelled) return;
  changed(cancelled);
  if (owner !== id || place.peek().c !== id) return;
  batch(() => {
    if (empty.peek()) {
      direction.value = written.direction;
      channel.value = fields.channel;
      to.value = fields.to;
      cc.value = fields.cc;
      bcc.value = fields.bcc;
    }
    text.value = [written.text, text.peek()].filter((one) => one.trim()).join("\n\n");
    files.value = [...fields.files, ...files.peek()];
  });
  keep();
  composing.peek()?.focus();
}

