/** Small things that several views show. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { ago, exactly, language, speak, t } from "../i18n.js";
import { agentName, me, tagCalled } from "../session.js";
import { Icon } from "./icons.js";

/** @import {Language} from "../i18n.js" */
/** @import {Message} from "../types.d.ts" */

const LANGUAGES = /** @type {[Language, string][]} */ ([["en", "English"], ["tr", "Türkçe"]]);
const MINUTE = 60_000;
const GAP = 6; // pixels between a window and what it stands beside

export function Languages() {
  const choose = (/** @type {Event} */ event) => speak(/** @type {Language} */ (/** @type {HTMLSelectElement} */ (event.target).value));
  return html`
    <label class="languages">${t("language")}
      <select value=${language.value} onChange=${choose}>
        ${LANGUAGES.map(([id, name]) => html`<option value=${id} lang=${id}>${name}</option>`)}
      </select>
    </label>
  `;
}

/** How long ago; it goes on by itself. @param {{at: string}} props */
export function Ago({ at }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  return html`<time datetime=${at} title=${exactly(at)}>${ago(at, now)}</time>`;
}

/** Whether the one who sits here wrote it. @param {Message} one */
export function isMine(one) {
  return one.author.type === "agent" && one.author.id === me.value?.id;
}

/** Who wrote a message. @param {Message} one */
export function authorOf(one) {
  if (isMine(one)) return t("you");
  if (one.author.type === "agent") return one.author.name ?? agentName(one.author.id);
  return one.author.name ?? (one.author.type === "system" ? "Santral" : t("unknownCustomer"));
}

/** By which connector something came: a mark, and its name for those who cannot see it. @param {{connector: string, channel: string}} props */
export function ChannelMark({ connector, channel }) {
  return html`<span class="mark is-${connector}" title=${channel}><${Icon} name=${connector} /><span class="unseen">${channel}</span></span>`;
}

/** The first letters of a name, on a colour that is always the same. @param {{name: string, picture?: string | null}} props */
export function Face({ name, picture }) {
  if (picture) return html`<img class="face" src=${picture} alt="" loading="lazy" />`;
  const letters = name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toLocaleUpperCase(language.value);
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 12, 7);
  return html`<span class="face hue-${hue}" aria-hidden="true">${letters || "?"}</span>`;
}

/** A tag, in its colour. @param {{name: string}} props */
export function TagChip({ name }) {
  const known = tagCalled(name);
  return html`<span class="chip ${known?.colour ? `tone-${known.colour}` : ""}" title=${known?.description ?? undefined}>${name}</span>`;
}

/**
 * A window over the page: closed by Escape and by a click beside it; the focus stays in it, and is then where it was.
 * @param {{title: string, close: () => void, children: any, wide?: boolean, beside?: boolean}} props `beside`: it stands at
 *   what had the focus, as a menu does
 */
export function Window({ title, close, children, wide, beside }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    if (beside && dialog.current && opener) placeBeside(dialog.current, opener.getBoundingClientRect());
    return () => queueMicrotask(() => document.activeElement === document.body && opener instanceof HTMLElement && opener.focus()); // once it is gone
  }, []);
  const away = (/** @type {MouseEvent} */ event) => event.target === dialog.current && close();
  return html`
    <dialog ref=${dialog} class=${wide ? "is-wide" : beside ? "is-beside" : ""} aria-label=${title} onClick=${away} onCancel=${close} onClose=${close}>
      <header><h2>${title}</h2><button type="button" class="quiet" aria-label=${t("closeWindow")} onClick=${close}><${Icon} name="cross" /></button></header>
      ${children}
    </dialog>
  `;
}

/**
 * Asks whether something is meant that cannot be undone.
 * @param {{title: string, yes: string, close: () => void, sure: () => unknown, children: any}} props `sure` is called after `close`
 */
export function Confirm({ title, yes, close, sure, children }) {
  const meant = () => {
    close();
    sure();
  };
  return html`
    <${Window} title=${title} close=${close}>
      ${children}
      <div class="line"><button type="button" class="primary" autofocus onClick=${meant}>${yes}</button>
        <button type="button" class="quiet" onClick=${close}>${t("leave")}</button></div>
    <//>
  `;
}

/** Above it, else below, and within the page. @param {HTMLElement} element @param {DOMRect} opener */
function placeBeside(element, opener) {
  const { width, height } = element.getBoundingClientRect();
  const above = opener.top - height - GAP;
  const top = above >= GAP ? above : Math.min(opener.bottom + GAP, innerHeight - height - GAP);
  element.style.top = `${Math.max(GAP, top)}px`;
  element.style.left = `${Math.max(GAP, Math.min(opener.left, innerWidth - width - GAP))}px`;
}
