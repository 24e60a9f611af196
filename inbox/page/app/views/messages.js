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
  const held = useRef({ first: 0, id: "", height: 0, follows: true });
  /** What stays in the middle while what is around it takes its room; until the reader moves. */
  const middle = useRef("");
  const [away, setAway] = useState(false);
  const shown = messages.value;
  const id = conversation.value?.id ?? "";
  const target = sought.value;

  const hold = () => {
    const element = box.current;
    if (!element) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    held.current = { first: messages.peek()[0]?.seq ?? 0, id, height: element.scrollHeight, follows: left < NEAR && !apart.peek() };
    setAway(apart.peek() || left > element.clientHeight);
  };
  // Where earlier ones were put in above, what is read stays where it is; at the end, the reader follows.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { first, height, follows, id: before } = held.current;
    const now = shown[0]?.seq ?? 0;
    const wanted = target ? document.getElementById(`m-${target}`) : null;
    if (before !== id) middle.current = "";
    if (wanted) {
      sought.value = "";
      const isLast = target === shown.at(-1)?.id && !apart.peek();
      middle.current = isLast ? "" : target;
      if (isLast) element.scrollTop = element.scrollHeight;
      else wanted.scrollIntoView({ block: "center" });
      /** @type {HTMLElement | null} */ (wanted.firstElementChild)?.focus({ preventScroll: true });
    } else if (before !== id) element.scrollTop = element.scrollHeight;
    else if (now < first) element.scrollTop += element.scrollHeight - height;
    else if (follows) element.scrollTop = element.scrollHeight;
    hold();
  }, [shown, id, target]);

  // Frames and pictures take their room after they are loaded, and messages theirs when they come into sight.
  useLayoutEffect(() => {
    const element = box.current;
    const inside = element?.firstElementChild;
    if (!element || !inside) return undefined;
    const watched = new ResizeObserver(() => {
      if (held.current.follows) element.scrollTop = element.scrollHeight;
      else if (middle.current) document.getElementById(`m-${middle.current}`)?.scrollIntoView({ block: "center" });
      held.current.height = element.scrollHeight;
    });
    watched.observe(inside);
    return () => watched.disconnect();
  }, []);

  const scrolled = () => {
    const element = box.current;
    if (!element) return;
    hold();
    if (element.scrollTop < NEAR_EDGE && earlier.value) loadEarlier();
    if (apart.value && element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_EDGE) loadLater();
  };
  const moved = () => (middle.current = "");
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
