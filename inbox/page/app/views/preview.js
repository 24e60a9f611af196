/** A file that is looked at: a picture, a recording, text, a table, a PDF. What strangers wrote is shown and never run. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { Problem, beginning } from "../api.js";
import { previewed } from "../focus.js";
import { html } from "../html.js";
import { count, t } from "../i18n.js";
import { wordsOf } from "../notices.js";
import { Icon } from "./icons.js";
import { Window } from "./parts.js";
import { Pdf } from "./pdf.js";

/** @import {Attachment} from "../types.d.ts" */
/** @typedef {"picture" | "audio" | "video" | "pdf" | "table" | "text"} Kind */

const TEXT = 1 << 20; // bytes of it that are shown
const ROWS = 200;
const PICTURE = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;
const SOME_TEXT = /^(text\/.*|application\/(json|xml|yaml|x-yaml|.*\+json|.*\+xml))$/;
const NAMED = { pdf: /\.pdf$/i, table: /\.(csv|tsv)$/i, text: /\.(txt|md|markdown|json|log|ya?ml|xml|ini)$/i };

/** As what a file can be shown; null: it can only be saved. Mail programs often know no type, then the name says it. @param {Pick<Attachment, "content_type" | "filename">} file @returns {Kind | null} */
export function kindOf(file) {
  const type = file.content_type.toLowerCase().split(";")[0].trim();
  const named = (/** @type {keyof typeof NAMED} */ kind) => NAMED[kind].test(file.filename);
  const untold = type === "application/octet-stream";
  if (PICTURE.test(type)) return "picture";
  if (type.startsWith("audio/")) return "audio";
  if (type.startsWith("video/")) return "video";
  if (type === "application/pdf" || (untold && named("pdf"))) return "pdf";
  if (type === "text/csv" || type === "text/tab-separated-values" || ((untold || SOME_TEXT.test(type) || type === "application/vnd.ms-excel") && named("table"))) return "table";
  return SOME_TEXT.test(type) || (untold && named("text")) ? "text" : null;
}

export function Preview() {
  const shown = previewed.value;
  const step = (/** @type {number} */ by) => {
    const now = previewed.peek();
    if (now?.files[now.at + by]) previewed.value = { ...now, at: now.at + by };
  };
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const keys = (event) => {
      const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!by || event.target instanceof HTMLMediaElement || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      step(by);
    };
    if (shown) addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, [shown !== null]);
  if (!shown) return null;
  const { files, at } = shown;
  const file = files[at];
  return html`
    <${Window} title=${file.filename} close=${() => (previewed.value = null)} wide>
      <div class="preview">
        <div class="line">
          ${files.length > 1 && html`
            <button type="button" aria-label=${t("previousFile")} aria-keyshortcuts="ArrowLeft" disabled=${at === 0} onClick=${() => step(-1)}>←</button>
            <button type="button" aria-label=${t("nextFile")} aria-keyshortcuts="ArrowRight" disabled=${at === files.length - 1} onClick=${() => step(1)}>→</button>
            <span role="status">${t("ofAll", { at: at + 1, n: files.length })}</span>
          `}
          <a class="button" href="/api/v1/attachments/${file.id}" download=""><${Icon} name="down" /> ${t("download")}</a>
        </div>
        <${Content} key=${file.id} file=${file} />
      </div>
    <//>
  `;
}

/** @param {{file: Attachment}} props */
function Content({ file }) {
  const address = `/api/v1/attachments/${file.id}`;
  switch (kindOf(file)) {
    case "picture":
      return html`<img src=${address} alt=${file.filename} />`;
    case "audio":
      return html`<audio controls src=${address} title=${file.filename}></audio>`;
    case "video":
      return html`<video controls src=${address} title=${file.filename}></video>`;
    case "pdf":
      return html`<${Pdf} file=${file} />`;
    case "table":
      return html`<${Text} path="/attachments/${file.id}" most=${TEXT} as=${Table} />`;
    default:
      return html`<${Text} path="/attachments/${file.id}" most=${TEXT} as=${Plain} />`;
  }
}

/**
 * The beginning of a file as text.
 * @param {{path: string, most: number, as: (props: {text: string, whole: boolean}) => any}} props `most`: bytes; `as`: what shows it
 */
export function Text({ path, most, as }) {
  const [found, setFound] = useState(/** @type {{text: string, whole: boolean} | null} */ (null));
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    const enough = new AbortController();
    beginning(path, most, enough.signal).then(setFound, (error) => {
      if (!enough.signal.aborted) setWrong(error instanceof Problem ? wordsOf(error) : t("cannotShow"));
    });
    return () => enough.abort();
  }, [path]);
  if (!found) return html`<p class=${wrong ? "wrong" : "none"} role="status">${wrong || t("opening")}</p>`;
  return html`<${as} ...${found} />`;
}

/** @param {{text: string, whole: boolean}} props */
export function Plain({ text, whole }) {
  return html`<pre class="scroll" tabindex="0" dir="auto">${text}</pre>${!whole && html`<p class="told">${t("onlyBeginning")}</p>`}`;
}

/** @param {{text: string, whole: boolean}} props */
function Table({ text, whole }) {
  const [rows, setRows] = useState(/** @type {string[][] | null} */ (null));
  useEffect(() => {
    import("../../vendor/papaparse.js").then(({ default: csv }) => setRows(csv.parse(text, { preview: ROWS + 1, skipEmptyLines: true }).data));
  }, [text]);
  if (!rows) return null;
  const [head, ...body] = rows.slice(0, ROWS);
  return html`
    <div class="scroll" tabindex="0">
      <table>
        <thead><tr>${head?.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
        <tbody>${body.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
    ${(rows.length > ROWS || !whole) && html`<p class="told">${t("firstRows", { rows: count(Math.min(rows.length, ROWS)) })}</p>`}
  `;
}
