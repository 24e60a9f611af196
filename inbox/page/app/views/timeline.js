/** Everything that a customer and the company said to each other, on every channel, in one order. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { MessageView } from "./message.js";
import { Window } from "./parts.js";

/** @import {Message} from "../types.d.ts" */

/** @param {{id: string, name: string, close: () => void}} props */
export function Timeline({ id, name, close }) {
  const [found, setFound] = useState(/** @type {{items: Message[], next: string | null}} */ ({ items: [], next: null }));
  const load = async (/** @type {string | null} */ cursor) => {
    const page = await attempt(() => call("GET", `/customers/${id}/timeline`, { query: { cursor } }));
    if (page) setFound((known) => ({ items: cursor ? [...known.items, ...page.items] : page.items, next: page.next }));
  };
  useEffect(() => {
    load(null);
  }, [id]);
  return html`
    <${Window} title="${name}: ${t("timeline")}" close=${close} wide>
      <ol class="timeline">${found.items.map((one) => html`<${MessageView} key=${one.id} one=${one} />`)}</ol>
      ${found.next && html`<button type="button" onClick=${() => load(found.next)}>${t("more")}</button>`}
    <//>
  `;
}
