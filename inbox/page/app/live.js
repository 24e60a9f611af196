/** The live stream: every event once, in order, also over a lost connection. */

import { signal } from "../vendor/signals.js";
import { Problem, call } from "./api.js";

/** @import {Told} from "./types.d.ts" */

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 15_000;
const SILENT = 45_000; // milliseconds without a frame, after which it is asked whether anybody is still there
const ANSWERS = 10_000; // within which that is answered
const SIGNED_OUT = 4401;
const OTHER_RIGHTS = 4403;
const EXPIRED = 4410;

/** @type {import("../vendor/signals.js").Signal<"connecting" | "live" | "lost">} */
export const connection = signal("connecting");

/** @type {Set<(event: Told) => void>} */
const listeners = new Set();
/** @type {WebSocket | null} */
let socket = null;
let cursor = "";
let pause = FIRST_PAUSE;
let wanted = false;
let heard = 0; // when the last frame came, or was first waited for
/** @type {() => Promise<void>} */
let reload = async () => {};
/** @type {() => void} */
let leave = () => {};

/** @param {(event: Told) => void} listener is told of every event and signal @returns {() => void} tells it no more */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Begins to follow: first the cursor, then what `loaded` loads, then what came since the cursor.
 * @param {{loaded: () => Promise<void>, signedOut: () => void}} told `loaded` is called again whenever events may be missing
 */
export async function follow(told) {
  wanted = true;
  reload = told.loaded;
  leave = told.signedOut;
  await begin();
}

/** Follows no more. */
export function unfollow() {
  wanted = false;
  socket?.close();
  socket = null;
}

/** Says something to those who look at the same. @param {object} frame */
export function say(frame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

async function begin() {
  try {
    cursor = (await call("GET", "/events")).next;
    await reload();
    connect();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) leave();
    else again();
  }
}

function again() {
  connection.value = "lost";
  if (!wanted) return;
  setTimeout(resume, pause * (0.75 + Math.random() / 2));
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

/** Goes on where it was. A stream that is refused does not say why; a call does. */
async function resume() {
  if (!wanted || socket) return;
  if (!cursor) return begin();
  try {
    await ask();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) leave();
    else again();
    return;
  }
  if (wanted && !socket) connect();
}

function connect() {
  const url = new URL("/api/v1/stream", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("after", cursor);
  const opened = (socket = new WebSocket(url));
  heard = Date.now();
  opened.onmessage = (message) => take(JSON.parse(message.data));
  opened.onclose = (end) => opened === socket && ended(end.code);
}

/** @param {any} frame */
function take(frame) {
  heard = Date.now();
  if (frame.type === "hello") {
    connection.value = "live";
    pause = FIRST_PAUSE;
  } else if (frame.id) {
    cursor = frame.id;
  }
  for (const listener of listeners) listener(frame);
}

/** @param {number} code */
function ended(code) {
  socket = null;
  if (code === SIGNED_OUT) leave();
  else if (code === EXPIRED || code === OTHER_RIGHTS) begin();
  else again();
}

/** A line that carries nothing any more is not told of as closed: a call finds out. */
async function probe() {
  const asked = socket;
  if (!asked || Date.now() - heard < SILENT) return;
  try {
    await ask();
    heard = Date.now();
  } catch {
    if (asked !== socket) return;
    asked.close();
    ended(0);
  }
}
setInterval(probe, ANSWERS);

/** Whether anybody answers in time, and who they take us for. */
async function ask() {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ANSWERS);
  try {
    await call("GET", "/me", { signal: patience.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** Comes back at once where the machine slept or the network changed. */
function hurry() {
  if (wanted && connection.value === "lost") {
    pause = FIRST_PAUSE;
    if (!socket) connect();
  }
}
addEventListener("online", hurry);
addEventListener("offline", () => socket?.close());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && hurry());
