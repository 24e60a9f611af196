/** An agent's picture: shown, chosen, taken away. */

import { useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { agentPicture } from "../session.js";
import { Face } from "./parts.js";

const SIZE = 256; // pixels: what a face is shown at, on a sharp screen, and some more

/** @param {{id: string, name: string, path: string, changed: () => Promise<unknown>}} props */
export function Picture({ id, name, path, changed }) {
  const [busy, setBusy] = useState(false);
  const shown = agentPicture(id);
  const work = async (/** @type {() => Promise<unknown>} */ change) => {
    setBusy(true);
    await attempt(async () => {
      await change();
      await changed();
    });
    setBusy(false);
  };
  /** @param {Event} event */
  const choose = async (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    const [file] = field.files ?? [];
    if (file) await work(async () => call("PUT", path, { file: await small(file) }));
    field.value = "";
  };
  return html`
    <div class="picture" aria-busy=${busy}>
      <${Face} name=${name} picture=${shown} />
      <label class="button">${t("choosePicture")}<input class="unseen" type="file" accept="image/png,image/jpeg,image/webp,image/gif" aria-label="${t("choosePicture")}: ${name}" disabled=${busy} onChange=${choose} /></label>
      ${shown && html`<button type="button" class="quiet" aria-label="${t("removePicture")}: ${name}" disabled=${busy} onClick=${() => work(() => call("DELETE", path))}>${t("remove")}</button>`}
    </div>
  `;
}

/**
 * The middle of a picture, as large as it is shown: a phone's photograph would be too large, and says where it was taken.
 * What cannot be drawn goes as it is; Santral says what is wrong with it.
 * @param {Blob} file
 * @returns {Promise<Blob>}
 */
async function small(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return file;
  const side = Math.min(image.width, image.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.min(side, SIZE);
  const at = [(image.width - side) / 2, (image.height - side) / 2];
  canvas.getContext("2d")?.drawImage(image, at[0], at[1], side, side, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((made) => done(made ?? file), "image/webp", 0.9));
}
