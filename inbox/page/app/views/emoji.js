/** A window from which one takes an emoji: by search, by group, by arrow keys. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { findEmoji, groups, loadEmoji, recent, remember } from "../emoji.js";
import { html } from "../html.js";
import { language, t } from "../i18n.js";
import { Window } from "./parts.js";

/** @import {Emoji, GroupName} from "../emoji.js" */

const COLUMNS = 8; // as in the style sheet
/** @type {Partial<Record<string, number>>} */
const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
/** What stands on the button of a group. @type {Record<GroupName, string>} */
const SIGNS = {
  recent: "🕘", smileys_emotion: "😀", people_body: "👋", animals_nature: "🐻", food_drink: "🍎", travel_places: "✈️",
  activities: "⚽", objects: "💡", symbols: "💟", flags: "🏁",
};

/** @param {{onPick: (emoji: string) => unknown, onClose: () => void}} props `onPick` is called after `onClose`, when the focus can be moved again */
export function EmojiPicker({ onPick, onClose }) {
  const [typed, setTyped] = useState("");
  const [group, setGroup] = useState(/** @type {GroupName | ""} */ (""));
  const [at, setAt] = useState(0);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const picked = useRef("");
  useEffect(() => {
    loadEmoji();
  }, [language.value]);
  const tabs = [...(recent.value.length ? [{ name: /** @type {GroupName} */ ("recent"), emoji: recent.value }] : []), ...groups.value];
  const here = tabs.find((one) => one.name === group) ?? tabs[0];
  const shown = typed.trim() ? findEmoji(typed) : (here?.emoji ?? []);
  const take = (/** @type {Emoji} */ one) => {
    picked.current = one.emoji;
    input.current?.closest("dialog")?.close();
  };
  const closed = () => {
    onClose();
    if (!picked.current) return;
    remember(picked.current);
    onPick(picked.current);
  };
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      if (shown[at + step]) setAt(at + step);
    } else if (event.key === "Enter" && shown[at]) {
      event.preventDefault();
      take(shown[at]);
    }
  };
  const look = (/** @type {string} */ words, /** @type {GroupName | ""} */ name) => {
    setTyped(words);
    setGroup(name);
    setAt(0);
  };
  return html`
    <${Window} title=${t("emoji")} close=${closed} beside>
      <input ref=${input} class="narrow" autofocus role="combobox" aria-expanded="true" aria-controls="emoji" aria-activedescendant=${shown[at] ? `emoji-${at}` : undefined}
        aria-label=${t("findEmoji")} placeholder=${t("findEmoji")} value=${typed} onInput=${(/** @type {any} */ event) => look(event.target.value, group)} onKeyDown=${keys} />
      <div class="groups" role="group" aria-label=${t("emojiGroups")}>
        ${tabs.map((one) => html`<button type="button" class="quiet" key=${one.name} title=${t(one.name)} aria-label=${t(one.name)} aria-pressed=${!typed.trim() && one === here} onClick=${() => look("", one.name)}>${SIGNS[one.name]}</button>`)}
      </div>
      <${Grid} shown=${shown} at=${at} take=${take} />
      <p class="called" role="status">${shown[at]?.name ?? (groups.value.length ? t("nothingFound") : "")}</p>
    <//>
  `;
}

/** @param {{shown: Emoji[], at: number, take: (one: Emoji) => void}} props */
function Grid({ shown, at, take }) {
  useEffect(() => document.getElementById(`emoji-${at}`)?.scrollIntoView({ block: "nearest" }), [shown, at]);
  return html`
    <ul id="emoji" class="emoji" role="listbox" aria-label=${t("emoji")}>
      ${shown.map((one, index) => html`<li id="emoji-${index}" key=${one.emoji} role="option" aria-selected=${index === at} aria-label=${one.name} title=${one.name} onClick=${() => take(one)}>${one.emoji}</li>`)}
    </ul>
  `;
}
