/** What can be done with one message: the menu that stands at it, and what it asks. */

import { useLayoutEffect, useRef } from "../../vendor/hooks.js";
import { canAnswer, canEdit, canReact, canTakeBack, copy, editing, hasReacted, linkTo, react, reacting, takeBack, takingBack } from "../amending.js";
import { answer } from "../compose.js";
import { menu } from "../focus.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { messages } from "../thread.js";
import { EmojiPicker } from "./emoji.js";
import { Icon } from "./icons.js";
import { Confirm } from "./parts.js";

/** @import {Message} from "../types.d.ts" */

const COMMON = ["👍", "❤", "😁", "🎉", "🙏", "👀"]; // as the platforms that limit them have them too
/** @type {Partial<Record<string, (at: number, of: number) => number>>} */
const STEPS = {
  ArrowDown: (at, of) => (at + 1) % of, ArrowRight: (at, of) => (at + 1) % of,
  ArrowUp: (at, of) => (at - 1 + of) % of, ArrowLeft: (at, of) => (at - 1 + of) % of,
  Home: () => 0, End: (_, of) => of - 1,
};

export function MessageMenu() {
  const one = messages.value.find((found) => found.id === menu.value?.id);
  return html`
    ${menu.value && one && html`<${Menu} key=${one.id} one=${one} opener=${menu.value.opener} />`}
    ${reacting.value && html`<${Picker} one=${reacting.value} />`}
    ${takingBack.value && html`<${TakeBack} one=${takingBack.value} />`}
  `;
}

/** @param {{one: Message, opener: HTMLElement}} props */
function Menu({ one, opener }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const items = () => /** @type {HTMLElement[]} */ ([...(box.current?.querySelectorAll("[role^=menuitem]") ?? [])]);
  useLayoutEffect(() => {
    box.current?.showPopover({ source: opener });
    items()[0]?.focus();
  }, []);
  const closed = (/** @type {any} */ event) => event.newState === "closed" && (menu.value = null);
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    const all = items();
    const next = STEPS[event.key]?.(all.indexOf(/** @type {HTMLElement} */ (document.activeElement)), all.length);
    if (next === undefined) return;
    event.preventDefault();
    all[next].focus();
  };
  /** The focus is given back first, so that what is done may take it. @param {() => unknown} run */
  const item = (run) => () => {
    box.current?.hidePopover();
    run();
  };
  const emoji = COMMON.filter((found) => canReact(one, found));
  return html`
    <div ref=${box} class="menu" popover="auto" role="menu" aria-label=${t("messageMenu")} onToggle=${closed} onKeyDown=${keys}>
      ${emoji.length > 0 && html`
        <div class="line" role="group" aria-label=${t("react")}>
          ${emoji.map((found) => html`<button type="button" key=${found} role="menuitemcheckbox" tabindex="-1" aria-checked=${hasReacted(one, found)} aria-label=${t("reactWith", { emoji: found })} onClick=${item(() => react(one, found))}>${found}</button>`)}
          <button type="button" role="menuitem" tabindex="-1" title=${t("moreEmoji")} aria-label=${t("moreEmoji")} onClick=${item(() => (reacting.value = one))}><${Icon} name="more" /></button>
        </div>
      `}
      ${canAnswer(one) && html`<button type="button" role="menuitem" tabindex="-1" onClick=${item(() => answer(one))}>${t("answer")}</button>`}
      ${one.text && html`<button type="button" role="menuitem" tabindex="-1" onClick=${item(() => copy(one.text))}>${t("copyText")}</button>`}
      ${canEdit(one) && html`<button type="button" role="menuitem" tabindex="-1" onClick=${item(() => (editing.value = one.id))}>${t("change")}</button>`}
      ${canTakeBack(one) && html`<button type="button" role="menuitem" tabindex="-1" onClick=${item(() => (takingBack.value = one))}>${t("takeBack")}</button>`}
      ${one.external.original_id && html`<a class="button" role="menuitem" tabindex="-1" href="/api/v1/messages/${one.id}/original" download="" onClick=${item(() => {})}>${t("original")}</a>`}
      <button type="button" role="menuitem" tabindex="-1" onClick=${item(() => copy(linkTo(one)))}>${t("copyLink")}</button>
    </div>
  `;
}

/** Any emoji there is. @param {{one: Message}} props */
function Picker({ one }) {
  return html`<${EmojiPicker} onPick=${(/** @type {string} */ emoji) => react(one, emoji)} onClose=${() => (reacting.value = null)} />`;
}

/** @param {{one: Message}} props */
function TakeBack({ one }) {
  return html`
    <${Confirm} title=${t("takeBack")} yes=${t("takeBack")} close=${() => (takingBack.value = null)} sure=${() => takeBack(one)}>
      <p>${t("takeBackSure")}</p>
      <blockquote class="text">${one.text}</blockquote>
    <//>
  `;
}
