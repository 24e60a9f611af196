/** What came in and could not be understood: kept, explained, and tried again once the code is better. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt, tell } from "../notices.js";
import { may } from "../session.js";
import { Ago } from "./parts.js";
import { Plain, Text, kindOf } from "./preview.js";

/** @typedef {{id: string, message_id: string, channel: string, connector: string, content_type: string, size: number, received_at: string, error: string | null}} Failed */

const BEGINNING = 64 << 10; // bytes of an original that are shown

export function FailedPage() {
  const [found, setFound] = useState(/** @type {{items: Failed[], next: string | null}} */ ({ items: [], next: null }));
  const load = async (/** @type {string | null} */ cursor) => {
    const page = await attempt(() => call("GET", "/ingest/failed", { query: { cursor } }));
    if (page) setFound((known) => ({ items: cursor ? [...known.items, ...page.items] : page.items, next: page.next }));
  };
  useEffect(() => {
    load(null);
  }, []);
  const again = (/** @type {string} */ id) => async () => {
    const done = await attempt(async () => (await call("POST", `/ingest/${encodeURIComponent(id)}/replay`), true));
    if (!done) return;
    tell(t("replayed"));
    setFound((known) => ({ ...known, items: known.items.filter((one) => one.id !== id) }));
  };
  return html`
    <h2>${t("failedEvents")}</h2>
    ${!found.items.length && html`<p class="none">${t("nothing")}</p>`}
    <ul class="failed">
      ${found.items.map(
        (one) => html`
          <li key=${one.id}>
            <header><strong>${one.channel}</strong> <${Ago} at=${one.received_at} /> <span>${one.content_type} · ${t("size", { n: one.size })}</span>
              <button type="button" onClick=${again(one.id)}>${t("replay")}</button></header>
            ${may("admin") && html`<${Original} one=${one} />`}
            <details><summary>${one.error?.trim().split("\n").at(-1) ?? t("why")}</summary><pre>${one.error}</pre></details>
          </li>
        `,
      )}
    </ul>
    ${found.next && html`<button type="button" onClick=${() => load(found.next)}>${t("more")}</button>`}
  `;
}

/** What came, to be saved, and to be read where it is text. @param {{one: Failed}} props */
function Original({ one }) {
  const [open, setOpen] = useState(false);
  const path = `/ingest/${encodeURIComponent(one.id)}/original`;
  const readable = one.content_type.startsWith("message/") || kindOf({ content_type: one.content_type, filename: "" }) === "text";
  return html`
    <details open=${open} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
      <summary>${t("original")}</summary>
      ${open && readable && html`<${Text} path=${path} most=${BEGINNING} as=${Plain} />`}
      <a class="button" href="/api/v1${path}" download="">${t("download")}</a>
    </details>
  `;
}
