/** Where the page begins. */

import { render } from "../vendor/preact.js";
import { effect } from "../vendor/signals.js";
import { whenSignedOut } from "./api.js";
import { press } from "./commands.js";
import { followConversation, forget } from "./compose.js";
import { html } from "./html.js";
import { language } from "./i18n.js";
import * as inbox from "./inbox.js";
import { follow, listen, unfollow } from "./live.js";
import { watch } from "./notify.js";
import { attempt } from "./notices.js";
import * as presence from "./presence.js";
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

listen(presence.hear);
listen(inbox.hear);
listen(thread.hear);
listen(watch);
inbox.followAddress();
thread.followAddress();
followConversation();
addEventListener("keydown", press);

const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** @type {string | undefined} */
let who;
/** @type {string | undefined} */
let before;
effect(() => {
  const id = me.value?.id;
  if (id === who) return;
  who = id;
  if (id && before && id !== before) {
    forget();
    render(null, root);
    location.reload(); // nothing of the one before is left to the next
    return;
  }
  before = id ?? before;
  if (id) follow({ loaded: load, signedOut });
  else unfollow();
});

whenSignedOut(signedOut);
render(html`<${App} />`, root);
attempt(recognise);
