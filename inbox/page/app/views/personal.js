/** A person's right to what is kept of them, and to be forgotten: for admins. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { go } from "../route.js";
import { may } from "../session.js";
import { customer } from "../thread.js";
import { said } from "./forms.js";
import { Window } from "./parts.js";

/** @import {Customer} from "../types.d.ts" */
/** @typedef {{conversations: number, messages: number, files: number}} Erased */

const MOST = 200; // conversations that are counted

/** @param {{one: Customer}} props */
export function PersonalData({ one }) {
  if (!may("admin")) return null;
  return html`
    <h3>${t("personalData")}</h3>
    <div class="line">
      <a class="button" href="/api/v1/customers/${one.id}/export" download>${t("exportAll")}</a>
      <button type="button" onClick=${() => (asked.value = "erase")}>${t("erase")}</button>
    </div>
  `;
}

/** Who erases somebody types their name, and is told what goes and what has gone. @param {{close: () => void}} props */
export function Erase({ close }) {
  const [one] = useState(customer.peek());
  const [done, setDone] = useState(/** @type {Erased | null} */ (null));
  if (!one) return null;
  const name = one.name ?? one.identities[0]?.value ?? t("unknownCustomer");
  return html`
    <${Window} title="${t("erase")}: ${name}" close=${close}>
      ${done
        ? html`<div class="sheet"><p role="status">${t("erased", { name, ...done })}</p><div class="foot"><span></span><button type="button" class="primary" autofocus onClick=${close}>${t("close")}</button></div></div>`
        : html`<${Sure} one=${one} name=${name} done=${setDone} />`}
    <//>
  `;
}

/** @param {{one: Customer, name: string, done: (erased: Erased) => void}} props */
function Sure({ one, name, done }) {
  const [found, setFound] = useState("…");
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    attempt(() => call("GET", "/conversations", { query: { customer: one.id, limit: MOST } })).then((page) => page && setFound(`${page.items.length}${page.next ? "+" : ""}`));
  }, [one.id]);
  const isMeant = typed.trim().normalize() === name.trim().normalize();
  /** @param {SubmitEvent} event */
  const erase = async (event) => {
    said(event);
    if (!isMeant || busy) return;
    setBusy(true);
    const erased = await attempt(() => call("POST", `/customers/${one.id}/erase`));
    setBusy(false);
    if (!erased) return;
    done(erased);
    go({ c: "" }, { quietly: true });
  };
  return html`
    <form class="sheet" onSubmit=${erase}>
      <p>${t("eraseWhat", { name, conversations: found })}</p>
      ${one.merged.length > 0 && html`<p>${t("eraseFamily", { n: one.merged.length })}</p>`}
      <p class="wrong">${t("eraseForGood")}</p>
      <label>${t("typeName", { name })}<input name="name" autofocus autocomplete="off" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></label>
      <div class="foot"><span role="status">${busy ? t("erasing") : ""}</span><button class="primary" disabled=${!isMeant || busy}>${t("eraseNow")}</button></div>
    </form>
  `;
}
