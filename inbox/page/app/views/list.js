/** The list of conversations: only the rows that are in sight stand in the page, however many there are. */

import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { forTicked } from "../commands.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { shortly, t } from "../i18n.js";
import { conversations, loadMore, loading, more, placeOf, ticked } from "../inbox.js";
import { attempt } from "../notices.js";
import { present, typing } from "../presence.js";
import { go, list, place, queryOf, search } from "../route.js";
import { agentName, agentPicture, channels, connectorOf, loadViews, me } from "../session.js";
import { Icon } from "./icons.js";
import { ChannelMark, Face, TagChip } from "./parts.js";

/** @import {Conversation, Found, Preview, Status} from "../types.d.ts" */

const ROW = 76; // pixels, as in style/inbox.css
const BEYOND = 6; // rows above and below what is in sight
const STATUSES = /** @type {const} */ (["open", "pending", "snoozed", "resolved"]);
const SORTS = /** @type {const} */ ({ "-updated_at": "newest", updated_at: "oldest", "-created_at": "created", waiting: "waiting" });
const MOST_FACES = 3; // of colleagues, in a row
const PAUSE = 250; // milliseconds without a key, after which it is searched

export function ListPane() {
  return html`
    <section class="list" aria-label=${t("list")}>
      <${Head} />
      <${Rows} />
    </section>
  `;
}

function Head() {
  const { status, sort, q, view } = place.value;
  const timer = useRef(0);
  /** What stands in the field: not all of it may have been searched for, and the space behind a word is not. */
  const typed = useRef(q);
  const type = (/** @type {string} */ now) => {
    typed.current = now;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      timer.current = 0;
      search(now.trim());
    }, PAUSE);
  };
  if (!timer.current && typed.current.trim() !== q) typed.current = q;
  if (ticked.value.size) return html`<${Bulk} />`;
  return html`
    <header>
      <input id="search" type="search" value=${typed.current} placeholder=${t("search")} aria-label=${t("searchHint")}
        onInput=${(/** @type {any} */ event) => type(event.target.value)} />
      <div class="filters">
        <select aria-label=${t("status")} value=${status} onChange=${(/** @type {any} */ event) => go({ status: event.target.value })}>
          ${STATUSES.map((one) => html`<option value=${one}>${t(one)}</option>`)}
          <option value="">${t("anyStatus")}</option>
        </select>
        <select aria-label=${t("sort")} value=${sort} disabled=${view !== ""} onChange=${(/** @type {any} */ event) => go({ sort: event.target.value })}>
          ${Object.entries(SORTS).map(([id, key]) => html`<option value=${id}>${t(key)}</option>`)}
        </select>
        <button type="button" class="quiet" title=${t("begin")} aria-label=${t("begin")} onClick=${() => (asked.value = "begin")}><${Icon} name="plus" /></button>
        <button type="button" class="quiet" title=${t("saveView")} aria-label=${t("saveView")} onClick=${() => (asked.value = "view")}><${Icon} name="star" /></button>
        ${view && html`<button type="button" onClick=${() => forget(view)}>${t("drop")}</button>`}
      </div>
    </header>
  `;
}

/** Forgets a saved view; the list is all that is open again. @param {string} id */
async function forget(id) {
  const done = await attempt(async () => (await call("DELETE", `/views/${id}`), true));
  if (!done) return;
  list({});
  await attempt(loadViews);
}

function Bulk() {
  const set = (/** @type {Status} */ status) => forTicked({ status });
  return html`
    <header class="bulk">
      <strong>${t("selected", { n: ticked.value.size })}</strong>
      <div class="filters">
        <button type="button" onClick=${() => set("resolved")}>${t("resolve")}</button>
        <button type="button" onClick=${() => forTicked({ assignee: me.value?.id })}>${t("assignMe")}</button>
        <button type="button" onClick=${() => set("open")}>${t("reopen")}</button>
        <button type="button" class="quiet" onClick=${() => (ticked.value = new Set())}>${t("close")}</button>
      </div>
    </header>
  `;
}

