/** The button in the corner, and the window that it opens. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { CallBack } from "./call_back.js";
import { Composer } from "./composer.js";
import { Introduction, OfflineForm } from "./forms.js";
import { Icon, IconButton } from "./icons.js";
import { Log } from "./log.js";
import { Face } from "./message.js";

/** @typedef {import("../chat.js").Chat} Chat */

const PHONE = "(max-width: 480px), (max-height: 420px)"; // as style.css has it: there the window takes the screen

const TALKING = 900000; // milliseconds since the last reply

/** @param {{ chat: Chat }} properties */
export function App({ chat }) {
  const returns = useRef(/** @type {HTMLElement | null} */ (null));
  return html`
    ${chat.open.value && html`<${Panel} key=${chat.generation.value} chat=${chat} opener=${returns} />`}
    <${Launcher} chat=${chat} button=${returns} />`;
}

/** @param {{ chat: Chat, button: { current: HTMLElement | null } }} properties */
function Launcher({ chat, button }) {
  const [unread, open] = [chat.unread, chat.open.value];
  const label = open ? chat.words.t("closeChat") : unread ? chat.words.t("openChatUnread", { n: unread }) : chat.words.t("openChat");
  const click = () => (open ? chat.hide() : chat.show());
  return html`
    <button type="button" ref=${button} class=${open ? "launcher is-open" : "launcher"} aria-label=${label} title=${label}
      aria-haspopup="dialog" aria-expanded=${open} onClick=${click}>
      <${Icon} name=${open ? "close" : "chat"} />
      ${unread > 0 && !open && html`<span class="badge" aria-hidden="true">${unread > 99 ? "99+" : unread}</span>`}
    </button>
    <p class="spoken" role="status">${unread > 0 && !open ? chat.words.t("unread", { n: unread }) : ""}</p>`;
}

/** @param {HTMLElement} panel */
function focusable(panel) {
  const all = panel.querySelectorAll("button, a[href], input, textarea, [tabindex='0']");
  return Array.from(all).filter((one) => !one.matches(":disabled, [hidden]"));
}

/** Focus goes into the window that somebody opened, stays there on a phone, and goes back to the button.
 * @param {Chat} chat @param {{ current: HTMLElement | null }} panel @param {{ current: HTMLElement | null }} opener */
function useFocus(chat, panel, opener) {
  useEffect(() => {
    const { activeElement } = document;
    const element = /** @type {HTMLElement} */ (panel.current);
    const root = /** @type {ShadowRoot} */ (element.getRootNode());
    // A window that opens by itself takes no focus from the page. On a touch screen the keyboard would hide the greeting.
    if (root.activeElement || (activeElement && activeElement !== document.body)) {
      const field = window.matchMedia("(pointer: coarse)").matches ? null : element.querySelector("textarea, input:not([hidden])");
      /** @type {HTMLElement} */ (field || element).focus();
    }
    return () => {
      // By now the window is gone, and its focus with it; a focus elsewhere is the host page's and stays there.
      const free = [document.body, root.host, null].includes(/** @type {any} */ (document.activeElement));
      if (free && !chat.open.value) setTimeout(() => opener.current && opener.current.focus());
    };
  }, []);
}

/** @param {Chat} chat @param {KeyboardEvent} event */
function onKey(chat, event) {
  if (event.key === "Escape" && !event.isComposing) chat.hide();
  if (event.key !== "Tab" || !window.matchMedia(PHONE).matches) return;
  const panel = /** @type {HTMLElement} */ (event.currentTarget);
  const all = /** @type {HTMLElement[]} */ (focusable(panel));
  const [from, to] = event.shiftKey ? [all[0], all[all.length - 1]] : [all[all.length - 1], all[0]];
  const active = /** @type {ShadowRoot} */ (panel.getRootNode()).activeElement;
  if (active !== from && !(event.shiftKey && active === panel)) return;
  event.preventDefault();
  to.focus();
}

