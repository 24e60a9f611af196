/** One message, as it stands in the log. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { html, steady } from "../html.js";
import { linked } from "../text.js";
import { Icon } from "./icons.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../types.js").Message} Said */
/** @typedef {import("../types.js").Attachment} Attachment */

const SHOWN = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;
const LARGEST_SHOWN = 8 * 1024 * 1024; // bytes
const SIDE = 480; // pixels of a picture in the log

/** @param {{ text: string }} properties */
export function Text({ text }) {
  return linked(text).map(({ text: words, href }) => (href
    ? html`<a href=${href} target="_blank" rel="noopener noreferrer">${words}</a>` : words));
}

/** The picture of an author, or the first letter of their name. @param {{ chat: Chat, author: import("../types.js").Author }} properties */
export function Face({ chat, author }) {
  const [broken, setBroken] = useState(false);
  const shown = author.picture && !broken;
  return html`<span class="face" aria-hidden="true">${shown
    ? html`<img src=${new URL(/** @type {string} */ (author.picture), chat.base).href} alt="" onError=${() => setBroken(true)} />`
    : Array.from(author.name || "·")[0]}</span>`;
}

/** Drawn, not linked: a canvas needs no `img-src blob:` of the host page. @param {Blob} blob @param {HTMLCanvasElement} canvas */
async function draw(blob, canvas) {
  const picture = await createImageBitmap(blob);
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  if (context) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
}

/** @param {{ chat: Chat, file: Attachment }} properties */
function Picture({ chat, file }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let here = true;
    chat.files.blob(file.id)
      .then((blob) => (here && canvas.current ? draw(blob, canvas.current) : undefined))
      .catch(() => here && setFailed(true));
    return () => { here = false; };
  }, [file.id]);
  if (failed) return html`<${Download} chat=${chat} file=${file} />`;
  return html`<button type="button" class="picture" onClick=${() => void chat.files.save(file)}>
    <canvas ref=${canvas} role="img" aria-label=${chat.words.t("picture", { name: file.filename })}></canvas></button>`;
}

/** @param {{ chat: Chat, file: Attachment }} properties */
function Download({ chat, file }) {
  const [failed, setFailed] = useState(false);
  const { words } = chat;
  const save = () => { chat.files.save(file).then(() => setFailed(false), () => setFailed(true)); };
  return html`
    <button type="button" class="file" aria-label=${words.t("download", { name: file.filename })} onClick=${save}>
      <${Icon} name="file" /><bdi>${file.filename}</bdi>${file.size !== null && html`<small>${words.size(file.size)}</small>`}
    </button>
    ${failed && html`<span role="alert" class="wrong">${words.t("fileGone", { name: file.filename })}</span>`}`;
}

/** @param {{ chat: Chat, file: Attachment }} properties */
export function File({ chat, file }) {
  if (file.state === "pending") return html`<span class="file">${chat.words.t("fileComes", { name: file.filename })}</span>`;
  if (file.state !== "ready") return html`<span class="file">${chat.words.t("fileGone", { name: file.filename })}</span>`;
  const shown = SHOWN.test(file.content_type) && (file.size || 0) <= LARGEST_SHOWN && "createImageBitmap" in window;
  return html`<${shown ? Picture : Download} chat=${chat} file=${file} />`;
}

/** @param {Chat} chat @param {Said} message */
function eventWords(chat, message) {
  for (const { type, data } of message.parts) {
    if (type === "rating") return chat.words.t("rated", { n: data.score || 0 });
    if (type === "call_back") return chat.words.t("callBackAsked", { phone: data.phone || "" });
  }
  return message.text;
}

/** @param {{ chat: Chat, message: Said, first: boolean, seen: boolean, choosable: boolean }} properties
 * first: of its author's messages in a row */
function Message({ chat, message, first, seen, choosable }) {
  const { words } = chat;
  if (message.kind === "event") return html`<li class="event" dir="auto">${eventWords(chat, message)}</li>`;
  const mine = message.direction === "inbound";
  const at = message.sent_at || message.received_at;
  const text = message.deleted ? words.t("deleted") : message.text;
  const buttons = choosable ? message.parts.flatMap(({ data }) => (data && data.buttons) || []) : [];
  return html`
    <li class=${`${mine ? "mine" : "theirs"}${message.deleted ? " deleted" : ""}`}>
      ${!mine && first && html`<${Face} chat=${chat} author=${message.author} />`}
      <div class="said">
        <span class=${first && !mine ? "author" : "spoken"} dir="auto">${mine ? words.t("you") : message.author.name || chat.settings.value.name}</span>
        ${text && html`<p class="text" dir="auto"><${Text} text=${text} /></p>`}
        ${message.attachments.map((file) => html`<${File} key=${file.id} chat=${chat} file=${file} />`)}
        <${Meta} parts=${[at && words.time(at), message.edited && !message.deleted && words.t("edited")]}
          mark=${mine ? (seen ? "seen" : "sent") : null} label=${mine ? words.t(seen ? "seen" : "sent") : ""} />
        ${buttons.length > 0 && html`<div class="choices">${buttons.map(({ label, value }) => html`
          <button type="button" class="choice" dir="auto" onClick=${() => chat.choose(message, value)}>${label}</button>`)}</div>`}
      </div>
    </li>`;
}

export const MessageItem = steady(Message);

/** @param {{ parts: (string | false | null)[], mark: "wait" | "sent" | "seen" | null, label: string }} properties */
function Meta({ parts, mark, label }) {
  return html`<span class="meta">${parts.filter(Boolean).join(" · ")}${mark && html`
    <${Icon} name=${mark} /><span class="spoken">${label}</span>`}</span>`;
}

/** What was sent and is not acknowledged. @param {{ chat: Chat, item: import("../types.js").Unsent }} properties */
export function UnsentItem({ chat, item }) {
  const { words, outbox } = chat;
  const { shown, error } = item;
  const reason = error === "too_large" ? "tooLarge" : error === "bad_frame" ? "refused" : "notSent";
  if (!shown && !error) return null;
  return html`
    <li class=${error ? "mine refused" : "mine"}>
      <div class="said">
        <span class="spoken">${words.t("you")}</span>
        ${shown && shown.text && html`<p class="text" dir="auto"><${Text} text=${shown.text} /></p>`}
        ${shown && shown.attachments.map((file) => html`<${File} key=${file.id} chat=${chat} file=${file} />`)}
        ${error ? html`
          <p class="wrong" role="alert">${words.t(reason)}</p>
          <div class="choices">
            <button type="button" class="choice" onClick=${() => outbox.again(item.id)}>${words.t("tryAgain")}</button>
            <button type="button" class="choice" onClick=${() => outbox.discard(item.id)}>${words.t("discard")}</button>
          </div>` : html`<${Meta} parts=${[words.t("sending")]} mark="wait" label="" />`}
      </div>
    </li>`;
}
