/** Where the visitor writes. */

import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/hooks.js";
import { LONGEST_TEXT } from "../chat.js";
import { html } from "../html.js";
import { Icon, IconButton } from "./icons.js";

/** @typedef {import("../chat.js").Chat} Chat */

/** @param {{ chat: Chat, full: boolean, setFull: (full: boolean) => void }} properties
 * full: more files were given than a message may have */
export function Composer({ chat, full, setFull }) {
  const { words, files } = chat;
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [waits, setWaits] = useState(false); // Send was pressed, and a file is not up yet
  const draft = chat.draft.value;
  const uploads = files.uploads.value;
  const beyond = Array.from(draft).length - LONGEST_TEXT;
  const uploading = uploads.some(({ state }) => state === "uploading");
  const send = () => {
    if (beyond > 0) return;
    setWaits(uploading);
    if (!uploading) chat.say(draft);
  };
  useEffect(() => { if (waits && !uploading) send(); }, [uploading]);
  useLayoutEffect(() => fit(field.current), [draft]);
  /** @param {Iterable<File> | null} given */
  const add = (given) => { setFull(given !== null && !files.add(given)); };
  return html`
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
      <${Uploads} chat=${chat} />
      ${beyond > 0 && html`<p class="wrong" role="alert">${words.t("tooLong", { n: beyond })}</p>`}
      ${full && html`<p class="wrong" role="alert">${words.t("tooManyFiles")}</p>`}
      ${waits && html`<p class="hint" role="status">${words.t("waitsForFiles")}</p>`}
      <div class="line">
        <${FileButton} icon="clip" label=${words.t("attach")} add=${add} multiple />
        <${FileButton} icon="camera" label=${words.t("camera")} add=${add} accept="image/*" capture="environment" />
        <textarea ref=${field} rows="1" dir="auto" enterkeyhint="send" aria-label=${words.t("message")}
          placeholder=${words.t("writeMessage")} value=${draft} aria-invalid=${beyond > 0}
          onInput=${(/** @type {InputEvent} */ event) => chat.write(/** @type {HTMLTextAreaElement} */ (event.target).value)}
          onPaste=${(/** @type {ClipboardEvent} */ event) => pasted(event, add)}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => entered(event, send)} />
        <button type="submit" class="send" title=${words.t("send")} aria-label=${words.t("send")}><${Icon} name="send" /></button>
      </div>
    </form>`;
}

/** @param {KeyboardEvent} event @param {() => void} send */
function entered(event, send) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
}

/** @param {ClipboardEvent} event @param {(files: Iterable<File>) => void} add */
function pasted(event, add) {
  const files = event.clipboardData ? event.clipboardData.files : null;
  if (!files || !files.length) return;
  event.preventDefault();
  add(files);
}

/** As high as what is written. @param {HTMLTextAreaElement | null} field */
function fit(field) {
  if (!field || (window.CSS && CSS.supports("field-sizing", "content"))) return;
  field.style.setProperty("height", "auto");
  field.style.setProperty("height", `${field.scrollHeight + 2}px`);
}

/** @param {{ icon: "clip" | "camera", label: string, add: (files: FileList | null) => void, [property: string]: any }} properties */
function FileButton({ icon, label, add, ...input }) {
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const changed = () => {
    const { current } = picker;
    if (!current) return;
    add(current.files);
    current.value = "";
  };
  return html`
    <input type="file" ref=${picker} hidden aria-label=${label} tabindex="-1" onChange=${changed} ...${input} />
    <${IconButton} class=${icon} icon=${icon} label=${label} onClick=${() => picker.current && picker.current.click()} />`;
}

/** @type {Record<import("../types.js").Upload["state"], "uploading" | "uploaded" | "uploadFailed" | "fileTooLarge">} */
const WORDS = { uploading: "uploading", ready: "uploaded", failed: "uploadFailed", too_large: "fileTooLarge" };

/** The files that go with the next message. @param {{ chat: Chat }} properties */
function Uploads({ chat }) {
  const { words, files } = chat;
  if (!files.uploads.value.length) return null;
  return html`<ul class="uploads">${files.uploads.value.map(({ key, file, state, progress }) => {
    const wrong = state === "failed" || state === "too_large";
    const percent = Math.round(progress * 100);
    return html`
      <li key=${key} class=${wrong ? "wrong" : ""}>
        <span role=${wrong ? "alert" : undefined}>${words.t(WORDS[state], { name: file.name, percent })}</span>
        ${state === "uploading" && html`<progress max="100" value=${percent} aria-label=${file.name}></progress>`}
        ${state === "failed" && html`<button type="button" class="choice" onClick=${() => files.send(key)}>${words.t("tryAgain")}</button>`}
        <${IconButton} icon="close" label=${words.t("remove", { name: file.name })} onClick=${() => files.remove(key)} />
      </li>`;
  })}</ul>`;
}
