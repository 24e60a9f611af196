/** Two customers who are one person: said so, and taken back exactly. */

import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt, tell } from "../notices.js";
import { may } from "../session.js";
import { loadCustomer, reload } from "../thread.js";
import { said } from "./forms.js";

/** @import {Customer} from "../types.d.ts" */

/** @param {{one: Customer}} props */
export function Family({ one }) {
  if (!may("supervisor")) return null;
  /** @param {SubmitEvent} event */
  const merge = async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { address } = said(event);
    const found = await attempt(() => call("GET", "/customers", { query: { identity: address.includes(":") ? address : `email:${address.toLowerCase()}` } }));
    if (!found) return;
    const other = found.items.find((/** @type {Customer} */ known) => known.id !== one.id);
    if (!other) {
      tell(t("nothingFound"), { kind: "wrong" });
      return;
    }
    if (!(await attempt(() => call("POST", `/customers/${other.id}/merge`, { body: { into: one.id } })))) return;
    form.reset();
    await reload();
  };
  const part = (/** @type {string} */ id) => async () => {
    await attempt(() => call("POST", `/customers/${id}/unmerge`));
    await loadCustomer();
  };
  return html`
    <h3>${t("samePerson")}</h3>
    <ul>${one.merged.map((id) => html`<li key=${id} class="line"><span>${id.slice(0, 8)}</span> <button type="button" onClick=${part(id)}>${t("part")}</button></li>`)}</ul>
    <form class="field" onSubmit=${merge}>
      <input name="address" required placeholder=${t("otherAddress")} aria-label=${t("otherAddress")} /><button>${t("merge")}</button>
    </form>
  `;
}
