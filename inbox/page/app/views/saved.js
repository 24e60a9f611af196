/** Saving a list under a name: which conversations it holds, by conditions of which all or any must hold. */

import { useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { list, place } from "../route.js";
import { agents, channels, loadViews, may, teams } from "../session.js";
import { counts } from "../inbox.js";
import { said } from "./forms.js";
import { Icon } from "./icons.js";
import { Window } from "./parts.js";

/** @typedef {{field: string, is?: string[], is_not?: string[]}} Condition */

/** @type {Record<string, () => [string, string][]>} */
const VALUES = {
  status: () => /** @type {const} */ (["open", "pending", "snoozed", "resolved"]).map((one) => [one, t(one)]),
  priority: () => /** @type {const} */ (["urgent", "high", "normal", "low"]).map((one) => [one, t(one)]),
  assignee: () => [["me", t("mine")], ["none", t("nobody")], ...agents.value.map((one) => /** @type {[string, string]} */ ([one.id, one.name]))],
  team: () => [["none", t("noTeam")], ...teams.value.map((one) => /** @type {[string, string]} */ ([one.id, one.name]))],
  channel: () => channels.value.map((one) => [one.id, one.id]),
  tag: () => Object.keys(counts.value?.tags ?? {}).map((one) => [one, one]),
};
const WORDS = /** @type {const} */ ({ status: "status", priority: "priority", assignee: "assign", team: "toTeam", channel: "channels", tag: "tags" });

/** What the list that is open asks for. @returns {Condition[]} */
function present() {
  const { queue, status, channel, team, tag } = place.peek();
  const assignee = { mine: "me", unassigned: "none" }[queue];
  const all = { status, channel, team, tag, assignee };
  return Object.entries(all).filter(([, value]) => value).map(([field, value]) => ({ field, is: [String(value)] }));
}

/** @param {{close: () => boolean}} props */
export function SaveView({ close }) {
  const [conditions, setConditions] = useState(present);
  const set = (/** @type {number} */ at, /** @type {Condition} */ one) => setConditions(conditions.map((known, index) => (index === at ? one : known)));
  /** @param {SubmitEvent} event */
  const save = async (event) => {
    const { name, group, shared } = said(event);
    const body = { name, filter: { [group]: conditions }, sort: place.peek().sort, shared: shared === "on" };
    const made = await attempt(() => call("POST", "/views", { body }));
    if (!made) return;
    await attempt(loadViews);
    if (!close()) return;
    list({ view: made.id, status: "", sort: "" });
  };
  const add = () => setConditions([...conditions, { field: "status", is: ["open"] }]);
  return html`
    <${Window} title=${t("saveView")} close=${close}>
      <form class="sheet" onSubmit=${save}>
        <label>${t("name")}<input name="name" required maxlength="200" autofocus /></label>
        <label>${t("holds")}<select name="group"><option value="all">${t("allHold")}</option><option value="any">${t("anyHolds")}</option></select></label>
        ${conditions.map((one, at) => html`<${Row} key=${at} one=${one} set=${(/** @type {Condition} */ now) => set(at, now)} drop=${() => setConditions(conditions.filter((_, index) => index !== at))} />`)}
        <button type="button" onClick=${add}>${t("addCondition")}</button>
        ${may("supervisor") && html`<label class="line"><input type="checkbox" name="shared" /> ${t("shareView")}</label>`}
        <div class="foot"><button class="primary" disabled=${!conditions.length}>${t("save")}</button></div>
      </form>
    <//>
  `;
}

/** @param {{one: Condition, set: (one: Condition) => void, drop: () => void}} props */
function Row({ one, set, drop }) {
  const values = one.is ?? one.is_not ?? [];
  const kind = one.is ? "is" : "is_not";
  const field = (/** @type {any} */ event) => set({ field: event.target.value, [kind]: [VALUES[event.target.value]()[0]?.[0] ?? ""] });
  return html`
    <div class="line">
      <select aria-label=${t("holds")} value=${one.field} onChange=${field}>${Object.entries(WORDS).map(([name, key]) => html`<option value=${name}>${t(key)}</option>`)}</select>
      <select aria-label=${t("is")} value=${kind} onChange=${(/** @type {any} */ event) => set({ field: one.field, [event.target.value]: values })}>
        <option value="is">${t("is")}</option><option value="is_not">${t("isNot")}</option>
      </select>
      <select aria-label=${t("value")} value=${values[0]} onChange=${(/** @type {any} */ event) => set({ field: one.field, [kind]: [event.target.value] })}>
        ${VALUES[one.field]().map(([id, name]) => html`<option value=${id}>${name}</option>`)}
      </select>
      <button type="button" class="quiet" aria-label=${t("remove")} onClick=${drop}><${Icon} name="cross" /></button>
    </div>
  `;
}
