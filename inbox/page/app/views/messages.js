/** The messages of the open conversation: where one reads stays where it is, whatever comes above, below or later. */

import { useLayoutEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { dayOf, t } from "../i18n.js";
import { apart, conversation, earlier, loadEarlier, loadLater, messages, named, newest, sought, typingWords } from "../thread.js";
import { Icon } from "./icons.js";
import { MessageView } from "./message.js";

/** @import {Message} from "../types.d.ts" */

const NEAR = 120; // pixels from the end, within which the reader follows what comes
const NEAR_EDGE = 300; // from either end, within which more is loaded

export function Messages() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const { away, scrolled, moved } = usePlace(box);
  const shown = messages.value;
  return html`
    <div class="stream">
      <div class="messages" ref=${box} onScroll=${scrolled} onWheel=${moved} onTouchMove=${moved} onKeyDown=${moved} onPointerDown=${moved}
        tabindex="0" aria-label=${t("conversation")}>
        <ol>
          ${earlier.value && html`<li class="earlier"><button type="button" onClick=${loadEarlier}>${t("loadEarlier")}</button></li>`}
          ${shown.map((one, index) => html`<${Entry} key=${one.id} one=${one} before=${shown[index - 1]} named=${one.id === named.value} />`)}
          ${apart.value && html`<li class="earlier"><button type="button" onClick=${loadLater}>${t("loadLater")}</button></li>`}
        </ol>
        <p class="typing" role="status">${typingWords.value}</p>
      </div>
      ${away && html`<button type="button" class="newest" aria-keyshortcuts="G" onClick=${newest}><${Icon} name="down" /> ${t("newestMessages")}</button>`}
    </div>
  `;
}

/**
 * Keeps the place where one reads.
 * @param {{current: HTMLElement | null}} box what is scrolled
 * @returns {{away: boolean, scrolled: () => void, moved: () => void}} `away`: the end is out of sight; `scrolled` and `moved`
 *   are to be told of scrolling, and of the reader's hand in it
 */
function usePlace(box) {
  const held = useRef({ first: 0, id: "", height: 0, follows: true });
  /** What stays in the middle while what is around it takes its room; until the reader moves. */
  const middle = useRef("");
  const [away, setAway] = useState(false);
  const shown = messages.value;
  const id = conversation.value?.id ?? "";
  const target = sought.value;

  const hold = (/** @type {HTMLElement} */ element) => {
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    held.current = { first: messages.peek()[0]?.seq ?? 0, id, height: element.scrollHeight, follows: left < NEAR && !apart.peek() };
    setAway(apart.peek() || left > element.clientHeight);
    return left;
  };
  // Where earlier ones were put in above, what is read stays where it is; at the end, the reader follows.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { first, height, follows, id: before } = held.current;
    const wanted = target ? document.getElementById(`m-${target}`) : null;
    if (before !== id) middle.current = "";
    if (wanted) {
      sought.value = "";
      const isLast = target === shown.at(-1)?.id && !apart.peek();
      middle.current = isLast ? "" : target;
      bring(element, isLast ? null : wanted);
      /** @type {HTMLElement | null} */ (wanted.firstElementChild)?.focus({ preventScroll: true });
    } else if (before !== id) bring(element, null);
    else if ((shown[0]?.seq ?? 0) < first) element.scrollTop += element.scrollHeight - height;
    else if (follows) bring(element, null);
    hold(element);
  }, [shown, id, target]);
  // Frames and pictures take their room after they are loaded, and messages theirs when they come into sight.
  useLayoutEffect(() => {
    const element = box.current;
    const inside = element?.firstElementChild;
    if (!element || !inside) return undefined;
    const watched = new ResizeObserver(() => {
      const wanted = document.getElementById(`m-${middle.current}`);
      if (held.current.follows || wanted) bring(element, held.current.follows ? null : wanted);
      held.current.height = element.scrollHeight;
    });
    watched.observe(inside);
    return () => watched.disconnect();
  }, []);

  const scrolled = () => {
    const element = box.current;
    if (!element) return;
    const left = hold(element);
    if (element.scrollTop < NEAR_EDGE && earlier.value) loadEarlier();
    if (apart.value && left < NEAR_EDGE) loadLater();
  };
  return { away, scrolled, moved: () => (middle.current = "") };
}

/** Brings a message into the middle, or the end into sight. @param {HTMLElement} element @param {HTMLElement | null} message */
function bring(element, message) {
  if (message) message.scrollIntoView({ block: "center" });
  else element.scrollTop = element.scrollHeight;
}

/** A message, below a day's name where it is the first of that day, and below a mark where others are missing. @param {{one: Message, before: Message | undefined, named: boolean}} props */
function Entry({ one, before, named }) {
  const missing = before ? one.seq - before.seq - 1 : 0;
  const newDay = !before || new Date(before.created_at).toDateString() !== new Date(one.created_at).toDateString();
  return html`
    ${missing > 0 && html`<li class="gap">${t("gap", { n: missing })}</li>`}
    ${newDay && html`<li class="day"><time datetime=${one.created_at}>${dayOf(one.created_at)}</time></li>`}
    <${MessageView} one=${one} before=${before} named=${named} acts />
  `;
}
