/** The conversation was resolved: how was it? */

import { useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { Icon } from "./icons.js";

const SCORES = [1, 2, 3, 4, 5];

/** @param {{ chat: import("../chat.js").Chat }} properties */
export function Rating({ chat }) {
  const { words } = chat;
  const [score, setScore] = useState(0);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    if (score) chat.rate(score, String(form.get("comment") || "").trim());
  };
  return html`
    <form class="form rating" onSubmit=${submit}>
      <fieldset>
        <legend>${words.t("rateTitle")}</legend>
        <div class="stars">${SCORES.map((one) => html`
          <label key=${one} class=${one <= score ? "is-on" : ""}>
            <input type="radio" name="score" value=${one} aria-label=${words.t("rateScore", { n: one })}
              onChange=${() => setScore(one)} />
            <${Icon} name="star" />
          </label>`)}</div>
      </fieldset>
      ${score > 0 && html`
        <div class="field"><label for="field-comment">${words.t("rateComment")}</label>
          <textarea id="field-comment" name="comment" rows="2" dir="auto" maxlength="10000"></textarea></div>`}
      <div class="choices">
        ${score > 0 && html`<button type="submit" class="primary">${words.t("rateSend")}</button>`}
        <button type="button" class="choice" onClick=${() => chat.unrated()}>${words.t("notNow")}</button>
      </div>
    </form>`;
}
