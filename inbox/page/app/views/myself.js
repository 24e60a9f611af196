/** What everybody sets for themselves. */

import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { notifies, setNotifies } from "../notify.js";
import { attempt, tell } from "../notices.js";
import { loadHouse, me, recognise, signOut } from "../session.js";
import { said } from "./forms.js";
import { Languages, Window } from "./parts.js";
import { Picture } from "./picture.js";

/** @import {Me} from "../types.d.ts" */

/** @param {{close: () => void}} props */
export function Myself({ close }) {
  /** @param {SubmitEvent} event */
  const save = async (event) => {
    const { name, signature } = said(event);
    const body = { name, signature: signature || null };
    if (!(await attempt(() => call("PATCH", "/me", { body })))) return;
    await attempt(recognise);
    close();
  };
  const leave = async () => {
    close();
    await attempt(signOut);
  };
  const told = async (/** @type {any} */ event) => {
    await setNotifies(event.target.checked);
    if (event.target.checked && !notifies.value) tell(t("unavailable"), { kind: "wrong" });
  };
  return html`
    <${Window} title=${t("myself")} close=${close}>
      <form class="sheet" onSubmit=${save}>
        <label>${t("name")}<input name="name" required maxlength="200" defaultValue=${me.value?.name} /></label>
        <label>${t("signature")}<textarea name="signature" rows="4" maxlength="2000">${me.value?.signature ?? ""}</textarea></label>
        <label class="line"><input type="checkbox" checked=${notifies.value} onChange=${told} /> ${t("notify")}</label>
        <${Languages} />
        <div class="foot"><button type="button" onClick=${leave}>${t("signOut")}</button><button class="primary">${t("save")}</button></div>
      </form>
      ${me.value?.email && html`<${MyPicture} one=${me.value} /><${Password} />`}
    <//>
  `;
}

/** @param {{one: Me}} props */
function MyPicture({ one }) {
  const changed = () => Promise.all([recognise(), loadHouse()]);
  return html`<h3>${t("picture")}</h3><${Picture} id=${one.id} name=${one.name} path="/me/picture" changed=${changed} />`;
}

/** A new password needs the present one, and ends all other sessions. */
function Password() {
  /** @param {SubmitEvent} event */
  const save = async (event) => {
    const { current_password, password } = said(event);
    if (!(await attempt(() => call("PATCH", "/me", { body: { current_password, password } })))) return;
    /** @type {HTMLFormElement} */ (event.target).reset();
    tell(t("passwordChanged"));
  };
  return html`
    <form class="sheet" onSubmit=${save}>
      <input class="unseen" type="text" name="username" autocomplete="username" value=${me.value?.email} readonly tabindex="-1" aria-hidden="true" />
      <label>${t("oldPassword")}<input name="current_password" type="password" autocomplete="current-password" required /></label>
      <label>${t("newPassword")}<input name="password" type="password" autocomplete="new-password" minlength="10" required /></label>
      <div class="foot"><span></span><button>${t("change")}</button></div>
    </form>
  `;
}
