/** Where a reply or a note is written. Which of both, by which channel and to whom it leaves is always in sight. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import * as compose from "../compose.js";
import { composing, direction } from "../focus.js";
import { html } from "../html.js";
import { bytes, t } from "../i18n.js";
import { typing } from "../presence.js";
import { conversation, ways } from "../thread.js";
import * as written from "../written.js";
import { Icon } from "./icons.js";
import { ChannelMark, authorOf } from "./parts.js";
import { Suggestions } from "./suggestions.js";

const LINES = 12;

export function Composer() {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [dragged, setDragged] = useState(false);
  const isNote = direction.value === "note";
  const way = written.way.value;
  const refused = !isNote && ways.value !== null && (!way || way.refused);
  useEffect(() => {
    composing.value = area.current;
    return () => (composing.value = null);
  }, []);
  useEffect(() => grow(area.current), [written.text.value]);

  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    compose.send();
  };
  /** @param {DragEvent} event */
  const drop = (event) => {
    event.preventDefault();
    setDragged(false);
    compose.attach(event.dataTransfer?.files ?? []);
  };
  /** @param {ClipboardEvent} event */
  const paste = (event) => {
    const pasted = event.clipboardData?.files ?? [];
    if (!pasted.length) return;
    event.preventDefault();
    compose.attach(pasted);
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    compose.send();
  };
  const answering = typing(conversation.value?.id ?? "").filter((one) => one.type === "agent").map((one) => one.name).join(", ");
  return html`
    <form class="composer ${isNote ? "is-note" : ""} ${dragged ? "is-dragged" : ""}" onSubmit=${submit} onDrop=${drop}
      onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setDragged(true); }} onDragLeave=${() => setDragged(false)}>
      <div class="kinds" role="radiogroup" aria-label=${t("choose")}>
        <${Kind} kind="outbound" label=${t("reply")} /><${Kind} kind="note" label=${t("note")} />
        <${Chip} isNote=${isNote} />
      </div>
      ${answering && !isNote && html`<p class="warning" role="status">${t("isAnswering", { who: answering })}</p>`}
      ${!isNote && written.answered.value && html`<${Answered} one=${written.answered.value} />`}
      ${!isNote && written.hasRecipients.value && html`<${Recipients} />`}
      <textarea ref=${area} rows="2" dir="auto" value=${written.text.value} aria-label=${isNote ? t("note") : t("reply")} disabled=${refused}
        placeholder=${isNote ? t("writeNote") : t("writeReply", { channel: way?.channel ?? "" })}
        onInput=${(/** @type {any} */ event) => compose.write(event.target.value)} onKeyDown=${keys} onPaste=${paste} onBlur=${compose.keep}></textarea>
      <${Suggestions} isNote=${isNote} />
      <${Files} />
      <div class="foot">
        <label class="button quiet" title=${t("attach")}><${Icon} name="clip" /><span class="unseen">${t("attach")}</span>
          <input type="file" multiple class="unseen" onChange=${(/** @type {any} */ event) => { compose.attach([...event.target.files]); event.target.value = ""; }} /></label>
        <button type="button" class="quiet" title=${t("emoji")} aria-label=${t("emoji")} aria-keyshortcuts="Control+i" disabled=${refused} onClick=${compose.askEmoji}><${Icon} name="smile" /></button>
        ${!isNote && html`<label class="later">${t("sendLater")} <input type="datetime-local" value=${written.later.value} onInput=${(/** @type {any} */ event) => (written.later.value = event.target.value)} /></label>`}
        ${!isNote && written.later.value && html`<label class="later"><input type="checkbox" checked=${written.unlessWrites.value} onChange=${(/** @type {any} */ event) => (written.unlessWrites.value = event.target.checked)} /> ${t("holdIfWrites")}</label>`}
        <button class="primary" disabled=${refused || (!isNote && !way) || written.empty.value || written.sending.value || written.uploading.value > 0} title="Ctrl+Enter">${isNote ? t("addNote") : t("send")}</button>
      </div>
    </form>
  `;
}

