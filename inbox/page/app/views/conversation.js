/** The open conversation: what it is about, its messages in order, and where an answer is written. */

import { useLayoutEffect, useRef } from "../../vendor/hooks.js";
import { COMMANDS, resolve } from "../commands.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { dayOf, t } from "../i18n.js";
import { present } from "../presence.js";
import { go } from "../route.js";
import { agentName, teamName } from "../session.js";
import { conversation, earlier, loadEarlier, messages, typingWords } from "../thread.js";
import { Composer } from "./composer.js";
import { Icon } from "./icons.js";
import { MessageView } from "./message.js";
import { Ago, TagChip } from "./parts.js";

/** @import {Message} from "../types.d.ts" */

const NEAR = 120; // pixels from the end, within which the reader follows what comes
const NEAR_TOP = 300;

export function ConversationPane() {
  return html`
    <main class="conversation" id="conversation" tabindex="-1" aria-label=${t("conversation")}>
      <${Head} />
      <${Messages} />
      <${Composer} />
    </main>
  `;
}

function Head() {
  const one = conversation.value;
  if (!one) return null;
  const window = (/** @type {import("../focus.js").Asked} */ name) => () => (asked.value = name);
  const others = present(one.id).filter((who) => who.type === "agent").map((who) => who.name).join(", ");
  return html`
    <header class="about">
      <button type="button" class="quiet back" aria-label=${t("back")} onClick=${() => go({ c: "" })}><${Icon} name="back" /></button>
      <div class="title">
        <h2>${one.subject || one.customer?.name || t("noSubject")}</h2>
        <p>
          <span class="chip is-${one.status}">${t(one.status)}</span>
          ${one.snoozed_until && html`<${Ago} at=${one.snoozed_until} />`}
          ${one.tags.map((tag) => html`<${TagChip} key=${tag} name=${tag} />`)}
          ${others && html`<span class="others">${t("alsoHere", { who: others })}</span>`}
        </p>
      </div>
      <div class="actions">
        <button type="button" class="to-customer" aria-keyshortcuts=${keysOf("customer")} onClick=${window("customer")}>${t("customer")}</button>
        <button type="button" aria-keyshortcuts=${keysOf("assign")} onClick=${window("assignee")}>${one.assignee ? agentName(one.assignee) : t("nobody")}</button>
        <button type="button" aria-keyshortcuts=${keysOf("toTeam")} onClick=${window("team")}>${one.team ? teamName(one.team) : t("noTeam")}</button>
        <button type="button" aria-keyshortcuts=${keysOf("priority")} onClick=${window("priority")}>${t(one.priority)}</button>
        <button type="button" aria-keyshortcuts=${keysOf("tags")} onClick=${window("tags")}>${t("tags")}</button>
        <button type="button" aria-keyshortcuts=${keysOf("snooze")} onClick=${window("snooze")}>${t("snooze")}</button>
        <button type="button" class="primary" aria-keyshortcuts=${keysOf("resolve")} onClick=${() => resolve()}>${one.status === "resolved" ? t("reopen") : t("resolve")}</button>
      </div>
    </header>
  `;
}

/** @param {import("../i18n.js").Key} label */
function keysOf(label) {
  return COMMANDS.find((one) => one.label === label)?.keys;
}

function Messages() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const held = useRef({ first: 0, id: "", height: 0, atEnd: true });
  const shown = messages.value;
  const id = conversation.value?.id ?? "";

  // Where earlier ones were put in above, what is read stays where it is; at the end, the reader follows.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { first, height, atEnd, id: before } = held.current;
    const now = shown[0]?.seq ?? 0;
    if (before !== id) element.scrollTop = element.scrollHeight;
    else if (now < first) element.scrollTop += element.scrollHeight - height;
    else if (atEnd) element.scrollTop = element.scrollHeight;
    held.current = { first: now, id, height: element.scrollHeight, atEnd: isAtEnd(element) };
  }, [shown, id]);

  // Frames and pictures take their room after they are loaded.
  useLayoutEffect(() => {
    const element = box.current;
    const inside = element?.firstElementChild;
    if (!element || !inside) return undefined;
    const watched = new ResizeObserver(() => {
      if (held.current.atEnd) element.scrollTop = element.scrollHeight;
      held.current.height = element.scrollHeight;
    });
    watched.observe(inside);
    return () => watched.disconnect();
  }, []);

  const scrolled = () => {
    const element = box.current;
    if (!element) return;
    held.current = { ...held.current, height: element.scrollHeight, atEnd: isAtEnd(element) };
    if (element.scrollTop < NEAR_TOP && earlier.value) loadEarlier();
  };
  return html`
    <div class="messages" ref=${box} onScroll=${scrolled} tabindex="0" aria-label=${t("conversation")}>
      <ol>
        ${earlier.value && html`<li class="earlier"><button type="button" onClick=${loadEarlier}>${t("loadEarlier")}</button></li>`}
        ${shown.map((one, index) => html`<${Entry} key=${one.id} one=${one} before=${shown[index - 1]} />`)}
      </ol>
      <p class="typing" role="status">${typingWords.value}</p>
    </div>
  `;
}

/** @param {HTMLElement} element */
function isAtEnd(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
}

/** A message, below a day's name where it is the first of that day, and below a mark where others are missing. @param {{one: Message, before: Message | undefined}} props */
function Entry({ one, before }) {
  const missing = before ? one.seq - before.seq - 1 : 0;
  const newDay = !before || new Date(before.created_at).toDateString() !== new Date(one.created_at).toDateString();
  return html`
    ${missing > 0 && html`<li class="gap">${t("gap", { n: missing })}</li>`}
    ${newDay && html`<li class="day"><time datetime=${one.created_at}>${dayOf(one.created_at)}</time></li>`}
    <${MessageView} one=${one} />
  `;
}
