/** The visitor asks to be called. */

import { useEffect, useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { FieldInput, readForm } from "./forms.js";

/** @param {{ chat: import("../chat.js").Chat, done: () => void }} properties */
export function CallBack({ chat, done }) {
  const { words } = chat;
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  useEffect(() => { const first = form.current && form.current.querySelector("input"); if (first) first.focus(); }, []);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const { fields, wrong: found } = readForm(chat, /** @type {HTMLFormElement} */ (event.currentTarget));
    setWrong(found);
    if (Object.keys(found).length) return;
    chat.callBack(fields.phone, fields.when || "");
    done();
  };
  return html`
    <form class="form" ref=${form} noValidate onSubmit=${submit}>
      <h3>${words.t("callBack")}</h3>
      <${FieldInput} chat=${chat} field=${{ name: "phone", label: null, type: "tel", required: true }} wrong=${wrong} />
      <${FieldInput} chat=${chat} field=${{ name: "when", label: words.t("callBackWhen"), type: "text", required: false }} wrong=${wrong} />
      <div class="choices">
        <button type="submit" class="primary">${words.t("callMe")}</button>
        <button type="button" class="choice" onClick=${done}>${words.t("cancel")}</button>
      </div>
    </form>`;
}
