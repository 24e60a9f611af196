/** The widget's words, and dates as the visitor's language has them. */

import { en } from "./locales/en.js";
import { tr } from "./locales/tr.js";

/** @typedef {keyof typeof en} Key */

/** @type {Record<string, Record<Key, string>>} */
const CATALOGUES = { en, tr };
const RIGHT_TO_LEFT = ["ar", "he", "fa", "ur", "ckb", "ps", "sd", "ug", "yi"];

/** @param {(string | null | undefined)[]} wanted @returns {string} the first that is one */
function firstLocale(wanted) {
  for (const one of wanted) {
    try {
      if (one) return Intl.getCanonicalLocales(one.replace("_", "-"))[0];
    } catch { /* a host page may call its language anything */ }
  }
  return "en";
}

export class Words {
  /** @param {(string | null | undefined)[]} wanted locales, in the order in which they count */
  constructor(wanted) {
    const locale = firstLocale(wanted);
    const language = locale.split("-")[0];
    // A page says "en"; its reader's browser knows whether that is London's or New York's.
    const regions = locale.includes("-") ? [] : navigator.languages || [];
    this.locale = regions.find((one) => one.startsWith(`${language}-`)) || locale;
    this.direction = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
    this.language = language in CATALOGUES ? language : "en";
    this._words = CATALOGUES[this.language];
    this._plurals = new Intl.PluralRules(this.language);
    this._clock = new Intl.DateTimeFormat(this.locale, { hour: "2-digit", minute: "2-digit" });
    this._day = new Intl.DateTimeFormat(this.locale, { weekday: "long", day: "numeric", month: "long" });
    this._moment = new Intl.DateTimeFormat(this.locale, { weekday: "long", hour: "2-digit", minute: "2-digit" });
    this._date = new Intl.DateTimeFormat(this.locale, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
  }

  /**
   * The words under a key, with `{name}` filled in; a form for one thing stands before a `|`.
   * @param {Key} key @param {Record<string, string | number>} [values]
   */
  t(key, values = {}) {
    const [one, other = one] = this._words[key].split("|");
    const form = this._plurals.select(Number(values.n)) === "one" ? one : other;
    return form.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** @param {string} at */
  time(at) {
    return this._clock.format(new Date(at));
  }

  /** @param {string} at */
  day(at) {
    return new Date(at).toDateString() === new Date().toDateString() ? this.t("today") : this._day.format(new Date(at));
  }

  /** A moment to come. @param {string} at */
  moment(at) {
    const within = Date.parse(at) - Date.now() < 6 * 86400000;
    return (within ? this._moment : this._date).format(new Date(at));
  }

  /** @param {number} bytes */
  size(bytes) {
    const [unit, size] = bytes < 1e6 ? ["kB", bytes / 1e3] : ["MB", bytes / 1e6];
    return `${new Intl.NumberFormat(this.locale, { maximumFractionDigits: size < 10 ? 1 : 0 }).format(size)} ${unit}`;
  }
}
