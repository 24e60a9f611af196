/** The open conversation: what it is about, its messages in order, and where an answer is written. */

import { COMMANDS, resolve } from "../commands.js";
import { asked } from "../focus.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { present } from "../presence.js";
import { go } from "../route.js";
import { agentName, teamName } from "../session.js";
import { conversation } from "../thread.js";
import { Composer } from "./composer.js";
import { Icon } from "./icons.js";
import { MessageMenu } from "./menu.js";
import { Messages } from "./messages.js";
import { Ago, TagChip } from "./parts.js";

export function ConversationPane() {
  return html`
    <main class="conversation" id="conversation" tabindex="-1" aria-label=${t("conversation")}>
      <${Head} />
      <${Messages} />
      <${Composer} />
      <${MessageMenu} />
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
        <button type="button" class="given" aria-keyshortcuts=${keysOf("assign")} onClick=${window("assignee")}>${one.assignee ? agentName(one.assignee) : t("nobody")}</button>
        <button type="button" class="given" aria-keyshortcuts=${keysOf("toTeam")} onClick=${window("team")}>${one.team ? teamName(one.team) : t("noTeam")}</button>
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
