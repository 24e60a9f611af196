/** Drafts as they are kept on the server, and how two of one conversation become one. */

import { call } from "./api.js";

/** @import {Draft} from "./types.d.ts" */

/** The draft of a conversation, where there is one, and the message that it answers. @param {string} id */
export async function draftOf(id) {
  const { items } = await call("GET", "/drafts", { query: { conversation: id } });
  const to = items[0]?.reply_to;
  return { items, answered: to ? await call("GET", `/messages/${to}`).catch(() => null) : null }; // it may have gone
}

/** What is kept, and what was typed without knowing of it; of a note and a reply a note, which nobody gets. @param {Draft} stored @param {Draft} typed @returns {Draft} */
export function together(stored, typed) {
  if (isEmpty(stored)) return typed;
  if (isEmpty(typed)) return stored;
  const direction = stored.direction === "note" ? "note" : typed.direction;
  return { ...stored, direction, text: joined(stored.text, typed.text), attachments: [...stored.attachments, ...typed.attachments] };
}

/** @param {Draft} one */
export function isEmpty(one) {
  return !one.text.trim() && !one.attachments.length;
}

/** @param {string[]} texts */
export function joined(...texts) {
  return texts.filter((one) => one.trim()).join("\n\n");
}

/** A draft, and what was being written in one that may be a part of it: as far as it was kept, it came along. @param {Draft} here @param {Draft} written @returns {Draft} */
export function caughtUp(here, written) {
  const both = together(here, written);
  const text = written.text.startsWith(here.text) ? written.text : here.text.includes(written.text) ? here.text : both.text;
  return { ...both, text, attachments: [...new Set(both.attachments)], reply_to: here.reply_to ?? written.reply_to };
}
