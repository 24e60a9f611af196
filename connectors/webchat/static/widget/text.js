/** Text is text: what looks like a link becomes one, where it leads to a page, a mail or a phone; nothing else does. */

// A link ends where the direction of the text is overruled: it must not read as another address than its own.
const LINK = /(?:https?:\/\/|mailto:|tel:)[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
const NAMED = /\[([^\][]+)\]\((https?:\/\/[^\s()]+)\)/g;
const SAFE = ["http:", "https:", "mailto:", "tel:"];
const AT_THE_END = /[.,:;!?…)\]}»”’]+$/;

/** @typedef {{ text: string, href: string | null }} Piece */

/** @param {string} address @returns {string | null} */
function safe(address) {
  try { return SAFE.includes(new URL(address).protocol) ? address : null; } catch { return null; }
}

/** @param {string} address @returns {string} without the marks of the sentence around it */
function trimmed(address) {
  const end = AT_THE_END.exec(address);
  if (!end) return address;
  const closes = end[0].startsWith(")") && address.includes("("); // as addresses of encyclopedias end
  return address.slice(0, end.index + (closes ? 1 : 0));
}

/** @param {string} text @param {RegExp} pattern @param {(found: RegExpMatchArray) => Piece & { length: number }} make */
function cut(text, pattern, make) {
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  for (const found of text.matchAll(pattern)) {
    const index = /** @type {number} */ (found.index);
    const { length, ...piece } = make(found);
    if (index > at) pieces.push({ text: text.slice(at, index), href: null });
    pieces.push(piece);
    at = index + length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), href: null });
  return pieces;
}

/** A message. @param {string} text */
export function linked(text) {
  return cut(text, LINK, ([found]) => {
    const address = trimmed(found);
    return { text: address, href: safe(address), length: address.length };
  });
}

/** The company's own words about consent, with links as `[words](https://…)`. @param {string} text */
export function named(text) {
  return cut(text, NAMED, ([whole, words, address]) => ({ text: words, href: safe(address), length: whole.length }));
}
