/** What stands in the composer now. */

import { batch, computed, signal } from "../vendor/signals.js";
import { direction } from "./focus.js";
import { capabilitiesOf } from "./session.js";
import { ways } from "./thread.js";

/** @import {Attachment, Draft, Message} from "./types.d.ts" */

export const text = signal("");
/** @type {import("../vendor/signals.js").Signal<string | null>} */
export const channel = signal(null);
export const to = signal("");
/** Null: as the way has it. @type {import("../vendor/signals.js").Signal<string | null>} */
export const cc = signal(null);
export const bcc = signal("");
/** @type {import("../vendor/signals.js").Signal<Attachment[]>} */
export const files = signal([]);
export const uploading = signal(0);
/** The message that a reply answers; null: none in particular. @type {import("../vendor/signals.js").Signal<Message | null>} */
export const answered = signal(null);
/** @type {import("../vendor/signals.js").Signal<string>} */
export const later = signal("");
/** Whether what leaves later is held where the customer writes first. */
export const unlessWrites = signal(true);
export const sending = signal(false);

/** The way by which it would leave. */
export const way = computed(() => {
  const found = ways.value ?? [];
  return found.find((one) => one.channel === channel.value) ?? found.find((one) => one.default) ?? found.find((one) => !one.refused);
});
export const hasRecipients = computed(() => !!way.value && !!capabilitiesOf(way.value.channel).recipients);
export const empty = computed(() => !text.value.trim() && !files.value.length);

/** @param {string} typed @returns {string[]} */
function addresses(typed) {
  return typed.split(/[\s,;]+/).filter(Boolean);
}

/** As it is kept. @returns {Draft} */
export function draft() {
  return {
    text: text.peek(), html: null, attachments: files.peek().map((one) => one.id), direction: direction.peek(),
    channel: channel.peek(), to: addresses(to.peek()), cc: addresses(cc.peek() ?? ""), bcc: addresses(bcc.peek()), reply_to: answered.peek()?.id ?? null,
  };
}

/** @param {Draft} one */
export function show(one) {
  text.value = one.text;
  direction.value = one.direction;
  channel.value = one.channel;
  to.value = one.to.join(", ");
  cc.value = one.cc.length ? one.cc.join(", ") : null;
  bcc.value = one.bcc.join(", ");
}

/** Nothing is written. */
export function wipe() {
  batch(() => {
    text.value = "";
    channel.value = null;
    to.value = "";
    cc.value = null;
    bcc.value = "";
    files.value = [];
    answered.value = null;
    later.value = "";
    unlessWrites.value = true;
    direction.value = "outbound";
  });
}
