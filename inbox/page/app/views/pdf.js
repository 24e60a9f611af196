/** A PDF, page by page as each comes into sight. What draws it is large, and loaded with the first one. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { t } from "../i18n.js";

/** @import {Attachment} from "../types.d.ts" */

const MOST = 50 << 20; // bytes
const WIDEST = 4096; // pixels of a page that are drawn

const vendor = (/** @type {string} */ name) => new URL(`../../vendor/${name}`, import.meta.url).href;

/** Begins to read a file; nothing in it is run: forms and scripts are neither filled nor started. @param {string} address */
async function open(address) {
  const { GlobalWorkerOptions, getDocument } = await import("../../vendor/pdf.js");
  GlobalWorkerOptions.workerSrc = vendor("pdf.worker.js");
  // The page's policy lets no WebAssembly run: what is slower decodes scans without.
  return getDocument({ url: address, useWasm: false, wasmUrl: vendor("pdf/"), disableWorkerRendering: true, disableRange: true, verbosity: 0 });
}

/** @param {{file: Attachment}} props */
export function Pdf({ file }) {
  const [opened, setOpened] = useState(/** @type {{pages: any, first: any} | null} */ (null));
  const tooLarge = (file.size ?? 0) > MOST;
  const [wrong, setWrong] = useState(tooLarge ? t("tooLargeToShow") : "");
  useEffect(() => {
    if (tooLarge) return undefined;
    /** @type {any} */
    let task = null;
    let left = false;
    const read = async () => {
      task = await open(`/api/v1/attachments/${file.id}`);
      if (left) return task.destroy();
      const pages = await task.promise;
      const first = await pages.getPage(1);
      if (!left) setOpened({ pages, first });
    };
    read().catch((/** @type {Error} */ error) => !left && setWrong(t(error.name === "PasswordException" ? "lockedFile" : "cannotShow")));
    return () => {
      left = true;
      task?.destroy();
    };
  }, [file.id]);
  if (wrong || !opened) return html`<p class=${wrong ? "wrong" : "none"} role="status">${wrong || t("opening")}</p>`;
  const { width, height } = opened.first.getViewport({ scale: 1 });
  const numbers = Array.from({ length: opened.pages.numPages }, (_, index) => index + 1);
  return html`
    <ol class="pages scroll" tabindex="0" aria-label=${file.filename}>
      ${numbers.map((number) => html`<${PdfPage} key=${number} pages=${opened.pages} number=${number} shape=${`${width} / ${height}`} />`)}
    </ol>
  `;
}

/** @param {{pages: any, number: number, shape: string}} props `shape`: what it is taken for until it is drawn */
function PdfPage({ pages, number, shape }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [near, setNear] = useState(false);
  const [drawn, setDrawn] = useState({ shape, words: "" });
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const watched = new IntersectionObserver(([seen]) => setNear(seen.isIntersecting), { root: element.parentElement, rootMargin: "100% 0px" });
    watched.observe(element);
    return () => watched.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (!near || !element) return undefined;
    /** @type {any} */
    let task = null;
    let left = false;
    const draw = async () => {
      const page = await pages.getPage(number);
      const whole = page.getViewport({ scale: 1 });
      const wanted = Math.min(element.clientWidth * devicePixelRatio, WIDEST);
      const viewport = page.getViewport({ scale: wanted / whole.width });
      if (left) return;
      element.width = Math.round(viewport.width);
      element.height = Math.round(viewport.height);
      task = page.render({ canvas: element, viewport });
      await task.promise;
      const { items } = await page.getTextContent();
      const words = items.map((/** @type {any} */ one) => `${one.str ?? ""}${one.hasEOL ? "\n" : ""}`).join("");
      if (!left) setDrawn({ shape: `${whole.width} / ${whole.height}`, words });
    };
    draw().catch(() => {}); // the page stays empty: it was left, or is broken
    return () => {
      left = true;
      task?.cancel();
      element.width = element.height = 0; // gives its memory back
    };
  }, [near]);
  return html`
    <li ref=${place} aria-label=${t("pageOf", { at: number, n: pages.numPages })}>
      <canvas ref=${canvas} style=${{ aspectRatio: drawn.shape }} aria-hidden="true"></canvas>
      <p class="unseen">${drawn.words}</p>
    </li>
  `;
}
