/** Who works here: agents, teams, and the tokens of programs. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { all, call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { agents, loadHouse, teams } from "../session.js";
import { said } from "./forms.js";
import { Ago } from "./parts.js";
import { Picture } from "./picture.js";

/** @import {Agent} from "../types.d.ts" */
/** @typedef {{id: string, name: string, role: Agent["role"], teams: string[], last_used_at: string | null}} Token */

const ROLES = /** @type {const} */ (["agent", "supervisor", "admin"]);

export function StaffPage() {
  return html`<${Agents} /><${Teams} /><${Tokens} />`;
}

function Agents() {
  const change = (/** @type {string} */ id, /** @type {object} */ body) => attempt(() => call("PATCH", `/agents/${id}`, { body }).then(loadHouse));
  /** @param {SubmitEvent} event */
  const add = async (event) => {
    const { email, name, role, password } = said(event);
    const made = await attempt(() => call("POST", "/agents", { body: { email, name, role, password } }));
    if (!made) return;
    /** @type {HTMLFormElement} */ (event.target).reset();
    await attempt(loadHouse);
  };
  return html`
    <h2>${t("staff")}</h2>
    <div class="scroll"><table>
      <thead><tr><th scope="col">${t("name")}</th><th scope="col">${t("email")}</th><th scope="col">${t("role")}</th><th scope="col">${t("teams")}</th><th scope="col">${t("active")}</th></tr></thead>
      <tbody>${agents.value.map((one) => html`<${AgentRow} key=${one.id} one=${one} change=${change} />`)}</tbody>
    </table></div>
    <form class="line" onSubmit=${add}>
      <input name="name" required placeholder=${t("name")} aria-label=${t("name")} /><input name="email" type="email" required placeholder=${t("email")} aria-label=${t("email")} />
      <input name="password" type="password" required minlength="10" autocomplete="new-password" placeholder=${t("firstPassword")} aria-label=${t("firstPassword")} />
      <${Roles} name="role" /><button class="primary">${t("newAgent")}</button>
    </form>
  `;
}

/** @param {{one: Agent, change: (id: string, body: object) => void}} props */
function AgentRow({ one, change }) {
  const join = (/** @type {string} */ id) => () => {
    const now = one.teams.includes(id) ? one.teams.filter((team) => team !== id) : [...one.teams, id];
    change(one.id, { teams: now });
  };
  return html`
    <tr>
      <th scope="row">${one.name}<${Picture} id=${one.id} name=${one.name} path="/agents/${one.id}/picture" changed=${loadHouse} /></th><td>${one.email}</td>
      <td><${Roles} value=${one.role} label="${t("role")}: ${one.name}" onChange=${(/** @type {any} */ event) => change(one.id, { role: event.target.value })} /></td>
      <td><div class="teams">${teams.value.map((team) => html`<label key=${team.id}><input type="checkbox" checked=${one.teams.includes(team.id)} onChange=${join(team.id)} /> ${team.name}</label>`)}</div></td>
      <td><input type="checkbox" aria-label="${t("active")}: ${one.name}" checked=${one.active} onChange=${(/** @type {any} */ event) => change(one.id, { active: event.target.checked })} /></td>
    </tr>
  `;
}

/** @param {{name?: string, value?: string, label?: string, onChange?: (event: Event) => void}} props */
function Roles({ name, value, label, onChange }) {
  return html`<select name=${name} value=${value} aria-label=${label ?? t("role")} onChange=${onChange}>${ROLES.map((role) => html`<option value=${role}>${t(role)}</option>`)}</select>`;
}

function Teams() {
  /** @param {SubmitEvent} event */
  const add = async (event) => {
    const { name } = said(event);
    if (await attempt(() => call("POST", "/teams", { body: { name } }))) /** @type {HTMLFormElement} */ (event.target).reset();
    await attempt(loadHouse);
  };
  return html`
    <h2>${t("teams")}</h2>
    <ul class="files">${teams.value.map((one) => html`<li class="file" key=${one.id}>${one.name}</li>`)}</ul>
    <form class="line" onSubmit=${add}><input name="name" required placeholder=${t("name")} aria-label=${t("newTeam")} /><button class="primary">${t("newTeam")}</button></form>
  `;
}

function Tokens() {
  const [found, setFound] = useState(/** @type {Token[]} */ ([]));
  const [shown, setShown] = useState("");
  const load = async () => setFound((await attempt(() => all("/tokens"))) ?? []);
  useEffect(() => {
    load();
  }, []);
  /** @param {SubmitEvent} event */
  const add = async (event) => {
    const { name, role } = said(event);
    const made = await attempt(() => call("POST", "/tokens", { body: { name, role } }));
    if (!made) return;
    setShown(made.token);
    /** @type {HTMLFormElement} */ (event.target).reset();
    await load();
  };
  const drop = (/** @type {string} */ id) => async () => {
    await attempt(() => call("DELETE", `/tokens/${id}`));
    await load();
  };
  return html`
    <h2>${t("tokens")}</h2>
    ${shown && html`<p role="status">${t("tokenOnce")} <code>${shown}</code></p>`}
    <div class="scroll"><table>
      <thead><tr><th scope="col">${t("name")}</th><th scope="col">${t("role")}</th><th scope="col">${t("lastUsed")}</th><td></td></tr></thead>
      <tbody>
        ${found.map((one) => html`<tr key=${one.id}><th scope="row">${one.name}</th><td>${t(one.role)}</td><td>${one.last_used_at ? html`<${Ago} at=${one.last_used_at} />` : t("never")}</td><td><button type="button" aria-label="${t("drop")}: ${one.name}" onClick=${drop(one.id)}>${t("drop")}</button></td></tr>`)}
      </tbody>
    </table></div>
    <form class="line" onSubmit=${add}><input name="name" required placeholder=${t("name")} aria-label=${t("newToken")} /><${Roles} name="role" /><button class="primary">${t("newToken")}</button></form>
  `;
}
