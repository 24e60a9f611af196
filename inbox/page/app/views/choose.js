/** Taking one of many by typing. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Window } from "./parts.js";

/** @typedef {{label: string, hint?: string, run: () => unknown, here?: boolean}} Choice */

const PAUSE = 250; // milliseconds without a key, after which it is looked for

/**
 * A list that typing narrows, and Enter takes from. Where `find` is given, it says what there is for what was typed.
 * @param {{title: string, hint: string, close: () => void, choices?: Choice[], find?: (typed: string) => Promise<Choice[] | undefined>}} props
 */
export function Choose({ title, hint, close, choices = [], find }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [found, setFound] = useState(/** @type {Choice[] | null} */ (null));
  const wanted = typed.toLocaleLowerCase();
  const shown = find ? (found ?? []) : choices.filter((one) => one.label.toLocaleLowerCase().includes(wanted));
  useEffect(() => {
    if (!find) return undefined;
    let here = true;
    const timer = setTimeout(async () => {
      const now = await find(typed.trim());
      if (here && now) setFound(now);
    }, typed ? PAUSE : 0);
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [typed]);
  const take = (/** @type {Choice} */ one) => {
    close();
    one.run();
  };
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      setAt((at + step + shown.length) % Math.max(1, shown.length));
    } else if (event.key === "Enter" && shown[at]) {
      event.preventDefault();
      take(shown[at]);
    }
  };
  const input = (/** @type {any} */ event) => {
    setTyped(event.target.value);
    setAt(0);
  };
  return html`
    <${Window} title=${title} close=${close}>
      <input class="narrow" autofocus role="combobox" aria-expanded="true" aria-controls="choices" aria-activedescendant=${shown[at] ? `choice-${at}` : undefined}
        aria-label=${hint} placeholder=${hint} value=${typed} onInput=${input} onKeyDown=${keys} />
      <ul id="choices" class="choices" role="listbox" aria-label=${title}>
        ${shown.map(
          (one, index) => html`
            <li id="choice-${index}" role="option" aria-selected=${index === at} class=${one.here ? "is-here" : ""} onClick=${() => take(one)} onMouseMove=${() => setAt(index)}>
              <span>${one.here ? "✓ " : ""}${one.label}</span>${one.hint && html`<kbd>${one.hint}</kbd>`}
            </li>
          `,
        )}
      </ul>
      ${found && !shown.length && html`<p class="none" role="status">${t("nothingFound")}</p>`}
    <//>
  `;
}
