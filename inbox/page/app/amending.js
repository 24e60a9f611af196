/** What can be done with a message where it stands: as far as its channel can, and never more than that. */

import { signal } from "../vendor/signals.js";
import { call } from "./api.js";
import { t } from "./i18n.js";
import { attempt, tell } from "./notices.js";
import { queryOf } from "./route.js";
import { capabilitiesOf, me } from "./session.js";
import { changed } from "./thread.js";

/** @import {Delivery, Message} from "./types.d.ts" */

const NOT_YET = ["queued", "scheduled", "waiting"];
const STANDS = ["sent", "delivered", "read"];

/** The reply whose text is being changed, by id. */
export const editing = signal("");
/** The reply that is to be taken back, once that is confirmed. @type {import("../vendor/signals.js").Signal<Message | null>} */
export const takingBack = signal(null);
/** The message for which an emoji is looked for. @type {import("../vendor/signals.js").Signal<Message | null>} */
export const reacting = signal(null);

/** @param {Message} one @param {"edit" | "delete" | "react" | "unreact"} what */
function channelCan(one, what) {
  return capabilitiesOf(one.channel).amends?.includes(what) ?? false;
}

/** Whether a reply did not leave at its hour because the customer wrote first. @param {Delivery | null} delivery */
export function isHeld(delivery) {
  return delivery?.state === "cancelled" && delivery.error?.code === "customer_wrote";
}

/** @param {Message} one */
export function canAnswer(one) {
  return one.kind === "message" && one.direction !== "note" && !one.deleted_at;
}

/** What has not left yet is ours alone; else the channel must be able to. @param {Message} one */
export function canEdit(one) {
  if (!one.delivery || one.author.type === "customer" || one.deleted_at) return false;
  return NOT_YET.includes(one.delivery.state) || (STANDS.includes(one.delivery.state) && channelCan(one, "edit"));
}

/** A reply that waits for its reader to fetch it can be taken back; any other that has not left is called off instead. @param {Message} one */
export function canTakeBack(one) {
  if (!one.delivery || one.author.type === "customer" || one.deleted_at || !channelCan(one, "delete")) return false;
  return STANDS.includes(one.delivery.state) || (NOT_YET.includes(one.delivery.state) && capabilitiesOf(one.channel).pull);
}

/** Whether an emoji can be put under it, or this one taken away where it is there. @param {Message} one @param {string} [emoji] */
export function canReact(one, emoji = "") {
  return canAnswer(one) && one.external.id !== null && channelCan(one, hasReacted(one, emoji) ? "unreact" : "react");
}

/** @param {Message} one @param {string} emoji whether the one who sits here has put it there */
export function hasReacted(one, emoji) {
  return one.reactions.some((found) => found.emoji === emoji && found.author.type === "agent" && found.author.id === me.value?.id);
}

/** Puts an emoji under a message, or takes one's own away. @param {Message} one @param {string} emoji */
export async function react(one, emoji) {
  const on = !hasReacted(one, emoji);
  changed(await attempt(() => call("POST", `/messages/${one.id}/reactions`, { body: { emoji, on } })));
}

/** Gives a reply another text. @param {Message} one @param {string} text @returns {Promise<boolean>} whether it has it now */
export async function edit(one, text) {
  const found = await attempt(() => call("PATCH", `/messages/${one.id}`, { body: { text } }));
  changed(found);
  return found !== undefined;
}

/** @param {Message} one */
export async function takeBack(one) {
  changed(await attempt(() => call("DELETE", `/messages/${one.id}`)));
}

/** Where a message is found by whoever is given its address. @param {Message} one */
export function linkTo(one) {
  return `${location.origin}/${queryOf({ c: one.conversation_id, message: one.id })}`;
}

/** Puts something where it can be pasted from; browsers allow that to pages that came over https, or from this machine. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell(t("copied"));
  } catch {
    tell(t("cannotCopy"), { kind: "wrong" });
  }
}
