/** The widget's place on a page of somebody else: a shadow root in which none of the page's styles holds. */

import { render } from "../vendor/preact.js";
import { html } from "./html.js";
import { watch } from "./signal.js";
import { App } from "./views/app.js";

/**
 * @param {import("./chat.js").Chat} chat @param {import("./types.js").Start} start
 * @param {import("./attention.js").Attention} attention
 */
export function mount(chat, start, attention) {
  const host = document.createElement("santral-chat");
  const shadow = host.attachShadow({ mode: "open" });
  dress(shadow, start);
  const theme = start.settings.theme || { accent: null, side: "right" };
  host.dataset.side = theme.side;
  if (theme.accent) host.style.setProperty("--theme-accent", theme.accent);
  const root = document.createElement("div");
  root.className = "root";
  root.lang = chat.words.language;
  root.dir = chat.words.direction;
  shadow.append(root);
  for (const type of ["pointerdown", "keydown"]) root.addEventListener(type, () => attention.touched());
  // The keys of whoever writes here are no shortcuts of the host page.
  for (const type of ["keydown", "keypress", "keyup"]) host.addEventListener(type, (event) => event.stopPropagation());
  // Not in the body: a page may move that about, replace it, or make it the frame of what is fixed.
  document.documentElement.append(host);
  draw(chat, root);
  followScreen(host);
  contrast(root);
}

/** Now, and after each change. @param {import("./chat.js").Chat} chat @param {HTMLElement} root */
function draw(chat, root) {
  let due = false;
  const again = () => {
    due = false;
    render(html`<${App} chat=${chat} />`, root);
  };
  watch(() => {
    if (!due) void Promise.resolve().then(again);
    due = true;
  });
  again();
}

/** @param {ShadowRoot} shadow @param {import("./types.js").Start} start */
function dress(shadow, start) {
  if ("adoptedStyleSheets" in shadow && typeof CSSStyleSheet.prototype.replaceSync === "function") {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(start.style);
    shadow.adoptedStyleSheets = [sheet];
    return;
  }
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: start.link });
  shadow.append(link);
}

/** What the keyboard of a phone leaves free. @param {HTMLElement} host */
function followScreen(host) {
  const screen = window.visualViewport;
  if (!screen) return;
  const follow = () => {
    if (screen.scale > 1.01) return; // whoever zooms in moves about by themselves
    host.style.setProperty("--visible-height", `${screen.height}px`);
    host.style.setProperty("--visible-top", `${screen.offsetTop}px`);
  };
  screen.addEventListener("resize", follow);
  screen.addEventListener("scroll", follow);
  follow();
}

/** Black or white on the accent, whichever is read better: the accent may be anything. @param {HTMLElement} root */
function contrast(root) {
  const probe = document.createElement("div");
  probe.className = "probe";
  root.append(probe);
  const set = () => {
    const found = /(\d+)\D+(\d+)\D+(\d+)/.exec(getComputedStyle(probe).backgroundColor);
    if (!found) return;
    const [red, green, blue] = found.slice(1).map((one) => {
      const part = Number(one) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179; // WCAG's luminance, where both read alike
    root.style.setProperty("--on-accent", light ? "#000" : "#fff");
  };
  set();
  if (window.matchMedia("print").addEventListener) {
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", set);
  }
  const link = /** @type {ShadowRoot} */ (root.getRootNode()).querySelector("link");
  if (link) link.addEventListener("load", set);
}
