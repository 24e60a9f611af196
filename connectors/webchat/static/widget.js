// The one script tag of the web chat. It defines `window.Santral` at once and loads the rest when the browser has
// nothing better to do, or when the page asks for it; calls made before that wait.
(() => {
  "use strict";

  if (window.Santral) return;
  const script = /** @type {HTMLScriptElement | null} */ (
    document.currentScript || document.querySelector('script[src*="/widget.js"]')
  );
  if (!script) return;
  const { dataset } = script;
  const base = new URL(".", script.src).href;
  /** @type {Map<string, Set<(detail: any) => void>>} */
  const listeners = new Map();
  /** @type {Promise<import("./widget/types.js").Widget> | null} */
  let loading = null;
  let ready = false;

  /** @param {string} event @param {unknown} [detail] */
  function emit(event, detail) {
    if (event === "ready") ready = true;
    for (const listener of Array.from(listeners.get(event) || [])) {
      // What fails in the host page's listener is the host page's, and stops nobody.
      try { listener(detail); } catch (error) { setTimeout(() => { throw error; }); }
    }
  }

  /** All files at once: no module waits for another to name it. */
  async function begin() {
    const root = `${base}assets/SANTRAL_VERSION/`;
    const settings = fetch(`${base}settings`).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));
    const style = fetch(`${root}widget/style.css`).then((answer) => answer.text());
    const [main] = await Promise.all(SANTRAL_MODULES.map((name) => import(root + name)));
    const { locale, open } = dataset;
    const tag = { locale: locale || null, open: open !== undefined };
    return main.start({ base, style: await style, link: `${root}widget/style.css`, settings: await settings, tag, emit });
  }

  function load() {
    if (!loading) {
      loading = begin();
      loading.catch((error) => {
        console.error(`Santral: the chat could not be loaded. Is ${location.origin} among the channel's "origins", and `
          + "does this page's Content-Security-Policy allow the chat's host?", error);
        emit("error", { code: "not_loaded", detail: String(error) });
      });
    }
    return loading;
  }

  window.Santral = {
    open: () => void load().then((widget) => widget.open(), () => {}),
    close: () => void load().then((widget) => widget.close(), () => {}),
    identify: (token) => load().then((widget) => widget.identify(token)),
    logout: () => load().then((widget) => widget.logout()),
    on(event, listener) {
      const all = listeners.get(event) || new Set();
      listeners.set(event, all.add(listener));
      if (event === "ready" && ready) setTimeout(() => listener(undefined));
      return () => void all.delete(listener);
    },
  };

  const idly = window.requestIdleCallback || ((/** @type {() => void} */ act) => setTimeout(act, 1));
  const soon = () => void idly(() => void load().catch(() => {}), { timeout: 1000 });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", soon, { once: true });
  else soon();
})();
