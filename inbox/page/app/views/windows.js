/** The small windows over the page: all commands, the keys, and what a conversation can be given. */

import { useState } from "../../vendor/hooks.js";
import { insert } from "../compose.js";
import { COMMANDS, forTicked, morning } from "../commands.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { collator, exactly, t } from "../i18n.js";
import { ticked } from "../inbox.js";
import { agents, me, tags as known, teams } from "../session.js";
import { change, conversation } from "../thread.js";
import { Begin } from "./begin.js";
import { Choose } from "./choose.js";
import { CustomerWindow } from "./customer.js";
import { EmojiPicker } from "./emoji.js";
import { Icon } from "./icons.js";
import { Join, Joining } from "./join.js";
import { Myself } from "./myself.js";
import { TagChip, Window } from "./parts.js";
import { Erase } from "./personal.js";
import { SaveView } from "./saved.js";

const MOST_TAGS = 10; // that are offered

/** @import {Asked} from "../focus.js" */
/** @import {Choice} from "./choose.js" */

/** Closes a window where it is still the one that is open, and says whether it was: it may have been left meanwhile. @param {Asked} name */
const closes = (name) => () => {
  const open = asked.peek() === name;
  if (open) asked.value = "";
  return open;
};

export function Windows() {
  const close = closes(asked.value);
  switch (asked.value) {
    case "palette":
      return html`<${Choose} close=${close} title=${t("palette")} hint=${t("typeCommand")} choices=${commands()} />`;
    case "help":
      return html`<${Help} close=${close} />`;
    case "assignee":
      return html`<${Choose} close=${close} title=${t("assign")} hint=${t("assign")} choices=${people()} />`;
    case "team":
      return html`<${Choose} close=${close} title=${t("toTeam")} hint=${t("toTeam")} choices=${groups()} />`;
    case "priority":
      return html`<${Choose} close=${close} title=${t("priority")} hint=${t("priority")} choices=${priorities()} />`;
    case "snooze":
      return html`<${Choose} close=${close} title=${t("snooze")} hint=${t("snooze")} choices=${moments()} />`;
    case "tags":
      return html`<${Tags} close=${close} />`;
    case "begin":
      return html`<${Begin} close=${close} />`;
    case "emoji":
      return html`<${EmojiPicker} onPick=${insert} onClose=${close} />`;
    case "customer":
      return html`<${CustomerWindow} close=${close} />`;
    case "erase":
      return html`<${Erase} close=${close} />`;
    case "join":
      return html`<${Join} close=${close} />`;
    case "joining":
      return html`<${Joining} close=${close} />`;
    case "view":
      return html`<${SaveView} close=${close} />`;
    case "me":
      return html`<${Myself} close=${close} />`;
    default:
      return null;
  }
}

/** Gives it to what is ticked, or to what is open. @param {object} changes */
function give(changes) {
  return ticked.peek().size ? forTicked(changes) : change(changes);
}

/** @returns {Choice[]} */
function commands() {
  const now = COMMANDS.filter((one) => one.label !== "palette" && (one.when?.() ?? true));
  return now.map((one) => ({ label: t(one.label), hint: one.keys, run: one.run }));
}

/** @returns {Choice[]} */
function people() {
  const here = conversation.value?.assignee ?? null;
  const rest = agents.value.filter((one) => one.active && one.id !== me.value?.id).sort((one, other) => collator.value.compare(one.name, other.name));
  const mine = me.value ? [{ id: me.value.id, name: `${me.value.name} (${t("you")})` }] : [];
  const all = [...mine, ...rest].map((one) => ({ label: one.name, here: one.id === here, run: () => give({ assignee: one.id }) }));
  return [...all, { label: t("nobody"), here: here === null, run: () => give({ assignee: null }) }];
}

/** @returns {Choice[]} */
function groups() {
  const here = conversation.value?.team ?? null;
  const all = teams.value.map((one) => ({ label: one.name, here: one.id === here, run: () => give({ team: one.id }) }));
  return [...all, { label: t("noTeam"), here: here === null, run: () => give({ team: null }) }];
}

/** @returns {Choice[]} */
function priorities() {
  const here = conversation.value?.priority;
  return /** @type {const} */ (["urgent", "high", "normal", "low"]).map((one) => ({ label: t(one), here: one === here, run: () => give({ priority: one }) }));
}

/** @returns {Choice[]} */
function moments() {
  const until = (/** @type {string} */ at) => ({ hint: exactly(at), run: () => give({ snoozed_until: at }) });
  return [
    { label: t("laterToday"), ...until(new Date(Date.now() + 3 * 3_600_000).toISOString()) },
    { label: t("tomorrow"), ...until(morning(1)) },
    { label: t("nextWeek"), ...until(morning(7)) },
    { label: t("untilReply"), run: () => give({ status: "snoozed" }) },
  ];
}

/** @param {{close: () => void}} props */
function Help({ close }) {
  return html`
    <${Window} title=${t("help")} close=${close}>
      <p>${t("keysHelp")}</p>
      <dl class="keys">
        ${COMMANDS.map((one) => html`<div><dt><kbd>${one.keys}</kbd></dt><dd>${t(one.label)}</dd></div>`)}
        <div><dt><kbd>Ctrl+Enter</kbd></dt><dd>${t("send")}</dd></div>
      </dl>
    <//>
  `;
}

/** @param {{close: () => void}} props */
function Tags({ close }) {
  const [typed, setTyped] = useState("");
  const tags = conversation.value?.tags ?? [];
  const wanted = typed.trim().toLocaleLowerCase();
  const fitting = known.value.filter((one) => !one.leaving && !tags.includes(one.name) && one.name.toLocaleLowerCase().includes(wanted)).slice(0, MOST_TAGS);
  const add = (/** @type {string} */ tag) => {
    setTyped("");
    if (!tags.includes(tag)) change({ tags: [...tags, tag] });
  };
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (typed.trim()) add(typed.trim());
    else close();
  };
  return html`
    <${Window} title=${t("tags")} close=${close}>
      <form onSubmit=${submit}><input class="narrow" autofocus maxlength="100" value=${typed} placeholder=${t("addTag")} aria-label=${t("addTag")} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></form>
      <div class="suggestions">${fitting.map((one) => html`<button type="button" key=${one.name} onClick=${() => add(one.name)}><${TagChip} name=${one.name} /></button>`)}</div>
      <ul class="files">
        ${tags.map((tag) => html`<li class="file" key=${tag}>${tag} <button type="button" class="quiet" aria-label="${t("remove")}: ${tag}" onClick=${() => change({ tags: tags.filter((one) => one !== tag) })}><${Icon} name="cross" /></button></li>`)}
      </ul>
    <//>
  `;
}
