/** One message as agents see it, whatever channel it came by. */

import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/hooks.js";
import { canReact, edit, editing, hasReacted, isHeld, react } from "../amending.js";
import { call } from "../api.js";
import { press } from "../commands.js";
import { menu } from "../focus.js";
import { html } from "../html.js";
import { exactly, t, timeOf } from "../i18n.js";
import { attempt } from "../notices.js";
import { go, queryOf } from "../route.js";
import { agentName, agentPicture } from "../session.js";
import { changed, messages } from "../thread.js";
import { Files } from "./files.js";
import { Icon } from "./icons.js";
import { ChannelMark, Face, authorOf, isMine } from "./parts.js";

/** @import {Delivery, Message} from "../types.d.ts" */

const APART = 5 * 60_000; // milliseconds between writing and coming in, from which both are shown
const LINK = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'’”]/g;
const STATES = /** @type {const} */ ({ waiting: "waitingState", sending: "sendingState" });

/**
 * @param {{one: Message, before?: Message, named?: boolean, acts?: boolean}} props `before`: the one above it; `named`: the
 *   address points at it; `acts`: something can be done with it, as in the conversation that is open
 */
export function MessageView({ one, before, named, acts }) {
  const who = authorOf(one);
  const kind = one.kind === "event" ? "is-event" : `is-${one.direction}`;
  const kinds = `${kind} ${one.deleted_at ? "is-deleted" : ""} ${named ? "is-named" : ""}`;
  const answers = acts && one.relations.reply_to && one.relations.reply_to !== before?.id;
  const changes = acts && editing.value === one.id;
  return html`
    <li class="message ${kinds}" id=${acts ? `m-${one.id}` : undefined}>
      <article aria-label=${t("message", { who })} tabindex=${acts ? -1 : undefined}>
        <header>
          ${one.author.type === "agent" && html`<${Face} name=${one.author.name ?? agentName(one.author.id)} picture=${agentPicture(one.author.id)} />`}
          <strong>${isMine(one) ? t("youFirst") : who}</strong>
          ${one.connector && html`<${ChannelMark} connector=${one.connector} channel=${one.channel} />`}
          ${one.direction === "note" && html`<span class="chip is-note">${t("note")}</span>`}
          <${Flags} one=${one} />
          <${Times} one=${one} />
          ${acts && html`<${MenuButton} one=${one} who=${who} />`}
        </header>
        ${answers && html`<${Answered} id=${one.relations.reply_to} conversation=${one.conversation_id} />`}
        ${one.deleted_at && html`<p class="told">${t("deleted")}</p>`}
        ${changes ? html`<${Change} one=${one} />` : html`<${Body} one=${one} />`}
        ${one.attachments.some((file) => !file.inline) && html`<${Files} files=${one.attachments.filter((file) => !file.inline)} />`}
        ${one.quoted && html`<details class="quoted"><summary>${t("quoted")}</summary><div class="text">${one.quoted}</div></details>`}
        ${one.revisions.length > 0 && html`<${Revisions} one=${one} />`}
        ${one.reactions.length > 0 && html`<${Reactions} one=${one} acts=${acts} />`}
        ${one.delivery && html`<${DeliveryLine} one=${one} delivery=${one.delivery} />`}
      </article>
    </li>
  `;
}

/** @param {{one: Message, who: string}} props */
function MenuButton({ one, who }) {
  const open = (/** @type {any} */ event) => (menu.value = { id: one.id, opener: event.currentTarget });
  return html`
    <button type="button" class="quiet more" aria-haspopup="menu" aria-expanded=${menu.value?.id === one.id} aria-keyshortcuts="m"
      title=${t("messageMenu")} aria-label=${`${t("messageMenu")}: ${who}`} onClick=${open}><${Icon} name="more" /></button>
  `;
}

/** The message that it answers, where that is not the one above. @param {{id: string, conversation: string}} props */
function Answered({ id, conversation }) {
  const found = messages.value.find((one) => one.id === id);
  const words = found ? `${t("inReplyTo", { who: authorOf(found) })}: ${found.text}` : t("inReplyToEarlier");
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    go({ message: id });
  };
  return html`<a class="answered" href=${queryOf({ c: conversation, message: id })} onClick=${open}>${words}</a>`;
}