/** As high as what stands in it. @param {HTMLTextAreaElement | null} area */
function grow(area) {
  if (!area) return;
  area.rows = Math.min(LINES, Math.max(2, area.value.split("\n").length));
}

/** @param {{kind: "outbound" | "note", label: string}} props */
function Kind({ kind, label }) {
  const choose = () => {
    direction.value = kind;
    composing.peek()?.focus();
  };
  return html`<button type="button" role="radio" aria-checked=${direction.value === kind} class="kind" onClick=${choose}>${label}</button>`;
}

/** By which channel and to whom it leaves. @param {{isNote: boolean}} props */
function Chip({ isNote }) {
  const way = written.way.value;
  if (isNote) return html`<span class="way"><${Icon} name="lock" /> ${t("onlyStaff")}</span>`;
  if (ways.value === null) return html`<span class="way"></span>`;
  if (!way || way.refused) return html`<span class="way is-refused">${t("noWay", { why: way?.refused?.detail ?? "" })}</span>`;
  const usable = ways.value.filter((one) => !one.refused);
  const reached = way.identity?.name ?? way.identity?.value ?? conversation.value?.customer?.name ?? "";
  const words = t("leavesBy", { channel: way.channel, to: way.connector === "email" ? (way.identity?.value ?? reached) : reached });
  const state = way.state === "running" ? "" : ` · ${t(/** @type {any} */ (way.state))}`;
  if (usable.length < 2) return html`<span class="way"><${ChannelMark} connector=${way.connector} channel=${way.channel} /> ${words}${state}</span>`;
  return html`
    <label class="way"><${ChannelMark} connector=${way.connector} channel=${way.channel} />
      <select value=${way.channel} aria-label=${t("channels")} onChange=${(/** @type {any} */ event) => { written.channel.value = event.target.value; compose.touched(); }}>
        ${usable.map((one) => html`<option value=${one.channel}>${t("leavesBy", { channel: one.channel, to: one.identity?.value ?? "" })}</option>`)}
      </select>${state}
    </label>
  `;
}

/** The message that it answers. @param {{one: import("../types.d.ts").Message}} props */
function Answered({ one }) {
  const drop = () => {
    written.answered.value = null;
    compose.keep();
    composing.peek()?.focus();
  };
  return html`
    <p class="answered"><span>${t("inReplyTo", { who: authorOf(one) })}: ${one.text}</span>
      <button type="button" class="quiet" aria-label=${t("answerNone")} title=${t("answerNone")} onClick=${drop}><${Icon} name="cross" /></button></p>
  `;
}

function Recipients() {
  const way = written.way.value;
  const cc = written.cc.value ?? (way?.cc ?? []).join(", ");
  const open = cc !== "" || written.bcc.value !== "" || written.to.value !== "";
  const field = (/** @type {import("../../vendor/signals.js").Signal<any>} */ kept) => (/** @type {any} */ event) => { kept.value = event.target.value; compose.touched(); };
  return html`
    <details class="recipients" open=${open}>
      <summary>${t("copy")}${cc ? `: ${cc}` : ""}</summary>
      <label>${t("to")} <input value=${written.to.value} placeholder=${way?.identity?.value ?? ""} onInput=${field(written.to)} inputmode="email" /></label>
      <label>${t("cc")} <input value=${cc} onInput=${field(written.cc)} inputmode="email" /></label>
      <label>${t("bcc")} <input value=${written.bcc.value} onInput=${field(written.bcc)} inputmode="email" /></label>
    </details>
  `;
}

function Files() {
  const coming = written.uploading.value;
  if (!written.files.value.length && !coming) return null;
  return html`
    <ul class="files">
      ${written.files.value.map((one) => html`<li class="file" key=${one.id}>${one.filename}${one.size !== null && html` <small>${bytes(one.size)}</small>`} <button type="button" class="quiet" aria-label="${t("remove")}: ${one.filename}" onClick=${() => compose.detach(one.id)}><${Icon} name="cross" /></button></li>`)}
      ${coming > 0 && html`<li class="file is-away" role="status">${t("uploading", { n: coming })}</li>`}
    </ul>
  `;
}
