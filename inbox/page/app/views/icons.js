/** Small pictures, drawn in the colour of the text beside them. */

import { html } from "../html.js";

const PATHS = {
  email: "M2 4h12v8H2z M2 4l6 5 6-5",
  webchat: "M2 3h12v8H8l-3 3v-3H2z",
  telegram: "M14 2 1.5 7.2l4 1.6L12 4 7 9.4V14l2.2-3 3 2z",
  slack: "M6 2 5 14 M11 2l-1 12 M2.5 6h12 M1.5 10h12",
  other: "M8 3a5 5 0 1 0 .01 0z",
  clip: "M13 7.5 8 12.6a3 3 0 0 1-4.3-4.3l5.4-5.4a2 2 0 0 1 2.9 2.9l-5.4 5.3a1 1 0 0 1-1.4-1.4L10 5",
  smile: "M8 2a6 6 0 1 0 .01 0z M5.5 9.5a3 3 0 0 0 5 0 M6 6v.5 M10 6v.5",
  star: "M8 1.8l1.9 4 4.3.5-3.2 3 .9 4.3L8 11.4l-3.9 2.2.9-4.3-3.2-3 4.3-.5z",
  plus: "M8 3v10 M3 8h10",
  lock: "M4 7h8v6H4z M5.5 7V5a2.5 2.5 0 0 1 5 0v2",
  back: "M9.5 3 4.5 8l5 5",
  more: "M3.5 8h.01 M8 8h.01 M12.5 8h.01",
  down: "M8 3v9 M4 8.5 8 12.5l4-4",
  cross: "M4 4l8 8 M12 4l-8 8",
};

/** @param {{name: string}} props a connector's, or one of those above */
export function Icon({ name }) {
  const path = PATHS[/** @type {keyof typeof PATHS} */ (name)] ?? PATHS.other;
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${path} /></svg>`;
}
