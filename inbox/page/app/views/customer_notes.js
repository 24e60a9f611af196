/** What colleagues noted about a customer: for each other, and seen beside every conversation of theirs. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { said } from "./forms.js";
import { Ago } from "./parts.js";

/** @import {Customer, CustomerNote} from "../types.d.ts" */

/** @param {{one: Customer}} props */
export function CustomerNotes({ one }) {
  const [found, setFound] = useState(/** @type {{items: CustomerNote[], next: string | null}} */ ({ items: [], next: null }));
  const path = `/customers/${one.id}/notes`;
  const read = async (/** @type {string | null} */ cursor) => {
    const page = await attempt(() => call("GET", path, { query: { cursor } }));
    if (page) setFound((known) => ({ items: cursor ? [...known.items, ...page.items] : page.items, next: page.next }));
  };
  // A note that a colleague writes is told as a change of the customer.
  useEffect(() => {
    read(null);
  }, [one.id, one.version]);
  /** @param {SubmitEvent} event */
  const add = async (event) => {
    const { text } = said(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!(await attempt(() => call("POST", path, { body: { text } })))) return;
    form.reset();
    await read(null);
  };
  return html`
    <h3>${t("customerNotes")}</h3>
    <ul class="about-them">${found.items.map((note) => html`<${Note} key=${note.id} note=${note} path=${path} changed=${() => read(null)} />`)}</ul>
    ${found.next && html`<button type="button" onClick=${() => read(found.next)}>${t("more")}</button>`}
    <form class="about-them" onSubmit=${add}>
      <textarea name="text" required rows="2" maxlength="10000" dir="auto" placeholder=${t("noteAbout")} aria-label=${t("noteAbout")}></textarea>
      <button>${t("writeDown")}</button>
    </form>
  `;
}

/** @param {{note: CustomerNote, path: string, changed: () => Promise<void>}} props */
function Note({ note, path, changed }) {
  const [open, setOpen] = useState(false);
  const at = `${path}/${note.id}`;
  /** @param {() => Promise<unknown>} work */
  const done = async (work) => {
    if (await attempt(async () => (await work(), true))) setOpen(false);
    await changed();
  };
  const save = (/** @type {SubmitEvent} */ event) => {
    const { text } = said(event);
    done(() => call("PATCH", at, { body: { text }, version: note.version }));
  };
  const names = [note.author.name, note.editor?.id === note.author.id ? null : note.editor?.name].filter(Boolean).join(", ");
  return html`
    <li>
      ${open
        ? html`<form onSubmit=${save}>
            <textarea name="text" required rows="4" maxlength="10000" dir="auto" autofocus aria-label=${t("noteAbout")} defaultValue=${note.text}></textarea>
            <div class="line"><button class="primary">${t("save")}</button><button type="button" onClick=${() => done(() => call("DELETE", at))}>${t("drop")}</button><button type="button" class="quiet" onClick=${() => setOpen(false)}>${t("close")}</button></div>
          </form>`
        : html`<p class="text" dir="auto">${note.text}</p>
            <small>${names} · <${Ago} at=${note.created_at} />${note.editor && html` · ${t("edited")}`} <button type="button" class="quiet" aria-label="${t("change")}: ${note.text.slice(0, 40)}" onClick=${() => setOpen(true)}>${t("change")}</button></small>`}
    </li>
  `;
}
