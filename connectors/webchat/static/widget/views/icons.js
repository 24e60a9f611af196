/** The icons; each stands beside words, seen or only said. */

import { html } from "../html.js";

const PATHS = {
  chat: "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z",
  close: "M6 6l12 12M18 6L6 18",
  clip: "M8 12.500 14.500 6a3 3 0 0 1 4.300 4.300l-8.500 8.400a5 5 0 0 1-7-7L11.500 3.500",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  send: "M4 12 20 4l-5 16-3.500-6.500z",
  phone: "M5 4h4l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v4a1 1 0 0 1-1 1A16 16 0 0 1 4 5a1 1 0 0 1 1-1z",
  sound: "M4 10v4h3l5 4V6L7 10zM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11",
  silent: "M4 10v4h3l5 4V6L7 10zM16 9.500l5 5M21 9.500l-5 5",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  wait: "M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  sent: "M5 13l4 4L19 7",
  seen: "M2 13l4 4L15 7M11 16l1 1L22 7",
  down: "M12 5v14M6 13l6 6 6-6",
  star: "M12 3l2.800 5.800 6.200.900-4.500 4.400 1.100 6.300-5.600-3-5.600 3 1.100-6.300L3 9.700l6.200-.900z",
};

/** @param {{ name: keyof typeof PATHS }} properties */
export function Icon({ name }) {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true" class=${`icon icon-${name}`}><path d=${PATHS[name]} /></svg>`;
}

/** @param {{ icon: keyof typeof PATHS, label: string, [property: string]: any }} properties */
export function IconButton({ icon, label, ...more }) {
  return html`<button type="button" title=${label} aria-label=${label} ...${more}><${Icon} name=${icon} /></button>`;
}
