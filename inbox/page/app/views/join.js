/** Two conversations that are one: which other one, and then, as it cannot be undone, whether that is meant. */

import { signal } from "../../vendor/signals.js";
import { call } from "../api.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { shortly, t } from "../i18n.js";
import { attempt } from "../notices.js";
import { conversation, joinInto } from "../thread.js";
import { Choose } from "./choose.js";
import { Confirm } from "./parts.js";

/** @import {Conversation} from "../types.d.ts" */
/** @import {Choice} from "./choose.js" */

const MOST = 20;

/** @type {import("../../vendor/signals.js").Signal<Conversation | null>} */
const chosen = signal(null);

/** @param {Conversation} one */
function called(one) {
  return one.subject || one.last_message?.text || t("noSubject");
}

/** The customer's other conversations, or what has the words. @param {string} typed @returns {Promise<Choice[] | undefined>} */
async function find(typed) {
  const open = conversation.peek();
  if (!open) return undefined;
  const query = /[\p{L}\p{N}]/u.test(typed) ? { q: typed } : { customer: open.customer?.id };
  const found = await attempt(() => call("GET", "/conversations", { query: { ...query, limit: MOST } }));
  const others = /** @type {Conversation[]} */ (found?.items ?? []).filter((one) => one.id !== open.id);
  return others.map((one) => ({
    label: `${one.customer?.name ?? t("unknownCustomer")}: ${called(one)}`,
    hint: `${t(one.status)} · ${shortly(one.updated_at)}`,
    run: () => {
      chosen.value = one;
      asked.value = "joining";
    },
  }));
}

/** @param {{close: () => void}} props */
export function Join({ close }) {
  return html`<${Choose} title=${t("join")} hint=${t("joinHint")} close=${close} find=${find} />`;
}

/** @param {{close: () => void}} props */
export function Joining({ close }) {
  const [from, into] = [conversation.value, chosen.value];
  if (!from || !into) return null;
  const others = into.customer?.id !== from.customer?.id;
  return html`
    <${Confirm} title=${t("join")} yes=${t("joinNow")} close=${close} sure=${() => joinInto(into.id)}>
      <p>${t("joinSure", { from: called(from), into: called(into) })}</p>
      ${others && html`<p class="wrong">${t("joinOther", { who: into.customer?.name ?? t("unknownCustomer") })}</p>`}
    <//>
  `;
}
