/** Short words at the foot of the page: what went wrong, what was done and can be undone. */

import { signal } from "../vendor/signals.js";
import { AWAY, Problem, UNAUTHORIZED, UNAVAILABLE } from "./api.js";
import { t } from "./i18n.js";

/** @typedef {{id: number, text: string, kind: "told" | "wrong", action?: {label: string, run: () => void}}} Notice */

export const TOO_MANY_TO_SORT = "too-many-to-sort";
const SECONDS = { told: 5, wrong: 10 };
let last = 0;

/** @type {import("../vendor/signals.js").Signal<Notice[]>} */
export const notices = signal([]);

/**
 * @param {string} text
 * @param {Partial<Notice> & {seconds?: number}} [more]
 * @returns {() => void} takes it away
 */
export function tell(text, more = {}) {
  const id = ++last;
  const { seconds, ...rest } = more;
  const notice = { id, text, kind: /** @type {Notice["kind"]} */ ("told"), ...rest };
  notices.value = [...notices.value, notice];
  const away = () => (notices.value = notices.value.filter((one) => one.id !== id));
  setTimeout(away, (seconds ?? SECONDS[notice.kind]) * 1000);
  return away;
}

/** Runs something whose failure an agent must read. @template T @param {() => Promise<T>} work @returns {Promise<T | undefined>} */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type !== UNAUTHORIZED) tell(wordsOf(error), { kind: "wrong" }); // else the sign-in says it
    return undefined;
  }
}

/** @param {Problem} problem */
export function wordsOf(problem) {
  if (problem.type === AWAY) return t("away");
  if (problem.type === "version-conflict") return t("changedMeanwhile");
  if (problem.type === UNAVAILABLE) return t("unavailable");
  if (problem.type === TOO_MANY_TO_SORT) return t("tooManyToSort");
  return problem.message;
}