/** Each emoji once, with how many put it there. @param {{one: Message, acts?: boolean}} props */
function Reactions({ one, acts }) {
  const all = [...new Set(one.reactions.map((found) => found.emoji))];
  return html`
    <p class="reactions">
      ${all.map((emoji) => {
        const by = one.reactions.filter((found) => found.emoji === emoji);
        const names = by.map((found) => found.author.name ?? t("customer")).join(", ");
        const shown = html`${emoji}${by.length > 1 && html`<small> ${by.length}</small>`}<span class="unseen">${names}</span>`;
        if (!acts || !canReact(one, emoji)) return html`<span key=${emoji} title=${names}>${shown}</span>`;
        return html`<button type="button" key=${emoji} class="reaction" aria-pressed=${hasReacted(one, emoji)} title=${names} onClick=${() => react(one, emoji)}>${shown}</button>`;
      })}
    </p>
  `;
}

/** Where a reply gets another text. @param {{one: Message}} props */
function Change({ one }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [saving, setSaving] = useState(false);
  useLayoutEffect(() => area.current?.focus(), []);
  const close = () => {
    const article = /** @type {HTMLElement | null | undefined} */ (area.current?.closest("article"));
    const elsewhere = document.activeElement !== document.body && !article?.contains(document.activeElement);
    editing.value = "";
    if (!elsewhere) article?.focus();
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = area.current?.value ?? "";
    if (!text.trim() || text === one.text) return close();
    setSaving(true);
    if (!(await edit(one, text))) setSaving(false);
    else if (editing.peek() === one.id) close(); // by now it may have been left, and another one be changed
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(event);
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  return html`
    <form class="change" onSubmit=${save}>
      <textarea ref=${area} rows="4" dir="auto" defaultValue=${one.text} aria-label=${t("changeMessage")} onKeyDown=${keys}></textarea>
      <div class="line"><button class="primary" disabled=${saving} title="Ctrl+Enter">${t("save")}</button>
        <button type="button" class="quiet" onClick=${close}>${t("leave")}</button></div>
    </form>
  `;
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
    </span>
  `;
}

/** @param {{one: Message}} props */
function Body({ one }) {
  if (one.html !== null && one.direction === "inbound") return html`<${Frame} one=${one} /><${Inline} one=${one} />`;
  const parts = one.parts.filter((part) => part.text && part.text !== one.text);
  return html`
    ${one.text && html`<div class="text" dir="auto">${linked(one.text)}</div>`}
    ${parts.map((part) => html`<div class="part is-${part.type}" dir="auto">${part.text}</div>`)}
    ${one.channel_data["webchat.page"] && html`<p class="told">${t("writtenOn")} ${linked(one.channel_data["webchat.page"])}</p>`}
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
  const held = isHeld(delivery);
  const again = state === "failed" || state === "unknown";
  const stoppable = state === "queued" || state === "scheduled" || state === "waiting";
  const act = (/** @type {string} */ what) => async () => changed(await attempt(() => call("POST", `/messages/${one.id}/${what}`)));
  const at = delivery.next_attempt_at ? exactly(delivery.next_attempt_at) : "";
  const words = held ? t("held") : state === "waiting" || state === "sending" ? t(STATES[state]) : t(state, { at });
  const unless = state === "scheduled" && delivery.unless_customer_writes;
  const failed = delivery.recipients.filter((who) => who.state === "failed");
  return html`
    <p class="delivery is-${state} ${held ? "is-held" : ""}">
      <span>${words}${unless ? `, ${t("unlessWrites")}` : ""}</span>
      ${error && !held && html`<span class="why">${error.text}</span>`}
      ${!error && failed.map((who) => html`<span class="why">${who.address}: ${who.text}</span>`)}
      ${held && html`<button type="button" onClick=${act("retry")}>${t("sendNow")}</button><button type="button" class="quiet" onClick=${act("cancel")}>${t("discard")}</button>`}
      ${again && html`<button type="button" onClick=${act("retry")}>${t("retry")}</button>`}
      ${stoppable && html`<button type="button" class="quiet" onClick=${act("cancel")}>${t("cancel")}</button>`}
    </p>
  `;
}
