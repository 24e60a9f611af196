/** Who sits before the page, and what everybody works with: agents, teams, channels. */

import { computed, signal } from "../vendor/signals.js";
import { Problem, all, bearCsrf, call } from "./api.js";

/** @import {Agent, CannedReply, Channel, Me, Tag, Team, View} from "./types.d.ts" */

/** Null: nobody; undefined: not known yet. @type {import("../vendor/signals.js").Signal<Me | null | undefined>} */
export const me = signal(undefined);
/** @type {import("../vendor/signals.js").Signal<Agent[]>} */
export const agents = signal([]);
/** @type {import("../vendor/signals.js").Signal<Team[]>} */
export const teams = signal([]);
/** @type {import("../vendor/signals.js").Signal<Channel[]>} */
export const channels = signal([]);

/** @type {import("../vendor/signals.js").Signal<View[]>} */
export const views = signal([]);
/** With the names of the variables that they may hold. @type {import("../vendor/signals.js").Signal<{items: CannedReply[], variables: {name: string, means: string}[]}>} */
export const canned = signal({ items: [], variables: [] });

/** @type {import("../vendor/signals.js").Signal<Tag[]>} */
export const tags = signal([]);

const named = computed(() => new Map(agents.value.map((one) => [one.id, one])));
const teamNames = computed(() => new Map(teams.value.map((one) => [one.id, one.name])));
const tagged = computed(() => new Map(tags.value.map((one) => [one.name, one])));
const byId = computed(() => new Map(channels.value.map((one) => [one.id, one])));

/** @param {string | null} id @returns {string} the name, or the id of whom nobody knows */
export function agentName(id) {
  return id === null ? "" : (named.value.get(id)?.name ?? (id === me.value?.id ? me.value.name : id.slice(0, 8)));
}

/** @param {string | null} id @returns {string | null} where an agent's picture is; null where they have none */
export function agentPicture(id) {
  const picture = named.value.get(id ?? "")?.picture;
  return picture ? `/api/v1/pictures/${picture}` : null;
}

/** @param {string | null} id */
export function teamName(id) {
  return id === null ? "" : (teamNames.value.get(id) ?? id.slice(0, 8));
}

/** What is kept of a tag. @param {string} name */
export function tagCalled(name) {
  return tagged.value.get(name);
}

/** @param {string} id @returns {string} which connector serves a channel; empty where it has gone */
export function connectorOf(id) {
  return byId.value.get(id)?.connector ?? "";
}

/** @param {string} id what the channel's platform can do */
export function capabilitiesOf(id) {
  return byId.value.get(id)?.capabilities ?? {};
}

/** Whether the one who sits here has that role or a higher one. @param {Me["role"]} role */
export function may(role) {
  const roles = ["agent", "supervisor", "admin"];
  return roles.indexOf(me.value?.role ?? "agent") >= roles.indexOf(role);
}

/** Finds out who sits here. @throws {Problem} it cannot be found out now */
export async function recognise() {
  try {
    admit(await call("GET", "/me"));
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    me.value = null;
  }
}

/** @param {string} email @param {string} password @throws {Problem} */
export async function signIn(email, password) {
  admit(await call("POST", "/session", { body: { email, password } }));
}

export async function signOut() {
  await call("DELETE", "/session");
  me.value = null;
}

/** The session has ended elsewhere. */
export function signedOut() {
  me.value = null;
}

/** @param {Me} found */
function admit(found) {
  bearCsrf(found.csrf_token);
  me.value = found;
}

/** Loads what everybody works with. */
export async function loadHouse() {
  const lists = Promise.all([all("/agents"), all("/teams"), all("/channels")]);
  await Promise.all([loadViews(), loadCanned(), loadTags()]);
  [agents.value, teams.value, channels.value] = await lists;
}

export async function loadViews() {
  views.value = await all("/views");
}

export async function loadTags() {
  tags.value = await all("/tags");
}

export async function loadCanned() {
  canned.value = await call("GET", "/canned-replies");
}
