/** One message as agents see it, whatever channel it came by. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { press } from "../commands.js";
import { html } from "../html.js";
import { count, exactly, t, timeOf } from "../i18n.js";
import { attempt } from "../notices.js";
import { agentName, agentPicture, me } from "../session.js";
import { changed } from "../thread.js";
import { Icon } from "./icons.js";
import { ChannelMark, Face } from "./parts.js";

/** @import {Attachment, Delivery, Message} from "../types.d.ts" */

const APART = 5 * 60_000; // milliseconds between writing and coming in, from which both are shown
const SHOWN = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;
const LINK = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'’”]/g;
const STATES = /** @type {const} */ ({ waiting: "waitingState", sending: "sendingState" });

/** @param {{one: Message}} props */
export function MessageView({ one }) {
  const who = authorOf(one);
  const kind = one.kind === "event" ? "is-event" : `is-${one.direction}`;
  const kinds = `${kind} ${one.deleted_at ? "is-deleted" : ""}`;
  return html`
    <li class="message ${kinds}" id="m-${one.id}">
      <article aria-label=${t("message", { who })}>
        <header>
          ${one.author.type === "agent" && html`<${Face} name=${one.author.name ?? agentName(one.author.id)} picture=${agentPicture(one.author.id)} />`}
          <strong>${who}</strong>
          ${one.connector && html`<${ChannelMark} connector=${one.connector} channel=${one.channel} />`}
          ${one.direction === "note" && html`<span class="chip is-note">${t("note")}</span>`}
          <${Flags} one=${one} />
          <${Times} one=${one} />
        </header>
        ${one.deleted_at && html`<p class="told">${t("deleted")}</p>`}
        <${Body} one=${one} />
        ${one.attachments.some((file) => !file.inline) && html`<${Files} files=${one.attachments.filter((file) => !file.inline)} />`}
        ${one.quoted && html`<details class="quoted"><summary>${t("quoted")}</summary><div class="text">${one.quoted}</div></details>`}
        ${one.revisions.length > 0 && html`<${Revisions} one=${one} />`}
        ${one.reactions.length > 0 && html`<p class="reactions">${one.reactions.map((found) => html`<span title=${found.author.name ?? ""}>${found.emoji}</span>`)}</p>`}
        ${one.delivery && html`<${DeliveryLine} one=${one} delivery=${one.delivery} />`}
      </article>
    </li>
  `;
}

/** @param {Message} one */
function authorOf(one) {
  if (one.author.type === "agent") return one.author.id === me.value?.id ? t("you") : (one.author.name ?? agentName(one.author.id));
  return one.author.name ?? (one.author.type === "system" ? "Santral" : t("unknownCustomer"));
}

/** @param {{one: Message}} props */
function Flags({ one }) {
  const { bounce, auto_submitted, bulk, authenticated } = one.flags;
  const forged = authenticated?.dmarc === "fail" || one.channel_data["email.warning"];
  return html`
    ${bounce && html`<span class="chip">${t("bounce")}</span>`}
    ${auto_submitted && !bounce && html`<span class="chip">${t("automatic")}</span>`}
    ${bulk && html`<span class="chip">${t("bulk")}</span>`}
    ${forged && html`<span class="chip is-urgent" title=${one.channel_data["email.warning"] ?? ""}>${t("forged")}</span>`}
  `;
}

/** @param {{one: Message}} props */
function Times({ one }) {
  const came = one.received_at ?? one.created_at;
  const late = one.sent_at && Math.abs(Date.parse(came) - Date.parse(one.sent_at)) > APART;
  const title = [one.sent_at && t("writtenAt", { at: exactly(one.sent_at) }), t("receivedAt", { at: exactly(came) })].filter(Boolean).join("\n");
  return html`
    <span class="times" title=${title}>
      <time datetime=${came}>${timeOf(came)}</time>
      ${late && one.sent_at && html` · <time class="late" datetime=${one.sent_at}>${t("writtenAt", { at: exactly(one.sent_at) })}</time>`}
      ${one.external.original_id && html` · <a href="/api/v1/messages/${one.id}/original" download>${t("original")}</a>`}
    </span>
  `;
}

/** @param {{one: Message}} props */
function Body({ one }) {
  if (one.html !== null && one.direction === "inbound") return html`<${Frame} one=${one} /><${Inline} one=${one} />`;
  const parts = one.parts.filter((part) => part.text && part.text !== one.text);
  return html`
    ${one.text && html`<div class="text" dir="auto">${linked(one.text)}</div>`}
    ${parts.map((part) => html`<div class="part is-${part.type}">${part.text}</div>`)}
    <${Inline} one=${one} />
  `;
}

