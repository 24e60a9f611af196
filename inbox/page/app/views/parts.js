/** Small things that several views show. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { ago, exactly, language, speak, t } from "../i18n.js";
import { tagCalled } from "../session.js";
import { Icon } from "./icons.js";

/** @import {Language} from "../i18n.js" */

const LANGUAGES = /** @type {[Language, string][]} */ ([["en", "English"], ["tr", "Türkçe"]]);
const MINUTE = 60_000;

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
 * A window over the page: closed by Escape and by a click beside it, and the focus stays in it.
 * @param {{title: string, close: () => void, children: any, wide?: boolean}} props
 */
export function Window({ title, close, children, wide }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  const beside = (/** @type {MouseEvent} */ event) => event.target === dialog.current && close();
  return html`
    <dialog ref=${dialog} class=${wide ? "is-wide" : ""} aria-label=${title} onClick=${beside} onCancel=${close} onClose=${close}>
      <header><h2>${title}</h2><button type="button" class="quiet" aria-label=${t("closeWindow")} onClick=${close}><${Icon} name="cross" /></button></header>
      ${children}
    </dialog>
  `;
}
