/** What can be put in where one writes: canned replies after a `/`, colleagues after an `@`, emoji after a `:`. */

import { call } from "../api.js";
import * as compose from "../compose.js";
import { findEmoji, loadEmoji, remember } from "../emoji.js";
import { composing } from "../focus.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { agents, canned } from "../session.js";
import { conversation } from "../thread.js";
import * as written from "../written.js";

const MOST = 8;

/** @typedef {{key: string, label: string, hint?: string, take: () => unknown}} Suggestion */

/** Puts text in place of a word. @param {number} from @param {string} word with its mark @param {string} text */
function put(from, word, text) {
  const all = written.text.peek();
  if (all.slice(from).startsWith(word)) compose.write(all.slice(0, from) + text + all.slice(from + word.length));
}

/** @param {string} word @param {number} from @returns {Suggestion[]} */
function colleagues(word, from) {
  const found = agents.value.filter((one) => one.active && begins(one.name, word));
  return found.map((one) => ({ key: one.id, label: `@${one.name}`, take: () => put(from, `@${word}`, `@${one.name} `) }));
}

/** @param {string} word @param {number} from @returns {Suggestion[]} */
function replies(word, from) {
  const found = canned.value.items.filter((one) => begins(one.shortcut, word) || one.title.toLocaleLowerCase().includes(word.toLocaleLowerCase()));
  const take = (/** @type {string} */ id) => async () => {
    const filled = await attempt(() => call("GET", `/conversations/${conversation.peek()?.id}/canned-replies/${id}`));
    if (filled) put(from, `/${word}`, filled.text);
  };
  return found.map((one) => ({ key: one.id, label: `/${one.shortcut}`, hint: one.title, take: take(one.id) }));
}

/** @param {string} word @param {number} from @returns {Suggestion[]} */
function emoji(word, from) {
  loadEmoji();
  const take = (/** @type {string} */ one) => () => {
    remember(one);
    put(from, `:${word}`, `${one} `);
  };
  return findEmoji(word).map((one) => ({ key: one.emoji, label: one.emoji, hint: one.name, take: take(one.emoji) }));
}

/** @param {string} name @param {string} word */
function begins(name, word) {
  return name.toLocaleLowerCase().startsWith(word.toLocaleLowerCase());
}

const MARKS = /** @type {const} */ ({
  "/": { title: "cannedReplies", find: replies },
  "@": { title: "staff", find: colleagues },
  ":": { title: "emoji", find: emoji },
});

/** @param {{isNote: boolean}} props */
export function Suggestions({ isNote }) {
  const found = /(?:^|\s)(?<mark>[/@]|:(?=[\p{L}\p{N}]{2}))(?<word>[\p{L}\p{N}_-]*)$/u.exec(written.text.value);
  if (!found?.groups) return null;
  const { mark, word } = found.groups;
  const from = written.text.value.length - word.length - 1;
  if (mark === "@" && !isNote) return null;
  const { title, find } = MARKS[/** @type {keyof typeof MARKS} */ (mark)];
  const shown = find(word, from).slice(0, MOST);
  if (!shown.length) return null;
  const choose = (/** @type {Suggestion} */ one) => {
    composing.peek()?.focus();
    one.take();
  };
  return html`
    <ul class="suggestions" aria-label=${t(title)}>
      ${shown.map((one) => html`<li key=${one.key}><button type="button" onClick=${() => choose(one)}>${one.label} ${one.hint && html`<small>${one.hint}</small>`}</button></li>`)}
    </ul>
  `;
}