function Rows() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [span, setSpan] = useState({ from: 0, to: 30 });
  const anchor = useRef({ id: "", at: 0 });
  const all = conversations.value;
  const here = place.value.c;

  const look = () => {
    const element = box.current;
    if (!element) return;
    const from = Math.max(0, Math.floor(element.scrollTop / ROW) - BEYOND);
    const to = Math.ceil((element.scrollTop + element.clientHeight) / ROW) + BEYOND;
    const first = Math.floor(element.scrollTop / ROW);
    anchor.current = { id: all[first]?.id ?? "", at: first };
    setSpan((known) => (known.from === from && known.to === to ? known : { from, to }));
    if (to >= all.length && more.value) loadMore();
  };
  // What comes in above must not move what is being read.
  useLayoutEffect(() => {
    const element = box.current;
    const { id, at } = anchor.current;
    const now = all.findIndex((one) => one.id === id);
    if (element && element.scrollTop > 0 && now >= 0 && now !== at) element.scrollTop += (now - at) * ROW;
    look();
  }, [all]);
  useEffect(() => {
    const watched = new ResizeObserver(look);
    if (box.current) watched.observe(box.current);
    return () => watched.disconnect();
  }, [all]);
  useLayoutEffect(() => {
    const at = all.findIndex((one) => one.id === here);
    const element = box.current;
    if (!element || at < 0) return;
    if (at * ROW < element.scrollTop) element.scrollTop = at * ROW;
    else if ((at + 1) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (at + 1) * ROW - element.clientHeight;
  }, [here]);

  const shown = all.slice(span.from, span.to);
  return html`
    <div class="rows" ref=${box} onScroll=${look} aria-busy=${loading.value}>
      ${!all.length && !loading.value && html`<p class="none">${place.value.q ? t("nothingFound") : t("nothing")}</p>`}
      <ul style=${{ height: `${all.length * ROW}px` }} aria-label=${t("conversations")}>
        ${shown.map((one, index) => html`<${Row} key=${one.id} one=${one} at=${span.from + index} of=${all.length} here=${one.id === here} />`)}
      </ul>
    </div>
  `;
}

/** The last message, and whose side it is from. @param {Preview | null} last */
function says(last) {
  return `${last?.direction === "outbound" ? "↩ " : last?.direction === "note" ? "✎ " : ""}${last?.text ?? ""}`;
}

/** What was found, the words marked. @param {Found} found */
function marked({ text, ranges }) {
  const pieces = [];
  let end = 0;
  for (const [from, to] of ranges) {
    pieces.push(text.slice(end, from), html`<mark>${text.slice(from, to)}</mark>`);
    end = to;
  }
  return [...pieces, text.slice(end)];
}

/** Who looks at a conversation or types in it, by their initials. @param {{id: string}} props */
function Colleagues({ id }) {
  const writes = new Set(typing(id).map((one) => one.id));
  const there = [...new Map([...present(id), ...typing(id)].map((one) => [one.id, one])).values()].filter((one) => one.type === "agent");
  const words = (/** @type {typeof there[number]} */ one) => (writes.has(one.id) ? t("types", { who: one.name ?? "", n: 1 }) : t("alsoHere", { who: one.name ?? "" }));
  return there.slice(0, MOST_FACES).map(
    (one) => html`<span key=${one.id} class="colleague ${writes.has(one.id) ? "is-typing" : ""}" title=${words(one)}><${Face} name=${one.name ?? "?"} picture=${agentPicture(one.id)} /><span class="unseen">${words(one)}</span></span>`,
  );
}

/** @param {{one: Conversation, at: number, of: number, here: boolean}} props */
function Row({ one, at, of, here }) {
  const name = one.customer?.name ?? t("unknownCustomer");
  const last = one.last_message;
  const open = (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    go(placeOf(one));
  };
  const tick = () => {
    const now = new Set(ticked.value);
    if (!now.delete(one.id)) now.add(one.id);
    ticked.value = now;
  };
  const portrait = agentPicture(one.assignee);
  const connector = connectorOf(last?.channel || one.channels[0] || "");
  return html`
    <li class="row ${here ? "is-here" : ""} ${one.unread ? "is-unread" : ""}" style=${{ top: `${at * ROW}px` }} aria-setsize=${of} aria-posinset=${at + 1}>
      <label class="tick"><input type="checkbox" checked=${ticked.value.has(one.id)} onChange=${tick} aria-label="${t("tick")}: ${name}" /><${Face} name=${name} picture=${one.customer?.avatar} /></label>
      <a href=${queryOf(placeOf(one))} aria-current=${here ? "true" : undefined} onClick=${open}>
        <span class="who">${name}</span>
        <span class="when">${last && html`<time datetime=${last.at}>${shortly(last.at)}</time>`}</span>
        <span class="about">${one.subject || last?.text || t("noSubject")}</span>
        <span class="says">${one.found ? marked(one.found) : says(last)}</span>
        <span class="facts">
          ${channels.value.length > 1 && html`<${ChannelMark} connector=${connector} channel=${last?.channel || one.channels[0] || ""} />`}
          ${one.priority === "urgent" || one.priority === "high" ? html`<span class="chip is-${one.priority}">${t(one.priority)}</span>` : null}
          ${one.tags.slice(0, 2).map((tag) => html`<${TagChip} key=${tag} name=${tag} />`)}
          ${one.assignee && html`<span class="chip is-agent">${portrait && html`<${Face} name="" picture=${portrait} />`}${agentName(one.assignee)}</span>`}
          <${Colleagues} id=${one.id} />
          ${one.unread > 0 && html`<span class="unread" aria-label=${t("unread", { n: one.unread })}>${one.unread}</span>`}
        </span>
      </a>
    </li>
  `;
}
