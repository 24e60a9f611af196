/** The whole page: signing in, or the inbox with its small windows, or a page of the settings. */

import { html } from "../html.js";
import { t } from "../i18n.js";
import { connection } from "../live.js";
import { notices } from "../notices.js";
import { place } from "../route.js";
import { me } from "../session.js";
import { conversation, missing } from "../thread.js";
import { CannedPage } from "./canned.js";
import { ChannelsPage } from "./channels.js";
import { ConversationPane } from "./conversation.js";
import { CustomerPane } from "./customer.js";
import { FailedPage } from "./failed.js";
import { ListPane } from "./list.js";
import { Nav } from "./nav.js";
import { OverviewPage } from "./overview.js";
import { Preview } from "./preview.js";
import { SignIn } from "./sign_in.js";
import { StaffPage } from "./staff.js";
import { TagsPage } from "./tags.js";
import { WebhooksPage } from "./webhooks.js";
import { Windows } from "./windows.js";

/** @type {Record<string, (() => any) | undefined>} */
const PAGES = { canned: CannedPage, overview: OverviewPage, channels: ChannelsPage, failed: FailedPage, staff: StaffPage, tags: TagsPage, webhooks: WebhooksPage };

export function App() {
  if (me.value === undefined) return html`<${Notices} />`;
  if (me.value === null) return html`<${SignIn} /><${Notices} />`;
  const page = PAGES[place.value.page];
  const open = place.value.c !== "";
  return html`
    <a class="skip" href="#conversation">${t("skip")}</a>
    <div class="house ${open ? "is-open" : ""} ${page ? "is-page" : ""}">
      <${Nav} />
      ${page ? html`<main class="page"><${page} /></main>` : html`<${ListPane} /><${Middle} /><${CustomerPane} />`}
    </div>
    ${connection.value === "lost" && html`<div class="banner" role="alert">${t("lost")}</div>`}
    <${Windows} /><${Preview} /><${Notices} />
  `;
}

function Middle() {
  if (conversation.value) return html`<${ConversationPane} />`;
  const words = missing.value ? t("notThere") : place.value.c ? "" : t("pick");
  return html`<main class="conversation is-empty" id="conversation" tabindex="-1"><p>${words}</p></main>`;
}

function Notices() {
  return html`
    <div class="notices" role="status" aria-live="polite">
      ${notices.value.map(
        (one) => html`
          <div key=${one.id} class="notice is-${one.kind}">
            <span>${one.text}</span>
            ${one.action && html`<button type="button" onClick=${one.action.run}>${one.action.label}</button>`}
          </div>
        `,
      )}
    </div>
  `;
}
