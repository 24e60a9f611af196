/** Tells of new messages when the page is not looked at: by the browser, by a sound, in the title. */

import { effect, signal } from "../vendor/signals.js";
import { isHeld } from "./amending.js";
import { t } from "./i18n.js";
import { counts } from "./inbox.js";
import { tell } from "./notices.js";
import { go } from "./route.js";
import { me } from "./session.js";

/** @import {Message, Told} from "./types.d.ts" */

const KEPT = "santral.notify";

export const notifies = signal(localStorage.getItem(KEPT) === "yes" && globalThis.Notification?.permission === "granted");

/** @param {boolean} wanted */
export async function setNotifies(wanted) {
  notifies.value = wanted && (await Notification.requestPermission()) === "granted";
  localStorage.setItem(KEPT, notifies.value ? "yes" : "no");
}

/** An event has come. @param {Told} told */
export function watch(told) {
  const changed = told.type === "message.delivery_updated" ? told.data?.message : undefined;
  if (changed && changed.author.id === me.peek()?.id && isHeld(changed.delivery)) tellHeld(changed);
  const message = told.type === "message.created" ? told.data?.message : undefined;
  if (!message || message.direction !== "inbound" || message.kind !== "message") return;
  if (!notifies.value || document.visibilityState === "visible") return;
  const who = message.author.name ?? t("unknownCustomer");
  show(t("newMessage", { who }), message);
}

/** A reply of one's own did not leave: that is said on the page too, wherever one is. @param {Message} message */
function tellHeld(message) {
  const away = tell(t("heldReply", { text: message.text.slice(0, 40) }), { seconds: 30, action: { label: t("look"), run: () => { away(); look(message); } } });
  if (notifies.value && document.visibilityState !== "visible") show(t("held"), message);
}

/** @param {Message} message */
function look(message) {
  go({ page: "", c: message.conversation_id });
}

/** @param {string} title @param {Message} message */
function show(title, message) {
  const shown = new Notification(title, { body: message.text.slice(0, 120), tag: message.conversation_id });
  shown.onclick = () => {
    focus();
    look(message);
    shown.close();
  };
  sound();
}

function sound() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.08, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.35);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.35);
  tone.onended = () => context.close();
}

effect(() => {
  const mine = counts.value?.mine ?? 0;
  document.title = mine ? `(${mine}) Santral` : "Santral";
});
