/** A conversation that the company begins: with an address, on a channel that can write first. */

import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { go } from "../route.js";
import { capabilitiesOf, channels } from "../session.js";
import { conversation, customer } from "../thread.js";
import { said } from "./forms.js";
import { Window } from "./parts.js";

/** @param {{close: () => boolean}} props */
export function Begin({ close }) {
  const able = channels.value.filter((one) => capabilitiesOf(one.id).begins);
  const known = conversation.value ? (customer.value?.identities.find((one) => one.kind === "email")?.value ?? "") : "";
  /** @param {SubmitEvent} event */
  const begin = async (event) => {
    const { channel, address, subject, text } = said(event);
    const kind = able.find((one) => one.id === channel)?.connector ?? "email";
    const body = { channel, text, subject: subject || null, identity: { kind, value: address }, client_id: crypto.randomUUID() };
    const made = await attempt(() => call("POST", "/conversations", { body }));
    if (!made || !close()) return;
    go({ page: "", c: made.id });
  };
  return html`
    <${Window} title=${t("begin")} close=${close}>
      <form class="sheet" onSubmit=${begin}>
        <label>${t("channels")}<select name="channel" required>${able.map((one) => html`<option value=${one.id}>${one.id}</option>`)}</select></label>
        <label>${t("to")}<input name="address" required autofocus defaultValue=${known} /></label>
        <label>${t("subject")}<input name="subject" maxlength="998" /></label>
        <label>${t("text")}<textarea name="text" rows="6" required></textarea></label>
        <div class="foot"><span></span><button class="primary" disabled=${!able.length}>${t("send")}</button></div>
      </form>
    <//>
  `;
}
