/** Emoji, with their names in the reader's language: the table is loaded when it is first needed. */

import { computed, signal } from "../vendor/signals.js";
import { folded, language, t } from "./i18n.js";
import { tell } from "./notices.js";

const KEPT = "santral.emoji";
const RECENT = 16;
const MOST = 64; // that a search shows: who sees as many types another letter

/** @typedef {{emoji: string, name: string, words: string[]}} Emoji */
/** @typedef {"recent" | "smileys_emotion" | "people_body" | "animals_nature" | "food_drink" | "travel_places" | "activities" | "objects" | "symbols" | "flags"} GroupName */
/** @typedef {{name: GroupName, emoji: Emoji[]}} Group */

const TABLES = { en: () => import("../vendor/emoji.en.js"), tr: () => import("../vendor/emoji.tr.js") };

/** @type {import("../vendor/signals.js").Signal<Partial<Record<import("./i18n.js").Language, Group[]>>>} */
const tables = signal({});
/** @type {import("../vendor/signals.js").Signal<string[]>} */
const used = signal(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));

/** In the order of Unicode; none as long as they are not loaded. */
export const groups = computed(() => tables.value[language.value] ?? []);

/** What was taken last, newest first. */
export const recent = computed(() => {
  const known = new Map(groups.value.flatMap((group) => group.emoji).map((one) => [one.emoji, one]));
  return used.value.flatMap((emoji) => known.get(emoji) ?? []);
});

export async function loadEmoji() {
  const spoken = language.peek();
  if (tables.peek()[spoken]) return;
  const loaded = await TABLES[spoken]().catch(() => null);
  if (!loaded) {
    tell(t("away"), { kind: "wrong" });
    return;
  }
  const read = loaded.default.map(([name, entries]) => ({
    name: /** @type {GroupName} */ (name),
    emoji: entries.map(([emoji, called, more]) => ({ emoji, name: called, words: folded(`${called} ${more}`).split(/[^\p{L}\p{N}]+/u) })),
  }));
  tables.value = { ...tables.peek(), [spoken]: read };
}

/** Those that bear all the words or their beginnings, and first those whose names begin so. @param {string} typed @returns {Emoji[]} */
export function findEmoji(typed) {
  const wanted = folded(typed).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (!wanted.length) return [];
  const found = groups.value.flatMap((group) => group.emoji).filter((one) => wanted.every((word) => one.words.some((other) => other.startsWith(word))));
  const [named, others] = [found.filter((one) => one.words[0].startsWith(wanted[0])), found.filter((one) => !one.words[0].startsWith(wanted[0]))];
  return [...named, ...others].slice(0, MOST);
}

/** One was taken: it is offered first from now on, in this browser. @param {string} emoji */
export function remember(emoji) {
  used.value = [emoji, ...used.peek().filter((one) => one !== emoji)].slice(0, RECENT);
  localStorage.setItem(KEPT, JSON.stringify(used.peek()));
}
