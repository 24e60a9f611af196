/** What is asked before a chat, and instead of one while nobody is there. */

import { useRef, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { named } from "../text.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../types.js").Field} Field */
/** @typedef {Record<string, string>} Wrong what is wrong, by the field's name */

const COMPLETES = { name: "name", email: "email", phone: "tel" };

/** @param {{ chat: Chat, field: Field, wrong: Wrong, value?: string }} properties */
export function FieldInput({ chat, field, wrong, value = "" }) {
  const { words } = chat;
  const known = /** @type {keyof typeof COMPLETES} */ (field.name);
  const label = field.label || (known in COMPLETES ? words.t(known) : field.name);
  const id = `field-${field.name}`;
  const text = wrong[field.name];
  return html`
    <div class="field">
      <label for=${id} dir="auto">${label}${field.required && html`<small> (${words.t("required")})</small>`}</label>
      <input id=${id} name=${field.name} type=${field.type} required=${field.required} dir="auto" maxlength="500"
        autocomplete=${COMPLETES[known] || "off"} defaultValue=${value} aria-invalid=${Boolean(text)}
        aria-describedby=${text ? `${id}-wrong` : undefined} />
      ${text && html`<span class="wrong" role="alert" id=${`${id}-wrong`}>${text}</span>`}
    </div>`;
}

/** @param {{ chat: Chat, consent: string | null, wrong: Wrong }} properties */
function Consent({ chat, consent, wrong }) {
  if (!consent) return null;
  return html`
    <div class="field">
      <label class="consent" dir="auto">
        <input type="checkbox" name="consent" required aria-invalid=${Boolean(wrong.consent)} />
        <span>${named(consent).map(({ text, href }) => (href
          ? html`<a href=${href} target="_blank" rel="noopener noreferrer">${text}</a>` : text))}</span>
      </label>
      ${wrong.consent && html`<span class="wrong" role="alert">${chat.words.t("consentMissing")}</span>`}
    </div>`;
}

/**
 * What stands in a form, or what is wrong with it; the first such field gets the focus.
 * @param {Chat} chat @param {HTMLFormElement} form @returns {{ fields: Record<string, string>, wrong: Wrong }}
 */
export function readForm(chat, form) {
  /** @type {Record<string, string>} */
  const fields = {};
  /** @type {Wrong} */
  const wrong = {};
  const inputs = Array.from(form.elements).filter((one) => "name" in one && one.name);
  for (const input of /** @type {HTMLInputElement[]} */ (inputs)) {
    const blank = input.type !== "checkbox" && input.required && !input.value.trim();
    if (blank || !input.checkValidity()) {
      wrong[input.name] = chat.words.t(input.value.trim() ? "fieldWrong" : "fieldMissing");
      if (Object.keys(wrong).length === 1) input.focus();
    } else if (input.type !== "checkbox" && input.value.trim()) {
      fields[input.name] = input.value.trim();
    }
  }
  return { fields, wrong };
}

/** @param {{ chat: Chat, prechat: { fields: Field[], consent: string | null } }} properties */
export function Introduction({ chat, prechat }) {
  const [wrong, setWrong] = useState(/** @type {Wrong} */ ({}));
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const read = readForm(chat, /** @type {HTMLFormElement} */ (event.currentTarget));
    setWrong(read.wrong);
    if (!Object.keys(read.wrong).length) chat.introduce({ fields: read.fields, consent: prechat.consent });
  };
  return html`
    <form class="form" noValidate onSubmit=${submit}>
      <h3>${chat.words.t("beforeChat")}</h3>
      ${prechat.fields.map((field) => html`<${FieldInput} key=${field.name} chat=${chat} field=${field} wrong=${wrong} />`)}
      <${Consent} chat=${chat} consent=${prechat.consent} wrong=${wrong} />
      <button type="submit" class="primary">${chat.words.t("startChat")}</button>
    </form>`;
}

/** @param {{ chat: Chat }} properties */
export function OfflineForm({ chat }) {
  const { words } = chat;
  const [wrong, setWrong] = useState(/** @type {Wrong} */ ({}));
  const [thanked, setThanked] = useState(false);
  const again = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const prechat = chat.settings.value.prechat;
  const consent = prechat && !chat.details.value ? prechat.consent : null;
  /** @type {Record<string, string>} */
  const known = chat.details.value ? chat.details.value.fields : {};
  const until = chat.hours.until;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const read = readForm(chat, /** @type {HTMLFormElement} */ (event.currentTarget));
    setWrong(read.wrong);
    if (Object.keys(read.wrong).length) return;
    const { message, ...fields } = read.fields;
    const details = { fields, consent: consent || (chat.details.value && chat.details.value.consent) };
    chat.introduce(details);
    chat.say(message, details);
    setThanked(true);
    setTimeout(() => again.current && again.current.focus());
  };
  if (thanked) {
    return html`
      <div class="form"><p role="status">${words.t("thanks")}</p>
        <button type="button" class="choice" ref=${again} onClick=${() => setThanked(false)}>${words.t("writeAnother")}</button></div>`;
  }
  const text = wrong.message;
  return html`
    <form class="form" noValidate onSubmit=${submit}>
      <h3>${until ? words.t("awayUntil", { moment: words.moment(until) }) : words.t("away")}</h3>
      <p>${words.t("leaveMessage")}</p>
      <${FieldInput} chat=${chat} field=${{ name: "name", label: null, type: "text", required: true }} wrong=${wrong} value=${known.name} />
      <${FieldInput} chat=${chat} field=${{ name: "email", label: null, type: "email", required: true }} wrong=${wrong} value=${known.email} />
      <div class="field">
        <label for="field-message">${words.t("message")}<small> (${words.t("required")})</small></label>
        <textarea id="field-message" name="message" required rows="3" dir="auto" maxlength="10000" aria-invalid=${Boolean(text)}
          aria-describedby=${text ? "field-message-wrong" : undefined}></textarea>
        ${text && html`<span class="wrong" role="alert" id="field-message-wrong">${text}</span>`}
      </div>
      <${Consent} chat=${chat} consent=${consent} wrong=${wrong} />
      <button type="submit" class="primary">${words.t("sendMessage")}</button>
    </form>`;
}