/** Files that stand within the text, where the text cannot show them. @param {{one: Message}} props */
function Inline({ one }) {
  const shown = one.attachments.filter((file) => file.inline && (one.html === null || !one.html.includes(`cid:${file.content_id}`)));
  return shown.length ? html`<${Files} files=${shown} />` : null;
}

/** Text whose links can be followed. @param {string} text */
function linked(text) {
  const pieces = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    pieces.push(text.slice(end, found.index), html`<a href=${found[0]} target="_blank" rel="noopener noreferrer nofollow">${found[0]}</a>`);
    end = found.index + found[0].length;
  }
  return [...pieces, text.slice(end)];
}

/** HTML in a frame of its own, in which nothing runs; pictures from elsewhere are loaded when asked for. @param {{one: Message}} props */
function Frame({ one }) {
  const frame = useRef(/** @type {HTMLIFrameElement | null} */ (null));
  const [images, setImages] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const watched = new ResizeObserver(() => fit(element));
    const loaded = () => {
      const body = element.contentDocument?.body;
      if (!body) return;
      fit(element);
      watched.observe(body);
      element.contentDocument?.addEventListener("keydown", press);
    };
    element.addEventListener("load", loaded);
    return () => {
      element.removeEventListener("load", loaded);
      watched.disconnect();
    };
  }, []);
  const remote = one.html?.includes("data-src=") ?? false;
  return html`
    ${remote && !images && html`<button type="button" class="quiet images" onClick=${() => setImages(true)}>${t("showImages")}</button>`}
    <iframe ref=${frame} title=${t("message", { who: authorOf(one) })} loading="lazy" referrerpolicy="no-referrer"
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
      src="/api/v1/messages/${one.id}/html${images ? "?images=true" : ""}" key=${images}></iframe>
  `;
}

/** @param {HTMLIFrameElement} element */
function fit(element) {
  const root = element.contentDocument?.documentElement;
  if (root) element.style.height = `${Math.ceil(root.getBoundingClientRect().height)}px`;
}

/** @param {{files: Attachment[]}} props */
function Files({ files }) {
  return html`<ul class="files">${files.map((file) => html`<li key=${file.id}><${FileView} file=${file} /></li>`)}</ul>`;
}

/** @param {{file: Attachment}} props */
function FileView({ file }) {
  if (file.state !== "ready") return html`<span class="file is-away">${file.filename}: ${t(`${file.state}File`)}</span>`;
  const address = `/api/v1/attachments/${file.id}`;
  const size = file.size === null ? "" : ` · ${bytes(file.size)}`;
  if (SHOWN.test(file.content_type)) {
    return html`<a class="file is-picture" href=${address} target="_blank" rel="noopener"><img src=${address} alt=${file.filename} loading="lazy" /></a>`;
  }
  if (file.content_type.startsWith("audio/")) return html`<audio controls preload="none" src=${address} title=${file.filename}></audio>`;
  if (file.content_type.startsWith("video/")) return html`<video controls preload="none" src=${address} title=${file.filename}></video>`;
  return html`<a class="file" href=${address} download><${Icon} name="clip" /> ${file.filename}<small>${size}</small></a>`;
}

/** @param {number} size */
function bytes(size) {
  if (size < 1024) return `${count(size)} B`;
  if (size < 1024 * 1024) return `${count(Math.round(size / 1024))} KB`;
  return `${count(Math.round(size / 1024 / 102.4) / 10)} MB`;
}

/** What it said before. @param {{one: Message}} props */
function Revisions({ one }) {
  return html`
    <details class="quoted">
      <summary>${t("edited")}</summary>
      ${one.revisions.map((found) => html`<div class="text"><time datetime=${found.until}>${exactly(found.until)}</time> ${found.text}</div>`)}
    </details>
  `;
}

/** What became of a reply, why, and what can be done about it. @param {{one: Message, delivery: Delivery}} props */
function DeliveryLine({ one, delivery }) {
  const { state, error } = delivery;
  const again = state === "failed" || state === "unknown";
  const stoppable = state === "queued" || state === "scheduled" || state === "waiting";
  const act = (/** @type {string} */ what) => async () => changed(await attempt(() => call("POST", `/messages/${one.id}/${what}`)));
  const at = delivery.next_attempt_at ? exactly(delivery.next_attempt_at) : "";
  const words = state === "waiting" || state === "sending" ? t(STATES[state]) : t(state, { at });
  const failed = delivery.recipients.filter((who) => who.state === "failed");
  return html`
    <p class="delivery is-${state}">
      <span>${words}</span>
      ${error && html`<span class="why">${error.text}</span>`}
      ${!error && failed.map((who) => html`<span class="why">${who.address}: ${who.text}</span>`)}
      ${again && html`<button type="button" onClick=${act("retry")}>${t("retry")}</button>`}
      ${stoppable && html`<button type="button" class="quiet" onClick=${act("cancel")}>${t("cancel")}</button>`}
    </p>
  `;
}
