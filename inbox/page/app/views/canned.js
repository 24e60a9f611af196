/** Canned replies: the texts that are used again and again, and where they are written. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { canned, loadCanned, may, teamName, teams } from "../session.js";
import { said } from "./forms.js";

/** @import {CannedReply} from "../types.d.ts" */

export function CannedPage() {
  useEffect(() => {
    attempt(loadCanned);
  }, []);
  return html`
    <h2>${t("cannedReplies")}</h2>
    <p>${t("cannedHelp", { variables: canned.value.variables.map((one) => `{{${one.name}}}`).join(", ") })}</p>
    <ul class="cards">${canned.value.items.map((one) => html`<${Card} key=${one.id} one=${one} />`)}</ul>
    <h2>${t("newCanned")}</h2>
    <${Sheet} save=${(/** @type {object} */ body) => call("POST", "/canned-replies", { body })} />
  `;
}

/** @param {{one: CannedReply}} props */
function Card({ one }) {
  const [open, setOpen] = useState(false);
  const path = `/canned-replies/${one.id}`;
  const drop = async () => {
    await attempt(() => call("DELETE", path));
    await attempt(loadCanned);
  };
  const save = async (/** @type {object} */ body) => {
    await call("PATCH", path, { body, version: one.version });
    setOpen(false);
  };
  return html`
    <li>
      <header>
        <strong>/${one.shortcut}</strong> <span>${one.title}</span> ${one.team && html`<span class="chip">${teamName(one.team)}</span>`}
        <button type="button" aria-expanded=${open} onClick=${() => setOpen(!open)}>${t("change")}</button>
        <button type="button" aria-label="${t("drop")}: ${one.title}" onClick=${drop}>${t("drop")}</button>
      </header>
      ${open ? html`<${Sheet} one=${one} save=${save} />` : html`<p class="text">${one.text}</p>`}
    </li>
  `;
}

/** @param {{one?: CannedReply, save: (body: object) => Promise<unknown>}} props */
function Sheet({ one, save }) {
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    const { shortcut, title, text, team } = said(event);
    const done = await attempt(async () => (await save({ shortcut, title, text, team: team || null }), true));
    if (done && !one) /** @type {HTMLFormElement} */ (event.target).reset();
    if (done) await attempt(loadCanned);
  };
  return html`
    <form class="sheet" onSubmit=${submit}>
      <label>${t("shortcut")}<input name="shortcut" required pattern="[\\w\\-]{1,50}" defaultValue=${one?.shortcut ?? ""} /></label>
      <label>${t("title")}<input name="title" required maxlength="200" defaultValue=${one?.title ?? ""} /></label>
      <label>${t("text")}<textarea name="text" required rows="4" maxlength="20000">${one?.text ?? ""}</textarea></label>
      <label>${t("toTeam")}<select name="team">
        ${may("supervisor") && html`<option value="">${t("everybody")}</option>`}
        ${teams.value.map((team) => html`<option value=${team.id} selected=${team.id === one?.team}>${team.name}</option>`)}
      </select></label>
      <div class="foot"><button class="primary">${t("save")}</button></div>
    </form>
  `;
}
