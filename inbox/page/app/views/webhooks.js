/** Who is told of events by HTTP, how that goes, and what was sent to them. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { all, call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt, tell } from "../notices.js";
import { said } from "./forms.js";
import { Ago } from "./parts.js";

/** @typedef {{id: string, name: string, url: string, events: string[], active: boolean, failing_since: string | null, reason: string | null}} Webhook */
/** @typedef {{id: string, type: string, state: string, attempts: number, status: number | null, error: string | null, created_at: string}} Sent */

export function WebhooksPage() {
  const [found, setFound] = useState(/** @type {Webhook[]} */ ([]));
  const [secret, setSecret] = useState("");
  const load = async () => setFound((await attempt(() => all("/webhooks"))) ?? []);
  useEffect(() => {
    load();
  }, []);
  /** @param {SubmitEvent} event */
  const add = async (event) => {
    const { url, name } = said(event);
    const made = await attempt(() => call("POST", "/webhooks", { body: { url, name } }));
    if (!made) return;
    setSecret(made.secret);
    /** @type {HTMLFormElement} */ (event.target).reset();
    await load();
  };
  return html`
    <h2>${t("webhooks")}</h2>
    ${secret && html`<p role="status">${t("tokenOnce")} <code>${secret}</code></p>`}
    <ul class="cards">${found.map((one) => html`<${Card} key=${one.id} one=${one} load=${load} />`)}</ul>
    <form class="line" onSubmit=${add}>
      <input name="name" required maxlength="200" placeholder=${t("name")} aria-label=${t("name")} />
      <input name="url" type="url" required placeholder="https://" aria-label=${t("address")} /><button class="primary">${t("create")}</button>
    </form>
  `;
}

/** @param {{one: Webhook, load: () => Promise<void>}} props */
function Card({ one, load }) {
  const path = `/webhooks/${one.id}`;
  const change = async (/** @type {object} */ body) => {
    await attempt(() => call("PATCH", path, { body }));
    await load();
  };
  const test = async () => {
    const answer = await attempt(() => call("POST", `${path}/test`));
    if (answer) tell(answer.error ?? `${answer.status}`, { kind: answer.error ? "wrong" : "told" });
  };
  const drop = async () => {
    await attempt(() => call("DELETE", path));
    await load();
  };
  return html`
    <li>
      <header>
        <strong>${one.name}</strong> <span class="value">${one.url}</span>
        <label><input type="checkbox" checked=${one.active} onChange=${() => change({ active: !one.active })} /> ${t("active")}</label>
        <button type="button" onClick=${test}>${t("tryOut")}</button><button type="button" aria-label="${t("drop")}: ${one.name}" onClick=${drop}>${t("drop")}</button>
      </header>
      ${one.reason && html`<p class="why">${one.reason}</p>`}
      <${Log} path=${path} />
    </li>
  `;
}

/** What went to them, read when it is asked for. @param {{path: string}} props */
function Log({ path }) {
  const [found, setFound] = useState(/** @type {Sent[]} */ ([]));
  const read = async () => setFound((await attempt(() => call("GET", `${path}/deliveries`)))?.items ?? []);
  const again = (/** @type {string} */ id) => async () => {
    await attempt(() => call("POST", `${path}/retry`, { body: { delivery_id: id } }));
    await read();
  };
  return html`
    <details onToggle=${(/** @type {any} */ event) => event.target.open && read()}>
      <summary>${t("log")}</summary>
      ${!found.length && html`<p>${t("nothing")}</p>`}
      <ul>
        ${found.map(
          (one) => html`<li key=${one.id} class="line"><${Ago} at=${one.created_at} /> ${one.type} <span class="chip is-${one.state}">${one.status ?? ""} ${one.state}</span>
            ${one.error && html`<span class="why">${one.error}</span>`}
            ${one.state === "failed" && html`<button type="button" onClick=${again(one.id)}>${t("replay")}</button>`}</li>`,
        )}
      </ul>
    </details>
  `;
}
