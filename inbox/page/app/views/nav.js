/** The lists that there are, with how much is in them, and the way to the settings. */

import { html } from "../html.js";
import { collator, count, t } from "../i18n.js";
import { asked } from "../focus.js";
import { counts } from "../inbox.js";
import { go, list, place } from "../route.js";
import { channels, may, me, tagCalled, teams, views } from "../session.js";
import { ChannelMark } from "./parts.js";

/** @import {Place} from "../route.js" */

export function Nav() {
  const { queue, channel, team, tag, view, page } = place.value;
  const all = counts.value;
  const status = /** @type {import("../types.d.ts").Status} */ (place.value.status || "open");
  const tags = Object.entries(all?.tags ?? {}).filter(([, n]) => n > 0).sort(([one], [other]) => collator.value.compare(one, other));
  const plain = !page && !channel && !team && !tag && !view;
  return html`
    <nav class="nav" aria-label=${t("menu")}>
      <h1><img src="page/icon.svg" alt="" width="22" height="22" /> <span>Santral</span></h1>
      <ul aria-label=${t("queues")}>
        <${Entry} filters=${{ queue: "mine" }} here=${plain && queue === "mine"} n=${all?.mine}>${t("mine")}<//>
        <${Entry} filters=${{ queue: "unassigned" }} here=${plain && queue === "unassigned"} n=${all?.unassigned}>${t("unassigned")}<//>
        <${Entry} filters=${{}} here=${plain && !queue} n=${all?.statuses[status]}>${t("all")}<//>
      </ul>
      <${Group} title=${t("views")}>
        ${views.value.map((one) => html`<${Entry} key=${one.id} filters=${{ view: one.id, status: "", sort: "" }} here=${!page && view === one.id} n=${undefined}>${one.name}<//>`)}
      <//>
      <${Group} title=${t("teams")}>
        ${teams.value.map((one) => html`<${Entry} key=${one.id} filters=${{ team: one.id }} here=${!page && team === one.id} n=${all?.teams[one.id]}>${one.name}<//>`)}
      <//>
      <${Group} title=${t("channels")}>
        ${channels.value.map(
          (one) => html`<${Entry} key=${one.id} filters=${{ channel: one.id }} here=${!page && channel === one.id} n=${all?.channels[one.id]}>
            <${ChannelMark} connector=${one.connector} channel=${one.connector} /> ${one.id}<//>`,
        )}
      <//>
      <${Group} title=${t("tags")}>
        ${tags.map(([name, n]) => html`<${Entry} key=${name} filters=${{ tag: name }} here=${!page && tag === name} n=${n}><i class="dot tone-${tagCalled(name)?.colour ?? "none"}"></i>${name}<//>`)}
      <//>
      <ul class="foot">
        <${PageEntry} page="canned">${t("cannedReplies")}<//>
        ${may("supervisor") && html`<${PageEntry} page="overview">${t("overview")}<//><${PageEntry} page="tags">${t("tags")}<//><${PageEntry} page="channels">${t("channels")}<//><${PageEntry} page="failed">${t("failedEvents")}<//>`}
        ${may("admin") && html`<${PageEntry} page="staff">${t("staff")}<//><${PageEntry} page="webhooks">${t("webhooks")}<//>`}
        <li><button type="button" class="entry" onClick=${() => (asked.value = "help")}><span>${t("help")}</span><kbd>?</kbd></button></li>
        <li><button type="button" class="entry" onClick=${() => (asked.value = "me")}><span>${me.value?.name}</span></button></li>
      </ul>
    </nav>
  `;
}

/** @param {{title: string, children: any}} props */
function Group({ title, children }) {
  if (!children?.length) return null;
  return html`<h2>${title}</h2><ul aria-label=${title}>${children}</ul>`;
}

/** @param {{filters: Partial<Place>, here: boolean, n: number | undefined, children: any}} props */
function Entry({ filters, here, n, children }) {
  const open = () => list({ status: place.peek().view ? "open" : place.peek().status, c: "", ...filters });
  return html`
    <li>
      <button type="button" class="entry" aria-current=${here ? "page" : undefined} onClick=${open}>
        <span>${children}</span>${n ? html`<span class="n">${count(n)}</span>` : null}
      </button>
    </li>
  `;
}

/** @param {{page: string, children: any}} props */
function PageEntry({ page, children }) {
  const here = place.value.page === page;
  return html`<li><button type="button" class="entry" aria-current=${here ? "page" : undefined} onClick=${() => go({ page })}><span>${children}</span></button></li>`;
}
