/** Who looks at which conversation and who types in it, as the stream tells: in all that its reader sees. */

import { signal } from "../vendor/signals.js";
import { me } from "./session.js";

/** @import {Author, Told} from "./types.d.ts" */

const TYPING = 6000; // milliseconds that typing holds
const GONE = 65_000; // after which somebody of whom nothing was heard has gone
const SWEEP = 1000;

/** @typedef {{id: string, name: string | null, type: Author["type"], here: number, types: number}} Somebody until when both hold */

/** By conversation. @type {import("../vendor/signals.js").Signal<ReadonlyMap<string, readonly Somebody[]>>} */
const everywhere = signal(new Map());

/** Who looks at a conversation, but for who sits here. @param {string} id */
export function present(id) {
  return those(id, "here");
}

/** Who types in a conversation. @param {string} id */
export function typing(id) {
  return those(id, "types");
}

/** @param {string} id @param {"here" | "types"} what */
function those(id, what) {
  return (everywhere.value.get(id) ?? []).filter((one) => one[what] > 0);
}

/** A signal has come. @param {Told} told */
export function hear(told) {
  if (told.type === "hello") everywhere.value = new Map(); // who is where is told anew
  const { author, conversation_id: id } = told;
  if (!id || !author?.id || author.id === me.peek()?.id) return;
  if (told.type === "typing") set(id, author, { types: Date.now() + TYPING });
  else if (told.type === "presence") set(id, author, told.state === "here" ? { here: Date.now() + GONE } : { here: 0 });
}

/** What somebody wrote has come: they do not type any more. @param {string} id @param {Author} author */
export function wrote(id, author) {
  if (typing(id).some((one) => one.id === author.id)) set(id, author, { types: 0 });
}

/** @param {string} id @param {Author} author @param {{here?: number, types?: number}} until */
function set(id, author, until) {
  const all = everywhere.peek().get(id) ?? [];
  const known = all.find((one) => one.id === author.id);
  const now = { id: author.id ?? "", name: author.name, type: author.type, here: known?.here ?? 0, types: known?.types ?? 0, ...until };
  if (known && !known.here === !now.here && !known.types === !now.types) {
    Object.assign(known, now); // nothing that is shown: nothing is drawn
    return;
  }
  put(id, [...all.filter((one) => one !== known), now]);
}

/** @param {string} id @param {readonly Somebody[]} all */
function put(id, all) {
  const next = new Map(everywhere.peek());
  const there = all.filter((one) => one.here || one.types);
  if (there.length) next.set(id, there);
  else next.delete(id);
  everywhere.value = next;
}

/** Takes away whose time has passed. */
function sweep() {
  const now = Date.now();
  for (const [id, all] of everywhere.peek()) {
    const left = all.map((one) => ({ ...one, here: one.here > now ? one.here : 0, types: one.types > now ? one.types : 0 }));
    if (left.some((one, at) => one.here !== all[at].here || one.types !== all[at].types)) put(id, left);
  }
}
setInterval(sweep, SWEEP);
