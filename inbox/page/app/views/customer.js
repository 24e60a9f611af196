/** Who writes: addresses, details that the company keeps, and their other conversations. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { shortly, t } from "../i18n.js";
import { attempt } from "../notices.js";
import { go } from "../route.js";
import { conversation, customer, loadCustomer } from "../thread.js";
import { CustomerNotes } from "./customer_notes.js";
import { Family } from "./family.js";
import { said } from "./forms.js";
import { Icon } from "./icons.js";
import { Face, Window } from "./parts.js";
import { PersonalData } from "./personal.js";
import { Timeline } from "./timeline.js";

/** @import {Conversation, Customer} from "../types.d.ts" */

export function CustomerPane() {
  return html`<aside class="customer" aria-label=${t("customer")}>${customer.value && html`<${Details} one=${customer.value} />`}</aside>`;
}

/** The same over the page, where there is no room beside the conversation. @param {{close: () => void}} props */
export function CustomerWindow({ close }) {
  return html`<${Window} title=${t("customer")} close=${close}><div class="customer">${customer.value && html`<${Details} one=${customer.value} />`}</div><//>`;
}

/** @param {{one: Customer}} props */
function Details({ one }) {
  const [whole, setWhole] = useState(false);
  const name = one.name ?? t("unknownCustomer");
  return html`
    <header><${Face} name=${name} picture=${one.avatar} /><h2>${name}</h2></header>
    <${CustomerNotes} key="notes-${one.id}" one=${one} />
    <${Identities} one=${one} />
    <${Fields} key=${one.id} one=${one} />
    <${Others} one=${one} />
    <button type="button" class="below" onClick=${() => setWhole(true)}>${t("timeline")}</button>
    <${Family} one=${one} />
    <${PersonalData} one=${one} />
    ${whole && html`<${Timeline} id=${one.id} name=${name} close=${() => setWhole(false)} />`}
  `;
}

/** @param {{one: Customer}} props */
function Identities({ one }) {
  return html`
    <h3>${t("identities")}</h3>
    <ul class="identities">
      ${one.identities.map(
        (known) => html`
          <li key=${known.id}>
            <span class="kind">${known.kind}</span> <span class="value">${known.kind === "visitor" ? (known.name ?? known.value.slice(0, 8)) : known.value}</span>
            <span class="chip" title=${known.verified ? t("verified") : t("notVerified")}>${known.verified ? "✓" : "?"}<span class="unseen">${known.verified ? t("verified") : t("notVerified")}</span></span>
            ${Object.entries(known.unreachable).map(([channel, why]) => html`<p class="wrong" key=${channel}>${t("unreachable", { channel, why })}</p>`)}
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {{one: Customer}} props */
function Fields({ one }) {
  /** @param {Record<string, string | null>} fields */
  const save = async (fields) => {
    await attempt(() => call("PATCH", `/customers/${one.id}`, { body: { fields } }));
    await loadCustomer();
  };
  /** @param {SubmitEvent} event */
  const add = (event) => {
    const { name, value } = said(event);
    save({ [name]: value });
    /** @type {HTMLFormElement} */ (event.target).reset();
  };
  const known = Object.entries(one.fields).filter(([, value]) => value !== null);
  return html`
    <h3>${t("fields")}</h3>
    <dl>
      ${known.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${String(value)} <button type="button" class="quiet" aria-label="${t("remove")}: ${name}" onClick=${() => save({ [name]: null })}><${Icon} name="cross" /></button></dd></div>`)}
    </dl>
    <form class="field" onSubmit=${add}>
      <input name="name" required maxlength="100" placeholder=${t("addField")} aria-label=${t("addField")} />
      <input name="value" required maxlength="1000" placeholder=${t("value")} aria-label=${t("value")} />
      <button>${t("save")}</button>
    </form>
  `;
}

/** @param {{one: Customer}} props */
function Others({ one }) {
  const [found, setFound] = useState(/** @type {Conversation[]} */ ([]));
  const open = conversation.value;
  useEffect(() => {
    let here = true;
    attempt(() => call("GET", "/conversations", { query: { customer: one.id, limit: 20 } })).then((page) => here && page && setFound(page.items));
    return () => (here = false);
  }, [one.id, open?.id, open?.status]);
  return html`
    <h3>${t("earlierConversations")}</h3>
    <ul class="others">
      ${found.map(
        (other) => html`
          <li key=${other.id}>
            <a href="?c=${other.id}" aria-current=${other.id === open?.id ? "true" : undefined} onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go({ c: other.id }); }}>
              <span class="about">${other.subject || other.last_message?.text || t("noSubject")}</span>
              <small>${t(other.status)} · ${shortly(other.updated_at)}</small>
            </a>
          </li>
        `,
      )}
    </ul>
    <button type="button" class="below" onClick=${() => (asked.value = "join")}>${t("join")}</button>
  `;
}