/** @param {{ chat: Chat, opener: { current: HTMLElement | null } }} properties */
function Panel({ chat, opener }) {
  const panel = useRef(null);
  const [calling, setCalling] = useState(false);
  const [dropping, setDropping] = useState(false);
  const [full, setFull] = useState(false);
  useFocus(chat, panel, opener);
  /** @param {DragEvent} event */
  const over = (event) => {
    if (!event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) return;
    event.preventDefault();
    setDropping(true);
  };
  /** @param {DragEvent} event */
  const drop = (event) => {
    event.preventDefault();
    setDropping(false);
    if (event.dataTransfer) setFull(!chat.files.add(event.dataTransfer.files));
  };
  return html`
    <section class="panel" role="dialog" ref=${panel} tabindex="-1" aria-labelledby="title"
      aria-modal=${window.matchMedia(PHONE).matches} onKeyDown=${(/** @type {KeyboardEvent} */ event) => onKey(chat, event)}
      onDragOver=${over} onDragLeave=${() => setDropping(false)} onDrop=${drop}>
      <${Header} chat=${chat} calling=${calling} call=${setCalling} />
      <${Banner} chat=${chat} />
      <${Log} chat=${chat} />
      ${calling ? html`<${CallBack} chat=${chat} done=${() => setCalling(false)} />`
    : html`<${Writing} chat=${chat} full=${full} setFull=${setFull} />`}
      ${dropping && html`<p class="drop" aria-hidden="true">${chat.words.t("dropHere")}</p>`}
    </section>`;
}

/** What stands at the foot of the window. @param {{ chat: Chat, full: boolean, setFull: (full: boolean) => void }} properties */
function Writing({ chat, full, setFull }) {
  const prechat = chat.settings.value.prechat;
  // Nobody is shut out in the middle of a talk.
  const talks = chat.messages.value.some((one) => one.direction === "outbound" && Date.now() - Date.parse(one.sent_at || "") < TALKING);
  if (chat.hours.closed && !talks) return html`<${OfflineForm} chat=${chat} />`;
  const introduced = chat.details.value || chat.messages.value.length || chat.outbox.items.value.length;
  if (prechat && !introduced) return html`<${Introduction} chat=${chat} prechat=${prechat} />`;
  return html`<${Composer} chat=${chat} full=${full} setFull=${setFull} />`;
}

/** @param {{ chat: Chat, calling: boolean, call: (calling: boolean) => void }} properties */
function Header({ chat, calling, call }) {
  const { words } = chat;
  const agent = chat.agent.value;
  const { name, call_back } = chat.settings.value;
  return html`
    <div class="head">
      ${agent && html`<${Face} chat=${chat} author=${agent} />`}
      <div class="who">
        <h2 id="title" dir="auto">${name || words.t("chat")}</h2>
        ${agent && agent.name && html`<p dir="auto">${words.t("withAgent", { name: agent.name })}</p>`}
      </div>
      ${call_back && html`<${IconButton} icon="phone" label=${words.t("callBack")} aria-expanded=${calling}
        onClick=${() => call(!calling)} />`}
      <${IconButton} icon=${chat.muted.value ? "silent" : "sound"} label=${words.t("mute")} aria-pressed=${chat.muted.value}
        onClick=${() => chat.mute()} />
      <${IconButton} icon="close" label=${words.t("closeChat")} onClick=${() => chat.hide()} />
    </div>`;
}

/** What holds for the whole chat: the connection, the queue. @param {{ chat: Chat }} properties */
function Banner({ chat }) {
  const { words } = chat;
  const state = chat.connection.state.value;
  const queue = chat.queue.value;
  let text = "";
  if (state === "offline") text = words.t("offline");
  else if (state === "connecting" && !chat.loaded.value) text = words.t("connecting");
  else if (queue) {
    text = words.t("inQueue", { position: queue.position });
    if (queue.wait_seconds !== null) text += ` ${words.t("waitMinutes", { n: Math.max(1, Math.round(queue.wait_seconds / 60)) })}`;
  }
  return html`<p class="banner" role="status" data-state=${state}>${text}</p>`;
}
