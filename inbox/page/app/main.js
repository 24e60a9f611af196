/** Where the page begins. */

import { render } from "../vendor/preact.js";
import { effect } from "../vendor/signals.js";
import { press } from "./commands.js";
import { followConversation } from "./compose.js";
import { html } from "./html.js";
import { language } from "./i18n.js";
import * as inbox from "./inbox.js";
import { follow, listen, unfollow } from "./live.js";
import { watch } from "./notify.js";
import { attempt } from "./notices.js";
import { loadHouse, me, recognise, signedOut } from "./session.js";
import * as thread from "./thread.js";
import { App } from "./views/app.js";

/** Loads all that is shown: at first, and when events may be missing. */
async function load() {
  await Promise.all([loadHouse(), inbox.load(), inbox.loadCounts(), thread.reload()]);
}

effect(() => {
  document.documentElement.lang = language.value;
});

listen(inbox.hear);
listen(thread.hear);
listen(watch);
inbox.followAddress();
thread.followAddress();
followConversation();
addEventListener("keydown", press);

/** @type {string | undefined} */
let who;
effect(() => {
  const id = me.value?.id;
  if (id === who) return;
  who = id;
  if (id) follow({ loaded: load, signedOut });
  else unfollow();
});

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
attempt(recognise);
