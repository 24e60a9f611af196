/** Tags: what they look like, and how one gets another name, becomes another, or goes. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { collator, count, t } from "../i18n.js";
import { attempt } from "../notices.js";
import { loadTags, loadViews, tags } from "../session.js";
import { said } from "./forms.js";
import { TagChip } from "./parts.js";

/** @import {Colour, Tag} from "../types.d.ts" */
/** @typedef {"" | "change" | "merge" | "drop"} Doing */

const AGAIN = 1000; // milliseconds, in which it is asked whether all conversations have followed
const COLOURS = /** @type {[Colour, import("../i18n.js").Key][]} */ ([
  ["grey", "grey"], ["red", "red"], ["orange", "orange"], ["yellow", "yellow"], ["green", "green"], ["teal", "teal"], ["blue", "blue"], ["purple", "purple"], ["pink", "pink"],
]);

export function TagsPage() {
  const leaving = tags.value.some((one) => one.leaving);
  useEffect(() => {
    attempt(loadTags);
  }, []);
  useEffect(() => {
    const timer = leaving ? setInterval(() => attempt(loadTags), AGAIN) : undefined;
    return () => clearInterval(timer);
  }, [leaving]);
  const shown = [...tags.value].sort((one, other) => collator.value.compare(one.name, other.name));
  return html`
    <h2>${t("tags")}</h2>
    <div class="scroll"><table>
      <thead><tr><th scope="col">${t("name")}</th><th scope="col">${t("description")}</th><th scope="col">${t("conversations")}</th><td></td></tr></thead>
      <tbody>${shown.map((one) => html`<${Row} key=${one.name} one=${one} others=${shown.filter((other) => other !== one && !other.leaving)} />`)}</tbody>
    </table></div>
    <h2>${t("newTag")}</h2>
    <${Sheet} save=${(/** @type {object} */ body) => call("POST", "/tags", { body })} />
  `;
}

/** Tags have changed, and views with them. */
function again() {
  return attempt(() => Promise.all([loadTags(), loadViews()]));
}

/** @param {{one: Tag, others: Tag[]}} props */
function Row({ one, others }) {
  const [doing, setDoing] = useState(/** @type {Doing} */ (""));
  const path = `/tags/${encodeURIComponent(one.name)}`;
  const save = async (/** @type {object} */ body) => {
    await call("PATCH", path, { body });
    setDoing("");
    await again();
  };
  /** @param {SubmitEvent} event */
  const merge = async (event) => {
    const { into } = said(event);
    if (await attempt(() => call("POST", `${path}/merge`, { body: { into } }))) await again();
  };
  const drop = async () => {
    if (await attempt(async () => (await call("DELETE", path), true))) await again();
  };
  const button = (/** @type {Doing} */ what, /** @type {import("../i18n.js").Key} */ label) =>
    html`<button type="button" aria-expanded=${doing === what} aria-label="${t(label)}: ${one.name}" onClick=${() => setDoing(doing === what ? "" : what)}>${t(label)}</button>`;
  return html`
    <tr>
      <th scope="row"><${TagChip} name=${one.name} /></th><td>${one.description}</td>
      <td>${one.leaving ? t("leaving", { n: one.conversations }) : count(one.conversations)}</td>
      <td>${!one.leaving && html`<div class="line">${button("change", "change")}${others.length > 0 && button("merge", "merge")}${button("drop", "drop")}</div>`}</td>
    </tr>
    ${doing && html`<tr><td colspan="4">
      ${doing === "change" && html`<${Sheet} one=${one} save=${save} />`}
      ${doing === "merge" && html`<form class="line" onSubmit=${merge}><label>${t("mergeInto")} <select name="into" autofocus>${others.map((other) => html`<option key=${other.name}>${other.name}</option>`)}</select></label><button class="primary">${t("merge")}</button></form>`}
      ${doing === "drop" && html`<div class="line"><span>${t("tagGoes", { n: one.conversations })}</span><button type="button" class="primary" autofocus onClick=${drop}>${t("dropIt")}</button></div>`}
    </td></tr>`}
  `;
}

/** @param {{one?: Tag, save: (body: any) => Promise<unknown>}} props */
function Sheet({ one, save }) {
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { name, colour, description } = said(event);
    const done = await attempt(async () => (await save({ name: name.trim(), colour: colour || null, description: description || null }), true));
    if (!done || one) return;
    form.reset();
    await attempt(loadTags);
  };
  return html`
    <form class="line" onSubmit=${submit}>
      <input name="name" required maxlength="100" pattern=".*\\S.*" placeholder=${t("name")} aria-label=${t("name")} defaultValue=${one?.name ?? ""} />
      <select name="colour" aria-label=${t("colour")}><option value="">${t("noColour")}</option>${COLOURS.map(([id, label]) => html`<option key=${id} value=${id} selected=${id === one?.colour}>${t(label)}</option>`)}</select>
      <input name="description" maxlength="500" placeholder=${t("description")} aria-label=${t("description")} defaultValue=${one?.description ?? ""} />
      <button class="primary">${t(one ? "save" : "newTag")}</button>
    </form>
  `;
}
