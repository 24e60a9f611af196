/** Files of a message: what can be shown here is, the rest is saved. */

import { previewed } from "../focus.js";
import { html } from "../html.js";
import { bytes, t } from "../i18n.js";
import { Icon } from "./icons.js";
import { kindOf } from "./preview.js";

/** @import {Attachment} from "../types.d.ts" */

/** @param {{files: Attachment[]}} props */
export function Files({ files }) {
  return html`<ul class="files">${files.map((file) => html`<li key=${file.id}><${FileView} file=${file} files=${files} /></li>`)}</ul>`;
}

/** @param {{file: Attachment, files: Attachment[]}} props `files`: those among which one goes on */
function FileView({ file, files }) {
  if (file.state !== "ready") return html`<span class="file is-away">${file.filename}: ${t(`${file.state}File`)}</span>`;
  const address = `/api/v1/attachments/${file.id}`;
  const size = file.size === null ? "" : bytes(file.size);
  const kind = kindOf(file);
  if (kind === null) return html`<a class="file" href=${address} download=""><${Icon} name="clip" /> ${file.filename} <small>${size}</small></a>`;
  const shown = files.filter((one) => one.state === "ready" && kindOf(one) !== null);
  const preview = () => (previewed.value = { files: shown, at: shown.indexOf(file) });
  if (kind === "picture") {
    return html`<button type="button" class="file is-picture" aria-label="${t("preview")}: ${file.filename}" onClick=${preview}><img src=${address} alt=${file.filename} loading="lazy" /></button>`;
  }
  return html`
    ${kind === "audio" && html`<audio controls preload="none" src=${address} title=${file.filename}></audio>`}
    ${kind === "video" && html`<video controls preload="none" src=${address} title=${file.filename}></video>`}
    <span class="file">
      <button type="button" class="quiet" title=${t("preview")} onClick=${preview}><${Icon} name="clip" /> <span class="unseen">${t("preview")}: </span>${file.filename} <small>${size}</small></button>
      <a class="button quiet" href=${address} download="" title=${t("download")} aria-label="${t("download")}: ${file.filename}"><${Icon} name="down" /></a>
    </span>
  `;
}
