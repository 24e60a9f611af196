/** Puts the widget together and on the page. `widget.js` calls it once. */

import { Attention } from "./attention.js";
import { Chat } from "./chat.js";
import { mount } from "./mount.js";
import { Storage } from "./storage.js";
import { Words } from "./words.js";

/**
 * @param {import("./types.js").Start} given
 * @returns {import("./types.js").Widget}
 */
export function start(given) {
  const storage = new Storage(given.base);
  const { documentElement } = document;
  const words = new Words([given.tag.locale, documentElement.lang, given.settings.locale, navigator.language]);
  const attention = new Attention();
  const chat = new Chat(given, storage, words, attention);
  mount(chat, given, attention);
  chat.begin();
  if (given.tag.open) chat.show();
  given.emit("ready");
  return {
    open: () => chat.show(),
    close: () => chat.hide(),
    identify: (token) => chat.identify(token),
    logout: async () => chat.logout(),
  };
}
