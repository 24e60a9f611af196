/** Words of the page, in the language of whoever sits before it; dates, times and numbers as that language has them. */

import { computed, signal } from "../vendor/signals.js";
import { en } from "./locales/en.js";
import { tr } from "./locales/tr.js";

const CATALOGUES = { en, tr };
const KEPT = "santral.language";

/** @typedef {keyof typeof CATALOGUES} Language */
/** @typedef {keyof typeof en} Key */

/** @returns {Language} */
function first() {
  const wanted = [localStorage.getItem(KEPT) ?? "", ...navigator.languages].map((one) => one.slice(0, 2));
  return /** @type {Language} */ (wanted.find((one) => one in CATALOGUES) ?? "en");
}

export const language = signal(first());

/** @param {Language} wanted */
export function speak(wanted) {
  localStorage.setItem(KEPT, wanted);
  language.value = wanted;
}

/** The language as it is written where the reader lives: British dates are not American ones. */
const region = computed(() => navigator.languages.find((one) => one.slice(0, 2) === language.value) ?? language.value);
const plurals = computed(() => new Intl.PluralRules(language.value));
const clock = computed(() => new Intl.DateTimeFormat(region.value, { hour: "2-digit", minute: "2-digit" }));
const day = computed(() => new Intl.DateTimeFormat(region.value, { day: "numeric", month: "short" }));
const whole = computed(() => new Intl.DateTimeFormat(region.value, { dateStyle: "full", timeStyle: "medium" }));
const dayOfYear = computed(() => new Intl.DateTimeFormat(region.value, { dateStyle: "long" }));
const relative = computed(() => new Intl.RelativeTimeFormat(language.value, { numeric: "auto", style: "short" }));
const numbers = computed(() => new Intl.NumberFormat(region.value));
/** Sorts names as the language does: in Turkish ç stands behind c, ı before i. */
export const collator = computed(() => new Intl.Collator(language.value, { numeric: true, sensitivity: "base" }));

/** Words as they are compared where somebody looks for them: neither capitals nor marks matter, nor which i it is. @param {string} words */
export function folded(words) {
  return words.toLocaleLowerCase(language.value).normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ı", "i");
}

/**
 * The words under a key. `{name}` is filled in; where `n` is given, the form for that number is taken.
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const found = CATALOGUES[language.value][key];
  const form = typeof found === "string" ? found : found[plurals.value.select(Number(values.n)) === "one" ? "one" : "other"];
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? numbers.value.format(value) : String(value ?? "");
  });
}

/** Minutes and hours of today, else the day. @param {string} at */
export function shortly(at) {
  const moment = new Date(at);
  return moment.toDateString() === new Date().toDateString() ? clock.value.format(moment) : day.value.format(moment);
}

/** @param {string} at */
export function exactly(at) {
  return whole.value.format(new Date(at));
}

/** @param {string} at */
export function timeOf(at) {
  return clock.value.format(new Date(at));
}

/** @param {string} at */
export function dayOf(at) {
  return dayOfYear.value.format(new Date(at));
}

/** How long ago, or until when. @param {string} at @param {number} now milliseconds since 1970 */
export function ago(at, now) {
  const seconds = (Date.parse(at) - now) / 1000;
  for (const [unit, size] of /** @type {[Intl.RelativeTimeFormatUnit, number][]} */ ([["day", 86400], ["hour", 3600], ["minute", 60]])) {
    if (Math.abs(seconds) >= size) return relative.value.format(Math.trunc(seconds / size), unit);
  }
  return relative.value.format(0, "minute");
}

/** @param {number} value */
export function count(value) {
  return numbers.value.format(value);
}

/** How large a file is. @param {number} size */
export function bytes(size) {
  if (size < 1024) return `${count(size)} B`;
  if (size < 1024 * 1024) return `${count(Math.round(size / 1024))} KB`;
  return `${count(Math.round(size / 1024 / 102.4) / 10)} MB`;
}
