/** Everything that was said, the newest at the end. */

import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { IconButton } from "./icons.js";
import { MessageItem, UnsentItem } from "./message.js";
import { Rating } from "./rating.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../types.js").Message} Message */

const NEAR = 80; // pixels above the end that still count as the end

/** @param {Message} message */
const dayOf = (message) => new Date(message.sent_at || message.received_at || Date.now()).toDateString();
/** @param {Message | undefined} one @param {Message | undefined} other */
const inARow = (one, other) => Boolean(one && other && one.kind === "message" && other.kind === "message"
  && one.direction === other.direction && one.author.name === other.author.name && dayOf(one) === dayOf(other));

/** Stays at the end for whoever is there, and where it is for whoever reads what was before. @param {unknown[]} content */
function useEnd(content) {
  const log = useRef(/** @type {HTMLElement | null} */ (null));
  const atEnd = useRef(true);
  const [away, setAway] = useState(false);
  const toEnd = () => { if (log.current) log.current.scrollTop = log.current.scrollHeight; };
  useLayoutEffect(() => { if (atEnd.current) toEnd(); }, content);
  useEffect(() => {
    if (!log.current || !window.ResizeObserver) return undefined;
    const watch = new ResizeObserver(() => { if (atEnd.current) toEnd(); }); // pictures, the keyboard
    watch.observe(log.current);
    if (log.current.firstElementChild) watch.observe(log.current.firstElementChild);
    return () => watch.disconnect();
  }, []);
  const onScroll = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = log.current || {};
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
    setAway(!atEnd.current);
  };
  return { log, away, toEnd, onScroll, atEnd };
}

/** @param {{ chat: Chat }} properties */
export function Log({ chat }) {
  const { words } = chat;
  const messages = chat.messages.value;
  const unsent = chat.outbox.items.value;
  const typing = chat.typing.value;
  const { log, away, toEnd, onScroll, atEnd } = useEnd([messages, unsent.length, typing, chat.rating.value]);
  const sent = useRef(unsent.length);
  if (unsent.length > sent.current) atEnd.current = true; // whoever writes wants to see it
  sent.current = unsent.length;
  const { greeting } = chat.settings.value;
  const lastRead = messages.findIndex(({ id }) => id === chat.companyRead.value);
  return html`
    <div class="middle">
      <div class="log" ref=${log} role="log" aria-live="polite" aria-label=${words.t("messages")} tabindex="0" onScroll=${onScroll}>
        <div><ol>
          ${greeting && html`<li class="theirs" key="greeting"><div class="said"><p class="text" dir="auto">${greeting}</p></div></li>`}
          ${messages.map((message, index) => html`
            ${(index === 0 || dayOf(message) !== dayOf(messages[index - 1])) && html`
              <li class="day" key=${`day ${dayOf(message)}`}>${words.day(message.sent_at || message.received_at || "")}</li>`}
            <${MessageItem} key=${message.id} chat=${chat} message=${message} seen=${index <= lastRead}
              first=${!inARow(messages[index - 1], message)}
              choosable=${index === messages.length - 1 && !unsent.length} />`)}
          ${unsent.map((item) => html`<${UnsentItem} key=${item.id} chat=${chat} item=${item} />`)}
          ${typing && html`<li class="theirs typing" key="typing" dir="auto">
            <span class="dots" aria-hidden="true"><i /><i /><i /></span>
            ${typing.name ? words.t("typing", { name: typing.name }) : words.t("typingSomebody")}</li>`}
        </ol>
        ${chat.rating.value && chat.settings.value.rating && html`<${Rating} chat=${chat} />`}</div>
      </div>
      ${away && html`<${IconButton} class="to-end" icon="down" label=${words.t("newMessages")} onClick=${toEnd} />`}
    </div>`;
}
